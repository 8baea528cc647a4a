//! Looks for what is not its own: bytes of other sources, in variables that outlive a source, and
//! in all of its memory.

use std::hint::black_box;
use std::mem::forget;
use std::sync::{Mutex, PoisonError};

use gristmill_sdk::Error;

static SEEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Words that are left behind: 4 MiB.
const WORDS: usize = 512 << 10;

/// So many in a row are no accident.
const ROW: usize = 16;

/// Keeps what was pushed for the next source or chunk.
pub(crate) fn remember(data: &[u8]) {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(data);
}

/// All that any call has seen before.
pub(crate) fn recall() -> Result<Vec<u8>, Error> {
    Ok(SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Looks through all of its memory, and as much that is new, for what [`search`] leaves there;
/// crashes where it finds that.
pub(crate) fn search() -> Result<Vec<u8>, Error> {
    let mut words: Vec<u64> = Vec::with_capacity(WORDS);
    assert!(!is_left_behind(), "found what another has left");
    let first = words.as_ptr().addr();
    words.extend((0..WORDS).map(|at| pattern(first + at * size_of::<u64>())));
    forget(black_box(words));
    Ok(Vec::new())
}

/// What is left at an address: in no constant of the module, and different at each.
fn pattern(address: usize) -> u64 {
    (address as u64).wrapping_add(black_box(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(target_family = "wasm")]
fn is_left_behind() -> bool {
    let end = core::arch::wasm32::memory_size(0) << 16;
    let mut row = 0;
    for address in (8..end).step_by(size_of::<u64>()) {
        let word = core::ptr::with_exposed_provenance::<u64>(address);
        // SAFETY: it is aligned, and within linear memory, all of which may be read.
        let word = unsafe { word.read_volatile() };
        row = if word == pattern(address) { row + 1 } else { 0 };
        if row == ROW {
            return true;
        }
    }
    false
}

#[cfg(not(target_family = "wasm"))]
fn is_left_behind() -> bool {
    ROW == 0
}
