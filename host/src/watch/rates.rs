//! How much may be begun now, where that is bounded by the second.

use std::time::{Duration, Instant};

/// So many a second, of which those of one second may come at once.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(per_second: u64, now: Instant) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let per_second = per_second as f64;
        Self { per_second, left: per_second, at: now }
    }

    /// Takes `count`, where anything is left: more than that is owed, and waited for later.
    pub(super) fn take(&mut self, count: u64, now: Instant) -> bool {
        self.refill(now);
        if self.left <= 0.0 {
            return false;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let count = count as f64;
        self.left -= count;
        true
    }

    /// How long it is until something is left.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        self.refill(now);
        let owed = (-self.left).max(0.0) / self.per_second;
        let least = if self.left <= 0.0 { Duration::from_millis(1) } else { Duration::ZERO };
        Duration::try_from_secs_f64(owed).unwrap_or(Duration::MAX).max(least)
    }

    fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + since * self.per_second).min(self.per_second);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_beyond_a_second_is_owed() {
        let begun = Instant::now();
        let mut rate = Rate::new(10, begun);
        assert!(rate.take(25, begun));
        assert!(!rate.take(1, begun));
        assert_eq!(rate.wait(begun), Duration::from_millis(1500));
        assert!(!rate.take(1, begun + Duration::from_secs(1)));
        assert!(rate.take(1, begun + Duration::from_secs(2)));
        let long_after = begun + Duration::from_secs(100);
        assert!(rate.take(10, long_after) && !rate.take(1, long_after), "no more than a second's");
    }
}
