//! The way from the head of a processor to its tail: what comes out of chunks waits here until it
//! is next in its source.
//!
//! A thread that brings an item never waits. The one that finds what is next takes it, with the
//! instance that has seen all before it, and brings that back: no lock is held while a guest runs.
//! What is parked waits for a chunk that a worker is at, and its bytes, of all sources together,
//! are bounded by those who take chunks: they ask [`Queue::is_full`] first. So it cannot deadlock.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::Position;
use crate::process::{Failure, Held, Instance, Place, Reject, Split};
use crate::settings::limits::WAIT;
use crate::stats::{Charge, MemoryBudget};

/// What an item costs beside its bytes.
const ITEM_BYTES: usize = size_of::<Item>() + 64;

/// What became of a chunk in the head.
pub(super) struct Item {
    /// Position of the chunk in its whole.
    pub(super) index: u64,
    pub(super) result: Result<Passed, Failure>,
}

/// What came out of a chunk.
pub(super) struct Passed {
    pub(super) place: Place,
    /// How long the chunk was.
    pub(super) bytes: usize,
    pub(super) output: Held,
    pub(super) rejects: Vec<Reject>,
}

/// An item that is next, and the instance that has seen all before it; none where it is the first.
pub(super) struct Due<'a> {
    pub(super) item: Item,
    pub(super) tail: Option<Box<dyn Instance + 'a>>,
}

/// What waits for the tail, of all sources that workers are at.
pub(super) struct Queue<'a> {
    pub(super) split: Split<'a>,
    bytes_max: usize,
    memory: Arc<MemoryBudget>,
    state: Mutex<State<'a>>,
    moved: Condvar,
}

/// By source and member.
type Key = (usize, u64);

struct State<'a> {
    lines: BTreeMap<Key, Line<'a>>,
    parked_bytes: usize,
    parked_items: usize,
    /// For what they take beside what they were charged for when they were made.
    charge: Charge,
    /// Threads in [`Queue::wait_while_full`]: waking none costs a system call, too.
    waiting: usize,
}

/// What there is of one whole.
enum Line<'a> {
    Open {
        next: u64,
        parked: BTreeMap<u64, Item>,
        tail: Tail<'a>,
    },
    /// It has failed: whatever else comes of it is too late.
    Failed,
}

enum Tail<'a> {
    Resting(Option<Box<dyn Instance + 'a>>),
    /// A worker has it, who comes back for what is next.
    Running,
}

impl<'a> Queue<'a> {
    /// A queue that is full when more than `bytes_max` are parked, or anything and the memory is
    /// used up.
    pub(super) fn new(split: Split<'a>, bytes_max: usize, memory: &Arc<MemoryBudget>) -> Self {
        let charge = memory.hold(0);
        let state =
            State { lines: BTreeMap::new(), parked_bytes: 0, parked_items: 0, charge, waiting: 0 };
        let (memory, moved) = (Arc::clone(memory), Condvar::new());
        Self { split, bytes_max, memory, state: Mutex::new(state), moved }
    }

    /// Brings an item of `whole`. The worker that does calls [`next`](Self::next) then.
    pub(super) fn bring(&self, whole: Position, item: Item) {
        let mut state = self.lock();
        let line = state.lines.entry(key(whole)).or_insert_with(|| Line::Open {
            next: 0,
            parked: BTreeMap::new(),
            tail: Tail::Resting(None),
        });
        if let Line::Open { parked, .. } = line {
            let bytes = item.bytes();
            parked.insert(item.index, item);
            state.parked_bytes += bytes;
            state.parked_items += 1;
            state.settle_charge();
        }
    }

