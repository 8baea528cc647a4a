//! Lanes of 32 bytes, for x86-64 with AVX2: what a native program would use, and the same steps as
//! those of WebAssembly's lanes.

use core::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_extract_epi64, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_sad_epu8, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_sub_epi8,
};

use super::count::{BLOCK_TURNS, TURN_BYTES, padded};
use super::load::lane32;

/// Line feeds and beginnings of words.
#[target_feature(enable = "avx2,popcnt,bmi1")]
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
    #[target_feature(enable = "avx2,popcnt,bmi1")]
    #[inline]
    fn add(&mut self, block: &[[u8; TURN_BYTES]]) {
        let mut lines = _mm256_setzero_si256();
        for turn in block {
            let (mut spaces, mut bit) = (0, 0);
            for lane in turn.as_chunks::<32>().0 {
                let lane = lane32(lane);
                let mask = _mm256_movemask_epi8(white_space(lane)).cast_unsigned();
                spaces |= u64::from(mask) << bit;
                bit += 32;
                lines = _mm256_sub_epi8(lines, _mm256_cmpeq_epi8(lane, _mm256_set1_epi8(10)));
            }
            let begins = ((spaces << 1) | self.after_space) & !spaces;
            self.words += u64::from(begins.count_ones());
            self.after_space = spaces >> 63;
        }
        self.lines += sum(lines);
    }
}

#[target_feature(enable = "avx2,popcnt,bmi1")]
#[inline]
fn white_space(lane: __m256i) -> __m256i {
    let moved = _mm256_sub_epi8(lane, _mm256_set1_epi8(9_i8.wrapping_sub(i8::MIN)));
    let control = _mm256_cmpgt_epi8(_mm256_set1_epi8(i8::MIN + 5), moved);
    _mm256_or_si256(control, _mm256_cmpeq_epi8(lane, _mm256_set1_epi8(32)))
}

/// The sum of thirty-two unsigned bytes.
#[target_feature(enable = "avx2,popcnt,bmi1")]
#[inline]
fn sum(counters: __m256i) -> u64 {
    let sums = _mm256_sad_epu8(counters, _mm256_setzero_si256());
    let low = _mm256_extract_epi64::<0>(sums) + _mm256_extract_epi64::<1>(sums);
    let high = _mm256_extract_epi64::<2>(sums) + _mm256_extract_epi64::<3>(sums);
    (low + high).cast_unsigned()
}
