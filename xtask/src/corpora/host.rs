//! The host on one file, in each of the ways that a file is read: a process each, so that a crash
//! is seen.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::samples::Sample;
use crate::project::Project;

/// What no file may take longer than, in seconds.
const PATIENCE_SECONDS: &str = "5";

/// Kinds of failure that name what is wrong with the file.
const NAMED: [&str; 2] = ["decode", "too-large"];

/// A way to bring a file, and what to make of its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// From its front, in the named codec.
    File,
    /// Through a pipe, in the named codec.
    Pipe,
    /// Through a pipe, in the codec that is found.
    PipeFound,
    /// In pieces, where it has any, in the named codec.
    Pieces,
}

/// What came of it.
#[derive(Debug, PartialEq)]
pub(super) enum Came {
    /// The plugin's result.
    Result(Value),
    /// A failure that names what is wrong with the file.
    Refused(String),
    /// Anything else, which must not be.
    Wrong(String),
}

/// The program, with the plugins that tell of a file's bytes.
pub(super) struct Host {
    program: PathBuf,
    checksum: PathBuf,
    wordcount: PathBuf,
    cache: PathBuf,
}

impl Host {
    pub(super) fn new(project: &Project, plugins: &Path) -> Result<Self> {
        let cache = project.target.join("corpora/code");
        fs::create_dir_all(&cache)?;
        let plugin = |name: &str| plugins.join(name).with_extension("wasm");
        let (checksum, wordcount) = (plugin("checksum"), plugin("wordcount"));
        Ok(Self { program: project.program("host"), checksum, wordcount, cache })
    }

    /// Runs over a compressed file.
    pub(super) fn packed(&self, sample: &Sample, way: Way) -> Result<Came> {
        match way {
            Way::File => self.over_file(&self.checksum, &sample.path, sample.codec),
            Way::Pieces => self.over_file(&self.wordcount, &sample.path, sample.codec),
            Way::Pipe => self.over_pipe(&self.checksum, &fs::read(&sample.path)?, sample.codec),
            Way::PipeFound => self.over_pipe(&self.checksum, &fs::read(&sample.path)?, "auto"),
        }
    }

    /// What [`Way::Pieces`] makes of the bytes themselves.
    pub(super) fn plain(&self, bytes: &[u8]) -> Result<Came> {
        self.over_pipe(&self.wordcount, bytes, "none")
    }

    fn over_file(&self, plugin: &Path, path: &Path, codec: &str) -> Result<Came> {
        let output = self.command(plugin, codec).arg(path).stdin(Stdio::null()).output()?;
        Ok(came(&output))
    }

    fn over_pipe(&self, plugin: &Path, bytes: &[u8], codec: &str) -> Result<Came> {
        let mut command = self.command(plugin, codec);
        let mut child = command.arg("-").stdin(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let output = thread::scope(|scope| {
            // A host that refuses what it reads closes its input early.
            scope.spawn(move || drop(stdin.write_all(bytes)));
            child.wait_with_output()
        })?;
        Ok(came(&output))
    }

    /// `host run`, in a bounded time; chunks are small, so that a small file has several.
    fn command(&self, plugin: &Path, codec: &str) -> Command {
        let mut command = Command::new("timeout");
        command.arg(PATIENCE_SECONDS).arg(&self.program).arg("run").arg("--plugin").arg(plugin);
        command.arg("--cache").arg(&self.cache).args(["--per-source", "--format", "jsonl"]);
        command.args([
            "--no-archives",
            "--threads",
            "2",
            "--chunk-size",
            "4KiB",
            "--decompress",
            codec,
        ]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn came(output: &Output) -> Came {
    row(output).unwrap_or_else(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        Came::Wrong(format!("{}: {error}: {}", output.status, said.trim_end()))
    })
}

/// The row of the only source.
fn row(output: &Output) -> Result<Came> {
    let line = output.stdout.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let row: Value = serde_json::from_slice(line).map_err(|_| match output.status.code() {
        Some(124) => anyhow!("took longer than {PATIENCE_SECONDS} s"),
        _ => anyhow!("told nothing of the file"),
    })?;
    let text = |path: &str| row.pointer(path).and_then(Value::as_str);
    match (output.status.code(), row.get("result"), text("/error/kind")) {
        (Some(0), Some(result), None) => Ok(Came::Result(result.clone())),
        (Some(1), None, Some(kind)) if NAMED.contains(&kind) => {
            Ok(Came::Refused(text("/error/message").unwrap_or_default().to_string()))
        }
        _ => Err(anyhow!("{row}")),
    }
}
