//! What an earlier run of the same job has done is skipped, and what this one does is remembered.
//!
//! Sources whose output is in a file of its own are taken from the listing. Sources whose result is
//! a row, or a part of a total, stay in it: what they gave is taken from the ledger when it is
//! their turn.

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use parking_lot::Mutex;

use super::below::remove_outputs;
use super::found::{Changes, Found, look_among, pass_over};
use super::identity::{description, digest, identity, name};
use super::ledger_mode::LedgerMode;
use super::names::Names;
use super::owned::{self, Fate, remove_vanished};
use super::remembers;
use super::resolved::resolved;
use crate::job::{Error, Made, Observer, Saved};
use crate::ledger::{self, Entry, JobId, Kept, Ledger, Needs, Owners, Reader, State};
use crate::name::{Shown, number};
use crate::process::branches::{BranchResults, NoBranchResults};
use crate::process::{Failure, FailureKind, Held};
use crate::settings::Exists;
use crate::source::{Listing, Roots, Source, name_text};
use crate::spec::{JobSpec, Problem};
use crate::stats::MemoryBudget;
use crate::work::Recalled;

/// A ledger, and this run's job in it.
pub(super) struct Checkpoint {
    ledger: Ledger,
    job: JobId,
    /// In which version each source was found, and whether that is done.
    found: Vec<Found>,
    /// Where sources are, and outputs.
    roots: Roots,
    out: PathBuf,
    /// Whose outputs are; `None` where the user has said that they may be replaced.
    owners: Option<Owners>,
    changes: Changes,
    /// Outputs that were removed, as their sources fail now.
    removed: AtomicU64,
    /// Such that stay, as they are not as they were left.
    stale: AtomicU64,
    /// What is recalled is charged to it.
    memory: Arc<MemoryBudget>,
    needs: Needs,
    /// Several give rows for each; one gives its result as it is.
    branches: usize,
    /// Whether the ledger was made by this run.
    is_new: bool,
    /// Sources that were taken from the listing.
    pub(super) skipped: u64,
    /// One for each thread that recalls; those that nobody has at the moment.
    readers: Mutex<Vec<Reader>>,
    too_long: AtomicU64,
    unreadable: AtomicU64,
    /// Sources of which another version of the host has kept results in a form of its own.
    other_form: AtomicU64,
}

