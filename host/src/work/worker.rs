//! One worker: a thread's loop over tasks, with the instance that it owns.

mod aggregate;
mod archive;
mod halves;
mod locate;
mod read_ahead;
mod results;
mod seat;
mod tail;
mod transform;

use std::sync::Arc;

use crate::input::{Found, Opener, Scan};
use crate::process::{Instance, Scope};
use crate::settings::limits::AHEAD_FILES;
use crate::slices;
use crate::source::{Source, Way};

use super::ahead::Ahead;
use super::feed::{Feed, Task};
use super::gate::Pass;
use super::merge_tree::MergeTree;
use super::open::Open;
use super::queue::Queue;
use super::{Done, Origin, Plan, Recalled, ResultSlot};
use results::Results;
use seat::Seat;

pub(super) struct Worker<'r, 'a> {
    plan: &'a Plan<'a>,
    feed: &'r Feed<'a>,
    /// Where the processor is split: then the seat is one of its head.
    queue: Option<&'r Queue<'a>>,
    /// One of its tail with nothing open in it, for the next source.
    tail: Option<Box<dyn Instance + 'a>>,
    seat: Seat<'a>,
    sight: Sight,
    results: Results<'a>,
    pass: Pass<'a>,
}

/// What a worker reads sources with.
#[derive(Default)]
struct Sight {
    opener: Opener,
    ahead: Ahead,
    scan: Scan,
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
        total: Option<&'a MergeTree>,
    ) -> Self {
        let processor = queue.map_or(plan.processor, |queue| queue.split.head);
        Self {
            plan,
            feed,
            queue,
            tail: None,
            seat: Seat::of(processor, None),
            sight: Sight::default(),
            results: Results::new(plan, total),
            pass: Pass::new(plan.gate, plan.cancel),
        }
    }

    /// Works until nothing is left to take, or the run is cancelled.
    pub(super) fn run(mut self) {
        if self.work().is_ok() {
            self.flush();
        }
        self.results.times.add_to(self.plan.stats);
    }

    fn work(&mut self) -> Result<(), Cancelled> {
        loop {
            self.results.times.show_counts(self.plan.stats);
            self.pass.ask();
            self.check_cancel()?;
            let task = self.feed.next(self.plan.deliver.next_required(None), &mut self.pass);
            self.results.times.was_idle(); // but for a moment, where there was something to do
            match task {
                Task::Sources(batch) => {
                    for (at, &index) in batch.iter().enumerate() {
                        self.pass.ask();
                        self.check_cancel()?;
                        self.look_ahead(slices::part(&batch, at..));
                        let before = self.results.times.reading();
                        self.source(index)?;
                        self.sight.ahead.was(self.results.times.reading().saturating_sub(before));
                    }
                    self.feed.opened();
                }
                // Others are at the last sources: meanwhile they can merge what this worker has.
                Task::Later => self.flush(),
                // What is shared has been looked at: it turns out to be nothing else.
                Task::Join(open) => drop(self.join(&open)?),
                Task::Wait(at) => {
                    self.pass.leave();
                    self.plan.deliver.wait_for_next_required(at);
                }
                Task::Done => return Ok(()),
            }
        }
    }

    /// Hands over this worker's share of the total.
    fn flush(&mut self) {
        self.pass.ask();
        self.results.flush();
    }

    /// Asks for the files among these sources that come next, where the disk is slow.
    fn look_ahead(&mut self, next: &[usize]) {
        if self.sight.ahead.pays() {
            let sources = next.iter().filter_map(|&index| self.plan.sources.get(index));
            let files = sources.filter(|source| source.way == Way::File);
            let paths = files.take(AHEAD_FILES).map(|source| source.path.to_path());
            self.sight.opener.expect(paths, &self.plan.access.roots);
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

    /// Whether an earlier run has left all that is wanted of a source: a total without its state
    /// would be wrong.
    fn is_all(&self, recalled: &Recalled) -> bool {
        (recalled.result.is_some() || !self.plan.settings.show.per_source)
            && (recalled.state.is_some() || self.results.total_share.is_none())
    }

    /// Delivers what an earlier run has left of a source, which is not opened.
    fn recalled(&mut self, index: usize, recalled: Recalled) {
        let Recalled { bytes, result, state } = recalled;
        self.results.times.was_read();
        let (result, rejects, origin) = (Ok(result), Vec::new(), Origin::Recalled);
        let done = Done { bytes, result, state, rejects, origin };
        self.results.deliver(ResultSlot::source(index), done);
    }

    /// Opens and joins a source that is `known` to be that, where anything was found out about it.
    fn source_as(
        &mut self,
        index: usize,
        source: &'a Source,
        known: Option<Found>,
    ) -> Result<(), Cancelled> {
        let opened = Open::new(self.plan, &mut self.sight.opener, index, source, known);
        self.results.times.was_read();
        let open = match opened {
            Ok(open) => open,
            Err(failure) => {
                self.check_cancel()?; // a reader that was stopped for that is no failure
                self.results.fail(ResultSlot::source(index), failure);
                return Ok(());
            }
        };
        let found = if open.is_single() || self.scope() == Scope::Source {
            self.join(&open)?
        } else {
            let open = Arc::new(open);
            self.feed.share(&open);
            self.join(&open)?
        };
        match found {
            Some(found) => self.source_as(index, source, Some(found)),
            None => Ok(()),
        }
    }

    fn scope(&self) -> Scope {
        self.plan.scope()
    }

    fn check_cancel(&self) -> Result<(), Cancelled> {
        if self.plan.cancel.is_set() { Err(Cancelled) } else { Ok(()) }
    }
}
