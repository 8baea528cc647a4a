//! Whether a worker may work now, where jobs share processors: it asks before it takes work, again
//! at each chunk, and goes away before it waits for others.
//!
//! So who stands at the gate, and who waits for others, has no turn; and who has a turn waits for
//! nothing but bytes and its own guest, which is made to wait within its call where that takes
//! long. A worker at the gate holds no reader and no lock. A run that shares with nobody has no
//! gate, and reads no clock for it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::Cancel;
use crate::settings::limits::TURN as TURN_LENGTH;

/// Gives turns to the workers of one job. Called from any worker.
pub trait Gate: Sync {
    /// Waits until the caller has a turn. It has none if `cancel` was set meanwhile: it is to end,
    /// for which it needs none.
    fn enter(&self, cancel: &Cancel) -> Entered;

    /// Takes note that the caller's turn has cost so much processor time, and gives it the next, at
    /// once if nobody else is due.
    fn renew(&self, spent: Duration, cancel: &Cancel) -> Entered;

    /// Ends the caller's turn, which has cost so much processor time.
    fn leave(&self, spent: Duration);
}

/// Whether a worker has a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// It may work.
    Inside,
    /// The run ends.
    Cancelled,
}

/// Does what is no worker's, but is done for a run, in a turn of its own, which costs the time that
/// it takes: it may be done by another thread. `None` where the run ends first.
pub fn in_turn<T>(gate: &dyn Gate, cancel: &Cancel, work: impl FnOnce() -> T) -> Option<T> {
    let mut pass = Pass::new(Some(gate), cancel);
    pass.clock = ClockId::Monotonic;
    pass.ask();
    TURN.get().is_some().then(work)
}

/// In the middle of a guest's work, on the thread that has a turn: waits for the next where that
/// was long enough. Does nothing where there is no turn.
pub fn renew_turn(gate: &dyn Gate, cancel: &Cancel) {
    if let Some(turn) = TURN.get()
        && turn.begun.elapsed() >= TURN_LENGTH
    {
        let entered = gate.renew(turn.spent(), cancel);
        TURN.set((entered == Entered::Inside).then(|| Turn::begin(turn.clock)));
    }
}

thread_local! {
    /// That of the calling thread. Begun and ended by its [`Pass`], and renewed from within a
    /// guest's call, which knows nothing of that.
    static TURN: Cell<Option<Turn>> = const { Cell::new(None) };
}

/// One worker's standing at the gate of its run, on its own thread; its turn ends with it.
pub(super) struct Pass<'a> {
    gate: Option<&'a dyn Gate>,
    cancel: &'a Cancel,
    /// What turns cost is read from it.
    clock: ClockId,
}

#[derive(Clone, Copy)]
struct Turn {
    begun: Instant,
    clock: ClockId,
    /// What it showed then.
    shown: Duration,
}

impl<'a> Pass<'a> {
    pub(super) fn new(gate: Option<&'a dyn Gate>, cancel: &'a Cancel) -> Self {
        Self { gate, cancel, clock: ClockId::ThreadCPUTime }
    }

    /// Before a piece of work: waits for a turn, or for the next where this one was long enough.
    pub(super) fn ask(&mut self) {
        let Some(gate) = self.gate else { return };
        if TURN.get().is_some() {
            return renew_turn(gate, self.cancel);
        }
        let entered = gate.enter(self.cancel);
        TURN.set((entered == Entered::Inside).then(|| Turn::begin(self.clock)));
    }

    /// Before waiting for other workers.
    pub(super) fn leave(&mut self) {
        if let Some(gate) = self.gate
            && let Some(turn) = TURN.take()
        {
            gate.leave(turn.spent());
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Turn {
    fn begin(clock: ClockId) -> Self {
        Self { begun: Instant::now(), clock, shown: time(clock) }
    }

    fn spent(&self) -> Duration {
        time(self.clock).saturating_sub(self.shown)
    }
}

/// What a clock of `clock_gettime(2)` shows: `CLOCK_THREAD_CPUTIME_ID` is the processor time of the
/// calling thread so far.
fn time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
