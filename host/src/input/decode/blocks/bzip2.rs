//! Streams of a bzip2 file that has several, as parallel compressors write it.
//!
//! Nothing says how long a stream is, so the next one is searched for, by the ten bytes that every stream which is not
//! empty begins with. Where they stand in the middle of a stream, by a chance of one in 2^76 or by design, that
//! stream fails as cut off; wrong bytes cannot come of it. Blocks within a stream begin at any bit and are left to
//! the decoder.

use memchr::memmem::Finder;

use crate::settings::limits::DECODE_FIRST_STREAM_BYTES_MAX;

use super::super::super::Input;
use super::super::codec::{BZIP2, BZIP2_BLOCK};
use super::Unit;

/// Magic, level, and the magic of the first block.
const START_BYTES: usize = BZIP2.len() + 1 + BZIP2_BLOCK.len();

/// Read at once: part of a stream of the usual 900 KB.
const SEARCH_BYTES: usize = 64 << 10;

/// Whether an input begins with a stream that is over soon, and goes on behind it.
pub(super) fn is(input: &Input) -> bool {
    next_start(input, 0, DECODE_FIRST_STREAM_BYTES_MAX).is_some()
}

/// The stream at `offset`, with what is between it and the next.
pub(super) fn unit(input: &Input, offset: u64) -> Option<Unit> {
    let end = next_start(input, offset, u64::MAX).unwrap_or_else(|| input.bytes());
    Some(Unit { bytes: end.checked_sub(offset)?, ..Unit::default() })
}

/// Where the first stream begins that begins behind `offset`, and at most `bytes_max` behind it.
fn next_start(input: &Input, offset: u64, bytes_max: u64) -> Option<u64> {
    let finder = Finder::new(&BZIP2_BLOCK);
    let to = input.bytes().min(offset.saturating_add(bytes_max));
    let mut buffer = vec![0; SEARCH_BYTES];
    let mut at = offset + 1;
    while at + START_BYTES as u64 <= to {
        let bytes = usize::try_from(to - at).unwrap_or(usize::MAX).min(SEARCH_BYTES);
        let window = buffer.get_mut(..bytes)?;
        input.read_at(window, at).ok()?;
        if let Some(found) = start(window, &finder) {
            return Some(at + found as u64);
        }
        at += (bytes - (START_BYTES - 1)) as u64;
    }
    None
}

fn start(window: &[u8], finder: &Finder<'_>) -> Option<usize> {
    finder.find_iter(window).find_map(|block| {
        let start = block.checked_sub(BZIP2.len() + 1)?;
        let (magic, level) = window.get(start..block)?.split_at_checked(BZIP2.len())?;
        (magic == BZIP2 && matches!(level, [b'1'..=b'9'])).then_some(start)
    })
}
