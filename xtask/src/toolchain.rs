//! A Wasm standard library for the plugins, by the first way that works here:
//!
//! 1. the target is in the toolchain;
//! 2. rustup can add it, within a bounded time;
//! 3. Debian's `rustc-web` builds it from the source in `rust-web-src`.
//!
//! Each way says in one line on stderr what came of it.

mod debian_rustc;
mod rustup;
mod version;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell, cmd};

use crate::project::Project;
use debian_rustc::DebianRustc;
pub(crate) use version::Version;

/// What plugins are compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Flags of the outer build: they are meant for the machine, and would replace the SIMD flag that
/// .cargo/config.toml sets for Wasm.
const FLAGS_OF_THE_MACHINE: [&str; 2] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"];

/// Which ways may be tried.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Choice {
    /// All, in order.
    #[default]
    Auto,
    /// Only a target that is there already.
    Installed,
    /// Only rustup.
    Rustup,
    /// Only Debian's compiler.
    Debian,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "installed" => Ok(Self::Installed),
            "rustup" => Ok(Self::Rustup),
            "debian" => Ok(Self::Debian),
            _ => Err(format!("got {text:?}, expected auto, installed, rustup or debian")),
        }
    }
}

/// A standard library for [`TARGET`], and what it takes to use it.
pub(crate) enum WasmStd {
    /// Compiled, in the toolchain's sysroot.
    Compiled,
    /// As source, which cargo compiles with another compiler than the toolchain's.
    Source(DebianRustc),
}

impl WasmStd {
    /// Finds or installs one.
    pub(crate) fn find(project: &Project, choice: Choice) -> Result<Self> {
        let may = |way: Choice| choice == Choice::Auto || choice == way;
        let sysroot = sysroot(&project.shell)?;
        if may(Choice::Installed) {
            if has_target(&sysroot) {
                eprintln!("wasm std: {TARGET} is in the toolchain");
                return Ok(Self::Compiled);
            }
            eprintln!("wasm std: {TARGET} is not in the toolchain");
        }
        if may(Choice::Rustup) {
            match rustup::add_target(&project.plugin_dir()) {
                Ok(()) if has_target(&sysroot) => {
                    eprintln!("wasm std: rustup added {TARGET}");
                    return Ok(Self::Compiled);
                }
                Ok(()) => eprintln!("wasm std: rustup added {TARGET} to another toolchain"),
                Err(error) => eprintln!("wasm std: rustup cannot add {TARGET}: {error}"),
            }
        }
        if may(Choice::Debian) {
            let rustc = DebianRustc::find_or_install(project, &sysroot)?;
            eprintln!("wasm std: built from source by Debian's rustc {}", rustc.version);
            return Ok(Self::Source(rustc));
        }
        bail!("no standard library for {TARGET}")
    }

    /// `cargo build` for [`TARGET`], to be given profile and packages.
    pub(crate) fn cargo<'a>(&self, project: &'a Project) -> Cmd<'a> {
        let mut cargo = project.cargo().args(["build", "--target", TARGET]);
        for variable in FLAGS_OF_THE_MACHINE {
            cargo = cargo.env_remove(variable);
        }
        match self {
            Self::Compiled => cargo,
            Self::Source(rustc) => rustc.build_std(cargo),
        }
    }
}

/// The directory of the compiler that a plain cargo here uses.
fn sysroot(shell: &Shell) -> Result<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let path = cmd!(shell, "{rustc} --print sysroot").quiet().read();
    Ok(path.context("rustc does not say where its libraries are")?.into())
}

fn has_target(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
}
