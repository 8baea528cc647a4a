//! Wants more memory than there is.

use std::hint::black_box;
use std::mem::forget;

use gristmill_sdk::Error;

/// Never frees anything, until the allocator has nothing left to give.
pub(crate) fn leak() -> Result<Vec<u8>, Error> {
    loop {
        forget(black_box(vec![7_u8; 4096]));
    }
}

/// Never frees what it has used for one call.
pub(crate) fn leak_a_little() -> Result<Vec<u8>, Error> {
    forget(black_box(vec![7_u8; 8 << 10]));
    Ok(Vec::new())
}

/// Asks for a gigabyte in one piece.
pub(crate) fn allocate() -> Result<Vec<u8>, Error> {
    let piece = black_box(vec![7_u8; 1 << 30]);
    Ok(piece[..1].to_vec())
}
