//! As many turns at once as there are processors: threads of all jobs wait here for theirs, and
//! [`Fair`] says whose is next.
//!
//! A thread that goes on is asked again without being put to sleep, where nobody else is due. Among
//! the threads of one tenant it goes round.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::fair::{Fair, Id};
use crate::settings::limits::WAIT;
use crate::work::{Cancel, Entered};

/// The turns of a host.
#[derive(Debug)]
pub(super) struct Slots {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    fair: Fair,
    free: usize,
    queue: VecDeque<(Id, Arc<Seat>)>,
}

/// A thread that waits.
#[derive(Debug, Default)]
struct Seat {
    called: AtomicBool,
    changed: Condvar,
}

impl Slots {
    pub(super) fn new(slots: usize) -> Self {
        let state = State { fair: Fair::default(), free: slots, queue: VecDeque::new() };
        Self { state: Mutex::new(state) }
    }

    /// One more tenant.
    pub(super) fn add(&self, weight: u32) -> Id {
        self.lock().fair.add(weight)
    }

    /// Waits for a turn of that tenant.
    pub(super) fn enter(&self, id: Id, cancel: &Cancel) -> Entered {
        let mut state = self.lock();
        state.fair.want(id);
        wait(state, id, cancel)
    }

    /// Ends a turn, and waits for the next.
    pub(super) fn renew(&self, id: Id, spent: Duration, cancel: &Cancel) -> Entered {
        let mut state = self.lock();
        state.fair.want(id);
        state.end(id, spent);
        wait(state, id, cancel)
    }

    /// Ends a turn.
    pub(super) fn leave(&self, id: Id, spent: Duration) {
        let mut state = self.lock();
        state.end(id, spent);
        state.call();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// Waits for a turn that is wanted.
fn wait(mut state: MutexGuard<'_, State>, id: Id, cancel: &Cancel) -> Entered {
    let seat = Arc::<Seat>::default();
    state.queue.push_back((id, Arc::clone(&seat)));
    state.call();
    while !seat.called.load(Ordering::Relaxed) {
        if cancel.is_set() {
            state.fair.forgo(id);
            state.queue.retain(|(_, other)| !Arc::ptr_eq(other, &seat));
            return Entered::Cancelled;
        }
        // Waking early is allowed, so the time-out does not matter.
        seat.changed.wait_for(&mut state, WAIT);
    }
    Entered::Inside
}

impl State {
    fn end(&mut self, id: Id, spent: Duration) {
        self.fair.charge(id, spent);
        self.free += 1;
    }

    /// Calls those who are due.
    fn call(&mut self) {
        while self.free > 0
            && let Some(next) = self.fair.pick()
        {
            self.free -= 1;
            let first = self.queue.iter().position(|(id, _)| *id == next);
            if let Some((_, seat)) = first.and_then(|at| self.queue.remove(at)) {
                seat.called.store(true, Ordering::Relaxed);
                seat.changed.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_have_a_turn_than_there_are_slots_and_all_get_theirs() {
        let slots = Slots::new(2);
        let tenants = [slots.add(1), slots.add(3)];
        let (inside, most, turns) = (Mutex::new(0), Mutex::new(0), Mutex::new([0; 2]));
        let cancel = Cancel::default();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (slots, cancel) = (&slots, &cancel);
                let (inside, most, turns) = (&inside, &most, &turns);
                scope.spawn(move || {
                    let tenant = thread % 2;
                    let mut entered = slots.enter(tenants[tenant], cancel);
                    for _ in 0..200 {
                        assert_eq!(entered, Entered::Inside);
                        *inside.lock() += 1;
                        let now = *inside.lock();
                        let mut most = most.lock();
                        *most = now.max(*most);
                        drop(most);
                        turns.lock()[tenant] += 1;
                        *inside.lock() -= 1;
                        entered = slots.renew(tenants[tenant], Duration::from_micros(10), cancel);
                    }
                    slots.leave(tenants[tenant], Duration::ZERO);
                });
            }
        });
        assert!(*most.lock() <= 2);
        assert_eq!(*turns.lock(), [800, 800]);
        let state = slots.lock();
        assert_eq!((state.free, state.queue.len()), (2, 0));
    }

    #[test]
    fn who_is_cancelled_does_not_wait_for_a_turn() {
        let slots = Slots::new(1);
        let tenant = slots.add(1);
        let (going, cancelled) = (Cancel::default(), Cancel::default());
        assert_eq!(slots.enter(tenant, &going), Entered::Inside);
        cancelled.set();
        assert_eq!(slots.enter(tenant, &cancelled), Entered::Cancelled);
        slots.leave(tenant, Duration::ZERO);
        assert_eq!(slots.enter(tenant, &going), Entered::Inside);
    }
}
