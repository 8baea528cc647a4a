//! Lanes of 32 bytes, for x86-64 with AVX2: what a native program would use, and the same steps as
//! those of WebAssembly's lanes.

use core::arch::x86_64::{
    __m256i, _mm256_alignr_epi8, _mm256_andnot_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8,
    _mm256_extract_epi64, _mm256_or_si256, _mm256_permute2x128_si256, _mm256_sad_epu8,
    _mm256_set1_epi8, _mm256_setzero_si256, _mm256_sub_epi8,
};

use super::load::lane32;
use super::{BLOCK_LANES, TURN_LANES, padded};

/// Line feeds and beginnings of words.
#[target_feature(enable = "avx2")]
pub(super) fn lines_and_words(data: &[u8]) -> (u64, u64) {
    let (lanes, rest) = data.as_chunks::<32>();
    let mut total = (0, 0);
    let mut before = _mm256_set1_epi8(-1);
    for block in lanes.chunks(BLOCK_LANES) {
        before = add_block(block, before, &mut total);
    }
    add_block(&[padded(rest)], before, &mut total);
    total
}

/// Adds a block to the total. `before` and the result are masks of white space: of the lane before the
/// block and of the last one in it.
#[target_feature(enable = "avx2")]
#[inline]
fn add_block(block: &[[u8; 32]], mut before: __m256i, total: &mut (u64, u64)) -> __m256i {
    let mut counters = Counters { lines: _mm256_setzero_si256(), words: _mm256_setzero_si256() };
    let (turns, rest) = block.as_chunks::<TURN_LANES>();
    for turn in turns {
        for lane in turn {
            before = counters.add(lane32(lane), before);
        }
    }
    for lane in rest {
        before = counters.add(lane32(lane), before);
    }
    total.0 += sum(counters.lines);
    total.1 += sum(counters.words);
    before
}

/// Thirty-two byte-wide counters each, which hold the lanes of one block.
struct Counters {
    lines: __m256i,
    words: __m256i,
}

impl Counters {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn add(&mut self, lane: __m256i, before: __m256i) -> __m256i {
        let moved = _mm256_sub_epi8(lane, _mm256_set1_epi8(9_i8.wrapping_sub(i8::MIN)));
        let control = _mm256_cmpgt_epi8(_mm256_set1_epi8(i8::MIN + 5), moved);
        let space = _mm256_or_si256(control, _mm256_cmpeq_epi8(lane, _mm256_set1_epi8(32)));
        // The upper half of the lane before and the lower half of this one: `alignr` works in halves.
        let between = _mm256_permute2x128_si256::<0x21>(before, space);
        let after = _mm256_alignr_epi8::<15>(space, between);
        self.words = _mm256_sub_epi8(self.words, _mm256_andnot_si256(space, after));
        self.lines = _mm256_sub_epi8(self.lines, _mm256_cmpeq_epi8(lane, _mm256_set1_epi8(10)));
        space
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn sum(counters: __m256i) -> u64 {
    let sums = _mm256_sad_epu8(counters, _mm256_setzero_si256());
    let low = _mm256_extract_epi64::<0>(sums) + _mm256_extract_epi64::<1>(sums);
    let high = _mm256_extract_epi64::<2>(sums) + _mm256_extract_epi64::<3>(sums);
    (low + high).cast_unsigned()
}
