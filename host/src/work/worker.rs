//! One worker: a thread's loop over tasks, with the instance that it owns.

mod archive;
mod course;
mod halves;
mod locate;
mod reading;
mod tail;
mod transform;

use std::sync::Arc;

use crate::input::{Found, Opener, Scan};
use crate::process::{Failure, FailureKind, Held, Instance, Kind, Processor, Reject, Scope};
use crate::settings::limits::AHEAD_FILES;
use crate::source::{Source, Way};

use super::ahead::Ahead;
use super::feed::{Feed, Task};
use super::gate::Pass;
use super::gather::{Gather, Span};
use super::open::Open;
use super::queue::Queue;
use super::settle::{Broken, Settled, settle};
use super::tally::Tally;
use super::times::Times;
use super::whole::Whole;
use super::{Done, Origin, Plan, Recalled, Slot};

pub(super) struct Worker<'r, 'a> {
    plan: &'a Plan<'a>,
    feed: &'r Feed<'a>,
    /// Where the processor is split: then the instance is one of its head.
    queue: Option<&'r Queue<'a>>,
    /// One of its tail with nothing open in it, for the next source.
    tail: Option<Box<dyn Instance + 'a>>,
    tally: Option<Tally<'a>>,
    /// Dropped after any failure; a new one costs microseconds.
    instance: Option<Box<dyn Instance + 'a>>,
    opener: Opener,
    ahead: Ahead,
    /// What the source at hand turned out to be.
    found: Option<Found>,
    scan: Scan,
    times: Times,
    pass: Pass<'a>,
}

/// What a worker that panics held will never come: the others are not to wait for it.
impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.plan.cancel.set();
        }
    }
}

/// The run has been cancelled: leave everything as it is.
struct Cancelled;

impl<'r, 'a> Worker<'r, 'a> {
    pub(super) fn new(
        plan: &'a Plan<'a>,
        feed: &'r Feed<'a>,
        queue: Option<&'r Queue<'a>>,
        total: Option<&'a Gather>,
    ) -> Self {
        let tally = total.map(|gather| Tally::new(plan, gather));
        let opener = Opener::default();
        Self {
            plan,
            feed,
            queue,
            tail: None,
            tally,
            instance: None,
            opener,
            ahead: Ahead::default(),
            found: None,
            scan: Scan::default(),
            times: Times::new(),
            pass: Pass::new(plan.gate, plan.cancel),
        }
    }

    /// Works until nothing is left to take, or the run is cancelled.
    pub(super) fn run(mut self) {
        if self.work().is_ok() {
            self.flush();
        }
        self.times.add_to(self.plan.stats);
    }

    fn work(&mut self) -> Result<(), Cancelled> {
        loop {
            self.times.show_counts(self.plan.stats);
            self.pass.ask();
            self.check_cancel()?;
            let task = self.feed.next(self.plan.deliver.blocked_on(None), &mut self.pass);
            self.times.was_idle(); // but for a moment, where there was something to do
            match task {
                Task::Sources(batch) => {
                    for (at, &index) in batch.iter().enumerate() {
                        self.pass.ask();
                        self.check_cancel()?;
                        self.look_ahead(batch.get(at..).unwrap_or_default());
                        let before = self.times.reading();
                        self.source(index)?;
                        self.ahead.was(self.times.reading().saturating_sub(before));
                    }
                    self.feed.opened();
                }
                // Others are at the last sources: meanwhile they can merge what this worker has.
                Task::Later => self.flush(),
                Task::Join(open) => self.join(&open)?,
                Task::Wait(at) => {
                    self.pass.leave();
                    self.plan.deliver.wait_while_blocked_on(at);
                }
                Task::Done => return Ok(()),
            }
        }
    }

    /// Hands over this worker's share of the total.
    fn flush(&mut self) {
        self.pass.ask();
        if let Some(tally) = &mut self.tally {
            tally.flush();
        }
        self.times.was_merge();
    }

    /// Asks for the files among these sources that come next, where the disk is slow.
    fn look_ahead(&mut self, next: &[usize]) {
        if self.ahead.pays() {
            let sources = next.iter().filter_map(|&index| self.plan.sources.get(index));
            let files = sources.filter(|source| source.way == Way::File);
            let paths = files.take(AHEAD_FILES).map(|source| source.path.to_path());
            self.opener.expect(paths, &self.plan.access.roots);
        }
    }

    fn source(&mut self, index: usize) -> Result<(), Cancelled> {
        let Some(source) = self.plan.sources.get(index) else { return Ok(()) };
        match self.plan.recall.and_then(|recall| recall(index)) {
            Some(recalled) if self.is_all(&recalled) => self.recalled(index, recalled),
            _ => self.source_as(index, source, None)?,
        }
        Ok(())
    }

    /// Whether an earlier run has left all that is wanted of a source: a total without its state would be wrong.
    fn is_all(&self, recalled: &Recalled) -> bool {
        (recalled.result.is_some() || !self.plan.settings.show.per_source)
            && (recalled.state.is_some() || self.tally.is_none())
    }

    /// Delivers what an earlier run has left of a source, which is not opened.
    fn recalled(&mut self, index: usize, recalled: Recalled) {
        let Recalled { bytes, result, state } = recalled;
        self.times.was_read();
        let held = |bytes| Held::within(self.plan.stats.memory(), bytes);
        let (result, state, rejects) = (Ok(result.map(held)), state.map(held), Vec::new());
        let done = Done { bytes, result, state, rejects, origin: Origin::Recalled };
        self.deliver(Slot::source(index), done);
    }

