//! Hashing and comparing words eight bytes at a time. Every instance hashes alike, so that a saved
//! table can be merged partition by partition. There is no secret: a crafted input can make a table
//! slow, and then meets the host's time limit.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Odd, with half of its bits set in no pattern: 2^64 divided by the golden ratio
/// (Knuth, The Art of Computer Programming, volume 3, section 6.4).
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash of which every bit depends on every byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hash(u64);

impl Hash {
    #[inline]
    pub(crate) fn of(word: &[u8]) -> Self {
        let (eights, _) = word.as_chunks::<8>();
        let mut hash = mix(word.len() as u64);
        for eight in eights {
            hash = mix(hash ^ u64::from_le_bytes(*eight));
        }
        Self(mix(mix(hash ^ tail(word))))
    }

    /// The lower half, which distinguishes words of a partition.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    pub(crate) fn tag(self) -> u32 {
        self.0 as u32
    }

    /// Which of so many partitions the word belongs to: depends on the upper half only.
    #[inline]
    pub(crate) fn partition(self, partitions: usize) -> usize {
        (self.0 >> 32) as usize % partitions
    }
}

/// Words in a map of the standard library, for the few that no entry holds.
pub(crate) type WordMap<Word> = HashMap<Word, u64, BuildHasherDefault<WordHasher>>;

/// Hashes a word for a [`WordMap`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, word: &[u8]) {
        self.0 = mix(self.0 ^ Hash::of(word).0);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Whether two words are the same. It exists because comparing slices is a loop over bytes in
/// WebAssembly.
#[inline]
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    let (left_eights, _) = left.as_chunks::<8>();
    let (right_eights, _) = right.as_chunks::<8>();
    left.len() == right.len()
        && tail(left) == tail(right)
        && left_eights
            .iter()
            .zip(right_eights)
            .all(|(left, right)| u64::from_le_bytes(*left) == u64::from_le_bytes(*right))
}

#[inline]
fn mix(value: u64) -> u64 {
    let product = value.wrapping_mul(FACTOR);
    product ^ (product >> 32)
}

/// The last eight bytes, or all of a shorter word, so that words of one length with the same
/// leading eights and the same tail are the same.
#[inline]
fn tail(word: &[u8]) -> u64 {
    if let Some(eight) = word.last_chunk::<8>() {
        return u64::from_le_bytes(*eight);
    }
    if let (Some(first), Some(last)) = (word.first_chunk::<4>(), word.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
    }
    match *word {
        [a, b, c] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
        [a, b] => u64::from(a) | u64::from(b) << 8,
        [a] => u64::from(a),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_are_the_same_if_all_their_bytes_are() {
        let text = b"abcdefghijklmnopqrstuvwxyz";
        for length in 0..text.len() {
            let word = &text[..length];
            assert!(same(word, word));
            assert!(!same(word, &text[..=length]));
            for at in 0..length {
                let mut other = word.to_vec();
                other[at] ^= 1;
                assert!(!same(word, &other));
                assert_ne!(Hash::of(word), Hash::of(&other));
            }
        }
    }

    #[test]
    fn hashes_of_numbers_spread() {
        let hashes = (0..100_000_u32).map(|number| Hash::of(number.to_string().as_bytes()));
        let (mut shares, mut tags) = ([0_u32; 256], HashSet::new());
        for hash in hashes {
            shares[hash.partition(256)] += 1;
            tags.insert(hash.tag());
        }
        assert!(shares.iter().all(|share| (250..550).contains(share)), "{shares:?}");
        // Of n values out of 2^32, n^2 / 2^33 pairs are expected to meet: one or two.
        assert!(tags.len() > 99_980, "{}", tags.len());
    }
}
