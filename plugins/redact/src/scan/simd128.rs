//! Lanes of 16 bytes, for WebAssembly.

use core::arch::wasm32::{
    i8x16_bitmask, i8x16_swizzle, u8x16_eq, u8x16_le, u8x16_splat, u8x16_sub, u64x2, v128,
    v128_and, v128_or,
};

use super::masks::{BLOCK_BYTES, Masks};

/// Gaps, and odd signs of ASCII, each at the place of its lower four bits.
const GAPS: [u8; 16] = at_low_bits(b" +-");
const ODD_SIGNS: [u8; 16] = at_low_bits(b"\\%&");

/// A table in which a byte is found by its lower four bits; what is not in it is never found, as no byte is at two places.
const fn at_low_bits(bytes: &[u8; 3]) -> [u8; 16] {
    let mut table = [1; 16];
    table[1] = 0;
    let [a, b, c] = *bytes;
    table[(a & 15) as usize] = a;
    table[(b & 15) as usize] = b;
    table[(c & 15) as usize] = c;
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
        let low = v128_and(lane, u8x16_splat(0x0f));
        let is_of = |table| u8x16_eq(lane, i8x16_swizzle(load(table), low));
        let bits = |class: v128| u64::from(i8x16_bitmask(class)) << bit;
        masks.ats |= bits(is(b'@'));
        masks.digits |= bits(u8x16_le(u8x16_sub(lane, u8x16_splat(b'0')), u8x16_splat(9)));
        masks.dots |= bits(is(b'.'));
        masks.colons |= bits(is(b':'));
        masks.gaps |= bits(is_of(&GAPS));
        // The highest bit of what is not ASCII is set, too.
        odd = v128_or(odd, v128_or(is_of(&ODD_SIGNS), lane));
        bit += 16;
    }
    if i8x16_bitmask(odd) != 0 {
        (masks.odd, masks.beyond_ascii) = odd_bytes(block);
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

/// Which bytes are odd, and whether any is not ASCII. Few blocks have any.
#[cold]
fn odd_bytes(block: &[u8; BLOCK_BYTES]) -> (u64, bool) {
    let [a, b, c, d] = block.as_chunks().0 else { return (0, false) };
    let [a, b, c, d] = [a, b, c, d].map(load);
    let bits = |lane| u64::from(i8x16_bitmask(odd(lane)));
    let any = v128_or(v128_or(a, b), v128_or(c, d));
    (bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48, i8x16_bitmask(any) != 0)
}

/// One load, when it is compiled.
#[inline]
fn load(bytes: &[u8; 16]) -> v128 {
    let bytes = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    let low = bytes as u64;
    u64x2(low, (bytes >> 64) as u64)
}
