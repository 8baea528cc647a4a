//! Which source a worker goes to next.
//!
//! Large sources (where sizes are known) first, the largest ahead, so that no worker is left with
//! one at the end; then the small ones in the order of their names, several at a time; but first
//! one that all have left to help another along; when none is left to open, the source with the
//! most chunks left is joined. When too many results wait for one source, workers go to that source
//! alone.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::process::Kind;
use crate::settings::limits::{BATCH_SOURCES_MAX, WAIT};
use crate::source::Source;

use super::gate::Pass;
use super::open::Open;
use super::{Plan, Position};

/// A source of this many chunks or fewer is small: not worth a place of its own in the queue.
const SMALL_CHUNKS: u64 = 4;

/// What a worker is to do.
#[derive(Debug)]
pub(super) enum Task<'a> {
    /// Open these sources, one after the other; then say [`Feed::opened`].
    Sources(Vec<usize>),
    /// Take chunks of this source.
    Join(Arc<Open<'a>>),
    /// Wait until results no longer wait for this one, which others are at.
    Wait(Position),
    /// There is nothing to take now, but there may be: ask again.
    Later,
    /// There is nothing left to take.
    Done,
}

/// The sources of a run, as they are handed out.
pub(super) struct Feed<'a> {
    /// Source and size, in the order in which they are opened.
    queue: Vec<(usize, u64)>,
    /// How many of `queue` are large.
    large: usize,
    threads: usize,
    batch_bytes: u64,
    state: Mutex<State<'a>>,
    changed: Condvar,
}

struct State<'a> {
    cursor: usize,
    /// By source; a source may be taken ahead of its place.
    taken: Vec<bool>,
    open: Vec<Arc<Open<'a>>>,
    /// Workers that are opening sources, each of which may turn out to be one to join.
    opening: usize,
    /// Workers that wait for that: waking none costs a system call, too.
    waiting: usize,
}

impl<'a> Feed<'a> {
    pub(super) fn new(plan: &Plan<'_>) -> Self {
        let small_bytes = plan.cutter.chunk_bytes.saturating_mul(SMALL_CHUNKS);
        let bytes = |source: &Source| source.listed.as_ref().ok().copied().flatten().unwrap_or(0);
        let sized = plan.sources.iter().map(bytes);
        // What comes out of transformers is written in the order of the sources: they begin in that
        // order.
        let by_size = plan.processor.traits().kind == Kind::Aggregator;
        let (mut queue, small): (Vec<_>, Vec<_>) =
            sized.enumerate().partition(|(_, bytes)| by_size && *bytes > small_bytes);
        queue.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let large = queue.len();
        queue.extend(small);
        let taken = vec![false; queue.len()];
        let state =
            Mutex::new(State { cursor: 0, taken, open: Vec::new(), opening: 0, waiting: 0 });
        Self {
            queue,
            large,
            threads: plan.settings.threads,
            batch_bytes: small_bytes,
            state,
            changed: Condvar::new(),
        }
    }

    /// What to do next; with `only`, nothing that does not help that source along. The turn of
    /// `pass` ends where there is nothing yet.
    pub(super) fn next(&self, only: Option<Position>, pass: &mut Pass<'_>) -> Task<'a> {
        let mut state = self.lock();
        state.open.retain(|open| open.remaining() > 0);
        if let Some(at) = only {
            return state.help(at);
        }
        // Nobody else has it: what it holds would wait, and what is opened instead would be one
        // more.
        if let Some(left) = state.open.iter().find(|open| Arc::strong_count(open) == 1) {
            return Task::Join(Arc::clone(left));
        }
        let batch = self.batch(&mut state);
        if !batch.is_empty() {
            state.opening += 1;
            return Task::Sources(batch);
        }
        if let Some(largest) = state.open.iter().max_by_key(|open| open.remaining()) {
            return Task::Join(Arc::clone(largest));
        }
        if state.opening == 0 {
            return Task::Done;
        }
        pass.leave();
        state.waiting += 1;
        // Waking early is allowed, so the time-out does not matter.
        self.changed.wait_for(&mut state, WAIT);
        state.waiting -= 1;
        Task::Later
    }

    /// Lets others join a source.
    pub(super) fn share(&self, open: &Arc<Open<'a>>) {
        let mut state = self.lock();
        state.open.push(Arc::clone(open));
        self.wake(&state);
    }

    /// Says that the sources of a task are open, or done.
    pub(super) fn opened(&self) {
        let mut state = self.lock();
        state.opening -= 1;
        self.wake(&state);
    }

    fn wake(&self, state: &State<'a>) {
        if state.waiting > 0 {
            self.changed.notify_all();
        }
    }

    /// The next sources of the queue: one that is large, or several small ones.
    fn batch(&self, state: &mut State<'a>) -> Vec<usize> {
        let left = self.queue.len().saturating_sub(state.cursor);
        let most = match self.large.checked_sub(state.cursor) {
            Some(1..) => 1,
            _ => (left / (4 * self.threads)).clamp(1, BATCH_SOURCES_MAX),
        };
        let mut batch = Vec::with_capacity(most.min(left));
        let mut batch_bytes = 0;
        while let Some(&(index, bytes)) = self.queue.get(state.cursor) {
            if batch.len() == most || batch_bytes > self.batch_bytes {
                break;
            }
            state.cursor += 1;
            if state.take(index) {
                batch.push(index);
                batch_bytes += bytes;
            }
        }
        batch
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock()
    }
}

impl<'a> State<'a> {
    /// Marks a source as taken; false where it was already.
    fn take(&mut self, index: usize) -> bool {
        match self.taken.get_mut(index) {
            Some(taken) => !std::mem::replace(taken, true),
            None => false,
        }
    }

    fn help(&mut self, at: Position) -> Task<'a> {
        if self.take(at.source) {
            self.opening += 1;
            return Task::Sources(vec![at.source]);
        }
        match self.open.iter().find(|open| open.whole.at.source == at.source) {
            Some(open) => Task::Join(Arc::clone(open)),
            None => Task::Wait(at),
        }
    }
}
