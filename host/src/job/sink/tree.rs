//! An output for each source: a file, or an object of a store, that is seen when its source is
//! done, and never if that fails.
//!
//! Parts of one source are ordered among themselves; no source waits for another. The ends of
//! sources are reported in their order. A few words per source wait for that, beside its rejected
//! records; the listing holds as much. While those are more than a window holds, workers take only
//! what brings on the source that they wait for. Those of one source are in memory until its end.

mod output;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::destination::Destination;
use super::packing::Packing;
use super::{count_rejects, ended, reject_bytes};
use crate::job::source_counts::{Flushed, SourceCounts, write_rejects};
use crate::job::{Error, Job, Made, Saved, Summary};
use crate::output::{CannotPack, Content, Room, Window, Written};
use crate::process::{Failure, FailureKind, Held, Reject, spare};
use crate::work::{Deliver, Done, End, Position, ResultSlot};

use output::{Ended, Making, Output, Part, Wanted};

/// The outputs of one job on their way out.
pub(in crate::job) struct Tree<'a> {
    job: &'a Job<'a>,
    below: Destination<'a>,
    packing: Packing,
    /// Held for moments alone: never while a file is made, written or shown.
    parted: Mutex<Parted>,
    ended: Window<Position, PartEnd, SourceCounts>,
    error: Mutex<Option<Error>>,
}

/// Source and member.
type Key = (usize, u64);

/// Sources in several parts.
#[derive(Default)]
struct Parted {
    open: BTreeMap<Key, Arc<Output>>,
    /// Those that failed, of which parts may still come: nothing says when none will.
    failed: BTreeSet<Key>,
}

/// Where a part goes.
enum To {
    Output(Arc<Output>),
    /// It is the first of its source, and failed: there is nothing to bring together.
    End,
    /// Its source has failed.
    Nowhere,
}

/// How a source ended.
struct PartEnd {
    slot: ResultSlot,
    bytes: u64,
    rejects: Vec<Reject>,
    /// Whether they are in their file already.
    written: bool,
    outcome: Outcome,
}

enum Outcome {
    Done(Result<(), Failure>),
    /// It was an archive, and all of its members have been read.
    End,
}

/// An output that is there.
struct Sealed {
    path: PathBuf,
    bytes: u64,
    /// Of its bytes, where that is remembered.
    content: Content,
}

impl Parted {
    fn take(&mut self, part: &Part, new: impl FnOnce(&ResultSlot) -> Output) -> To {
        let key = (part.slot.at.source, part.slot.at.member);
        if self.failed.contains(&key) {
            return To::Nowhere;
        }
        if let Some(output) = self.open.get(&key) {
            return To::Output(Arc::clone(output));
        }
        if part.slot.at.part == 0 && part.output.is_err() {
            self.failed.insert(key);
            return To::End;
        }
        let output = Arc::new(new(&part.slot));
        self.open.insert(key, Arc::clone(&output));
        To::Output(output)
    }
}

impl<'a> Tree<'a> {
    pub(in crate::job) fn new(job: &'a Job<'a>, below: Destination<'a>) -> Self {
        Self {
            job,
            below,
            packing: Packing::new(job.settings.pack, job.stats.memory()),
            parted: Mutex::default(),
            ended: Window::new(
                Position::default(),
                SourceCounts::default(),
                job.settings.window_bytes,
                Arc::clone(job.stats.memory()),
            ),
            error: Mutex::default(),
        }
    }

    /// Reports the rest, across the gaps of a run that was stopped. Outputs that are not whole are
    /// gone.
    pub(in crate::job) fn finish(self) -> Result<Summary, Error> {
        let job = self.job;
        let mut ends = self.ended.finish(|ends, ended| report(job, ends, &ended));
        match self.error.into_inner() {
            Some(error) => Err(error),
            None => ends.summary(job),
        }
    }

    /// Begins the output of a source.
    fn make(&self, source: usize, member: Option<&Path>) -> Making {
        let path = (self.below.place())(source, member)?;
        let sink = self.below.create(&path)?;
        Ok(Wanted { path, sink })
    }

    /// Ends a source that is one part, or that fails with its first one.
    fn whole(&self, part: Part) {
        let Part { slot, bytes, output, mut rejects } = part;
        let counted = count_rejects(0, &mut rejects, self.job.settings.rejects_max);
        let result = counted.and(output).and_then(|output| {
            let wanted = self.make(slot.at.source, slot.member.as_deref())?;
            let bytes = output.unwrap_or_default();
            if let Some(sink) = &wanted.sink {
                sink.write(&bytes, 0)?;
            }
            let (length, mut content) = (bytes.len() as u64, Content::default());
            if self.job.memory.is_some() {
                content.add(&bytes);
            }
            spare::give(bytes);
            self.seal(wanted, length, content)
        });
        let slot = if result.is_err() { ended(slot) } else { slot };
        let rejected = Reject::count(&rejects);
        self.conclude(Ended { slot, bytes_in: bytes, rejected, rejects }, result);
    }

    /// Brings one of several parts. The worker with the last part, or with one that failed, ends
    /// the output.
    fn bring(&self, output: &Output, part: Part) {
        let (at, member) = (part.slot.at, part.slot.member.clone());
        let make = || self.make(at.source, member.as_deref());
        let Some((ended, result)) = output.bring(self.job, part, make) else { return };
        let key = (at.source, at.member);
        let mut parted = self.parted();
        parted.open.remove(&key);
        if result.is_err() {
            parted.failed.insert(key);
        }
        drop(parted);
        let wanted = output.take();
        let result = result
            .and_then(|(bytes, content)| self.seal(wanted.unwrap_or_else(make)?, bytes, content));
        self.conclude(ended, result);
    }

