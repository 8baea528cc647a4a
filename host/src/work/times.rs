//! Where a worker's time goes: what has passed since the last look at the clock goes to what was done in it.

use std::time::{Duration, Instant};

use crate::stats::Stats;

pub(super) struct Times {
    last: Instant,
    read: Duration,
    guest: Duration,
    merge: Duration,
    write: Duration,
}

impl Times {
    pub(super) fn new() -> Self {
        let none = Duration::ZERO;
        Self { last: Instant::now(), read: none, guest: none, merge: none, write: none }
    }

    /// The time since the last look was waiting, or nothing worth a name.
    pub(super) fn was_idle(&mut self) {
        self.lap();
    }

    /// It was reading.
    pub(super) fn was_read(&mut self) {
        let spent = self.lap();
        self.read += spent;
    }

    /// It was in the guest, but for the part that went into filling a chunk.
    pub(super) fn was_guest(&mut self, filling: Duration) {
        self.read += filling;
        let spent = self.lap().saturating_sub(filling);
        self.guest += spent;
    }

    /// It was saving, merging and finishing.
    pub(super) fn was_merge(&mut self) {
        let spent = self.lap();
        self.merge += spent;
    }

    /// It was delivering.
    pub(super) fn was_write(&mut self) {
        let spent = self.lap();
        self.write += spent;
    }

    pub(super) fn add_to(&self, stats: &Stats) {
        stats.add_times(self.read, self.guest, self.merge, self.write);
    }

    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.last, now)
    }
}
