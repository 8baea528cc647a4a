//! Buffers for what comes out of chunks: whoever has written one gives it back, for whoever fills
//! the next. Fresh memory for a chunk costs more than to fill it, as the kernel has to clear each
//! page first.

use parking_lot::{Mutex, MutexGuard};

use crate::settings::limits::{SPARE_BUFFERS_MAX, SPARE_BYTES_MAX};

/// The last one given back is the first to be taken: it may still be in a cache.
static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// An empty buffer, with room in it where one was given back.
pub fn take() -> Vec<u8> {
    spare().pop().unwrap_or_default()
}

/// Gives a buffer back; what is in it is gone.
pub fn give(mut buffer: Vec<u8>) {
    buffer.clear();
    if buffer.capacity() == 0 {
        return;
    }
    let mut spare = spare();
    let bytes = buffer.capacity() + spare.iter().map(Vec::capacity).sum::<usize>();
    if spare.len() < SPARE_BUFFERS_MAX && bytes <= SPARE_BYTES_MAX {
        spare.push(buffer);
    }
}

fn spare() -> MutexGuard<'static, Vec<Vec<u8>>> {
    SPARE.lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_empty_and_too_large_ones_are_not_kept() {
        give(b"left over".to_vec());
        assert!(take().is_empty());
        for _ in 0..2 * SPARE_BUFFERS_MAX {
            give(Vec::with_capacity(SPARE_BYTES_MAX + 1));
            give(Vec::with_capacity(SPARE_BYTES_MAX / 3));
            give(Vec::with_capacity(16));
        }
        assert!(spare().len() <= SPARE_BUFFERS_MAX);
        assert!(spare().iter().map(Vec::capacity).sum::<usize>() <= SPARE_BYTES_MAX);
    }
}
