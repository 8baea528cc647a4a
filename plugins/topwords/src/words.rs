//! Cutting text into words: white space is found in 64 bytes at a time, eight of them in each step.

const BLOCK_BYTES: usize = 64;

/// The same byte eight times.
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Calls `each` with every word of `data`, in order.
#[inline]
pub(crate) fn words<'a>(data: &'a [u8], mut each: impl FnMut(&'a [u8])) {
    let (blocks, rest) = data.as_chunks::<BLOCK_BYTES>();
    let mut last = [b' '; BLOCK_BYTES];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let mut start = None;
    let mut after_space = 1;
    for (index, block) in blocks.iter().chain([&last]).enumerate() {
        let spaces = spaces(block);
        let mut edges = spaces ^ (spaces << 1 | after_space);
        after_space = spaces >> 63;
        while edges != 0 {
            let at = index * BLOCK_BYTES + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            start = match start {
                None => Some(at),
                Some(start) => {
                    each(data.get(start..at).unwrap_or_default());
                    None
                }
            };
        }
    }
}

/// A bit for each byte, the first one lowest: whether it is white space.
#[inline]
fn spaces(block: &[u8; BLOCK_BYTES]) -> u64 {
    let (eights, _) = block.as_chunks::<8>();
    eights
        .iter()
        .rev()
        .fold(0, |mask, eight| mask << 8 | spaces_of_eight(u64::from_le_bytes(*eight)))
}

/// Eight bytes compared at once: each is taken without its highest bit, so that the highest bit of
/// a sum says whether it reached 128 (Warren, Hacker's Delight, section 6-1).
#[inline]
fn spaces_of_eight(eight: u64) -> u64 {
    let low = eight & all(0x7f);
    let from_9 = low + all(128 - 9);
    let from_14 = low + all(128 - 14);
    let other_than_32 = (low ^ all(32)) + all(127);
    let space = (from_9 & !from_14 | !other_than_32) & !eight & all(0x80);
    // Gathers the eight highest bits: each meets the factor's bit that moves it to the top byte.
    (space >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(data: &[u8]) {
        let mut found = Vec::new();
        words(data, |word| found.push(word));
        let expected = data.split(|byte| matches!(byte, 9..=13 | b' '));
        assert!(found.into_iter().eq(expected.filter(|word| !word.is_empty())));
    }

    #[test]
    fn every_byte_is_the_white_space_it_is() {
        for byte in 0..=u8::MAX {
            for length in 0..70 {
                let mut data = vec![b'x'; length];
                data.extend([byte, b'y']);
                check(&data);
            }
        }
    }

    proptest! {
        #[test]
        fn words_are_what_splitting_at_white_space_leaves(
            data in prop::collection::vec(prop_oneof![Just(b' '), Just(b'a'), 0..=u8::MAX], 0..300),
        ) {
            check(&data);
        }
    }
}
