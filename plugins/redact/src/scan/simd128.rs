//! Lanes of 16 bytes, for WebAssembly.

use core::arch::wasm32::{
    i8x16_bitmask, u8x16_eq, u8x16_le, u8x16_splat, u8x16_sub, u64x2, v128, v128_or,
};

use super::masks::{BLOCK_BYTES, Masks};

#[inline]
pub(in crate::scan) fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
    let mut masks = Masks::default();
    let mut bit = 0;
    for lane in block.as_chunks::<16>().0 {
        let lane = load(lane);
        let is = |byte| u8x16_eq(lane, u8x16_splat(byte));
        let bits = |class: v128| u64::from(i8x16_bitmask(class)) << bit;
        masks.ats |= bits(is(b'@'));
        masks.digits |= bits(u8x16_le(u8x16_sub(lane, u8x16_splat(b'0')), u8x16_splat(9)));
        masks.dots |= bits(is(b'.'));
        masks.colons |= bits(is(b':'));
        masks.gaps |= bits(v128_or(is(b' '), is(b'-')));
        bit += 16;
    }
    masks
}

/// One load, when it is compiled.
#[inline]
fn load(bytes: &[u8; 16]) -> v128 {
    let bytes = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    let low = bytes as u64;
    u64x2(low, (bytes >> 64) as u64)
}