impl Checkpoint {
    /// Opens the ledger at `path`, and takes what need not be looked at from the listing.
    pub(super) fn open(
        path: &Path,
        memory: &Arc<MemoryBudget>,
        mode: LedgerMode,
        (listing, names): (&mut Listing, Names<'_>),
        events: &dyn Observer,
    ) -> Result<Self, Problem> {
        let spec = names.spec;
        let is_new = !path.exists();
        let ledger = Ledger::open(path).map_err(|error| problem(&error))?;
        let job = ledger
            .job(digest(spec, mode)?, &description(spec, mode))
            .map_err(|error| problem(&error))?;
        let reader = ledger.reader().map_err(|error| problem(&error))?.within(memory);
        remove_own(listing, &ledger.files());
        let out = resolved(&spec.output.out);
        let owners = match mode {
            LedgerMode::Outputs => reader.owners()?,
            LedgerMode::Results(_) => Owners::default(),
        };
        listing.room.add_bytes(owners.held_bytes());
        remove_outputs(listing, &spec.inputs.files, |path| owners.is_of_job(path, job), events);
        if spec.output.delete_vanished {
            remove_vanished(&ledger, &reader, job, &spec.inputs.files, listing, events)?
                .report(events);
        }
        let (mut found, changes) =
            look_among(listing, Some((&reader, job)), mode, (&spec.output, &out), names)?;
        let skipped = match mode {
            LedgerMode::Outputs => pass_over(listing, &mut found),
            LedgerMode::Results(_) => 0,
        };
        Ok(Self {
            ledger,
            job,
            found,
            roots: listing.roots.clone(),
            out,
            owners: Some(owners).filter(|_| spec.output.exists != Some(Exists::Replace)),
            removed: AtomicU64::new(0),
            stale: AtomicU64::new(0),
            memory: Arc::clone(memory),
            needs: mode.needs(),
            branches: spec.branches.len(),
            is_new,
            skipped,
            readers: Mutex::new(vec![reader]),
            too_long: AtomicU64::new(0),
            unreadable: AtomicU64::new(changes.altered),
            other_form: AtomicU64::new(0),
            changes,
        })
    }

    /// Whether the source at that index of the listing will not be read.
    pub(super) fn is_done(&self, index: usize) -> bool {
        self.found.get(index).is_some_and(|found| found.is_done)
    }

    /// What the ledger has of a source that is done. One whose row has been changed by anybody but
    /// a host is read again.
    pub(super) fn recall(&self, sources: &[Source], index: usize) -> Option<Recalled> {
        let found = self.found.get(index).filter(|found| found.is_done)?;
        let source = name(sources.get(index)?);
        let (entry, kept) = match self.read(&source) {
            Ok(recalled) => recalled?,
            Err(error) => {
                if self.unreadable.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::warn!("{error}");
                }
                return None;
            }
        };
        // A source of the same name may have been done since.
        if entry.state != State::Committed || Some(&entry.identity) != found.identity.as_ref() {
            return None;
        }
        let [of_result, of_state] = kept.charged;
        let held = |bytes: Option<Vec<u8>>, charged| bytes.map(|bytes| Held::again(bytes, charged));
        let result = held(kept.result, of_result).filter(|_| self.needs.result);
        let state = held(kept.saved, of_state).filter(|_| self.needs.saved);
        let checked = [&result, &state].into_iter().flatten().try_for_each(|kept| self.check(kept));
        if let Err(error) = checked {
            let counter = match error {
                NoBranchResults::OtherForm { .. } => &self.other_form,
                _ => &self.unreadable,
            };
            if counter.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!("what the ledger keeps of {}: {error}", name_text(&source));
            }
            return None;
        }
        Some(Recalled { bytes: entry.bytes_in, result, state })
    }

    /// Looks whether what is kept of several branches has a row for each.
    fn check(&self, kept: &[u8]) -> Result<(), NoBranchResults> {
        match self.branches {
            0 | 1 => Ok(()),
            several => BranchResults::decode(kept, several).map(drop),
        }
    }

    fn read(&self, source: &[u8]) -> Result<Option<(Entry, Kept)>, ledger::Error> {
        let reader = self.reader()?;
        let recalled = reader.recall(self.job, source);
        self.give_back(reader);
        recalled
    }

    /// A reader that nobody has at the moment.
    fn reader(&self) -> Result<Reader, ledger::Error> {
        let idle = self.readers.lock().pop();
        idle.map_or_else(|| Ok(self.ledger.reader()?.within(&self.memory)), Ok)
    }

    fn give_back(&self, reader: Reader) {
        self.readers.lock().push(reader);
    }

    /// Records how a source ended, if its version can be identified and is still the one that was
    /// listed.
    pub(super) fn save(&self, sources: &[Source], saved: Saved<'_>) -> Result<(), Error> {
        let index = saved.at.source;
        let identity_then = self.found.get(index).and_then(|found| found.identity.clone());
        let (Some(source), Some(then)) = (sources.get(index), identity_then) else { return Ok(()) };
        if saved.is_member {
            return Ok(()); // an archive that is read from its front is done again
        }
        if identity(source, &self.roots).as_ref() != Some(&then) {
            return Ok(()); // nobody knows which version it was
        }
        let (state, output, bytes_out, kept) = match saved.result {
            Ok(made) => {
                let output = match &made {
                    Made::File { path, .. } => Some(path.to_path_buf()),
                    Made::Result { .. } => None,
                };
                let (kept, bytes) = remembers::kept(&self.out, made);
                (State::Committed, output, bytes, kept)
            }
            Err(failure) => {
                self.remove_output(&name(source))?;
                let (kind, message) = (failure.kind.word().into(), failure.message.clone());
                (State::Failed { kind, message }, None, 0, Kept::default())
            }
        };
        let entry = Entry {
            source: name(source).to_vec(),
            identity: then,
            state,
            at: SystemTime::now(),
            bytes_in: saved.bytes_in,
            bytes_out,
            rejects: saved.rejects,
            output,
        };
        match self.ledger.commit(self.job, entry, kept) {
            Ok(_ticket) => Ok(()),
            Err(ledger::Error::TooLong { .. }) => {
                self.too_long.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(Error::Remember(error.to_string())),
        }
    }

    /// Removes the output of a source that has failed: it is of another version of it.
    fn remove_output(&self, source: &[u8]) -> Result<(), Error> {
        let failure = |error: &dyn Display| Error::Remember(error.to_string());
        let reader = self.reader().map_err(|error| failure(&error))?;
        let output = reader.output(self.job, source).map_err(|error| failure(&error))?;
        self.give_back(reader);
        let Some(output) = output else { return Ok(()) };
        let fate = owned::remove(&output);
        match fate.map_err(|error| failure(&format!("{}: {error}", Shown::of(&output.path))))? {
            Fate::Removed => self.removed.fetch_add(1, Ordering::Relaxed),
            Fate::Stays => self.stale.fetch_add(1, Ordering::Relaxed),
            Fate::Gone => 0,
        };
        Ok(())
    }

    /// Where the output of the source at `index` goes, if that depends on sources that are done.
    pub(super) fn place(&self, index: usize) -> Option<Result<PathBuf, Failure>> {
        self.found.get(index)?.place.as_deref().cloned()
    }

    /// Refuses an output that the ledger knows as that of another source, as long as that is there.
    /// By another name it may be the same.
    pub(super) fn guard(&self, source: &Source, output: PathBuf) -> Result<PathBuf, Failure> {
        let (path, name) = (self.out.join(&output), name(source));
        if !self.owners.as_ref().is_some_and(|owners| owners.is_of_another(&path, &name)) {
            return Ok(output);
        }
        let owner = self.reader().and_then(|reader| {
            let owner = reader.owner(&path);
            self.give_back(reader);
            owner
        });
        let failed = |error: ledger::Error| Failure::new(FailureKind::Write, error.to_string());
        match owner.map_err(failed)? {
            Some((_, other))
                if other != *name && owned::is_there(&other) && !is_one_file(&other, &name) =>
            {
                let other = name_text(&other).into_owned();
                let message = format!("its output is that of {other}, too: {}", Shown::of(&path));
                let hint = "⟦name⟧ makes other names; ⟦exists⟧ replace takes the place of it";
                Err(Failure::new(FailureKind::Write, message).hint(hint))
            }
            _ => Ok(output),
        }
    }

    /// Says why sources are done again.
    pub(super) fn report_changes(&self, events: &dyn Observer) {
        self.changes.report(events);
    }

    /// Takes out sources that do not stay in the listing.
    pub(super) fn retain(&mut self, stays: &[bool]) {
        let mut stays = stays.iter();
        self.found.retain(|_| stays.next().is_none_or(|stays| *stays));
    }

    /// Removes a ledger that was made for a run which is refused after all.
    pub(super) fn abandon(self) {
        drop(self.readers);
        if self.is_new
            && let Err(error) = self.ledger.remove()
        {
            tracing::warn!("{error}");
        }
    }

    /// Waits until all of it is on the disk, and says what is not as one would expect.
    pub(super) fn close(self, events: &dyn Observer) -> Result<(), Problem> {
        let [unreadable, other_form, too_long] =
            [&self.unreadable, &self.other_form, &self.too_long]
                .map(|counter| counter.load(Ordering::Relaxed));
        let sources = |count| number(count, "source was", "sources were");
        if unreadable > 0 {
            let what = "what the ledger had was damaged";
            events.note(&format!("{what}: {} read again", sources(unreadable)));
        }
        if other_form > 0 {
            let what = "what the ledger had was in the form of another version";
            events.note(&format!("{what}: {} read again", sources(other_form)));
        }
        let [removed, stale] =
            [&self.removed, &self.stale].map(|counter| counter.load(Ordering::Relaxed));
        if removed > 0 {
            let one = "output of a source that fails now was removed";
            let many = "outputs of sources that fail now were removed";
            events.note(&number(removed, one, many));
        }
        if stale > 0 {
            let one = "output of a source that fails now was not as it was left, and stays";
            let many = "outputs of sources that fail now were not as they were left, and stay";
            events.note(&number(stale, one, many));
        }
        if too_long > 0 {
            let which = "which the next run reads again";
            events.note(&format!(
                "too long for the ledger: what came of {}, {which}",
                number(too_long, "source", "sources")
            ));
        }
        drop(self.readers);
        self.ledger.close().map_err(|error| problem(&error))
    }
}

