//! In which version sources are found, and which of them a job has done: what a run with a ledger
//! need not do again, and why it does the others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::identity::{identity, name};
use super::ledger_mode::LedgerMode;
use super::names::Names;
use super::owned;
use super::rejects::AllowedRejects;
use super::sources::unlistable;
use crate::job::{Observer, OutputNames};
use crate::ledger::{Done, Identity, JobId, Known, Reader};
use crate::name::name_text;
use crate::process::Failure;
use crate::source::{Listing, Source, TooManySources};
use crate::spec::{OutputSpec, Problem};

/// How a source was found.
pub(super) struct Found {
    /// `None` if versions of it cannot be distinguished.
    pub(super) identity: Option<Identity>,
    pub(super) is_done: bool,
    /// Where its output goes, or why there is none, if that depends on other sources: on those that
    /// are done, too, which nobody asks any more.
    pub(super) place: Option<Box<Result<PathBuf, Failure>>>,
}

impl Found {
    fn held_bytes(&self) -> u64 {
        let identity = self.identity.as_ref().map_or(0, |identity| identity.as_str().len());
        let place = self.place.as_deref().map_or(0, |place| match place {
            Ok(path) => size_of_val(place) + path.as_os_str().len(),
            Err(failure) => size_of_val(place) + failure.message.len(),
        });
        (size_of::<Self>() + identity + place) as u64
    }
}

/// Why sources are done again that an earlier run has done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Changes {
    changed: u64,
    failed: u64,
    /// Their outputs are not as they were left.
    replaced: u64,
    /// Records of them were set aside that nothing keeps.
    unsettled: u64,
    /// Their rows do not say what was written.
    pub(super) altered: u64,
}

impl Changes {
    pub(super) fn report(self, events: &dyn Observer) {
        let why = [
            (self.changed, "changed"),
            (self.failed, "failed before"),
            (self.replaced, "with an output that is not as this job left it"),
            (self.unsettled, "with records set aside that are in no ⟦rejects⟧ file"),
        ];
        let why: Vec<_> = why
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, why)| format!("{count} {why}"))
            .collect();
        if !why.is_empty() {
            events.note(&format!("done again: {}", why.join(", ")));
        }
    }
}

/// Looks at each source, and at where its output goes among those of all the others.
pub(super) fn look_among(
    listing: &mut Listing,
    known: Option<(&Reader, JobId)>,
    mode: LedgerMode,
    to: (&OutputSpec, &Path),
    names: Names<'_>,
) -> Result<(Vec<Found>, Changes), Problem> {
    if let LedgerMode::Results(_) = mode {
        return look((listing, &listing.sources), known, mode, to, None);
    }
    let sources = Arc::new(std::mem::take(&mut listing.sources));
    let names = names.of(Arc::clone(&sources))?;
    let names_bytes = names.held_bytes();
    listing.room.add_bytes(names_bytes);
    let looked = look((listing, &sources), known, mode, to, Some(&names));
    drop(names);
    listing.room.free_bytes(names_bytes);
    listing.sources = Arc::try_unwrap(sources)
        .map_err(|_| Problem::new("the list of sources is still in use: report this"))?;
    looked
}

/// Looks at each source, and at what the job has done; `names` are those of outputs, of all sources
/// of the listing.
fn look(
    (listing, sources): (&Listing, &[Source]),
    known: Option<(&Reader, JobId)>,
    mode: LedgerMode,
    (output, out): (&OutputSpec, &Path),
    names: Option<&OutputNames>,
) -> Result<(Vec<Found>, Changes), Problem> {
    let settled = AllowedRejects::by(output)?;
    let done = known.map(|(reader, job)| reader.done(job, mode.needs())).transpose();
    let done = done?;
    // While all are looked at; what was found stays.
    let room = &listing.room;
    let done_bytes = done.as_ref().map_or(0, Done::held_bytes);
    room.add_bytes(done_bytes);
    let too_many = |error: TooManySources| unlistable(&error.into());
    room.check().map_err(too_many)?;
    let mut changes = Changes::default();
    if let Some((count, source)) = done.as_ref().and_then(Done::altered) {
        let first = name_text(source);
        tracing::warn!("what is kept of {first} is not what was written");
        changes.altered = count;
    }
    let mut is_done = |index: usize, source: &Source, identity: &Identity| {
        let Some(((reader, job), done)) = known.zip(done.as_ref()) else { return false };
        match (done.look(&name(source), identity), mode) {
            (Known::Committed, LedgerMode::Outputs)
                if !settled.has(&source.name(), done.rejects(&name(source))) =>
            {
                changes.unsettled += 1;
            }
            (Known::Committed, LedgerMode::Outputs) => {
                let place = names.map(|names| names.place(index, None));
                let is_done = is_as_left(reader, job, source, (out, place));
                changes.replaced += u64::from(!is_done);
                return is_done;
            }
            (Known::Committed, LedgerMode::Results(_)) => return true,
            (Known::Changed, _) => changes.changed += 1,
            (Known::Failed, _) => changes.failed += 1,
            (Known::Nothing, _) => {}
        }
        false
    };
    let look = |(index, source): (usize, &Source)| {
        let identity = identity(source, &listing.roots);
        let is_done = identity.as_ref().is_some_and(|identity| is_done(index, source, identity));
        let place = names.and_then(|names| names.place_among_others(index)).map(Box::new);
        let found = Found { identity, is_done, place };
        room.add_bytes(found.held_bytes());
        room.check().map(|()| found)
    };
    let found = sources.iter().enumerate().map(look).collect::<Result<_, _>>().map_err(too_many)?;
    room.free_bytes(done_bytes);
    Ok((found, changes))
}

/// Takes what is done from the listing, and returns how many sources that were.
pub(super) fn pass_over(listing: &mut Listing, found: &mut Vec<Found>) -> u64 {
    let all = found.len();
    let mut looked = found.iter();
    listing.sources.retain(|_| looked.next().is_none_or(|found| !found.is_done));
    found.retain(|found| !found.is_done);
    (all - found.len()) as u64
}

/// Whether the output that the ledger knows of is this job's, as it was left, and where it would go
/// now.
fn is_as_left(
    reader: &Reader,
    job: JobId,
    source: &Source,
    (out, place): (&Path, Option<Result<PathBuf, Failure>>),
) -> bool {
    let Ok(Some(output)) = reader.output(job, &name(source)) else { return false };
    if output.path.is_absolute() {
        let is_elsewhere = match place {
            None => false,
            Some(Ok(place)) => output.path != out.join(place),
            Some(Err(_)) => true,
        };
        if is_elsewhere {
            return false;
        }
        return owned::is_as_left(out, &output, None);
    }
    let entry = reader.entry(job, &name(source)).ok().flatten();
    let below = entry.and_then(|entry| entry.output);
    owned::is_as_left(out, &output, below.as_deref())
}
