//! Lanes of 16 bytes, for WebAssembly.

use core::arch::wasm32::{
    i8x16_bitmask, u8x16_eq, u8x16_le, u8x16_splat, u8x16_sub, u64x2, v128, v128_and,
    v128_any_true, v128_or,
};

use super::masks::{BLOCK_BYTES, Masks};

#[inline]
pub(in crate::scan) fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
    let mut masks = Masks::default();
    let mut any_odd = u8x16_splat(0);
    let mut all = u8x16_splat(0);
    let mut bit = 0;
    for lane in block.as_chunks::<16>().0 {
        let lane = load(lane);
        let is = |byte| u8x16_eq(lane, u8x16_splat(byte));
        let bits = |class: v128| u64::from(i8x16_bitmask(class)) << bit;
        masks.ats |= bits(is(b'@'));
        masks.digits |= bits(u8x16_le(u8x16_sub(lane, u8x16_splat(b'0')), u8x16_splat(9)));
        masks.dots |= bits(is(b'.'));
        masks.colons |= bits(is(b':'));
        masks.gaps |= bits(v128_or(v128_or(is(b' '), is(b'-')), is(b'+')));
        any_odd = v128_or(any_odd, v128_or(is(b'\\'), v128_or(is(b'%'), is(b'&'))));
        all = v128_or(all, lane);
        bit += 16;
    }
    masks.beyond_ascii = i8x16_bitmask(all) != 0;
    if masks.beyond_ascii || v128_any_true(any_odd) {
        masks.odd = odd_bytes(block);
    }
    masks
}

/// The digits and the dots of a lane.
#[inline]
pub(crate) fn digits_and_dots(lane: &[u8; 16]) -> (u16, u16) {
    let lane = load(lane);
    let digits = u8x16_le(u8x16_sub(lane, u8x16_splat(b'0')), u8x16_splat(9));
    (i8x16_bitmask(digits), i8x16_bitmask(u8x16_eq(lane, u8x16_splat(b'.'))))
}

/// `\`, `%`, `&`, and the bytes 0xc2, 0xe2 and 0xef.
#[inline]
fn odd(lane: v128) -> v128 {
    let is = |byte| u8x16_eq(lane, u8x16_splat(byte));
    let signs = v128_or(is(b'\\'), v128_or(is(b'%'), is(b'&')));
    let spaces = u8x16_eq(v128_and(lane, u8x16_splat(0xdf)), u8x16_splat(0xc2));
    v128_or(signs, v128_or(spaces, is(0xef)))
}

/// Few blocks have any.
#[cold]
fn odd_bytes(block: &[u8; BLOCK_BYTES]) -> u64 {
    let bits =
        |lane: Option<&[u8; 16]>| lane.map_or(0, |lane| u64::from(i8x16_bitmask(odd(load(lane)))));
    let mut lanes = block.as_chunks().0.iter();
    let mut next = || bits(lanes.next());
    next() | next() << 16 | next() << 32 | next() << 48
}

/// One load, when it is compiled.
#[inline]
fn load(bytes: &[u8; 16]) -> v128 {
    let bytes = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    let low = bytes as u64;
    u64x2(low, (bytes >> 64) as u64)
}
