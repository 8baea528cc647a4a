//! Whether files are asked for before it is their turn: where those before them came from a slow
//! disk, not from the page cache.

use std::time::Duration;

use crate::settings::limits::AHEAD_SLOW;

/// What a slow file is worth, in fast ones: with files asked for ahead all look fast, so now and
/// then one is read without, to see.
const SLOW: u8 = 32;

/// So many slow files close to each other are no coincidence.
const WORTH: u8 = 2 * SLOW;

/// How slow files have been, lately.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    slow: u8,
}

impl Ahead {
    /// It took so long to open and read a file.
    pub(super) fn was(&mut self, took: Duration) {
        let slow = took >= AHEAD_SLOW;
        self.slow = if slow { self.slow.saturating_add(SLOW) } else { self.slow.saturating_sub(1) };
    }

    /// Whether to ask for the next ones.
    pub(super) fn pays(&self) -> bool {
        self.slow >= WORTH - SLOW / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_files_switch_it_on_and_fast_ones_off() {
        let mut ahead = Ahead::default();
        let (fast, slow) = (Duration::from_micros(5), AHEAD_SLOW);
        ahead.was(slow);
        assert!(!ahead.pays(), "once is nothing");
        (0..100).for_each(|_| ahead.was(fast));
        ahead.was(slow);
        assert!(!ahead.pays());
        ahead.was(slow);
        assert!(ahead.pays());
        (0..5).for_each(|_| ahead.was(slow));
        let on = (0..1000).take_while(|_| {
            ahead.was(fast);
            ahead.pays()
        });
        assert!((100..256).contains(&on.count()), "long enough to pay, and not for ever");
    }
}
