//! Lanes of 16 bytes, for WebAssembly. Compares are signed, which x86-64 has an instruction for: a
//! byte is one of 9 to 13 if, moved down so that 9 is the least signed byte, it is less than 5 more than that.

use core::arch::wasm32::{
    i8x16_eq, i8x16_lt, i8x16_shuffle, i8x16_splat, i8x16_sub, i32x4_extadd_pairwise_i16x8,
    u16x8_extadd_pairwise_u8x16, u32x4_extract_lane, v128, v128_andnot, v128_or,
};

use super::load::lane16;
use super::{BLOCK_LANES, TURN_LANES, padded};

/// Line feeds and beginnings of words.
pub(super) fn lines_and_words(data: &[u8]) -> (u64, u64) {
    let (lanes, rest) = data.as_chunks::<16>();
    let mut total = (0, 0);
    let mut before = i8x16_splat(-1);
    for block in lanes.chunks(BLOCK_LANES) {
        before = add_block(block, before, &mut total);
    }
    add_block(&[padded(rest)], before, &mut total);
    total
}

/// Adds a block to the total. `before` and the result are masks of white space: of the lane before the
/// block and of the last one in it.
#[inline]
fn add_block(block: &[[u8; 16]], mut before: v128, total: &mut (u64, u64)) -> v128 {
    let mut counters = Counters { lines: i8x16_splat(0), words: i8x16_splat(0) };
    let (turns, rest) = block.as_chunks::<TURN_LANES>();
    for turn in turns {
        for lane in turn {
            before = counters.add(lane16(lane), before);
        }
    }
    for lane in rest {
        before = counters.add(lane16(lane), before);
    }
    total.0 += sum(counters.lines);
    total.1 += sum(counters.words);
    before
}

/// Sixteen byte-wide counters each, which hold the lanes of one block.
struct Counters {
    lines: v128,
    words: v128,
}

impl Counters {
    #[inline(always)]
    fn add(&mut self, lane: v128, before: v128) -> v128 {
        let control = i8x16_lt(
            i8x16_sub(lane, i8x16_splat(9_i8.wrapping_sub(i8::MIN))),
            i8x16_splat(i8::MIN + 5),
        );
        let space = v128_or(control, i8x16_eq(lane, i8x16_splat(32)));
        // The last byte of the lane before, then all but the last of this one.
        let after = i8x16_shuffle::<15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30>(
            before, space,
        );
        self.words = i8x16_sub(self.words, v128_andnot(after, space));
        self.lines = i8x16_sub(self.lines, i8x16_eq(lane, i8x16_splat(10)));
        space
    }
}

fn sum(counters: v128) -> u64 {
    let sums = i32x4_extadd_pairwise_i16x8(u16x8_extadd_pairwise_u8x16(counters));
    let low = u32x4_extract_lane::<0>(sums) + u32x4_extract_lane::<1>(sums);
    let high = u32x4_extract_lane::<2>(sums) + u32x4_extract_lane::<3>(sums);
    u64::from(low + high)
}