/// Whether two names are of one file.
fn is_one_file(one: &[u8], other: &[u8]) -> bool {
    let real = |name: &[u8]| fs::canonicalize(OsStr::from_bytes(name));
    matches!((real(one), real(other)), (Ok(one), Ok(other)) if one == other)
}

fn problem(error: &ledger::Error) -> Problem {
    let hint = error.hint();
    Problem::new(error).of("ledger").hint(hint)
}

/// Removes what is done from the listing, and returns how many sources that were. A ledger that is
/// not there is not made.
pub(super) fn plan(
    path: &Path,
    spec: &JobSpec,
    mode: LedgerMode,
    (listing, names): (&mut Listing, Names<'_>),
) -> Result<u64, Problem> {
    let digest = digest(spec, mode)?;
    if !path.exists() {
        return Ok(0);
    }
    let reader = Reader::open(path).map_err(|error| problem(&error))?;
    let job = reader
        .jobs()
        .map_err(|error| problem(&error))?
        .into_iter()
        .find(|job| job.digest == digest);
    let known = job.map(|job| (&reader, job.id));
    remove_own(listing, &reader.files());
    let out = resolved(&spec.output.out);
    let (mut found, _changes) = look_among(listing, known, mode, (&spec.output, &out), names)?;
    Ok(pass_over(listing, &mut found))
}

/// Takes the files of the ledger from the listing: they change with every source that is done.
fn remove_own(listing: &mut Listing, own: &[PathBuf]) {
    let names: Vec<&OsStr> = own.iter().filter_map(|own| own.file_name()).collect();
    listing.sources.retain(|source| {
        let is_named = source.path.end().file_name().is_some_and(|name| names.contains(&name));
        !is_named || !fs::canonicalize(source.path.to_path()).is_ok_and(|path| own.contains(&path))
    });
}

impl From<ledger::Error> for Problem {
    fn from(error: ledger::Error) -> Self {
        problem(&error)
    }
}
