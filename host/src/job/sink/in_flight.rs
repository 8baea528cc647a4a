//! Writes that are on their way: whoever ends a file waits for them, and for nothing else.

use parking_lot::{Condvar, Mutex};

/// Counts writes that have their place in a file, and are not there yet.
#[derive(Debug, Default)]
pub(super) struct InFlightWrites {
    count: Mutex<u64>,
    landed: Condvar,
}

impl InFlightWrites {
    /// One more.
    pub(super) fn start(&self) {
        *self.count.lock() += 1;
    }

    /// One fewer.
    pub(super) fn land(&self) {
        let mut count = self.count.lock();
        *count -= 1;
        if *count == 0 {
            self.landed.notify_all();
        }
    }

    /// Waits until there are none. Who waits has none of its own; those of others wait for nobody.
    pub(super) fn wait(&self) {
        let mut count = self.count.lock();
        while *count > 0 {
            self.landed.wait(&mut count);
        }
    }
}
