//! Where a worker's time goes: what has passed since the last look at the clock goes to what was
//! done in it. And how far it has come, counted for itself first.

use std::time::{Duration, Instant};

use super::Origin;
use crate::stats::Stats;

pub(super) struct Times {
    last: Instant,
    read: Duration,
    guest: Duration,
    merge: Duration,
    write: Duration,
    bytes: u64,
    stored: u64,
    out: u64,
    sources: u64,
    skipped: u64,
}

impl Times {
    pub(super) fn new() -> Self {
        let none = Duration::ZERO;
        Self {
            last: Instant::now(),
            read: none,
            guest: none,
            merge: none,
            write: none,
            bytes: 0,
            stored: 0,
            out: 0,
            sources: 0,
            skipped: 0,
        }
    }

    /// The time since the last look was waiting, or nothing worth a name.
    pub(super) fn was_idle(&mut self) {
        self.lap();
    }

    /// How long it has been reading, all in all.
    pub(super) fn reading(&self) -> Duration {
        self.read
    }

    /// When it last looked at the clock.
    pub(super) fn last(&self) -> Instant {
        self.last
    }

    /// It was reading, for so long.
    pub(super) fn was_read(&mut self) -> Duration {
        let spent = self.lap();
        self.read += spent;
        spent
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

    /// So many bytes have been taken, which are `stored` as they are stored.
    pub(super) fn count_bytes(&mut self, bytes: u64, stored: u64) {
        self.bytes += bytes;
        self.stored += stored;
    }

    /// So many bytes have come out.
    pub(super) fn count_out(&mut self, bytes: u64) {
        self.out += bytes;
    }

    /// A source is done, and did not fail.
    pub(super) fn count_source(&mut self, origin: Origin) {
        match origin {
            Origin::Processed => self.sources += 1,
            Origin::Recalled => self.skipped += 1,
        }
    }

    /// Shows all workers' counters what this one has counted: not for each small source, as they
    /// are shared.
    pub(super) fn show_counts(&mut self, stats: &Stats) {
        let take = std::mem::take;
        stats.add_done(take(&mut self.sources), take(&mut self.bytes), take(&mut self.stored));
        if self.out > 0 {
            stats.add_out(take(&mut self.out));
        }
        if self.skipped > 0 {
            stats.add_skipped(take(&mut self.skipped));
        }
    }

    pub(super) fn add_to(&mut self, stats: &Stats) {
        self.show_counts(stats);
        stats.add_times(self.read, self.guest, self.merge, self.write);
    }

    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.last, now)
    }
}
