//! Puts results back into the order of the inputs.
//!
//! The thread that brings the next one in order commits it, and all that wait behind it, at once; a
//! later one is parked. Nobody who holds a result ever waits. Parked bytes are bounded by those who
//! start new work: they ask [`Window::next_required`] first. What comes after an item only the item
//! knows: committing it says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::settings::limits::WAIT;
use crate::stats::{Charge, MemoryBudget};

/// What an item takes while it is parked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// What it was charged for when it was made, in bytes, and still is.
    pub charged: usize,
    /// What it takes beside that.
    pub beside: usize,
}

/// Items by position, committed in order through one writer.
#[derive(Debug)]
pub struct Window<P, T, W> {
    state: Mutex<State<P, T>>,
    /// Held by the committing thread, never together with the lock of the state: bringing an item
    /// never waits for a writer.
    writer: Mutex<W>,
    moved: Condvar,
    bytes_max: usize,
    parked_bytes: AtomicUsize,
    budget: Arc<MemoryBudget>,
}

#[derive(Debug)]
struct State<P, T> {
    next: P,
    /// Whether somebody commits, who will come back for what is parked meanwhile.
    committing: bool,
    /// What stands behind `next`, or at it while somebody commits.
    parked: BTreeMap<P, Parked<T>>,
    /// Threads in [`Window::wait_for_next_required`]: waking none costs a system call, too.
    waiting: usize,
}

#[derive(Debug)]
struct Parked<T> {
    item: T,
    bytes: usize,
    _charge: Charge,
}

impl<P: Ord + Copy, T, W> Window<P, T, W> {
    /// A window that begins at `first`, and lets new work start while at most `bytes_max` are
    /// parked and the budget, which they are charged to, is not used up.
    pub fn new(first: P, writer: W, bytes_max: usize, budget: Arc<MemoryBudget>) -> Self {
        let state = State { next: first, committing: false, parked: BTreeMap::new(), waiting: 0 };
        Self {
            state: Mutex::new(state),
            writer: Mutex::new(writer),
            moved: Condvar::new(),
            bytes_max,
            parked_bytes: AtomicUsize::new(0),
            budget,
        }
    }

    /// Brings the item at `position`, which takes that room. Commits what is next in order;
    /// `commit` returns the position that comes after what it is given. What stands before that,
    /// and has not been committed, never will be.
    pub fn put(&self, position: P, item: T, room: Room, mut commit: impl FnMut(&mut W, T) -> P) {
        let mut state = lock(&self.state);
        if position < state.next {
            return;
        }
        if position > state.next || state.committing {
            let charge = self.budget.hold(room.beside as u64);
            let bytes = room.charged.saturating_add(room.beside);
            state.parked.insert(position, Parked { item, bytes, _charge: charge });
            self.parked_bytes.fetch_add(bytes, Ordering::Relaxed);
            return;
        }
        state.committing = true;
        drop(state);
        let mut writer = lock(&self.writer);
        let mut next = commit(&mut writer, item);
        while let Some(item) = self.go_on(next) {
            next = commit(&mut writer, item);
        }
    }

    /// Commits an item as it comes, whatever is next.
    pub fn put_unordered(&self, item: T, mut commit: impl FnMut(&mut W, T) -> P) {
        commit(&mut lock(&self.writer), item);
    }

    /// Says what comes next: the item there, if it has come already. If not, nobody commits any
    /// more.
    fn go_on(&self, next: P) -> Option<T> {
        let mut state = lock(&self.state);
        state.next = next;
        let mut found = None;
        while let Some(first) = state.parked.first_entry()
            && *first.key() <= next
        {
            let position = *first.key();
            let Parked { item, bytes, .. } = first.remove();
            self.parked_bytes.fetch_sub(bytes, Ordering::Relaxed);
            if position == next {
                found = Some(item);
                break;
            }
        }
        state.committing = found.is_some();
        if state.waiting > 0 {
            self.moved.notify_all();
        }
        found
    }

    /// The position that everything waits for, when too much is parked.
    pub fn next_required(&self) -> Option<P> {
        let parked_bytes = self.parked_bytes.load(Ordering::Relaxed);
        let blocked = parked_bytes > self.bytes_max || (parked_bytes > 0 && self.budget.is_full());
        blocked.then(|| lock(&self.state).next)
    }

    /// Waits while `position` is what everything waits for; may return early.
    pub fn wait_for_next_required(&self, position: P) {
        let mut state = lock(&self.state);
        if state.next == position {
            state.waiting += 1;
            // Returning early is allowed, so the time-out does not matter.
            self.moved.wait_for(&mut state, WAIT);
            state.waiting -= 1;
        }
    }

    /// Commits what is left, in order, over gaps where a run was stopped; returns the writer.
    pub fn finish(self, mut commit: impl FnMut(&mut W, T) -> P) -> W {
        let state = self.state.into_inner();
        let mut writer = self.writer.into_inner();
        let mut next = state.next;
        for (position, Parked { item, .. }) in state.parked {
            if position >= next {
                next = commit(&mut writer, item);
            }
        }
        writer
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn room(beside: usize) -> Room {
        Room { charged: 0, beside }
    }

    /// Each item says what comes next.
    fn push(writer: &mut Vec<usize>, item: usize) -> usize {
        writer.push(item);
        item + 1
    }

    proptest! {
        #[test]
        fn whatever_the_order_of_arrival_items_leave_in_order(
            order in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let window = Window::new(0, Vec::new(), 10, Arc::default());
            for index in order {
                window.put(index, index, room(1), push);
                prop_assert!(window.next_required().is_none_or(|next| next <= 40));
            }
            prop_assert_eq!(window.next_required(), None);
            let left = window.finish(|_, _| panic!("nothing is left"));
            prop_assert_eq!(left, (0..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn too_much_parked_blocks_on_the_first_gap() {
        let window = Window::new(0, Vec::new(), 10, Arc::default());
        window.put(1, 1, room(11), push);
        assert_eq!(window.next_required(), Some(0));
        window.put(0, 0, room(1), push);
        assert_eq!(window.next_required(), None);
        window.put(5, 5, room(1), push);
        assert_eq!(window.finish(push), [0, 1, 5]);
    }

    #[test]
    fn a_used_up_budget_blocks_as_well_while_something_is_parked() {
        let budget = Arc::new(MemoryBudget::new(10));
        let window = Window::new(0, Vec::new(), 100, Arc::clone(&budget));
        let _others = budget.hold(5);
        window.put(1, 1, room(4), push);
        assert_eq!(window.next_required(), None);
        window.put(2, 2, room(1), push);
        assert_eq!(window.next_required(), Some(0));
        window.put(0, 0, room(1), push);
        assert_eq!((window.next_required(), budget.peak()), (None, 10));
        assert!(!budget.is_full());
    }

    #[test]
    fn an_item_may_say_that_another_row_of_positions_begins() {
        let window = Window::new((0, 0), String::new(), 10, Arc::default());
        let commit = |text: &mut String, (letter, next)| {
            text.push(letter);
            next
        };
        window.put((1, 0), ('c', (2, 0)), room(1), commit);
        window.put((0, 1), ('b', (1, 0)), room(1), commit);
        window.put((0, 0), ('a', (0, 1)), room(1), commit);
        assert_eq!(window.finish(commit), "abc");
    }
}
