//! Programs of others that inputs are made with, or that the host is measured beside.
//!
//! What is missing is installed where that can be done without asking: from Debian, or from `PyPI`
//! into an environment of its own in TARGET/bench.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::bench::Bench;
use crate::debian::{self, succeeds};

/// A program, and where it comes from.
#[derive(Clone, Copy)]
pub(super) struct Tool {
    /// Its name on the command line.
    pub(super) program: &'static str,
    origin: Origin,
}

#[derive(Clone, Copy)]
enum Origin {
    /// A package of Debian 12.
    Debian(&'static str),
    /// A package of `PyPI`.
    PyPi(&'static str),
}

pub(super) const BGZIP: Tool = debian("bgzip", "tabix");
pub(super) const GZIP: Tool = debian("gzip", "gzip");
pub(super) const LIBDEFLATE: Tool = debian("libdeflate-gunzip", "libdeflate-tools");
pub(super) const LZ4: Tool = debian("lz4", "lz4");
pub(super) const PIGZ: Tool = debian("pigz", "pigz");
pub(super) const RAPIDGZIP: Tool = Tool { program: "rapidgzip", origin: Origin::PyPi("rapidgzip") };
pub(super) const XZ: Tool = debian("xz", "xz-utils");
pub(super) const ZSTD: Tool = debian("zstd", "zstd");

const fn debian(program: &'static str, package: &'static str) -> Tool {
    Tool { program, origin: Origin::Debian(package) }
}

impl Tool {
    /// What to run; installs it when it is missing.
    ///
    /// # Errors
    /// When it is missing and cannot be installed.
    pub(super) fn find(&self, bench: &Bench) -> Result<PathBuf> {
        if is_on_path(bench, self.program) {
            return Ok(self.program.into());
        }
        match self.origin {
            Origin::Debian(package) => {
                debian::install(&bench.project.shell, &[package])?;
                ensure!(is_on_path(bench, self.program), "{package} has no {}", self.program);
                Ok(self.program.into())
            }
            Origin::PyPi(package) => self.of_python(bench, package),
        }
    }

    fn of_python(&self, bench: &Bench, package: &str) -> Result<PathBuf> {
        let shell = &bench.project.shell;
        let environment = bench.directory().join("venv");
        let program = environment.join("bin").join(self.program);
        if program.is_file() {
            return Ok(program);
        }
        ensure!(
            succeeds(shell, "python3", &["-m", "pip", "--version"]),
            "{package} comes from PyPI, and there is no pip"
        );
        let context = || format!("{package} of PyPI cannot be installed");
        let create = shell.cmd("python3").args(["-m", "venv"]).arg(&environment);
        create.quiet().ignore_stdout().run().with_context(context)?;
        let pip = shell.cmd(environment.join("bin").join("python"));
        let install = pip.args(["-m", "pip", "install", "--quiet", package]);
        install.quiet().ignore_stdout().run().with_context(context)?;
        ensure!(program.is_file(), "{package} of PyPI has no {}", self.program);
        Ok(program)
    }
}

/// Whether a program is there.
pub(in crate::bench) fn is_on_path(bench: &Bench, program: &str) -> bool {
    succeeds(&bench.project.shell, "sh", &["-c", "command -v \"$1\"", "sh", program])
}