    /// Writes the end of an output whose parts are `bytes` bytes long, and shows it.
    fn seal(&self, wanted: Wanted, bytes: u64, mut content: Content) -> Result<Sealed, Failure> {
        let Wanted { path, sink } = wanted;
        let written = if bytes > 0 { Written::Something } else { Written::Nothing };
        let end = self.packing.end(written).map_err(|error| unpacked(&error))?;
        let Some(sink) = sink else { return Ok(Sealed { path, bytes, content }) };
        sink.write(&end, bytes)?;
        sink.commit()?;
        content.add(&end);
        Ok(Sealed { path, bytes: bytes + end.len() as u64, content })
    }

    /// Says how a source ended, and has it remembered where that is wanted: with the records that
    /// were set aside in their file, so that none is lost of a source which is never done again.
    fn conclude(&self, ended: Ended, result: Result<Sealed, Failure>) {
        if result.as_ref().is_err_and(|failure| failure.kind == FailureKind::Cancelled) {
            return; // It was not read to its end.
        }
        let Ended { slot, bytes_in: bytes, rejected, rejects } = ended;
        let mut written = false;
        if let Some(memory) = self.job.memory {
            if let Err(error) = write_rejects(self.job, &slot, &rejects, Flushed::AtOnce) {
                return self.fail_all(Error::Rejects(error));
            }
            written = true;
            let saved = Saved {
                at: slot.at,
                is_member: slot.member.is_some(),
                bytes_in: bytes,
                rejects: rejected,
                result: result.as_ref().map(|made| Made::File {
                    path: &made.path,
                    bytes: made.bytes,
                    digest: made.content.digest(),
                }),
            };
            if let Err(error) = (memory.save)(saved) {
                self.fail_all(error);
            }
        }
        let outcome = Outcome::Done(result.map(|_| ()));
        self.report(PartEnd { slot, bytes, rejects, written, outcome });
    }

    fn report(&self, ended: PartEnd) {
        let at = Position { part: 0, ..ended.slot.at };
        let beside = ended.slot.member.as_ref().map_or(0, |path| path.as_os_str().len());
        let room = Room { charged: reject_bytes(&ended.rejects), beside };
        self.ended.put(at, ended, room, |ends, ended| report(self.job, ends, &ended));
    }

    fn parted(&self) -> MutexGuard<'_, Parted> {
        self.parted.lock()
    }

    fn fail_all(&self, error: Error) {
        self.error.lock().get_or_insert(error);
        self.job.cancel.set();
    }
}

/// Reports how a source ended, and returns which comes next.
fn report(job: &Job<'_>, ends: &mut SourceCounts, ended: &PartEnd) -> Position {
    let PartEnd { slot, bytes, rejects, written, outcome } = ended;
    if let Outcome::Done(result) = outcome {
        if *written {
            ends.count_rejects(job, slot, rejects);
        } else {
            ends.reject(job, slot, rejects);
        }
        ends.count_poured(job, slot, *bytes, result.as_ref().err());
    }
    ends.after(slot)
}

fn unpacked(error: &CannotPack) -> Failure {
    Failure::new(FailureKind::Write, error.to_string())
}

impl Deliver for Tree<'_> {
    fn check(&self, _result: &[u8]) -> Result<(), Failure> {
        Ok(())
    }

    fn put(&self, slot: ResultSlot, done: Done) {
        let Done { bytes, result, rejects, .. } = done;
        let output = result.and_then(|output| {
            let packed = output.map(|output| self.packing.pack(output)).transpose();
            packed.map_err(|error| unpacked(&error))
        });
        let part = Part { slot, bytes, output, rejects };
        if part.is_all() {
            return self.whole(part);
        }
        let share = self.job.settings.window_bytes / self.job.settings.threads.max(1);
        let new = |slot: &ResultSlot| {
            let memory = Arc::clone(self.job.stats.memory());
            Output::new(slot, share, memory, self.below.writing())
        };
        let to = self.parted().take(&part, new);
        match to {
            To::Output(output) => self.bring(&output, part),
            To::End => self.whole(part),
            To::Nowhere => {}
        }
    }

    fn end(&self, source: usize, members: u64) {
        let at = Position { source, member: members, part: 0 };
        let slot = ResultSlot { at, end: End::Source, member: None };
        self.report(PartEnd {
            slot,
            bytes: 0,
            rejects: Vec::new(),
            written: false,
            outcome: Outcome::End,
        });
    }

    fn total(&self, _result: Result<Held, Failure>) {}

    fn next_required(&self, own: Option<Position>) -> Option<Position> {
        let Some(own) = own else { return self.ended.next_required() };
        let of_own = (own.source, 0)..=(own.source, u64::MAX);
        self.parted().open.range(of_own).find_map(|(_, output)| output.window.next_required())
    }

    fn wait_for_next_required(&self, at: Position) {
        if self.ended.next_required() == Some(at) {
            return self.ended.wait_for_next_required(at);
        }
        let output = self.parted().open.get(&(at.source, at.member)).cloned();
        if let Some(output) = output {
            output.window.wait_for_next_required(at);
        }
    }
}
