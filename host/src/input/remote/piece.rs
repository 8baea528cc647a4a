//! A stretch of an object whose bytes are on their way: read from its front as far as they have
//! come.
//!
//! A thread that waits for bytes checks regularly whether the run is cancelled. The bytes of all
//! pieces are counted, so that what is asked for ahead stays within its bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::task::AbortHandle;

use crate::remote::Fault;
use crate::settings::limits::WAIT;
use crate::slices;
use crate::stats::{Charge, MemoryBudget};

/// Bytes of all pieces that there are.
static HELD_BYTES: AtomicU64 = AtomicU64::new(0);

/// Bytes of all pieces that there are, come or not.
pub(super) fn held_bytes() -> u64 {
    HELD_BYTES.load(Ordering::Relaxed)
}

/// The stretch, and what has come of it.
#[derive(Debug)]
pub(super) struct ObjectPart {
    pub(super) start: u64,
    pub(super) end: u64,
    state: Mutex<State>,
    came: Condvar,
    _held: Charge,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Why no more will come.
    fault: Option<Fault>,
}

/// How a wait ended that brought no bytes.
#[derive(Debug)]
pub(super) enum Without {
    Stopped,
    Failed(Fault),
}

impl ObjectPart {
    /// The stretch from `start` to `end`, of which nothing has come. It is charged for all of it.
    pub(super) fn new(start: u64, end: u64, memory: &Arc<MemoryBudget>) -> Self {
        HELD_BYTES.fetch_add(end - start, Ordering::Relaxed);
        Self {
            start,
            end,
            state: Mutex::default(),
            came: Condvar::new(),
            _held: memory.hold(end - start),
        }
    }

    pub(super) fn holds(&self, offset: u64) -> bool {
        (self.start..self.end).contains(&offset)
    }

    /// Where the first byte is missing.
    pub(super) fn reached(&self) -> u64 {
        self.start + self.lock().bytes.len() as u64
    }

    /// Adds what has come. What is past the end is left out.
    pub(super) fn append(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let length = usize::try_from(self.end - self.start).unwrap_or(usize::MAX);
        if state.bytes.capacity() == 0 {
            state.bytes.reserve_exact(length);
        }
        let room = length.saturating_sub(state.bytes.len()).min(bytes.len());
        state.bytes.extend_from_slice(slices::part(bytes, ..room));
        drop(state);
        self.came.notify_all();
    }

    /// Says that no more will come.
    pub(super) fn fail(&self, fault: Fault) {
        self.lock().fault = Some(fault);
        self.came.notify_all();
    }

    /// Copies what there is at `offset`, which it holds: at least one byte, waited for, and at most
    /// as many as `into` holds.
    pub(super) fn read(
        &self,
        into: &mut [u8],
        offset: u64,
        stop: &AtomicBool,
    ) -> Result<usize, Without> {
        let skip = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        let mut state = self.lock();
        loop {
            let there = slices::part(&state.bytes, skip.min(state.bytes.len())..);
            let got = there.len().min(into.len());
            if got > 0 || into.is_empty() {
                let (into, _) = into.split_at_mut(got);
                into.copy_from_slice(slices::part(there, ..got));
                return Ok(got);
            }
            if let Some(fault) = &state.fault {
                return Err(Without::Failed(fault.clone()));
            }
            if stop.load(Ordering::Acquire) {
                return Err(Without::Stopped);
            }
            self.came.wait_for(&mut state, WAIT);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Drop for ObjectPart {
    fn drop(&mut self) {
        HELD_BYTES.fetch_sub(self.end - self.start, Ordering::Relaxed);
    }
}

/// What brings the bytes of a piece. They come no more once it is dropped.
#[derive(Debug)]
pub(super) struct Fetching(AbortHandle);

impl Fetching {
    pub(super) fn by(task: AbortHandle) -> Self {
        Self(task)
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn bytes_are_read_as_far_as_they_have_come() {
        let (piece, stop) = (ObjectPart::new(10, 16, &Arc::default()), AtomicBool::new(false));
        piece.append(b"abcd");
        let mut into = [0; 8];
        assert_eq!(piece.read(&mut into, 11, &stop).unwrap(), 3);
        assert_eq!(&into[..3], b"bcd");
        assert_eq!(piece.reached(), 14);
        piece.append(b"efgh");
        assert_eq!(piece.read(&mut into, 14, &stop).unwrap(), 2);
        assert_eq!(piece.reached(), 16);
    }

    #[test]
    fn a_wait_ends_with_a_fault_or_when_it_is_stopped() {
        let (piece, stop) = (ObjectPart::new(0, 4, &Arc::default()), AtomicBool::new(true));
        assert!(matches!(piece.read(&mut [0; 2], 0, &stop), Err(Without::Stopped)));
        piece.append(b"a");
        piece.fail(Fault::new(ErrorKind::Other, "broken"));
        assert_eq!(piece.read(&mut [0; 2], 0, &stop).unwrap(), 1);
        assert!(matches!(piece.read(&mut [0; 2], 1, &stop), Err(Without::Failed(_))));
    }
}
