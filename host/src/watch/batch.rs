//! Files that are processed as one job, and what becomes of each: told by the job as it happens,
//! and committed there and then, but for rows, which are committed together with the file that
//! takes them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use super::tree::real;
use super::version::Version;
use crate::job::{Error, Observer, Saved};
use crate::ledger::{self, After, Arrival, Change, Entry, Kept, Ledger, Reader, State};
use crate::name::{Shown, name_text, shown_name};
use crate::prepare::{self, Remembers};
use crate::process::{Failure, FailureKind, LogLevel};
use crate::source::{Source, Way};
use crate::stats::Stats;

/// A file that is processed.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) arrival: Arrival,
    /// Its real path.
    pub(super) path: PathBuf,
    /// The path that it is read and named by.
    pub(super) named: PathBuf,
    pub(super) version: Version,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Its output is in place.
    Committed,
    /// It failed.
    Failed(Box<Failure>),
    /// It is another version by now.
    Changed,
    /// It is not there any more.
    Gone,
    /// The job did not come to it.
    Unread,
}

/// One job's files.
pub(super) struct Batch<'a> {
    ledger: &'a Ledger,
    readers: Mutex<Vec<Reader>>,
    out: PathBuf,
    /// What becomes of files once they are committed.
    after: Option<After>,
    /// Whether rows are made, which are committed when they are written.
    makes_rows: bool,
    /// Whether it is the first since the watch was begun.
    is_first: bool,
    items: Vec<Item>,
    /// By the bytes of their names.
    by_name: HashMap<Vec<u8>, usize>,
    progress: Mutex<Vec<Progress>>,
}

/// How far a file is.
#[derive(Debug, Default)]
struct Progress {
    /// What became of it, or of the first of its members that has failed.
    end: Option<End>,
    bytes_in: u64,
    bytes_out: u64,
    rejects: u64,
    /// What is committed when the job has ended; of an archive, nothing of its members.
    kept: Kept,
    is_committed: bool,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        ledger: &'a Ledger,
        (out, makes_rows, is_first): (PathBuf, bool, bool),
        after: Option<After>,
        items: Vec<Item>,
    ) -> Self {
        let name = |item: &Item| item.named.as_os_str().as_bytes().to_vec();
        let by_name = items.iter().enumerate().map(|(index, item)| (name(item), index)).collect();
        let progress = Mutex::new(items.iter().map(|_| Progress::default()).collect());
        let readers = Mutex::default();
        Self { ledger, readers, out, after, makes_rows, is_first, items, by_name, progress }
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    /// The file that a source is, or is in.
    fn index(&self, source: &Source) -> Option<usize> {
        let path = match &source.way {
            Way::Member(member) => Cow::Borrowed(member.archive.path.as_path()),
            _ => source.path.to_path(),
        };
        self.by_name.get(path.as_os_str().as_bytes()).copied()
    }

    /// That the file is done, for the ledger.
    fn committed(&self, item: &Item, progress: &mut Progress) -> Change {
        progress.is_committed = true;
        let kept = std::mem::take(&mut progress.kept);
        let entry = Entry {
            source: item.path.as_os_str().as_bytes().to_vec(),
            identity: item.arrival.version.clone(),
            state: State::Committed,
            at: SystemTime::now(),
            bytes_in: progress.bytes_in,
            bytes_out: progress.bytes_out,
            rejects: progress.rejects,
            output: kept.output.as_ref().map(|output| output.path.clone()),
        };
        let (entry, kept) = (Box::new(entry), Box::new(kept));
        Change::Committed { id: item.arrival.id, entry, kept, after: self.after.clone() }
    }

    /// What became of each file, now that the job has ended: where nobody has said it, `rest`.
    /// Gives what is still to be committed, too.
    pub(super) fn ended(&self, heard: &Heard, rest: &End) -> (Vec<End>, Vec<Change>) {
        let failed = heard.failed.lock();
        let mut progress = self.progress.lock();
        let mut changes = Vec::new();
        let each = self.items.iter().zip(progress.iter_mut());
        let ends = each.map(|(item, progress)| {
            let end = match (progress.end.take(), failed.get(&*shown_name(&item.named))) {
                (Some(end), _) => end,
                (None, Some(end)) => end.clone(),
                (None, None) if rest == &End::Committed && is_changed(item) => End::Changed,
                (None, None) => rest.clone(),
            };
            if end == End::Committed && !progress.is_committed {
                changes.push(self.committed(item, progress));
            }
            end
        });
        (ends.collect(), changes)
    }

    fn reader(&self) -> Result<Reader, ledger::Error> {
        let idle = self.readers.lock().pop();
        idle.map_or_else(|| self.ledger.reader(), Ok)
    }
}

