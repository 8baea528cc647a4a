//! Threads that come by in no order.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Lets the threads that come to it pass in an order that looks like none.
#[derive(Default)]
pub(crate) struct Shuffle {
    state: Mutex<u64>,
    moved: Condvar,
}

impl Shuffle {
    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if *state >> 62 == 0 {
            // Until another comes by, if one does.
            state = self.moved.wait_timeout(state, Duration::from_millis(2)).unwrap().0;
        }
        drop(state);
        self.moved.notify_all();
    }
}
