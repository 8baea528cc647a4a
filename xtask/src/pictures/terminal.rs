//! A run of the host under a pseudo terminal, and the screens that a terminal shows of it.
//!
//! `script` of util-linux makes the pseudo terminal and records every byte; vt100 is the terminal.
//! The logs are generated in TARGET/pictures, where they stay: they are as large as they must be
//! for the progress bar to be drawn.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::debian;
use crate::generate::{self, Kind};
use crate::plugins;
use crate::project::Project;

/// The terminal's size.
const COLUMNS: u16 = 92;
const ROWS: u16 = 30;

/// What is typed, in a directory with the plugin and the logs.
const COMMAND: &str = "host run --plugin wordcount.wasm logs/";

/// The logs: a name, and the size of the text in megabytes.
const LOGS: [(&str, u64); 6] = [
    ("api-2026-11-28.log.gz", 130),
    ("api-2026-11-29.log.gz", 120),
    ("api-2026-11-30.log", 90),
    ("audit.log.gz", 60),
    ("web.log", 110),
    ("worker.log", 40),
];

/// What the terminal showed.
pub(super) struct Recording {
    /// The command, as it was typed.
    pub(super) command: &'static str,
    /// The progress bar when it was last drawn.
    pub(super) bar: String,
    /// The lines of the screen in the end.
    pub(super) lines: Vec<String>,
}

/// Builds what is needed, and records a run.
///
/// # Errors
/// When there is no `script`, when the run fails, or when it drew no bar or no table.
pub(super) fn record(project: &Project) -> Result<Recording> {
    let built = plugins::build(project)?;
    project.build_programs(&["host"])?;
    if !debian::succeeds(&project.shell, "script", &["--version"]) {
        debian::install(&project.shell, &["bsdutils"])?;
    }
    let directory = project.target.join("pictures");
    write_logs(&directory.join("logs"))?;
    fs::copy(built.join("wordcount.wasm"), directory.join("wordcount.wasm"))?;
    // The first run compiles the plugin, and reads the logs into the page cache.
    typed(project, &directory)?;
    replayed(&typed(project, &directory)?)
}

fn write_logs(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    for ((name, megabytes), seed) in LOGS.iter().zip(1..) {
        let path = directory.join(name);
        if path.is_file() {
            continue;
        }
        // Beside the directory: the run reads all that is in it.
        let partial = directory.with_extension("partial");
        let mut file = BufWriter::new(File::create(&partial)?);
        let bytes = megabytes * 1_000_000;
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut gzip = GzEncoder::new(&mut file, Compression::default());
            generate::write(Kind::Log, bytes, seed, &mut gzip)?;
            gzip.finish()?;
        } else {
            generate::write(Kind::Log, bytes, seed, &mut file)?;
        }
        file.flush()?;
        fs::rename(&partial, &path).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Every byte that the terminal was sent.
fn typed(project: &Project, directory: &Path) -> Result<Vec<u8>> {
    let host = project.program("host");
    let mut path = host.parent().context("host: no directory")?.as_os_str().to_owned();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    let line = format!("stty cols {COLUMNS} rows {ROWS}; exec {COMMAND}");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.current_dir(directory).env("PATH", path).env("TERM", "xterm-256color");
    script.env_remove("LD_LIBRARY_PATH").env_remove("NO_COLOR").stdin(Stdio::null());
    let output = script.output().context("script")?;
    let message = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{COMMAND}: {}: {message}", output.status);
    Ok(output.stdout)
}

/// Sends the bytes to a terminal, one at a time: a bar that is drawn over is seen before.
fn replayed(bytes: &[u8]) -> Result<Recording> {
    let mut terminal = vt100::Parser::new(cells(ROWS)?, cells(COLUMNS)?, 0);
    let mut bar = None;
    for byte in bytes {
        if *byte == b'\r' {
            bar = lines(terminal.screen()).into_iter().find(|line| is_bar(line)).or(bar);
        }
        terminal.process(&[*byte]);
    }
    let lines = lines(terminal.screen());
    ensure!(lines.len() > 2, "{COMMAND}: printed no table:\n{}", lines.join("\n"));
    let bar = bar.with_context(|| format!("{COMMAND}: drew no bar, it was over too soon"))?;
    Ok(Recording { command: COMMAND, bar, lines })
}

fn cells(count: u16) -> Result<NonZero<u16>> {
    NonZero::new(count).context("a terminal of no cells")
}

/// The lines of a screen up to the last that has something in it, without spaces at their ends.
fn lines(screen: &vt100::Screen) -> Vec<String> {
    let mut lines: Vec<_> =
        screen.rows(0, COLUMNS).map(|line| line.trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Whether a line is a bar that has moved.
fn is_bar(line: &str) -> bool {
    line.starts_with('█') && line.ends_with(" left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bar_is_kept_and_is_not_on_the_last_screen() {
        let bytes = "░░ 0 B of 9 B  0s left   \r\x1b[2K█░ 4 B of 9 B  0s left \r\x1b[2K██ 8 B of 9 B  0s left \r\x1b[2K\
            lines  source\r\n    1  a\r\n    1  total\r\n1 source\r\n";
        let recording = replayed(bytes.as_bytes()).unwrap();
        assert_eq!(recording.bar, "██ 8 B of 9 B  0s left");
        assert_eq!(recording.lines, ["lines  source", "    1  a", "    1  total", "1 source"]);
    }

    #[test]
    fn a_run_without_bar_or_table_is_refused() {
        assert!(replayed(b"a\r\nb\r\nc\r\n").is_err());
        assert!(replayed("█ 1 B left\r\n".as_bytes()).is_err());
    }
}
