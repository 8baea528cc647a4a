//! A while in which nothing is begun, because a disk takes nothing: each longer than the last,
//! until something is done again.

use std::time::{Duration, Instant};

use crate::job::Observer;
use crate::settings::limits::{WATCH_BACKOFF, WATCH_BACKOFF_MAX};

/// Whether there is one.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// Its end, and its length.
    now: Option<(Instant, Duration)>,
}

impl Pause {
    /// Begins one, or the next.
    pub(super) fn begin(&mut self, why: &str, events: &dyn Observer) {
        let last = self.now.map(|(_, pause)| pause);
        let pause = last.map_or(WATCH_BACKOFF, |last| (last * 2).min(WATCH_BACKOFF_MAX));
        if last.is_none() {
            events.note(&format!("paused, and goes on by itself when it can: {why}"));
        }
        self.now = Some((Instant::now() + pause, pause));
    }

    /// Something was done.
    pub(super) fn end(&mut self, events: &dyn Observer) {
        if self.now.take().is_some() {
            events.note("goes on");
        }
    }

    /// When the next try is, if one is waited for, or was not made yet.
    pub(super) fn until(&self) -> Option<Instant> {
        self.now.map(|(until, _)| until)
    }

    /// Whether nothing is to be begun.
    pub(super) fn is_on(&self) -> bool {
        self.until().is_some_and(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_longer_until_something_is_done() {
        let mut pause = Pause::default();
        assert!(!pause.is_on());
        let mut lengths = Vec::new();
        for _ in 0..7 {
            pause.begin("full", &());
            lengths.push(pause.now.unwrap().1.as_secs());
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 30, 30]);
        assert!(pause.is_on());
        pause.end(&());
        assert!(!pause.is_on() && pause.until().is_none());
    }
}
