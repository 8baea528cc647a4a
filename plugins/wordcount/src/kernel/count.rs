//! Which lanes count on this machine, and what they share.

#[cfg(target_arch = "x86_64")]
use super::load;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use super::scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::simd128;
use crate::Counts;

/// Bytes in one turn of the inner loop.
#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) const TURN_BYTES: usize = 64;

/// How many turns byte-wide counters can count before they overflow: a turn adds at most 4 to one,
/// a lane of 16 bytes each.
#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) const BLOCK_TURNS: usize = 63;

/// The counts of `data` on its own: a word that it begins with counts, whatever came before.
pub fn count(data: &[u8]) -> Counts {
    let (lines, words) = lines_and_words(data);
    Counts { lines, words, bytes: data.len() as u64 }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn lines_and_words(data: &[u8]) -> (u64, u64) {
    simd128::lines_and_words(data)
}

#[cfg(target_arch = "x86_64")]
fn lines_and_words(data: &[u8]) -> (u64, u64) {
    load::with_avx2(data).unwrap_or_else(|| scalar::lines_and_words(data))
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
fn lines_and_words(data: &[u8]) -> (u64, u64) {
    scalar::lines_and_words(data)
}

/// The bytes that fill no turn, in one of their own: white space after them begins no word.
#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) fn padded(rest: &[u8]) -> [u8; TURN_BYTES] {
    let mut turn = [b' '; TURN_BYTES];
    for (to, from) in turn.iter_mut().zip(rest) {
        *to = *from;
    }
    turn
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(data: &[u8]) {
        let (lines, words) = scalar::lines_and_words(data);
        assert_eq!(count(data), Counts { lines, words, bytes: data.len() as u64 });
    }

    #[test]
    fn counters_do_not_overflow() {
        for length in [4031, 4032, 4033, 8064, 8065, 16_130, 100_000] {
            check(&vec![b'\n'; length]);
            check(&vec![b'a'; length]);
            check(&b"a ".repeat(length / 2));
            check(&b" a".repeat(length / 2));
        }
    }

    #[test]
    fn every_byte_is_the_white_space_it_is() {
        for byte in 0..=u8::MAX {
            for length in 0..70 {
                let mut data = vec![b'x'; length];
                data.push(byte);
                data.push(b'x');
                check(&data);
            }
        }
    }

    proptest! {
        #[test]
        fn lanes_count_as_the_plain_loop_does(
            data in prop::collection::vec(prop_oneof![Just(b' '), Just(b'\n'), 0..=u8::MAX], 0..1000),
            skipped in 0..40_usize,
        ) {
            check(data.get(skipped..).unwrap_or_default());
        }
    }
}
