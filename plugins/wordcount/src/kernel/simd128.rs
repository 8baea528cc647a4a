//! Lanes of 16 bytes, for WebAssembly, with one instruction of relaxed SIMD: three steps find white
//! space where four would be needed without it.

use core::arch::wasm32::{
    i8x16_bitmask, i8x16_eq, i8x16_relaxed_swizzle, i8x16_splat, i8x16_sub,
    i32x4_extadd_pairwise_i16x8, u8x16, u16x8_extadd_pairwise_u8x16, u32x4_extract_lane, v128,
    v128_and,
};

use super::count::{BLOCK_TURNS, TURN_BYTES, padded};
use super::load::lane16;

/// Line feeds and beginnings of words.
#[target_feature(enable = "relaxed-simd")]
pub(super) fn lines_and_words(data: &[u8]) -> (u64, u64) {
    let (turns, rest) = data.as_chunks::<TURN_BYTES>();
    let (mut lines, mut words) = (0, 0);
    let mut after_space = 1; // what comes before the data is white space
    for block in turns.chunks(BLOCK_TURNS) {
        let mut counters = i8x16_splat(0);
        for turn in block {
            let spaces = spaces(turn, &mut counters);
            words += begins(spaces, after_space);
            after_space = spaces >> 63;
        }
        lines += sum(counters);
    }
    let mut counters = i8x16_splat(0);
    words += begins(spaces(&padded(rest), &mut counters), after_space);
    (lines + sum(counters), words)
}

/// The white space of a turn, a bit for each byte; counts its line feeds.
#[target_feature(enable = "relaxed-simd")]
#[inline]
fn spaces(turn: &[u8; TURN_BYTES], lines: &mut v128) -> u64 {
    let (mut spaces, mut bit) = (0, 0);
    for lane in turn.as_chunks::<16>().0 {
        let lane = lane16(lane);
        spaces |= u64::from(i8x16_bitmask(white_space(lane))) << bit;
        bit += 16;
        *lines = i8x16_sub(*lines, i8x16_eq(lane, i8x16_splat(10)));
    }
    spaces
}

/// Bytes that are no white space, after one that is.
#[inline(always)]
fn begins(spaces: u64, after_space: u64) -> u64 {
    u64::from((((spaces << 1) | after_space) & !spaces).count_ones())
}

/// A byte is white space if the table has it at the place that its low four bits name; where there
/// is no white space with these bits, the table has a byte with others. Places are below 16, where
/// the relaxed instruction does the same on every machine.
#[target_feature(enable = "relaxed-simd")]
#[inline]
fn white_space(lane: v128) -> v128 {
    let table = u8x16(32, 255, 255, 255, 255, 255, 255, 255, 255, 9, 10, 11, 12, 13, 255, 0);
    i8x16_eq(i8x16_relaxed_swizzle(table, v128_and(lane, i8x16_splat(15))), lane)
}

/// The sum of sixteen unsigned bytes.
fn sum(counters: v128) -> u64 {
    let sums = i32x4_extadd_pairwise_i16x8(u16x8_extadd_pairwise_u8x16(counters));
    let low = u32x4_extract_lane::<0>(sums) + u32x4_extract_lane::<1>(sums);
    let high = u32x4_extract_lane::<2>(sums) + u32x4_extract_lane::<3>(sums);
    u64::from(low + high)
}
