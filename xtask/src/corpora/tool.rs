//! The reference tools: what each decodes, or that it refuses.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use xshell::Shell;

use crate::debian::succeeds;

/// A tool that decodes its standard input when it is given `-dc`.
pub(super) struct Tool {
    pub(super) program: &'static str,
    /// Debian's package of it.
    pub(super) package: &'static str,
}

pub(super) const XZ: Tool = Tool { program: "xz", package: "xz-utils" };
pub(super) const ZSTD: Tool = Tool { program: "zstd", package: "zstd" };
pub(super) const LZ4: Tool = Tool { program: "lz4", package: "lz4" };
pub(super) const BZIP2: Tool = Tool { program: "bzip2", package: "bzip2" };
pub(super) const GZIP: Tool = Tool { program: "gzip", package: "gzip" };
pub(super) const BGZIP: Tool = Tool { program: "bgzip", package: "tabix" };

/// Whether the tool is installed.
pub(super) fn is_there(shell: &Shell, tool: &Tool) -> bool {
    succeeds(shell, "which", &[tool.program])
}

/// What the tool makes of a file. `None`: it refuses it, be it with a warning only.
pub(super) fn decode(tool: &Tool, path: &Path) -> Result<Option<Vec<u8>>> {
    let stdin = File::open(path)?;
    let mut command = Command::new(tool.program);
    let command = command.arg("-dc").stdin(stdin).stderr(Stdio::null());
    let output = command.output().with_context(|| tool.program)?;
    Ok(output.status.success().then_some(output.stdout))
}

/// SHA-256 in hexadecimal, by `sha256sum`.
pub(super) fn sha256(bytes: &[u8]) -> Result<String> {
    let mut command = Command::new("sha256sum");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let output = thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(bytes));
        let output = child.wait_with_output()?;
        writer.join().map_err(|_| anyhow::anyhow!("the writer of sha256sum died"))??;
        anyhow::Ok(output)
    })?;
    match String::from_utf8_lossy(&output.stdout).split_once(' ') {
        Some((sum, _)) if output.status.success() => Ok(sum.to_string()),
        _ => bail!("sha256sum: {}", output.status),
    }
}