    /// Opens and joins a source that is `known` to be that, where anything was found out about it.
    fn source_as(
        &mut self,
        index: usize,
        source: &'a Source,
        known: Option<Found>,
    ) -> Result<(), Cancelled> {
        let opened = Open::new(self.plan, &mut self.opener, index, source, known);
        self.times.was_read();
        let open = match opened {
            Ok(open) => open,
            Err(failure) => {
                self.check_cancel()?; // a reader that was stopped for that is no failure
                self.fail(Slot::source(index), failure);
                return Ok(());
            }
        };
        if open.is_single() || self.scope() == Scope::Source {
            self.join(&open)?;
        } else {
            let open = Arc::new(open);
            self.feed.share(&open);
            self.join(&open)?;
        }
        match self.found.take() {
            Some(found) => self.source_as(index, source, Some(found)),
            None => Ok(()),
        }
    }

    /// Offers the open accumulator to its whole; concludes that if it completes it.
    fn settle(&mut self, open: &Open<'_>, whole: &Whole<'_>, span: Span) {
        let Some(instance) = self.instance.as_deref_mut() else { return };
        match settle(instance, whole.opening(), span, &whole.gather) {
            Ok(Settled::Parked) => self.recycle(),
            Ok(Settled::Whole) => self.conclude(open, whole),
            Ok(Settled::Failed(failure)) => self.settle_failed(whole, Some(failure)),
            Err(Broken { failure, held }) => {
                self.instance = None;
                // After all chunks: a failure of the data itself is told rather than this one.
                let failed = whole.gather.fail(held, u64::MAX, failure);
                self.settle_failed(whole, failed);
            }
        }
    }

    fn settle_failed(&mut self, whole: &Whole<'_>, failure: Option<Failure>) {
        let Some(failure) = failure else { return };
        let rejects = match failure.kind {
            FailureKind::Rejects => whole.take_rejects(), // they say why
            _ => Vec::new(),
        };
        self.fail_with(whole.slot(), failure, rejects);
    }

    /// Ends a whole whose accumulator, in this worker's instance, has seen everything.
    fn conclude(&mut self, open: &Open<'_>, whole: &Whole<'_>) {
        // What one call has read of a file is of one moment: there is nothing that it could differ from. An archive that is
        // read from its front is checked at its end.
        let checked = if whole.is_source() && (!open.is_single() || open.input.is_member()) {
            open.input.check_unchanged().map_err(Failure::from)
        } else {
            Ok(())
        };
        let max = self.plan.settings.rejects_max;
        match checked.and_then(|()| whole.check_rejects(max)).and_then(|()| self.outcome()) {
            Ok(Outcome { result, state }) => {
                self.recycle();
                let (bytes, rejects) = (whole.bytes(), whole.take_rejects());
                let origin = Origin::Processed;
                let done = Done { bytes, result: Ok(result), state, rejects, origin };
                self.deliver(whole.slot(), done);
            }
            Err(failure) => {
                self.instance = None;
                self.settle_failed(whole, Some(failure));
            }
        }
    }

    /// The result of the open accumulator and its state, each where it is wanted.
    fn outcome(&mut self) -> Result<Outcome, Failure> {
        let Some(instance) = self.instance.as_deref_mut() else { return Ok(Outcome::default()) };
        let state = if self.tally.is_some() { Some(instance.accumulator()?.save()?) } else { None };
        if self.plan.settings.show.per_source {
            let result = instance.accumulator()?.finish()?;
            self.plan.deliver.check(&result)?;
            return Ok(Outcome { result: Some(result), state });
        }
        instance.close()?;
        Ok(Outcome { result: None, state })
    }

    fn fail(&mut self, slot: Slot, failure: Failure) {
        self.fail_with(slot, failure, Vec::new());
    }

    fn fail_with(&mut self, slot: Slot, failure: Failure, rejects: Vec<Reject>) {
        let (result, origin) = (Err(failure), Origin::Processed);
        self.deliver(slot, Done { bytes: 0, result, state: None, rejects, origin });
    }

    fn deliver(&mut self, slot: Slot, done: Done) {
        if let Err(failure) = &done.result {
            if failure.kind == FailureKind::Cancelled {
                return; // the run ends, and the source is not done
            }
            if failure.kind.ends_job() {
                self.plan.cancel.fail(failure.clone());
            } else if self.plan.settings.fail_fast {
                self.plan.cancel.set();
            }
        }
        match (&done.result, self.plan.processor.traits().kind) {
            // Several parts may fail, or their output: whoever puts them in order knows how the source ended.
            (_, Kind::Transformer) => {}
            (Ok(_), Kind::Aggregator) => self.times.count_source(done.origin),
            (Err(failure), Kind::Aggregator) => self.plan.stats.add_failed(failure.kind.word()),
        }
        if let Ok(Some(result)) = &done.result {
            self.times.count_out(result.len() as u64);
        }
        if let Some(tally) = &mut self.tally {
            tally.add(slot.at, slot.end, done.state.as_deref());
        }
        self.times.was_merge();
        self.plan.deliver.put(slot, done);
        self.times.was_write();
    }

    /// Makes room for a new instance when this one has grown; only called while nothing is open in it.
    fn recycle(&mut self) {
        if self.instance.as_ref().is_some_and(|instance| instance.spent()) {
            self.instance = None;
        }
    }

    fn scope(&self) -> Scope {
        self.plan.scope()
    }

    /// What the instance is one of.
    fn processor(&self) -> &'a dyn Processor {
        self.queue.map_or(self.plan.processor, |queue| queue.split.head)
    }

    fn check_cancel(&self) -> Result<(), Cancelled> {
        if self.plan.cancel.is_set() { Err(Cancelled) } else { Ok(()) }
    }
}

/// The results of a source, each part where it is wanted.
#[derive(Default)]
struct Outcome {
    result: Option<Held>,
    state: Option<Held>,
}
