//! Lanes of 16 bytes, for WebAssembly.

use core::arch::wasm32::{
    i8x16_bitmask, i8x16_swizzle, u8x16_eq, u8x16_le, u8x16_splat, u8x16_sub, u64x2, v128,
    v128_and, v128_or,
};

use super::masks::{BLOCK_BYTES, Masks};

/// Gaps, and odd signs of ASCII, each at the place of its lower four bits.
const GAPS: [u8; 16] = at_low_bits(b" +-");
const ODD_SIGNS: [u8; 16] = at_low_bits(b"\\%&");

/// A table in which a byte is found by its lower four bits; what is not in it is never found, as no
/// byte is at two places.
const fn at_low_bits(mut bytes: &[u8]) -> [u8; 16] {
    let mut table = [1; 16];
    table[1] = 0;
    while let [byte, rest @ ..] = bytes {
        table[(*byte & 15) as usize] = *byte;
        bytes = rest;
    }
    table
}

#[inline]
pub(in crate::scan) fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
    let mut masks = Masks::default();
    let mut odd = u8x16_splat(0);
    let mut bit = 0;
    for lane in block.as_chunks::<16>().0 {
        let lane = load(lane);
        let is = |byte| u8x16_eq(lane, u8x16_splat(byte));
        let bits = |class: v128| u64::from(i8x16_bitmask(class)) << bit;
        masks.ats |= bits(is(b'@'));
        masks.digits |= bits(u8x16_le(u8x16_sub(lane, u8x16_splat(b'0')), u8x16_splat(9)));
        masks.dots |= bits(is(b'.'));
        masks.colons |= bits(is(b':'));
        masks.gaps |= bits(is_of(lane, GAPS));
        // The highest bit of what is not ASCII is set, too.
        odd = v128_or(odd, v128_or(is_of(lane, ODD_SIGNS), lane));
        bit += 16;
    }
    if i8x16_bitmask(odd) != 0 {
        let [a, b, c, d] = block.as_chunks().0 else { return masks };
        let lanes = [a, b, c, d].map(load);
        let [a, b, c, d] = lanes;
        masks.odd = bits(lanes.map(|lane| is_of(lane, ODD_SIGNS)));
        if i8x16_bitmask(v128_or(v128_or(a, b), v128_or(c, d))) != 0 {
            masks.beyond_ascii = true;
            masks.odd |= wide(block);
        }
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

/// Bytes that begin spaces, dashes and wide letters in UTF-8.
#[cold]
fn wide(block: &[u8; BLOCK_BYTES]) -> u64 {
    let [a, b, c, d] = block.as_chunks().0 else { return 0 };
    let wide = |lane| {
        let spaces = u8x16_eq(v128_and(lane, u8x16_splat(0xdf)), u8x16_splat(0xc2));
        v128_or(spaces, u8x16_eq(lane, u8x16_splat(0xef)))
    };
    bits([a, b, c, d].map(|lane| wide(load(lane))))
}

/// The bytes of a lane that are in a table by their lower four bits.
#[inline]
fn is_of(lane: v128, table: [u8; 16]) -> v128 {
    let low = v128_and(lane, u8x16_splat(0x0f));
    u8x16_eq(lane, i8x16_swizzle(load(&table), low))
}

/// The bits of four lanes, as those of their block.
#[inline]
fn bits(lanes: [v128; 4]) -> u64 {
    let [a, b, c, d] = lanes.map(|lane| u64::from(i8x16_bitmask(lane)));
    (a | b << 16) | (c | d << 16) << 32
}

/// One load, when it is compiled.
#[inline]
fn load(bytes: &[u8; 16]) -> v128 {
    let bytes = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    let low = bytes as u64;
    u64x2(low, (bytes >> 64) as u64)
}
