//! Output files that are a source's: whether they are as they were left, and what becomes of them when their source fails or goes.
//!
//! A file is as it was left where it is a regular one of the same size and time of the last write. Whatever is not exactly that is
//! nobody's: it is made anew, and never removed.

use std::collections::BTreeMap;
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

/// What became of an output that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Removed,
    /// It was not there any more.
    Gone,
    /// It is not as it was left, and stays.
    Stays,
}

/// Removes an output that is as it was left.
pub(super) fn remove(output: &Output) -> io::Result<Fate> {
    if !output.path.is_absolute() {
        return Ok(Fate::Stays);
    }
    if !is_as_left(Path::new(""), output, None) {
        let found = fs::symlink_metadata(&output.path);
        return Ok(if found.is_ok() { Fate::Stays } else { Fate::Gone });
    }
    match fs::remove_file(&output.path) {
        Ok(()) => Ok(Fate::Removed),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Fate::Gone),
        Err(error) => Err(error),
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

/// Removes what a job has made of sources that were in one of `inputs` and are no more. A directory that is there, and in which no
/// source is found at all, counts as one out of sight: a disk that is not mounted leaves an empty directory.
pub(super) fn remove_vanished(
    ledger: &Ledger,
    reader: &Reader,
    job: JobId,
    inputs: &[PathBuf],
    sources: &[Source],
) -> Result<Vanished, Abort> {
    let inputs: Vec<_> = inputs.iter().filter(|input| input.is_dir()).collect();
    let mut gone = Vec::new();
    let _continued: ControlFlow<()> = reader.outputs(Some(job), |_, source, output| {
        let path = Path::new(std::ffi::OsStr::from_bytes(source));
        let input = inputs.iter().find(|input| path.starts_with(input));
        if let Some(input) = input.filter(|_| !is_there(source)) {
            let below = |dir: &&Path| dir.starts_with(input) && dir.is_dir();
            let dir = path.ancestors().skip(1).find(below).unwrap_or(input);
            gone.push((dir.to_path_buf(), source.to_vec(), output));
        }
        ControlFlow::Continue(())
    })?;
    let in_sight = in_sight(gone.iter().map(|(dir, ..)| dir.clone()), sources);
    tell_empty(&in_sight);
    gone.retain(|(dir, ..)| in_sight.get(dir) == Some(&true));
    let mut vanished = Vanished::default();
    let mut forgotten = Vec::with_capacity(gone.len());
    for (_, source, output) in gone {
        match remove(&output) {
            Ok(Fate::Removed) => vanished.removed += 1,
            Ok(Fate::Stays) => vanished.left += 1,
            Ok(Fate::Gone) => {}
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

/// Which of those directories can be seen: those in which at least one source was found.
fn in_sight(dirs: impl Iterator<Item = PathBuf>, sources: &[Source]) -> BTreeMap<PathBuf, bool> {
    let mut dirs: BTreeMap<_, _> = dirs.map(|dir| (dir, false)).collect();
    if dirs.is_empty() {
        return dirs;
    }
    for source in sources {
        for above in source.path.to_path().ancestors().skip(1) {
            if let Some(has_any) = dirs.get_mut(above) {
                *has_any = true;
            }
        }
    }
    dirs
}

fn tell_empty(dirs: &BTreeMap<PathBuf, bool>) {
    let mut empty = dirs.iter().filter(|(_, has_any)| !**has_any);
    let Some((first, _)) = empty.next() else { return };
    let more = match empty.count() {
        0 => String::new(),
        more => format!(" (and so in {more} more directories)"),
    };
    say::line(&format!(
        "--delete-vanished: {}: nothing is there, so no output of it is removed{more}",
        first.display()
    ));
}

fn modified_ns(found: &Metadata) -> i64 {
    found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec())
}
