//! Puts results back into the order of the inputs.
//!
//! Whoever brings the next one in order commits it, and all that wait behind it, at once; a later one is parked. Nobody
//! who holds a result ever waits. Parked bytes are bounded by those who start new work: they ask
//! [`Window::blocked_on`] first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::settings::limits::WAIT;

/// Items by position, committed in order through one writer.
#[derive(Debug)]
pub struct Window<T, W> {
    state: Mutex<State<T, W>>,
    moved: Condvar,
    bytes_max: usize,
    parked_bytes: AtomicUsize,
}

#[derive(Debug)]
struct State<T, W> {
    next: usize,
    /// What stands after `next`, in order; `None` where it has not come.
    parked: VecDeque<Option<Parked<T>>>,
    writer: W,
    /// Threads in [`Window::wait_while_blocked_on`]: waking none costs a system call, too.
    waiting: usize,
}

#[derive(Debug)]
struct Parked<T> {
    item: T,
    bytes: usize,
}

impl<T, W> Window<T, W> {
    /// A window that lets new work start while at most `bytes_max` are parked.
    pub fn new(writer: W, bytes_max: usize) -> Self {
        let state = State { next: 0, parked: VecDeque::new(), writer, waiting: 0 };
        Self {
            state: Mutex::new(state),
            moved: Condvar::new(),
            bytes_max,
            parked_bytes: AtomicUsize::new(0),
        }
    }

    /// Brings the item at `index`, which holds `bytes`: commits what is next in order.
    pub fn put(&self, index: usize, item: T, bytes: usize, mut commit: impl FnMut(&mut W, T)) {
        let mut state = self.lock();
        let Some(place) = index.checked_sub(state.next).and_then(|ahead| ahead.checked_sub(1))
        else {
            commit(&mut state.writer, item);
            return self.go_on(&mut state, commit);
        };
        if state.parked.len() <= place {
            state.parked.resize_with(place + 1, || None);
        }
        if let Some(parked) = state.parked.get_mut(place) {
            *parked = Some(Parked { item, bytes });
            self.parked_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Commits what was parked right after an item that has been committed.
    fn go_on(&self, state: &mut State<T, W>, mut commit: impl FnMut(&mut W, T)) {
        state.next += 1;
        while let Some(Some(Parked { item, bytes })) = state.parked.pop_front() {
            commit(&mut state.writer, item);
            self.parked_bytes.fetch_sub(bytes, Ordering::Relaxed);
            state.next += 1;
        }
        if state.waiting > 0 {
            self.moved.notify_all();
        }
    }

    /// The position that everything waits for, when too much is parked.
    pub fn blocked_on(&self) -> Option<usize> {
        let blocked = self.parked_bytes.load(Ordering::Relaxed) > self.bytes_max;
        blocked.then(|| self.lock().next)
    }

    /// Waits while `index` is what everything waits for; may return early.
    pub fn wait_while_blocked_on(&self, index: usize) {
        let mut state = self.lock();
        if state.next == index {
            state.waiting += 1;
            // Returning early is allowed, so the time-out does not matter.
            let waited = self.moved.wait_timeout(state, WAIT);
            waited.unwrap_or_else(PoisonError::into_inner).0.waiting -= 1;
        }
    }

    /// Commits what is left, in order, over gaps where a run was stopped; returns the writer.
    pub fn finish(self, mut commit: impl FnMut(&mut W, T)) -> W {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { parked, mut writer, .. } = state;
        for Parked { item, .. } in parked.into_iter().flatten() {
            commit(&mut writer, item);
        }
        writer
    }

    fn lock(&self) -> MutexGuard<'_, State<T, W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_order_of_arrival_items_leave_in_order(
            order in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let window = Window::new(Vec::new(), 10);
            for index in order {
                window.put(index, index, 1, Vec::push);
                prop_assert!(window.blocked_on().is_none_or(|next| next <= 40));
            }
            prop_assert_eq!(window.blocked_on(), None);
            let left = window.finish(|_, _| panic!("nothing is left"));
            prop_assert_eq!(left, (0..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn too_much_parked_blocks_on_the_first_gap() {
        let window = Window::new(Vec::new(), 10);
        window.put(1, 'b', 11, Vec::push);
        assert_eq!(window.blocked_on(), Some(0));
        window.put(0, 'a', 1, Vec::push);
        assert_eq!(window.blocked_on(), None);
        window.put(5, 'c', 1, Vec::push);
        assert_eq!(window.finish(Vec::push), ['a', 'b', 'c']);
    }
}
