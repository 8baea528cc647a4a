//! Where fields end: delimiters and line feeds that are in no quotes, found a block at a time.
//!
//! Classes of bytes are words with a bit for each byte of a block. A byte is in quotes if an odd
//! number of quotes stands before it: a word in which each bit is the sum of those up to it answers
//! that for all its bytes at once.

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
    /// Line feeds and carriage returns.
    line_ends: u64,
}

/// Whether quotes mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// One at the start of a field opens it.
    Double,
    /// They are characters as others.
    None,
}

/// What separates fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quotes: Quotes,
}

/// What ends a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A delimiter.
    Field,
    /// A line feed, a carriage return, or the end of the data: the record ends, too.
    Record,
    /// The end of the data, in quotes.
    InQuotes,
}

/// Calls `visit` where each field ends. What stands behind the last line end is a record, if there
/// is anything.
#[inline]
pub(crate) fn ends(data: &[u8], dialect: Dialect, mut visit: impl FnMut(usize, End)) {
    let mut from = 0;
    // A quote inside a field opens nothing: the field ends with the next delimiter or line end.
    while let Some(stray) = ends_from(data, from, dialect, &mut visit) {
        let rest = data.get(stray..).unwrap_or_default();
        let ends_field = |byte: &u8| *byte == dialect.delimiter || matches!(byte, b'\n' | b'\r');
        let Some(at) = rest.iter().position(ends_field) else {
            return visit(data.len(), End::Record);
        };
        let end = if rest.get(at) == Some(&dialect.delimiter) { End::Field } else { End::Record };
        from = stray + at + 1;
        visit(from - 1, end);
        if from == data.len() {
            if end == End::Field {
                visit(from, End::Record);
            }
            return;
        }
    }
}

/// Goes on from the start of a field to the end, or to a quote that stands inside a field: returns
/// where.
#[inline]
fn ends_from(
    data: &[u8],
    from: usize,
    dialect: Dialect,
    visit: &mut impl FnMut(usize, End),
) -> Option<usize> {
    let (blocks, rest) = data.get(from..).unwrap_or_default().as_chunks::<BLOCK_BYTES>();
    let mut state = State { at: from, quoted: 0, starts: 1, quotes: 0 };
    for block in blocks {
        if let Some(stray) = state.block(block, dialect, visit) {
            return Some(stray);
        }
    }
    let mut padded = [0; BLOCK_BYTES];
    padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    if let Some(stray) = state.block(&padded, dialect, visit) {
        return Some(stray);
    }
    match data.last() {
        Some(_) if state.quoted != 0 => visit(data.len(), End::InQuotes),
        Some(b'\n' | b'\r') | None => {}
        Some(_) => visit(data.len(), End::Record),
    }
    None
}

/// What the next block has to know of those before it.
struct State {
    /// Where it begins.
    at: usize,
    /// All bits if it begins in quotes.
    quoted: u64,
    /// Whether it begins with a field, in the lowest bit.
    starts: u64,
    /// Whether a quote stands right before it, in the lowest bit.
    quotes: u64,
}

impl State {
    #[inline]
    fn block(
        &mut self,
        block: &[u8; BLOCK_BYTES],
        dialect: Dialect,
        visit: &mut impl FnMut(usize, End),
    ) -> Option<usize> {
        let Masks { quotes, delimiters, line_ends } = masks(block, dialect.delimiter);
        let quotes = if dialect.quotes == Quotes::Double { quotes } else { 0 };
        let inside = sums(quotes) ^ self.quoted;
        let either = delimiters | line_ends;
        // A quote that opens stands at the start of a field, or right behind one that closed: two
        // are one in the text.
        let allowed = either << 1 | self.starts | quotes << 1 | self.quotes;
        let stray = quotes & inside & !allowed;
        let before_stray = (stray & stray.wrapping_neg()).wrapping_sub(1);
        let mut ends = either & !inside & before_stray;
        while ends != 0 {
            let lowest = ends & ends.wrapping_neg();
            let end = if line_ends & lowest == 0 { End::Field } else { End::Record };
            visit(self.at + ends.trailing_zeros() as usize, end);
            ends ^= lowest;
        }
        if stray != 0 {
            return Some(self.at + stray.trailing_zeros() as usize);
        }
        self.quoted = 0_u64.wrapping_sub(inside >> (u64::BITS - 1));
        self.starts = either >> (u64::BITS - 1);
        self.quotes = quotes >> (u64::BITS - 1);
        self.at += BLOCK_BYTES;
        None
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

    fn by_bytes(data: &[u8], quotes: Quotes) -> Vec<(usize, End)> {
        let mut inside = false;
        let mut found = Vec::new();
        let mut start = 0;
        for (at, byte) in data.iter().enumerate() {
            match byte {
                b'"' if inside => inside = false,
                b'"' if quotes == Quotes::Double => {
                    inside = at == start || (data[at - 1] == b'"' && closed(&data[start..at]));
                }
                b',' | b'\n' | b'\r' if !inside => {
                    found.push((at, if *byte == b',' { End::Field } else { End::Record }));
                    start = at + 1;
                }
                _ => {}
            }
        }
        if inside {
            found.push((data.len(), End::InQuotes));
        } else if data.last().is_some_and(|&byte| !matches!(byte, b'\n' | b'\r')) {
            found.push((data.len(), End::Record));
        }
        found
    }

    /// Whether the last quote of this part of a field closes it: the field is whole quotes until
    /// there.
    fn closed(field: &[u8]) -> bool {
        let mut quoted = false;
        for (at, byte) in field.iter().enumerate() {
            match byte {
                b'"' if quoted => quoted = false,
                b'"' if at == 0 || field[at - 1] == b'"' => quoted = true,
                _ if quoted => {}
                _ => return false,
            }
        }
        !quoted
    }

    proptest! {
        #[test]
        fn blocks_end_fields_where_single_bytes_do(text in "[a,\"\n\r\u{e9}]{0,300}", none: bool) {
            let quotes = if none { Quotes::None } else { Quotes::Double };
            let mut found = Vec::new();
            ends(text.as_bytes(), Dialect { delimiter: b',', quotes }, |at, end| found.push((at, end)));
            prop_assert_eq!(found, by_bytes(text.as_bytes(), quotes));
        }
    }
}