impl Remembers for Batch<'_> {
    fn is_first(&self) -> bool {
        self.is_first
    }

    /// What another file has made stays, also where that file is gone: it may have been removed
    /// because it was done.
    fn guard(&self, source: &Source, output: &Path) -> Result<(), Failure> {
        let output = real(output);
        let failed = |error: &ledger::Error| Failure::new(FailureKind::Write, error.to_string());
        let reader = self.reader().map_err(|error| failed(&error))?;
        let owner = reader.owner(&output);
        self.readers.lock().push(reader);
        let item = self.index(source).and_then(|index| self.items.get(index));
        match (owner.map_err(|error| failed(&error))?, item) {
            (Some((_, owner)), Some(item)) if owner != item.path.as_os_str().as_bytes() => {
                let owner = name_text(&owner).into_owned();
                let message = format!("its output is that of {owner}, too: {}", Shown::of(&output));
                Err(Failure::new(FailureKind::Write, message).hint("⟦name⟧ makes other names"))
            }
            _ => Ok(()),
        }
    }

    fn save(&self, source: &Source, saved: Saved<'_>) -> Result<(), Error> {
        let Some((index, item)) =
            self.index(source).and_then(|index| Some((index, self.items.get(index)?)))
        else {
            return Ok(());
        };
        let is_part = saved.is_member || matches!(source.way, Way::Member(_));
        let changed = is_changed(item);
        let mut all = self.progress.lock();
        let Some(progress) = all.get_mut(index) else { return Ok(()) };
        progress.bytes_in += saved.bytes_in;
        progress.rejects += saved.rejects;
        match saved.result {
            Err(failure) => {
                progress.end.get_or_insert_with(|| End::of(failure));
                return Ok(());
            }
            Ok(made) => {
                let (kept, bytes) = prepare::kept(&self.out, made);
                progress.bytes_out += bytes;
                if is_part {
                    return Ok(());
                }
                progress.kept = kept;
            }
        }
        progress.end.get_or_insert(if changed { End::Changed } else { End::Committed });
        if self.makes_rows || progress.end != Some(End::Committed) {
            return Ok(());
        }
        let change = self.committed(item, progress);
        drop(all);
        let failed = |error: ledger::Error| Error::Remember(error.to_string());
        self.ledger.change(vec![change]).map(|_ticket| ()).map_err(failed)
    }
}

/// Whether a file is another by now than the one that was taken.
fn is_changed(item: &Item) -> bool {
    !Version::at(&item.path).is_ok_and(|now| now.is_some_and(|now| now.is_as(&item.version)))
}

impl End {
    fn of(failure: &Failure) -> Self {
        match failure.kind {
            FailureKind::Changed => Self::Changed,
            FailureKind::NotFound => Self::Gone,
            FailureKind::Cancelled => Self::Unread,
            _ => Self::Failed(Box::new(failure.clone())),
        }
    }
}

/// Listens to the job: to failures by name, also of files that it never opened.
pub(super) struct Heard {
    events: Arc<dyn Observer>,
    failed: Mutex<HashMap<String, End>>,
}

impl Heard {
    pub(super) fn new(events: &Arc<dyn Observer>) -> Arc<Self> {
        Arc::new(Self { events: Arc::clone(events), failed: Mutex::default() })
    }
}

impl Heard {
    /// What became of the first source that has failed, if one has.
    pub(super) fn first(&self) -> Option<End> {
        self.failed.lock().values().next().cloned()
    }
}

impl Observer for Heard {
    fn begins(&self, stats: &Arc<Stats>, bytes: Option<u64>) {
        self.events.begins(stats, bytes);
    }

    fn note(&self, note: &str) {
        self.events.note(note);
    }

    fn logged(&self, plugin: &str, level: LogLevel, line: &str) {
        self.events.logged(plugin, level, line);
    }

    /// The watch tells of it, when it knows what becomes of the file.
    fn failed(&self, source: &str, failure: &Failure) {
        let mut failed = self.failed.lock();
        // Of a member, its archive has failed.
        for (end, _) in source.match_indices('/').chain([(source.len(), "")]) {
            let name = source.get(..end).unwrap_or(source);
            failed.entry(name.to_string()).or_insert_with(|| End::of(failure));
        }
    }

    fn done(&self, source: &dyn Display, bytes: u64) {
        self.events.done(source, bytes);
    }

    fn ends(&self) {
        self.events.ends();
    }
}
