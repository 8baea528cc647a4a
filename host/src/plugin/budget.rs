//! What the sandboxes of a job have all together: guest time, records set aside, and lines of the
//! log. Counts; the caller compares with the limits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long a number of lines is for.
const SECOND: Duration = Duration::from_secs(1);

/// What a job has used so far, shared by all its sandboxes.
#[derive(Debug, Default)]
pub struct Budget {
    guest_ns: AtomicU64,
    rejects: AtomicU64,
    lines: Mutex<Lines>,
}

/// Lines of the second that began at `since`.
#[derive(Debug, Default)]
struct Lines {
    since: Option<Instant>,
    count: u64,
}

impl Budget {
    /// Guest time so far.
    pub(super) fn guest_time(&self) -> Duration {
        Duration::from_nanos(self.guest_ns.load(Ordering::Relaxed))
    }

    /// Adds guest time, and returns what it is then.
    pub(super) fn spend(&self, time: Duration) -> Duration {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.guest_ns.fetch_add(ns, Ordering::Relaxed).saturating_add(ns))
    }

    /// One record more is set aside: how many there are then.
    pub(super) fn reject(&self) -> u64 {
        self.rejects.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes back the count of records whose chunk is run again: they are set aside once more.
    pub(super) fn forget_rejects(&self, records: u64) {
        self.rejects.fetch_sub(records, Ordering::Relaxed);
    }

    /// One line more is logged at `now`: how many there are in that second then.
    pub(super) fn line(&self, now: Instant) -> u64 {
        let mut lines = self.lines.lock();
        if lines.since.is_none_or(|since| now.saturating_duration_since(since) >= SECOND) {
            *lines = Lines { since: Some(now), count: 0 };
        }
        lines.count += 1;
        lines.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_anew_in_each_second() {
        let (budget, begun) = (Budget::default(), Instant::now());
        let lines =
            [0, 1, 999, 1000, 1001, 5000].map(|ms| budget.line(begun + Duration::from_millis(ms)));
        assert_eq!(lines, [1, 2, 3, 1, 2, 1]);
    }

    #[test]
    fn guest_time_adds_up() {
        let budget = Budget::default();
        assert_eq!(budget.spend(Duration::from_millis(7)), Duration::from_millis(7));
        assert_eq!(budget.spend(Duration::from_millis(5)), Duration::from_millis(12));
        assert_eq!(budget.guest_time(), Duration::from_millis(12));
    }
}
