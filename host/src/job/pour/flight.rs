//! Writes that are on their way: whoever ends a file waits for them, and for nothing else.

use std::sync::{Condvar, Mutex, PoisonError};

/// Counts writes that have their place in a file, and are not there yet.
#[derive(Debug, Default)]
pub(super) struct Flight {
    count: Mutex<u64>,
    landed: Condvar,
}

impl Flight {
    /// One more.
    pub(super) fn start(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    /// One fewer.
    pub(super) fn land(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count -= 1;
        if *count == 0 {
            self.landed.notify_all();
        }
    }

    /// Waits until there are none. Who waits has none of its own; those of others wait for nobody.
    pub(super) fn wait(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count > 0 {
            count = self.landed.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
