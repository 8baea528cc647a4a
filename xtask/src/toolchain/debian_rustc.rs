//! Debian's `rustc-web` and `rust-web-src`: a compiler with the standard library's source, from
//! which cargo builds the library for Wasm (`-Zbuild-std`, about a minute the first time).
//!
//! The linker is rustup's `rust-lld`; cargo is the one that runs us.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell, cmd};

use super::Version;
use crate::debian;
use crate::project::Project;

const RUSTC: &str = "/usr/bin/rustc";
const PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// What the machine's settings may hold and this compiler must not see.
const FOREIGN: [&str; 4] =
    ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC", "CARGO_BUILD_RUSTC_WRAPPER"];

/// A compiler of Debian's, new enough, with the source of its standard library.
pub(crate) struct DebianRustc {
    /// The compiler's version.
    pub(crate) version: Version,
    /// The PATH on which `rust-lld` is found.
    path: OsString,
}

impl DebianRustc {
    /// Takes what is installed if it will do, else installs or upgrades it.
    pub(super) fn find_or_install(project: &Project, rustup_sysroot: &Path) -> Result<Self> {
        let path = path_with_linker(&project.shell, rustup_sysroot)?;
        if let Some(version) = installed(project) {
            return Ok(Self { version, path });
        }
        debian::install(&project.shell, &PACKAGES)?;
        let Some(version) = installed(project) else {
            bail!("{RUSTC}: older than {} or without its source", project.rust_version);
        };
        Ok(Self { version, path })
    }

    /// Lets a `cargo build` compile the standard library, too.
    pub(super) fn build_std<'a>(&self, mut cargo: Cmd<'a>) -> Cmd<'a> {
        for variable in FOREIGN {
            cargo = cargo.env_remove(variable);
        }
        cargo
            .env("RUSTC", RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "rust-lld")
            .env("PATH", &self.path)
            .arg("-Zbuild-std=std,panic_abort")
    }
}

/// The version, if the compiler is new enough for the workspace and its library's source is there.
fn installed(project: &Project) -> Option<Version> {
    let shell = &project.shell;
    let ask = |argument: &[&str]| {
        let rustc = shell.cmd(RUSTC).args(argument).env_remove("LD_LIBRARY_PATH");
        rustc.quiet().ignore_stderr().read().ok()
    };
    let version = Version::of_rustc(&ask(&["--version"])?)?;
    let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?);
    let source = sysroot.join("lib/rustlib/src/rust/library/Cargo.lock");
    (version >= project.rust_version && source.is_file()).then_some(version)
}

fn path_with_linker(shell: &Shell, rustup_sysroot: &Path) -> Result<OsString> {
    let facts = cmd!(shell, "rustc -vV").quiet().read()?;
    let host = facts.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc -vV: no host")?;
    let programs = rustup_sysroot.join("lib/rustlib").join(host).join("bin");
    if !programs.join("rust-lld").is_file() {
        bail!("{}: no rust-lld; it comes with rustup's toolchains", programs.display());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)))?)
}
