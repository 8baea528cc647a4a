//! Lanes of 16 bytes, for WebAssembly.

use core::arch::wasm32::{i8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128, v128_or};

use super::{BLOCK_BYTES, Masks};

#[inline]
pub(super) fn masks(block: &[u8; BLOCK_BYTES], delimiter: u8) -> Masks {
    let mut masks = Masks::default();
    let mut bit = 0;
    for lane in block.as_chunks::<16>().0 {
        let lane = load(lane);
        let is = |class| u8x16_eq(lane, u8x16_splat(class));
        let bits = |class| u64::from(i8x16_bitmask(class)) << bit;
        masks.quotes |= bits(is(b'"'));
        masks.delimiters |= bits(is(delimiter));
        masks.line_ends |= bits(v128_or(is(b'\n'), is(b'\r')));
        bit += 16;
    }
    masks
}

/// The bytes that cannot be in a string of JSON as they are: a bit for each, the first byte's the
/// lowest.
#[inline]
pub(crate) fn escapes(block: &[u8; 16]) -> u32 {
    let lane = load(block);
    let control = u8x16_lt(lane, u8x16_splat(b' '));
    let named = v128_or(u8x16_eq(lane, u8x16_splat(b'"')), u8x16_eq(lane, u8x16_splat(b'\\')));
    u32::from(i8x16_bitmask(v128_or(control, named)))
}

/// One load, when it is compiled.
#[inline]
fn load(bytes: &[u8; 16]) -> v128 {
    let bytes = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    let low = bytes as u64;
    u64x2(low, (bytes >> 64) as u64)
}
