//! The one way to stop a run before its end, and why it was stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::process::Failure;

/// Set once, to end the run; workers check it before each chunk.
#[derive(Debug, Default)]
pub struct Cancel {
    set: Arc<AtomicBool>,
    reason: OnceLock<Failure>,
}

impl Cancel {
    /// Asks the run to end. Safe to call at any time, from any thread.
    pub fn set(&self) {
        self.set.store(true, Ordering::Release);
    }

    /// Asks the run to end because of `failure`; the first reason is kept.
    pub fn fail(&self, failure: Failure) {
        let _ = self.reason.set(failure); // an earlier reason stands
        self.set();
    }

    /// Whether the run shall end.
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// The failure that ended the run, if one did.
    pub fn reason(&self) -> Option<&Failure> {
        self.reason.get()
    }

    /// The flag alone, for code that cannot borrow: running guests check it.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.set)
    }
}
