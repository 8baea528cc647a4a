//! Output files that are a source's: whether they are as they were left, and what becomes of them
//! when their source fails or goes.
//!
//! A file is as it was left where it is a regular one of the same size and time of the last write.
//! Whatever is not exactly that is nobody's: it is made anew, and never removed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::ops::{Bound, ControlFlow};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::job::Observer;
use crate::ledger::{Entries, JobId, Ledger, Output, Reader, Selection};
use crate::name::{Shown, number};
use crate::slices;
use crate::source::{Listing, Source, Way};
use crate::spec::Problem;

/// What an output file of so many bytes is remembered by, once it is in place.
pub(super) fn remembered(path: PathBuf, bytes: u64, digest: [u8; 32]) -> Output {
    let found = fs::symlink_metadata(&path).ok().filter(|found| found.len() == bytes);
    // One that another has written over is not as it was left.
    let modified_ns = Some(found.map_or(i64::MIN, |found| modified_ns(&found)));
    Output { path, bytes, modified_ns, digest: Some(digest) }
}

/// Whether an output of a job below `out` is as it was left; `below` is where an older host has put
/// it.
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

/// Whether there is something of that name, or an archive that it may be a member of. Only what the
/// system says is not there is gone: where it may not be looked, there may be anything.
pub(super) fn is_there(source: &[u8]) -> bool {
    let source = Path::new(OsStr::from_bytes(source));
    may_exist(source) || archives(source).any(may_exist)
}

fn may_exist(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// The archives that a source may be a member of, by its name.
fn archives(source: &Path) -> impl Iterator<Item = &Path> {
    let name = source.as_os_str().as_bytes();
    let marks = name.windows(2).enumerate().filter(|(_, mark)| *mark == b"!/");
    marks.map(|(at, _)| Path::new(OsStr::from_bytes(slices::part(name, ..at))))
}

/// What a run found of outputs whose sources are gone.
#[derive(Debug, Default)]
pub(super) struct Vanished {
    pub(super) removed: u64,
    /// Not as they were left, or not to be removed.
    pub(super) left: u64,
}

impl Vanished {
    pub(super) fn report(&self, events: &dyn Observer) {
        let Self { removed, left } = *self;
        if removed > 0 {
            let one = "output of a source that is gone was removed";
            let many = "outputs of sources that are gone were removed";
            events.note(&number(removed, one, many));
        }
        if left > 0 {
            let one = "output of a source that is gone was not as it was left, and stays";
            let many = "outputs of sources that are gone were not as they were left, and stay";
            events.note(&number(left, one, many));
        }
    }
}

/// Removes what a job has made of sources that were in one of `inputs`, or in an archive of which
/// other members were found, and are no more. A directory that is there, and in which no source is
/// found at all, counts as one out of sight: a disk that is not mounted leaves an empty directory.
pub(super) fn remove_vanished(
    ledger: &Ledger,
    reader: &Reader,
    job: JobId,
    inputs: &[PathBuf],
    listing: &Listing,
    events: &dyn Observer,
) -> Result<Vanished, Problem> {
    let mut in_sight = InSight::new(inputs, listing);
    let mut gone = Vec::new();
    let _continued: ControlFlow<()> = reader.outputs(Some(job), |_, source, output| {
        let path = Path::new(OsStr::from_bytes(source));
        if in_sight.lost_member(path) || !is_there(source) && in_sight.had(path) {
            gone.push((source.to_vec(), output));
        }
        ControlFlow::Continue(())
    })?;
    in_sight.report(events);
    let mut vanished = Vanished::default();
    let mut forgotten = Vec::with_capacity(gone.len());
    for (source, output) in gone {
        match remove(&output) {
            Ok(Fate::Removed) => vanished.removed += 1,
            Ok(Fate::Stays) => vanished.left += 1,
            Ok(Fate::Gone) => {}
            Err(error) => {
                let message = format!("⟦delete_vanished⟧: {}: {error}", Shown::of(&output.path));
                return Err(Problem::new(message));
            }
        }
        forgotten.push(Selection { job: Some(job), entries: Entries::Of(source) });
    }
    if !forgotten.is_empty() {
        ledger.forget(forgotten)?;
    }
    Ok(vanished)
}

/// Which directories below the inputs can be seen: those in which at least one source was found.
struct InSight<'a> {
    inputs: Vec<&'a Path>,
    sources: BTreeSet<Cow<'a, Path>>,
    /// Archives of which all members were listed, and one at least was found.
    archives: BTreeSet<&'a Path>,
    /// Directories that were asked for, and whether anything is in them.
    known: BTreeMap<PathBuf, bool>,
}

impl<'a> InSight<'a> {
    fn new(inputs: &'a [PathBuf], listing: &'a Listing) -> Self {
        let inputs = inputs.iter().map(PathBuf::as_path).filter(|input| input.is_dir()).collect();
        let sources = listing.sources.iter().map(|source| source.path.to_path()).collect();
        let archive = |source: &'a Source| match &source.way {
            Way::Member(member) if listing.members.is_empty() => {
                Some(member.archive.path.as_path())
            }
            _ => None,
        };
        let mut archives: BTreeSet<_> = listing.sources.iter().filter_map(archive).collect();
        // One that is damaged is a source itself, which fails: there may be more in it.
        for failed in listing.sources.iter().filter(|source| source.listed.is_err()) {
            archives.remove(&*failed.path.to_path());
        }
        Self { inputs, sources, archives, known: BTreeMap::new() }
    }

    /// Whether a source is a member that its archive has no more.
    fn lost_member(&self, source: &Path) -> bool {
        let is_known = archives(source).any(|archive| self.archives.contains(archive));
        is_known && !self.sources.contains(source) && !may_exist(source)
    }

    /// Whether a source that is gone was below an input, where others still are.
    fn had(&mut self, source: &Path) -> bool {
        let Some(input) = self.inputs.iter().copied().find(|input| source.starts_with(input))
        else {
            return false;
        };
        let below = |dir: &&Path| dir.starts_with(input) && dir.is_dir();
        let dir = source.ancestors().skip(1).find(below).unwrap_or(input);
        if let Some(has_any) = self.known.get(dir) {
            return *has_any;
        }
        // Paths are compared by their parts, so what is below a directory comes right after it.
        let next = self.sources.range::<Path, _>((Bound::Included(dir), Bound::Unbounded)).next();
        let has_any = next.is_some_and(|next| next.starts_with(dir));
        self.known.insert(dir.to_path_buf(), has_any);
        has_any
    }

    fn report(&self, events: &dyn Observer) {
        let mut empty = self.known.iter().filter(|(_, has_any)| !**has_any);
        let Some((first, _)) = empty.next() else { return };
        let more = match empty.count() {
            0 => String::new(),
            more => format!(" (and so in {more} more directories)"),
        };
        events.note(&format!(
            "⟦delete_vanished⟧: {}: nothing is there, so no output of it is removed{more}",
            Shown::of(&first)
        ));
    }
}

fn modified_ns(found: &Metadata) -> i64 {
    found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec())
}
