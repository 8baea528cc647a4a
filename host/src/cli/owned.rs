//! Output files that are a source's: whether they are as they were left, and what becomes of them when their source fails or goes.
//!
//! A file is as it was left where it is a regular one of the same size and time of the last write. Whatever is not exactly that is
//! nobody's: it is made anew, and never removed.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::say::{self, Abort};
use crate::ledger::{Entries, JobId, Ledger, Output, Reader, Selection};
use crate::source::Source;

/// What an output file of so many bytes is remembered by, once it is in place.
pub(super) fn remembered(path: PathBuf, bytes: u64, digest: [u8; 32]) -> Output {
    let found = fs::symlink_metadata(&path).ok().filter(|found| found.len() == bytes);
    // One that another has written over is not as it was left.
    let modified_ns = Some(found.map_or(i64::MIN, |found| modified_ns(&found)));
    Output { path, bytes, modified_ns, digest: Some(digest) }
}

/// Whether an output of a job below `out` is as it was left; `below` is where an older host has put it.
pub(super) fn is_as_left(out: &Path, output: &Output, below: Option<&Path>) -> bool {
    let path = match below {
        Some(below) if !output.path.is_absolute() => out.join(below),
        _ => output.path.clone(),
    };
    let Ok(found) = fs::symlink_metadata(path) else { return false };
    let is_same_time = output.modified_ns.is_none_or(|then| then == modified_ns(&found));
    found.is_file() && found.len() == output.bytes && is_same_time
}

/// Removes an output that is as it was left; whether it was.
pub(super) fn remove(output: &Output) -> io::Result<bool> {
    if !output.path.is_absolute() || !is_as_left(Path::new(""), output, None) {
        return Ok(false);
    }
    match fs::remove_file(&output.path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(true),
    }
}

/// Whether there is something of that name, or an archive that it may be a member of. Only what the system says is not there is gone:
/// where it may not be looked, there may be anything.
pub(super) fn is_there(source: &[u8]) -> bool {
    let path = |bytes: &[u8]| match fs::symlink_metadata(std::ffi::OsStr::from_bytes(bytes)) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    };
    let archives = source.windows(2).enumerate().filter(|(_, mark)| *mark == b"!/");
    path(source) || archives.into_iter().any(|(at, _)| path(source.get(..at).unwrap_or_default()))
}

/// What a run found of outputs whose sources are gone.
#[derive(Debug, Default)]
pub(super) struct Vanished {
    pub(super) removed: u64,
    /// Not as they were left, or not to be removed.
    pub(super) left: u64,
}

impl Vanished {
    pub(super) fn tell(&self) {
        let Self { removed, left } = *self;
        if removed > 0 {
            say::line(&format!("{removed} outputs of sources that are gone were removed"));
        }
        if left > 0 {
            let why = "were not as they were left, and stay";
            say::line(&format!("{left} outputs of sources that are gone {why}"));
        }
    }
}

/// Removes what a job has made of sources that were in one of `inputs` and are no more. An input in which nothing is found at all counts
/// as one that is not there: a disk that is not mounted leaves an empty directory.
pub(super) fn remove_vanished(
    ledger: &Ledger,
    reader: &Reader,
    job: JobId,
    inputs: &[PathBuf],
    sources: &[Source],
) -> Result<Vanished, Abort> {
    let has_any =
        |input: &&PathBuf| sources.iter().any(|source| source.path.to_path().starts_with(input));
    let (inputs, empty): (Vec<_>, Vec<_>) =
        inputs.iter().filter(|input| input.is_dir()).partition(has_any);
    for input in empty {
        say::line(&format!(
            "--delete-vanished: {}: nothing is there, so no output is removed",
            input.display()
        ));
    }
    let mut gone = Vec::new();
    let _continued: ControlFlow<()> = reader.outputs(Some(job), |_, source, output| {
        let path = Path::new(std::ffi::OsStr::from_bytes(source));
        if inputs.iter().any(|input| path.starts_with(input)) && !is_there(source) {
            gone.push((source.to_vec(), output));
        }
        ControlFlow::Continue(())
    })?;
    let mut vanished = Vanished::default();
    let mut forgotten = Vec::with_capacity(gone.len());
    for (source, output) in gone {
        match remove(&output) {
            Ok(true) => vanished.removed += 1,
            Ok(false) => vanished.left += 1,
            Err(error) => {
                let message = format!("--delete-vanished: {}: {error}", output.path.display());
                return Err(Abort::new(message));
            }
        }
        forgotten.push(Selection { job: Some(job), entries: Entries::Of(source) });
    }
    if !forgotten.is_empty() {
        ledger.forget(forgotten)?;
    }
    Ok(vanished)
}

fn modified_ns(found: &Metadata) -> i64 {
    found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec())
}
