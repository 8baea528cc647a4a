//! How the sources of a job ended: counted and reported in their order, independent of what happens
//! to their results.

use std::borrow::Cow;
use std::fmt;
use std::io;

use super::{Error, Job, Summary};
use crate::output::{Rejected, write_reject};
use crate::process::{Failure, Reject};
use crate::source::{Source, shown_name};
use crate::stats::{FirstSetAside, SetAside};
use crate::work::{End, Position, ResultSlot};

/// What has been counted so far.
#[derive(Debug, Default)]
pub(super) struct SourceCounts {
    /// Sources and members that are done, failed ones among them.
    pub(super) sources: u64,
    pub(super) failed: u64,
    /// Bytes of those that did not fail.
    pub(super) bytes: u64,
    /// Bytes of the parts so far of the one that is at hand.
    open_bytes: u64,
    /// Sources that are done, with all of their members.
    ended: u64,
    rejects_error: Option<io::Error>,
    rejected: SetAside,
    /// The last source, or member of one, that had some set aside.
    rejected_of: Option<(usize, u64)>,
}

/// What stands in a slot is called.
pub(super) fn name<'n>(job: &'n Job<'_>, slot: &'n ResultSlot) -> Cow<'n, str> {
    match &slot.member {
        Some(path) => shown_name(path),
        None => job.sources.get(slot.at.source).map(Source::name).unwrap_or_default(),
    }
}

/// The name of a source, which is only made where somebody wants it.
struct Named<'a> {
    job: &'a Job<'a>,
    slot: &'a ResultSlot,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name(self.job, self.slot))
    }
}

/// When written results have to reach their reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flushed {
    AtOnce,
    /// When the job ends.
    AtTheEnd,
}

/// Writes records that were set aside, where that is wanted.
pub(super) fn write_rejects(
    job: &Job<'_>,
    slot: &ResultSlot,
    rejects: &[Reject],
    flushed: Flushed,
) -> io::Result<()> {
    let Some(out) = job.rejects.as_ref().filter(|_| !rejects.is_empty()) else { return Ok(()) };
    let mut out = out.lock();
    let source = name(job, slot);
    for reject in rejects {
        let line = reject.line.map(|line| (line, reject.lines));
        let rejected = Rejected {
            source: &source,
            line,
            offset: reject.is_exact.then_some(reject.offset),
            stage: reject.stage.as_deref(),
            reason: &reject.reason,
            data: &reject.data,
            bytes: reject.bytes,
        };
        write_reject(&mut **out, &rejected)?;
    }
    if flushed == Flushed::AtOnce { out.flush() } else { Ok(()) }
}

impl SourceCounts {
    /// Counts a result, or a part of one, of `bytes` bytes; reports a failure.
    pub(super) fn count(
        &mut self,
        job: &Job<'_>,
        slot: &ResultSlot,
        bytes: u64,
        failure: Option<&Failure>,
    ) {
        self.open_bytes += bytes;
        if let Some(failure) = failure {
            self.failed += 1;
            self.open_bytes = 0;
            job.observer.failed(&name(job, slot), failure);
        }
        if slot.end != End::Part {
            self.sources += 1;
            let bytes = std::mem::take(&mut self.open_bytes);
            self.bytes += bytes;
            job.observer.done(&Named { job, slot }, bytes);
        }
    }

    /// The same for a part of a transformer's output, or its end: what was not counted when it was
    /// delivered, is now.
    pub(super) fn count_poured(
        &mut self,
        job: &Job<'_>,
        slot: &ResultSlot,
        bytes: u64,
        failure: Option<&Failure>,
    ) {
        match failure {
            Some(failure) => job.stats.add_failed(failure.kind.word()),
            None if slot.end == End::Part => {}
            None => job.stats.add_done(1, 0, 0),
        }
        self.count(job, slot, bytes, failure);
    }

    /// Counts a source as failed if one of several plugins failed; reports each failure, and
    /// returns the first.
    pub(super) fn lanes_failed<'r, T>(
        &mut self,
        job: &Job<'_>,
        source: &str,
        results: &'r [Result<T, Failure>],
    ) -> Option<&'r Failure> {
        let mut first = None;
        for (result, plugin) in results.iter().zip(job.labels()) {
            let Err(failure) = result else { continue };
            let message = format!("{}: {}", plugin.unwrap_or_default(), failure.message);
            job.observer.failed(source, &Failure { message, ..failure.clone() });
            first.get_or_insert(failure);
        }
        self.failed += u64::from(first.is_some());
        first
    }

    /// Counts records that were set aside.
    pub(super) fn count_rejects(&mut self, job: &Job<'_>, slot: &ResultSlot, rejects: &[Reject]) {
        let Some(first) = rejects.first() else { return };
        let of = (slot.at.source, slot.at.member);
        self.rejected.sources += u64::from(self.rejected_of.replace(of) != Some(of));
        self.rejected.records += Reject::count(rejects);
        if self.rejected.first.is_none() {
            self.rejected.first = Some(FirstSetAside {
                source: name(job, slot).into_owned(),
                line: first.line,
                offset: first.is_exact.then_some(first.offset),
                stage: first.stage.clone(),
                reason: first.reason.clone(),
            });
        }
    }

    /// The same, and writes them, where that is wanted; when that fails, the job ends.
    pub(super) fn reject(&mut self, job: &Job<'_>, slot: &ResultSlot, rejects: &[Reject]) {
        self.count_rejects(job, slot, rejects);
        if self.rejects_error.is_none()
            && let Err(error) = write_rejects(job, slot, rejects, Flushed::AtTheEnd)
        {
            self.rejects_error = Some(error);
            job.cancel.set();
        }
    }

    /// The place that comes after a slot.
    pub(super) fn after(&mut self, slot: &ResultSlot) -> Position {
        let at = slot.at;
        match slot.end {
            End::Part => Position { part: at.part + 1, ..at },
            End::Member => Position { member: at.member + 1, part: 0, ..at },
            End::Source => {
                self.ended += 1;
                Position { source: at.source + 1, ..Position::default() }
            }
        }
    }

    /// How the job ended, as far as its sources go.
    pub(super) fn summary(&mut self, job: &Job<'_>) -> Result<Summary, Error> {
        if let Some(error) = self.rejects_error.take() {
            return Err(Error::Rejects(error));
        }
        if let Some(rejects) = &job.rejects {
            let mut out = rejects.lock();
            out.flush().map_err(Error::Rejects)?;
        }
        if let Some(failure) = job.cancel.reason() {
            return Err(Error::Failed(failure.clone()));
        }
        Ok(Summary {
            sources: self.sources,
            failed: self.failed,
            bytes: self.bytes,
            unread: (job.sources.len() as u64).saturating_sub(self.ended),
            total_failed: false,
            set_aside: std::mem::take(&mut self.rejected),
            unmatched_members: Vec::new(),
        })
    }
}
