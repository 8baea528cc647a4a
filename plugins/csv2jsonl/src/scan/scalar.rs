//! A byte at a time: for targets without the lanes.

use super::{BLOCK_BYTES, Masks};

pub(super) fn masks(block: &[u8; BLOCK_BYTES], delimiter: u8) -> Masks {
    let of = |class: u8| {
        let bits = block.iter().enumerate();
        bits.fold(0, |mask, (bit, byte)| mask | u64::from(*byte == class) << bit)
    };
    let line_ends = of(b'\n') | of(b'\r');
    Masks { quotes: of(b'"'), delimiters: of(delimiter), line_ends }
}

/// The bytes that cannot be in a string of JSON as they are: a bit for each, the first byte's the
/// lowest.
pub(crate) fn escapes(block: &[u8; 16]) -> u32 {
    let bits = block.iter().enumerate();
    let escaped = |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\');
    bits.fold(0, |mask, (bit, byte)| mask | u32::from(escaped(*byte)) << bit)
}
