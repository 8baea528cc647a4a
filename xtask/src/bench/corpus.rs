//! Inputs: real text from Debian packages, made once and kept in TARGET/bench.
//!
//! Each file is written under another name and renamed when it is whole, so a run that was stopped
//! leaves nothing that looks like an input.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::Bench;
use crate::{debian, files};

/// Size of the large text; the last line is cut off when it is not whole.
const TEXT_BYTES: u64 = 1_000_000_000;
const TEXT_PACKAGE: &str = "linux-source-6.1";
const TEXT_ARCHIVE: &str = "/usr/src/linux-source-6.1.tar.xz";

const TREE_PACKAGE: &str = "rust-web-src";
const TREES: &str = "/usr/src";
const TREE_PREFIX: &str = "rustc-";

/// The longest line end that is looked for at the end of the text.
const TAIL_BYTES: u64 = 1 << 20;

/// What a program reads, so that it can be brought into the page cache.
pub(super) enum Input {
    /// One file.
    File(PathBuf),
    /// Every file that this one names, one a line.
    List(PathBuf),
}

impl Input {
    /// Reads all of it, through a small buffer: see [`super::program::Run::peak_bytes`].
    pub(super) fn warm(&self) -> Result<()> {
        match self {
            Self::File(path) => warm_file(path),
            Self::List(list) => read_text(list)?.lines().map(Path::new).try_for_each(warm_file),
        }
    }
}

fn warm_file(path: &Path) -> Result<()> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let mut buffer = vec![0; 128 * 1024];
    while file.read(&mut buffer)? > 0 {}
    Ok(())
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// 1 GB of text: the Linux source, in the order of its archive.
pub(super) fn text(bench: &Bench) -> Result<PathBuf> {
    let path = bench.directory().join("text-1g.txt");
    if path.is_file() {
        return Ok(path);
    }
    if !Path::new(TEXT_ARCHIVE).is_file() {
        debian::install(&bench.project.shell, &[TEXT_PACKAGE, "xz-utils"])?;
    }
    eprintln!("bench: unpacking {TEXT_ARCHIVE}");
    write_whole(&path, |file| {
        let xz =
            Command::new("xz").args(["-dc", "-T0", TEXT_ARCHIVE]).stdout(Stdio::piped()).spawn();
        let mut xz = xz.context("xz")?;
        let mut output = xz.stdout.take().context("xz: no output")?.take(TEXT_BYTES);
        let copied = io::copy(&mut output, file)?;
        // It has more to say than we want; its exit code tells nothing then.
        drop(output);
        xz.wait()?;
        ensure!(copied == TEXT_BYTES, "{TEXT_ARCHIVE}: {copied} bytes, expected {TEXT_BYTES}");
        cut_to_whole_lines(file)
    })?;
    Ok(path)
}

/// The first so many megabytes of the large text, up to their last whole line; all of it is 1000.
pub(super) fn beginning(bench: &Bench, megabytes: u64) -> Result<PathBuf> {
    if megabytes * 1_000_000 == TEXT_BYTES {
        return text(bench);
    }
    let path = bench.directory().join(format!("text-{megabytes}m.txt"));
    if !path.is_file() {
        let large = File::open(text(bench)?)?;
        write_whole(&path, |file| {
            io::copy(&mut large.take(megabytes * 1_000_000), file)?;
            cut_to_whole_lines(file)
        })?;
    }
    Ok(path)
}

/// Cuts off what follows the last line end.
fn cut_to_whole_lines(file: &mut File) -> Result<()> {
    let length = file.metadata()?.len();
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    file.read_to_end(&mut tail)?;
    let cut_off = tail.iter().rev().position(|&byte| byte == b'\n').context("no line ends")?;
    Ok(file.set_len(length - u64::try_from(cut_off)?)?)
}

/// A list of every file in the source of Rust: some 36,000 files, 250 MB.
pub(super) fn tree(bench: &Bench) -> Result<PathBuf> {
    let list = bench.directory().join("files.txt");
    let tree = find_tree().or_else(|_| {
        debian::install(&bench.project.shell, &[TREE_PACKAGE])?;
        find_tree()
    })?;
    write_list(&tree, &list)?;
    Ok(list)
}

/// Writes the name of every file below a directory to `list`, one a line, sorted.
pub(super) fn write_list(directory: &Path, list: &Path) -> Result<()> {
    let files = files::below(directory)?;
    write_whole(list, |file| {
        let mut lines = io::BufWriter::new(file);
        for path in &files {
            writeln!(lines, "{}", path.to_str().context("a name that is not UTF-8")?)?;
        }
        Ok(lines.flush()?)
    })
}

/// The newest source tree of Rust that Debian has put here.
fn find_tree() -> Result<PathBuf> {
    let mut trees = Vec::new();
    for entry in fs::read_dir(TREES).context(TREES)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TREE_PREFIX) {
            trees.push(entry.path());
        }
    }
    let Some(tree) = trees.into_iter().max() else { bail!("{TREES}: no {TREE_PREFIX}*") };
    Ok(tree)
}

/// A small file: 1 KB out of the middle of the large text, up to its last whole line.
pub(super) fn small(bench: &Bench) -> Result<PathBuf> {
    let path = bench.directory().join("text-1k.txt");
    let mut text = File::open(text(bench)?)?;
    text.seek(SeekFrom::Start(TEXT_BYTES / 2))?;
    write_whole(&path, |file| {
        io::copy(&mut text.take(1000), file)?;
        cut_to_whole_lines(file)
    })?;
    Ok(path)
}

/// A file that is deleted when this value goes.
pub(super) struct Temporary(pub(super) PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            eprintln!("{}: cannot delete: {error}", self.0.display());
        }
    }
}

/// The large text ten times over.
///
/// # Errors
/// When the disk has less than 12 GB to spare.
pub(super) fn ten_times(bench: &Bench) -> Result<Temporary> {
    const NEEDED: u64 = 12 * TEXT_BYTES;
    let text = text(bench)?;
    let directory = bench.directory();
    let df =
        bench.project.shell.cmd("df").args(["--output=avail", "-B1"]).arg(&directory).read()?;
    let free = df.lines().last().and_then(|line| line.trim().parse::<u64>().ok());
    let free = free.context("df: no number")?;
    ensure!(free >= NEEDED, "{}: {free} bytes free, needs {NEEDED}", directory.display());
    let path = directory.join("text-10g.txt");
    write_whole(&path, |file| {
        for _ in 0..10 {
            io::copy(&mut File::open(&text)?, file)?;
        }
        Ok(())
    })?;
    Ok(Temporary(path))
}

/// Writes a file that appears when it is complete.
pub(super) fn write_whole(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let context = || path.display().to_string();
    fs::create_dir_all(path.parent().with_context(context)?)?;
    let partial = path.with_extension("partial");
    let mut file =
        File::options().read(true).write(true).create(true).truncate(true).open(&partial)?;
    if let Err(error) = write(&mut file) {
        // The first error is the one to report.
        let _ = fs::remove_file(&partial);
        return Err(error).with_context(context);
    }
    Ok(fs::rename(&partial, path)?)
}
