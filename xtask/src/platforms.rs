//! `cargo xtask platforms`: the host type-checked for systems that it is not tested on.
//!
//! Clippy runs over the library and the program for each target, so what is Linux's alone has to be
//! marked as such. C code of dependencies is compiled by zig, which knows the headers of all these
//! systems. It comes with `cargo-zigbuild` from `PyPI`, into an environment of Python that is made
//! once in the target directory. Nothing is linked, and nothing is run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::Shell;

use crate::project::Project;

/// What is checked, beside the machine's own.
const TARGETS: [&str; 2] = ["aarch64-unknown-linux-gnu", "aarch64-apple-darwin"];

/// The versions that these checks were written with.
const PACKAGES: [&str; 2] = ["cargo-zigbuild==0.24.1", "ziglang==0.17.1"];

/// Checks all targets. What cannot be had is an error.
pub(crate) fn run(project: &Project) -> Result<()> {
    let tools = tools(project)?;
    for target in TARGETS {
        add(&project.shell, target)?;
        check(project, &tools, target)?;
    }
    Ok(())
}

/// The same as a part of what a change must pass: where tools cannot be had, says so and goes on.
pub(crate) fn run_if_there(project: &Project) -> Result<()> {
    let missing = |error: anyhow::Error| eprintln!("skipped: platforms: {error:#}");
    let Ok(tools) = tools(project).map_err(missing) else { return Ok(()) };
    for target in TARGETS {
        if add(&project.shell, target).map_err(missing).is_ok() {
            check(project, &tools, target)?;
        }
    }
    Ok(())
}

fn check(project: &Project, tools: &Path, target: &str) -> Result<()> {
    let mut paths = vec![tools.to_path_buf()];
    paths.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path: OsString = env::join_paths(paths)?;
    let clippy = ["clippy", "--release", "--package", "gristmill", "--lib", "--bins"];
    let zigbuild = project.program_of(&tools.join("cargo-zigbuild")).env("PATH", path).args(clippy);
    zigbuild
        .args(["--target", target, "--", "-D", "warnings"])
        .run()
        .with_context(|| format!("the host does not compile for {target}"))?;
    println!("platforms: {target}: checked");
    Ok(())
}

/// Has rustup add the standard library for a target.
fn add(shell: &Shell, target: &str) -> Result<()> {
    let rustc = shell.cmd("rustc").args(["--print", "target-libdir", "--target", target]).quiet();
    if rustc.read().is_ok_and(|directory| Path::new(&directory).is_dir()) {
        return Ok(());
    }
    let rustup = shell.cmd("rustup").args(["target", "add", target]);
    rustup.run().with_context(|| format!("no standard library for {target}"))
}

/// The directory that has cargo-zigbuild and zig.
fn tools(project: &Project) -> Result<PathBuf> {
    let made = project.target.join(PACKAGES.join("-").replace("==", "-"));
    let programs = made.join("bin");
    if programs.join("cargo-zigbuild").is_file() {
        return Ok(programs);
    }
    // One that was begun and not finished is made anew.
    if made.exists() {
        fs::remove_dir_all(&made).with_context(|| made.display().to_string())?;
    }
    let shell = &project.shell;
    shell.cmd("python3").args(["-m", "venv"]).arg(&made).run().context("no Python environment")?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let python = shell.cmd(programs.join("python3")).args(pip).args(PACKAGES);
    if let Err(error) = python.run() {
        fs::remove_dir_all(&made).with_context(|| made.display().to_string())?;
        bail!("{} cannot be installed: {error}", PACKAGES.join(" and "));
    }
    Ok(programs)
}
