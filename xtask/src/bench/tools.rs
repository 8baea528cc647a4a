//! Programs of others that inputs are made with, or that the host is measured beside.
//!
//! What is missing is installed where that can be done without asking: from Debian, or from `PyPI`
//! into an environment of its own in TARGET/bench.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::Bench;
use crate::debian::{self, succeeds};

/// A program, and where it comes from.
#[derive(Clone, Copy)]
pub(super) struct Tool {
    /// Its name on the command line.
    pub(super) program: &'static str,
    origin: Origin,
}

/// A module of Python, in this version.
#[derive(Clone, Copy)]
pub(super) struct Module {
    pub(super) name: &'static str,
    version: &'static str,
}

#[derive(Clone, Copy)]
enum Origin {
    /// A package of Debian 12.
    Debian(&'static str),
    /// A package of `PyPI`.
    PyPi(&'static str),
}

pub(super) const BGZIP: Tool = debian("bgzip", "tabix");
pub(super) const DUCKDB: Module = Module { name: "duckdb", version: "2.0.1" };
pub(super) const GREP: Tool = debian("grep", "grep");
pub(super) const GZIP: Tool = debian("gzip", "gzip");
pub(super) const JQ: Tool = debian("jq", "jq");
pub(super) const LIBDEFLATE: Tool = debian("libdeflate-gunzip", "libdeflate-tools");
pub(super) const LZ4: Tool = debian("lz4", "lz4");
pub(super) const MAWK: Tool = debian("mawk", "mawk");
pub(super) const MILLER: Tool = debian("mlr", "miller");
pub(super) const PARALLEL: Tool = debian("parallel", "parallel");
pub(super) const PIGZ: Tool = debian("pigz", "pigz");
pub(super) const POLARS: Module = Module { name: "polars", version: "2.1.0" };
pub(super) const PYTHON: Tool = debian("python3", "python3");
pub(super) const RAPIDGZIP: Tool = Tool { program: "rapidgzip", origin: Origin::PyPi("rapidgzip") };
pub(super) const RIPGREP: Tool = debian("rg", "ripgrep");
pub(super) const SED: Tool = debian("sed", "sed");
pub(super) const SHA256SUM: Tool = debian("sha256sum", "coreutils");
pub(super) const WC: Tool = debian("wc", "coreutils");
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
        let program = environment(bench).join("bin").join(self.program);
        if !program.is_file() {
            install(bench, package)?;
        }
        ensure!(program.is_file(), "{package} of PyPI has no {}", self.program);
        Ok(program)
    }

    /// The first line of what it says about its version.
    pub(super) fn version(&self, bench: &Bench) -> Result<String> {
        // mawk of Debian 12 has no long option.
        let option: &[&str] =
            if self.program == MAWK.program { &["-W", "version"] } else { &["--version"] };
        let version = bench.project.shell.cmd(self.program).args(option).quiet().ignore_stderr();
        let version = version.read().with_context(|| format!("version of {}", self.program))?;
        Ok(version.lines().next().unwrap_or_default().to_owned())
    }
}

impl Module {
    /// The Python that has it; installs it when it is missing, or when it is another version.
    ///
    /// # Errors
    /// When it is missing and cannot be installed.
    pub(super) fn find(&self, bench: &Bench) -> Result<PathBuf> {
        let python = environment(bench).join("bin").join("python");
        let Self { name, version } = self;
        let check = format!("import {name}; assert {name}.__version__ == '{version}'");
        let is_there = || {
            python.is_file()
                && succeeds(&bench.project.shell, &python.to_string_lossy(), &["-c", &check])
        };
        if !is_there() {
            install(bench, &format!("{name}=={version}"))?;
        }
        ensure!(is_there(), "{name} {version} of PyPI does not load");
        Ok(python)
    }

    /// Its name and version.
    pub(super) fn version(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// The environment that holds what comes from `PyPI`.
fn environment(bench: &Bench) -> PathBuf {
    bench.directory().join("venv")
}

/// Installs a package of `PyPI`, and makes the environment where there is none.
fn install(bench: &Bench, package: &str) -> Result<()> {
    let (shell, environment) = (&bench.project.shell, environment(bench));
    let python = environment.join("bin").join("python");
    ensure!(
        succeeds(shell, "python3", &["-m", "pip", "--version"]),
        "{package} comes from PyPI, and there is no pip"
    );
    let context = || format!("{package} of PyPI cannot be installed");
    if !python.is_file() {
        let create = shell.cmd("python3").args(["-m", "venv"]).arg(&environment);
        create.quiet().ignore_stdout().run().with_context(context)?;
    }
    let install = shell.cmd(&python).args(["-m", "pip", "install", "--quiet", package]);
    install.quiet().ignore_stdout().run().with_context(context)
}

/// Whether a program is there.
pub(super) fn is_on_path(bench: &Bench, program: &str) -> bool {
    succeeds(&bench.project.shell, "sh", &["-c", "command -v \"$1\"", "sh", program])
}
