//! Buffers for what comes out of chunks: whoever has written one gives it back, for whoever fills
//! the next. Fresh memory for a chunk costs more than to fill it, as the kernel has to clear each
//! page first.

use parking_lot::Mutex;

use super::Held;
use crate::settings::limits::{SPARE_BUFFERS_MAX, SPARE_BYTES_MAX};

/// The last one given back is the first to be taken: it may still be in a cache.
static SPARE: Mutex<Vec<Held>> = Mutex::new(Vec::new());

/// An empty buffer, with room in it where one was given back. It is charged to nobody until it is
/// filled.
pub fn take() -> Vec<u8> {
    let mut buffer = SPARE.lock().pop().unwrap_or_default().release();
    buffer.clear();
    buffer
}

/// Gives a buffer back; what is in it is gone. It stays charged to the same budget.
pub fn give(buffer: Held) {
    let mut spare = SPARE.lock();
    let bytes = buffer.capacity() + spare.iter().map(Held::capacity).sum::<usize>();
    if buffer.capacity() > 0 && spare.len() < SPARE_BUFFERS_MAX && bytes <= SPARE_BYTES_MAX {
        spare.push(buffer);
    }
}

/// Drops all of them, where their memory is needed for something else.
pub(super) fn clear() {
    SPARE.lock().clear();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::MemoryBudget;
    use super::*;

    #[test]
    fn what_is_taken_is_empty_and_too_large_ones_are_not_kept() {
        let memory = Arc::default();
        give(Held::within(&memory, b"left over".to_vec()));
        assert!(take().is_empty());
        for _ in 0..2 * SPARE_BUFFERS_MAX {
            for room in [SPARE_BYTES_MAX + 1, SPARE_BYTES_MAX / 3, 16] {
                give(Held::within(&memory, Vec::with_capacity(room)));
            }
        }
        let spare = SPARE.lock();
        assert!(spare.len() <= SPARE_BUFFERS_MAX);
        assert!(spare.iter().map(Held::capacity).sum::<usize>() <= SPARE_BYTES_MAX);
    }

    /// Other tests give and take at the same time, so each look is at all under the lock.
    #[test]
    fn what_is_spare_is_charged_until_it_is_taken_or_its_memory_is_needed() {
        const ROOM: usize = 4567; // no other test gives one of that
        let memory = Arc::new(MemoryBudget::new(2 * ROOM as u64));
        let charged_is_spare = || {
            let spare = SPARE.lock();
            let rooms = spare.iter().map(Held::capacity).filter(|&room| room == ROOM);
            assert_eq!(memory.charged(), rooms.sum::<usize>() as u64);
        };
        let give_one = || give(Held::within(&memory, Vec::with_capacity(ROOM)));
        give_one();
        charged_is_spare();
        take();
        charged_is_spare();
        give_one();
        let mut guest = memory.hold(0);
        assert_eq!(guest.grow(memory.bytes_max()), Ok(()));
        guest.set(ROOM as u64);
        give_one();
        assert!(!memory.is_full());
        assert_eq!(memory.charged(), ROOM as u64);
    }
}
