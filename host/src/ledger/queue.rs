//! What waits for the ledger's writer, in order, bounded in rows and bytes; and how far the writer
//! is.
//!
//! Knows nothing of what waits. A push returns a ticket, to wait until everything pushed up to it
//! is durable.

use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::error::Error;
use crate::settings::limits::{
    LEDGER_GROUP, LEDGER_GROUP_ROWS, LEDGER_QUEUE_BYTES, LEDGER_QUEUE_ROWS,
};

/// The place of a row among all that were pushed. Rows become durable in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// Between any number of threads that push and one that takes.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// Something came, or somebody waits for it.
    came: Condvar,
    /// There is room again, or there never will be.
    room: Condvar,
    /// More is durable, or nothing more will be.
    settled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    waiting: Vec<T>,
    bytes: usize,
    pushed: u64,
    durable: u64,
    /// Whether a thread waits for the rows in `waiting`, or no more come.
    hurry: bool,
    closed: bool,
    failed: Option<Error>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let state = State {
            waiting: Vec::new(),
            bytes: 0,
            pushed: 0,
            durable: 0,
            hurry: false,
            closed: false,
            failed: None,
        };
        let [came, room, settled] = [(); 3].map(|()| Condvar::new());
        Self { state: Mutex::new(state), came, room, settled }
    }
}

impl<T> Queue<T> {
    /// Adds `item`, which holds `bytes`; waits for room.
    ///
    /// # Errors
    /// When the writer has failed: nothing is added.
    pub(super) fn push(&self, item: T, bytes: usize) -> Result<Ticket, Error> {
        let mut state = self.lock();
        while state.failed.is_none() && !state.has_room(bytes) {
            self.room.wait(&mut state);
        }
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        state.waiting.push(item);
        state.bytes = state.bytes.saturating_add(bytes);
        state.pushed += 1;
        if state.waiting.len() == 1 || state.waiting.len() == LEDGER_GROUP_ROWS {
            self.came.notify_one();
        }
        Ok(Ticket(state.pushed))
    }

    /// Waits until all that was pushed up to the ticket is durable. It is written at once.
    ///
    /// # Errors
    /// When the writer failed before it was.
    pub(super) fn wait(&self, ticket: Ticket) -> Result<(), Error> {
        let mut state = self.lock();
        while state.durable < ticket.0 {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            state.hurry = true;
            self.came.notify_one();
            self.settled.wait(&mut state);
        }
        Ok(())
    }

    /// The ticket of what was pushed last.
    pub(super) fn last(&self) -> Ticket {
        Ticket(self.lock().pushed)
    }

    /// The last ticket that is durable.
    pub(super) fn durable(&self) -> Ticket {
        Ticket(self.lock().durable)
    }

    /// Why the writer ended, if it failed.
    pub(super) fn failed(&self) -> Option<Error> {
        self.lock().failed.clone()
    }

    /// Whether nothing waits, and nothing more comes.
    pub(super) fn is_drained(&self) -> bool {
        let state = self.lock();
        state.closed && state.waiting.is_empty() && state.durable == state.pushed
    }

    /// Nothing more will be pushed.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.hurry = true;
        self.came.notify_one();
    }

    /// All that waits, and the ticket of the last of it. Waits until something is there, and then
    /// until it is a group: enough of it, long enough, or somebody waits for it. `None` when the
    /// queue is closed and empty.
    pub(super) fn take(&self) -> Option<(Vec<T>, Ticket)> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            self.came.wait(&mut state);
        }
        let until = Instant::now() + LEDGER_GROUP;
        while !state.hurry && state.waiting.len() < LEDGER_GROUP_ROWS {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.came.wait_for(&mut state, left);
        }
        state.hurry = state.closed;
        state.bytes = 0;
        let taken = std::mem::take(&mut state.waiting);
        self.room.notify_all();
        Some((taken, Ticket(state.pushed)))
    }

    /// All up to the ticket is durable.
    pub(super) fn settle(&self, ticket: Ticket) {
        self.lock().durable = ticket.0;
        self.settled.notify_all();
    }

    /// The writer has ended: nothing more becomes durable. The first reason stays.
    pub(super) fn fail(&self, error: Error) {
        let mut state = self.lock();
        state.failed.get_or_insert(error);
        state.waiting = Vec::new();
        state.bytes = 0;
        drop(state);
        self.room.notify_all();
        self.settled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock()
    }
}

impl<T> State<T> {
    fn has_room(&self, bytes: usize) -> bool {
        self.waiting.is_empty()
            || (self.waiting.len() < LEDGER_QUEUE_ROWS
                && self.bytes.saturating_add(bytes) <= LEDGER_QUEUE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn ended() -> Error {
        Error::Ended { path: "p".into() }
    }

    #[test]
    fn what_waits_is_taken_in_order_with_the_ticket_of_the_last() {
        let queue = Queue::default();
        let first = queue.push('a', 1).unwrap();
        let second = queue.push('b', 1).unwrap();
        assert!(first < second);
        assert_eq!(queue.take().unwrap(), (vec!['a', 'b'], second));
        queue.settle(second);
        assert_eq!(queue.durable(), second);
        queue.wait(first).unwrap();
        queue.push('c', 1).unwrap();
        queue.close();
        assert!(!queue.is_drained());
        let (taken, last) = queue.take().unwrap();
        assert_eq!(taken, ['c']);
        queue.settle(last);
        assert!(queue.take().is_none());
        assert!(queue.is_drained());
    }

    #[test]
    fn a_full_queue_lets_no_more_in_until_it_is_taken() {
        let full_of = |rows: usize, bytes: usize| {
            let queue = Queue::default();
            for row in 0..rows {
                queue.push(row, bytes).unwrap();
            }
            assert!(!queue.lock().has_room(bytes), "{rows} rows of {bytes} bytes");
            thread::scope(|scope| {
                let pushed = scope.spawn(|| queue.push(rows, bytes).unwrap());
                let (taken, last) = queue.take().unwrap();
                assert!(taken.len() >= rows);
                assert!(pushed.join().unwrap() >= last);
            });
        };
        full_of(LEDGER_QUEUE_ROWS, 1);
        full_of(2, LEDGER_QUEUE_BYTES / 2);
        full_of(1, 2 * LEDGER_QUEUE_BYTES);
    }

    #[test]
    fn a_failure_reaches_all_who_wait_and_all_who_come() {
        let queue = Queue::default();
        let ticket = queue.push(0, LEDGER_QUEUE_BYTES).unwrap();
        thread::scope(|scope| {
            let waits = scope.spawn(|| queue.wait(ticket));
            let pushes = scope.spawn(|| queue.push(1, 1));
            queue.fail(ended());
            queue.fail(Error::NotALedger { path: "second".into() });
            for error in [waits.join().unwrap().err(), pushes.join().unwrap().err()] {
                assert!(matches!(error, Some(Error::Ended { .. })), "{error:?}");
            }
        });
        assert!(matches!(queue.push(2, 1), Err(Error::Ended { .. })));
        assert!(matches!(queue.failed(), Some(Error::Ended { .. })));
    }
}
