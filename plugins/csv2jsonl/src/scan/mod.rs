//! Where fields end: delimiters and line feeds that are in no quotes, found a block at a time.
//!
//! Classes of bytes are words with a bit for each byte of a block. A byte is in quotes if an odd number of quotes
//! stands before it: a word in which each bit is the sum of those up to it tells that of all bytes at once.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use scalar::escapes;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar::masks;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd128::escapes;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::masks;

/// Bytes of a block: a bit for each fits into a word.
const BLOCK_BYTES: usize = 64;

/// Which bytes of a block are of a class: the first byte is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Masks {
    quotes: u64,
    delimiters: u64,
    line_feeds: u64,
}

/// What ends a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A delimiter.
    Field,
    /// A line feed, or the end of the data: the record ends, too.
    Record,
    /// The end of the data, in quotes.
    InQuotes,
}

/// Calls `visit` where each field ends. What stands behind the last line feed is a record, if there is anything.
#[inline]
pub(crate) fn ends(data: &[u8], delimiter: u8, mut visit: impl FnMut(usize, End)) {
    let (blocks, rest) = data.as_chunks::<BLOCK_BYTES>();
    let mut quoted = 0;
    let mut at = 0;
    let mut block = |block: &[u8; BLOCK_BYTES]| {
        let Masks { quotes, delimiters, line_feeds } = masks(block, delimiter);
        let inside = sums(quotes) ^ quoted;
        quoted = 0_u64.wrapping_sub(inside >> (u64::BITS - 1));
        let mut ends = (delimiters | line_feeds) & !inside;
        while ends != 0 {
            let lowest = ends & ends.wrapping_neg();
            let end = if line_feeds & lowest == 0 { End::Field } else { End::Record };
            visit(at + ends.trailing_zeros() as usize, end);
            ends ^= lowest;
        }
        at += BLOCK_BYTES;
    };
    blocks.iter().for_each(&mut block);
    let mut padded = [0; BLOCK_BYTES];
    padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    block(&padded);
    match data.last() {
        Some(_) if quoted != 0 => visit(data.len(), End::InQuotes),
        Some(b'\n') | None => {}
        Some(_) => visit(data.len(), End::Record),
    }
}

/// Each bit is the sum, without carries, of those up to it.
#[inline]
fn sums(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_bytes(data: &[u8]) -> Vec<(usize, End)> {
        let mut quoted = false;
        let mut found = Vec::new();
        for (at, byte) in data.iter().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b',' if !quoted => found.push((at, End::Field)),
                b'\n' if !quoted => found.push((at, End::Record)),
                _ => {}
            }
        }
        if quoted {
            found.push((data.len(), End::InQuotes));
        } else if data.last().is_some_and(|&byte| byte != b'\n') {
            found.push((data.len(), End::Record));
        }
        found
    }

    proptest! {
        #[test]
        fn blocks_end_fields_where_single_bytes_do(text in "[a,\"\n\u{e9}]{0,300}") {
            let mut found = Vec::new();
            ends(text.as_bytes(), b',', |at, end| found.push((at, end)));
            prop_assert_eq!(found, by_bytes(text.as_bytes()));
        }
    }
}
