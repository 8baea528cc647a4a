//! Writes in flight: a thread that ends a file waits for them, and for nothing else.

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

    /// Waits until there are none. A waiting thread has no write of its own in flight, and writes
    /// of others never wait, so none deadlocks.
    pub(super) fn wait(&self) {
        let mut count = self.count.lock();
        while *count > 0 {
            self.landed.wait(&mut count);
        }
    }
}