    /// The next item of `whole`, if it is there and nobody runs the one before it. Then
    /// [`rest`](Self::rest), [`end`](Self::end) or [`fail`](Self::fail).
    pub(super) fn next(&self, whole: Position) -> Option<Due<'a>> {
        let mut state = self.lock();
        let Some(Line::Open { next, parked, tail }) = state.lines.get_mut(&key(whole)) else {
            return None;
        };
        let Tail::Resting(resting) = tail else { return None };
        let item = parked.remove(next)?;
        let due = Due { tail: resting.take(), item };
        *tail = Tail::Running;
        *next += 1;
        self.free(&mut state, 1, due.item.bytes());
        Some(due)
    }

    /// Brings back the instance that has seen the last item; there are more.
    pub(super) fn rest(&self, whole: Position, instance: Option<Box<dyn Instance + 'a>>) {
        if let Some(Line::Open { tail, .. }) = self.lock().lines.get_mut(&key(whole)) {
            *tail = Tail::Resting(instance);
        }
    }

    /// The last item has been seen, and was the last of all.
    pub(super) fn end(&self, whole: Position) {
        self.lock().lines.remove(&key(whole));
    }

    /// The last item has failed, and with it all that come after it.
    pub(super) fn fail(&self, whole: Position) {
        let mut state = self.lock();
        if let Some(Line::Open { parked, .. }) = state.lines.insert(key(whole), Line::Failed) {
            let bytes = parked.values().map(Item::bytes).sum();
            self.free(&mut state, parked.len(), bytes);
        }
    }

    /// Whether so much is parked that nothing more should be started.
    pub(super) fn is_full(&self) -> bool {
        self.is_too_much(&self.lock())
    }

    /// Waits while it is full; may return early.
    pub(super) fn wait_while_full(&self) {
        let mut state = self.lock();
        if self.is_too_much(&state) {
            state.waiting += 1;
            // Returning early is allowed, so the time-out does not matter.
            self.moved.wait_for(&mut state, WAIT);
            state.waiting -= 1;
        }
    }

    fn free(&self, state: &mut State<'a>, items: usize, bytes: usize) {
        state.parked_bytes -= bytes;
        state.parked_items -= items;
        state.settle_charge();
        if state.waiting > 0 && !self.is_too_much(state) {
            self.moved.notify_all();
        }
    }

    fn is_too_much(&self, state: &State<'a>) -> bool {
        let parked = state.parked_bytes;
        parked > self.bytes_max || (parked > 0 && self.memory.is_full())
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock()
    }
}

impl State<'_> {
    fn settle_charge(&mut self) {
        self.charge.set((self.parked_items * ITEM_BYTES) as u64);
    }
}

impl Item {
    fn bytes(&self) -> usize {
        let held = match &self.result {
            Ok(Passed { output, rejects, .. }) => {
                output.len() + rejects.iter().map(|reject| reject.data.len()).sum::<usize>()
            }
            Err(failure) => failure.message.len(),
        };
        ITEM_BYTES + held
    }
}

fn key(whole: Position) -> Key {
    (whole.source, whole.member)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{FailureKind, Kind, Order, Processor, Scope, Traits};

    /// Of which no instance is needed here.
    struct Idle(Traits);

    impl Processor for Idle {
        fn traits(&self) -> &Traits {
            &self.0
        }

        fn memory(&self) -> Arc<MemoryBudget> {
            Arc::default()
        }

        fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
            panic!("nothing is run")
        }
    }

    const IDLE: Idle = Idle(Traits {
        kind: Kind::Transformer,
        scope: Scope::Source,
        order: Order::Kept,
        header_records: 0,
    });

    const WHOLE: Position = Position { source: 3, member: 0, part: 0 };

    fn queue() -> Queue<'static> {
        Queue::new(Split { head: &IDLE, tail: &IDLE }, 2 * ITEM_BYTES, &Arc::default())
    }

    fn item(index: u64) -> Item {
        Item { index, result: Err(Failure::new(FailureKind::InvalidData, "")) }
    }

    fn next(queue: &Queue<'_>) -> Option<u64> {
        queue.next(WHOLE).map(|due| due.item.index)
    }

    #[test]
    fn items_are_run_in_order_and_by_one_at_a_time() {
        let queue = queue();
        queue.bring(WHOLE, item(1));
        assert_eq!(next(&queue), None);
        queue.bring(WHOLE, item(0));
        assert_eq!(next(&queue), Some(0));
        assert_eq!(next(&queue), None, "the tail is with another");
        queue.rest(WHOLE, None);
        assert_eq!(next(&queue), Some(1));
        queue.bring(WHOLE, item(2));
        queue.rest(WHOLE, None);
        assert_eq!(next(&queue), Some(2));
        queue.end(WHOLE);
        assert!(queue.lock().lines.is_empty());
        assert_eq!(queue.lock().parked_bytes, 0);
    }

    #[test]
    fn sources_do_not_wait_for_each_other_and_share_the_room() {
        let queue = queue();
        let other = Position { member: 1, ..WHOLE };
        queue.bring(other, item(1));
        queue.bring(other, item(2));
        assert!(!queue.is_full());
        queue.bring(WHOLE, item(0));
        assert!(queue.is_full());
        assert_eq!(next(&queue), Some(0));
        assert!(!queue.is_full());
    }

    #[test]
    fn a_failure_gives_the_room_back_and_what_comes_later_takes_none() {
        let queue = queue();
        (0..4).for_each(|index| queue.bring(WHOLE, item(index)));
        assert!(queue.is_full());
        assert_eq!(next(&queue), Some(0));
        queue.fail(WHOLE);
        (4..9).for_each(|index| queue.bring(WHOLE, item(index)));
        assert!(!queue.is_full());
        assert_eq!(queue.lock().parked_bytes, 0);
        assert_eq!(next(&queue), None);
    }
}
