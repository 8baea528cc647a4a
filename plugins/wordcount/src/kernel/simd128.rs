//! Lanes of 16 bytes, for WebAssembly. Compares are signed, which x86-64 has an instruction for: a
//! byte is one of 9 to 13 if, moved down so that 9 is the least signed byte, it is less than 5 more than that.

use core::arch::wasm32::{
    i8x16_bitmask, i8x16_eq, i8x16_lt, i8x16_splat, i8x16_sub, i32x4_extadd_pairwise_i16x8,
    u16x8_extadd_pairwise_u8x16, u32x4_extract_lane, v128, v128_or,
};

use super::count::{BLOCK_TURNS, TURN_BYTES, padded};
use super::load::lane16;

/// Line feeds and beginnings of words.
pub(super) fn lines_and_words(data: &[u8]) -> (u64, u64) {
    let (turns, rest) = data.as_chunks::<TURN_BYTES>();
    let mut counts = Counts { lines: 0, words: 0, after_space: 1 };
    for block in turns.chunks(BLOCK_TURNS) {
        counts.add(block);
    }
    counts.add(&[padded(rest)]);
    (counts.lines, counts.words)
}

struct Counts {
    lines: u64,
    words: u64,
    /// 1 if the byte before was white space, else 0.
    after_space: u64,
}

impl Counts {
    /// Adds at most [`BLOCK_TURNS`] turns.
    #[inline(always)]
    fn add(&mut self, block: &[[u8; TURN_BYTES]]) {
        let mut lines = i8x16_splat(0);
        for turn in block {
            let (mut spaces, mut bit) = (0, 0);
            for lane in turn.as_chunks::<16>().0 {
                let lane = lane16(lane);
                spaces |= u64::from(i8x16_bitmask(white_space(lane))) << bit;
                bit += 16;
                lines = i8x16_sub(lines, i8x16_eq(lane, i8x16_splat(10)));
            }
            let begins = ((spaces << 1) | self.after_space) & !spaces;
            self.words += u64::from(begins.count_ones());
            self.after_space = spaces >> 63;
        }
        self.lines += sum(lines);
    }
}

#[inline(always)]
fn white_space(lane: v128) -> v128 {
    let control = i8x16_lt(
        i8x16_sub(lane, i8x16_splat(9_i8.wrapping_sub(i8::MIN))),
        i8x16_splat(i8::MIN + 5),
    );
    v128_or(control, i8x16_eq(lane, i8x16_splat(32)))
}

/// The sum of sixteen unsigned bytes.
fn sum(counters: v128) -> u64 {
    let sums = i32x4_extadd_pairwise_i16x8(u16x8_extadd_pairwise_u8x16(counters));
    let low = u32x4_extract_lane::<0>(sums) + u32x4_extract_lane::<1>(sums);
    let high = u32x4_extract_lane::<2>(sums) + u32x4_extract_lane::<3>(sums);
    u64::from(low + high)
}
