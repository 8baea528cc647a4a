//! `cargo xtask lint`: format, clippy, docs, the SDK as a package, dependencies that nobody has
//! looked at, and the rules in .deny.toml.
//!
//! Clippy and rustdoc both run on the whole workspace in the release profile: so they share one set
//! of metadata of the engine.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::debian::succeeds;
use crate::project::Project;
use crate::reviewed;

/// Runs every check, and stops at the first that fails.
pub(crate) fn run(project: &Project) -> Result<()> {
    reviewed::run(project)?;
    components(project)?;
    project.cargo().args(["fmt", "--all", "--check"]).run()?;
    let clippy = ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
    project.cargo().args(clippy).run()?;
    let doc = ["doc", "--release", "--workspace", "--no-deps"];
    project.cargo().env("RUSTDOCFLAGS", "-D warnings").args(doc).run()?;
    sdk(project)?;
    deny(project)
}

/// Packs the SDK and builds it from the package alone: for WebAssembly, where that is installed, as
/// the bindings to the contract exist there only.
fn sdk(project: &Project) -> Result<()> {
    const WASM: &str = "wasm32-unknown-unknown";
    let rustc = project.shell.cmd("rustc").args(["--print", "target-libdir", "--target", WASM]);
    let has_wasm = rustc.quiet().read().is_ok_and(|directory| PathBuf::from(directory).is_dir());
    let package = ["package", "--quiet", "--package", "gristmill-sdk", "--allow-dirty"];
    let target: &[&str] = if has_wasm { &["--target", WASM] } else { &[] };
    let packed = project.cargo().args(package).args(target).run();
    packed.context("the SDK cannot be built from its package")
}

/// Adds rustfmt and clippy to a toolchain that was installed without them.
fn components(project: &Project) -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let cargo = project.cargo().args([subcommand, "--version"]).quiet();
        if cargo.ignore_stdout().ignore_stderr().run().is_err() {
            let rustup = project.shell.cmd("rustup").args(["component", "add", component]);
            rustup.run().with_context(|| format!("{component} is missing"))?;
        }
    }
    Ok(())
}

/// The rules that need no network run wherever cargo-deny is; advisories need a database fetched
/// before.
fn deny(project: &Project) -> Result<()> {
    if !succeeds(&project.shell, "cargo-deny", &["--version"]) {
        eprintln!("skipped: cargo-deny is not installed (cargo install --locked cargo-deny)");
        return Ok(());
    }
    let deny = || project.cargo().args(["deny", "--offline", "check", "--hide-inclusion-graph"]);
    deny().args(["bans", "licenses", "sources"]).run()?;
    if !has_advisories() {
        eprintln!("skipped: cargo-deny has no advisory database here (cargo deny fetch)");
        return Ok(());
    }
    Ok(deny().arg("advisories").run()?)
}

/// Whether `cargo deny fetch` left a database where it keeps them by default, beside a lock file.
fn has_advisories() -> bool {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let entries = home.and_then(|home| fs::read_dir(home.join("advisory-dbs")).ok());
    entries.into_iter().flatten().flatten().any(|entry| entry.path().is_dir())
}
