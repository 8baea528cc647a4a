//! Where a host may cut data: after every record. Written for short data and for being plainly
//! right.

use crate::{Framing, Prefix};

/// Every offset at which a chunk may end, 0 and the length of the data among them.
pub(super) fn boundaries(framing: Framing, data: &[u8]) -> Vec<usize> {
    let mut rest = data;
    let mut found = vec![0];
    while !rest.is_empty() {
        let length = record_bytes(framing, rest).clamp(1, rest.len());
        rest = rest.split_at(length).1;
        found.push(data.len() - rest.len());
    }
    found
}

/// The first records of the data.
pub(super) fn header(framing: Framing, data: &[u8], records: u32) -> &[u8] {
    let found = boundaries(framing, data);
    let end = found.get(records as usize).or(found.last()).copied().unwrap_or_default();
    data.split_at(end).0
}

/// The three pieces that two offsets make of the data, the first offset being the lower one.
pub(super) fn pieces(data: &[u8], [first, second]: [usize; 2]) -> [&[u8]; 3] {
    let (start, end) = data.split_at(second);
    let (start, middle) = start.split_at(first);
    [start, middle, end]
}

/// All pairs of offsets that make three pieces of the data, some of them empty.
pub(super) fn pairs(framing: Framing, data: &[u8]) -> Vec<[usize; 2]> {
    let found = boundaries(framing, data);
    let pairs = found
        .iter()
        .enumerate()
        .flat_map(|(at, &first)| found.iter().skip(at).map(move |&second| [first, second]));
    pairs.collect()
}

fn record_bytes(framing: Framing, rest: &[u8]) -> usize {
    let through =
        |end: u8| rest.iter().position(|&byte| byte == end).map_or(rest.len(), |at| at + 1);
    match framing {
        Framing::Bytes => 1,
        Framing::Lines => through(b'\n'),
        Framing::Delimited(end) => through(end),
        Framing::Fixed(bytes) => bytes as usize,
        Framing::Whole => rest.len(),
        Framing::Csv => csv_bytes(rest),
        Framing::Prefixed(prefix) => prefixed_bytes(prefix, rest),
    }
}

/// A record of CSV with commas: a quote opens a field at its start, two are one, and a line feed, a
/// carriage return or both end it.
fn csv_bytes(rest: &[u8]) -> usize {
    let mut quoted = false;
    // Whether a quote here opens: at the start of a field, and right behind one that closed.
    let mut opens = true;
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            b'"' if quoted => (quoted, opens) = (false, true),
            b'"' if opens => quoted = true,
            _ if quoted => {}
            b'\r' if rest.get(at + 1) == Some(&b'\n') => return at + 2,
            b'\r' | b'\n' => return at + 1,
            other => opens = other == b',',
        }
    }
    rest.len()
}

/// The length that a prefix states, and its own; all the rest where the prefix is cut short.
fn prefixed_bytes(prefix: Prefix, rest: &[u8]) -> usize {
    let Some(&length) = rest.first_chunk::<4>() else { return rest.len() };
    let length = match prefix {
        Prefix::U32Be => u32::from_be_bytes(length),
        Prefix::U32Le => u32::from_le_bytes(length),
    };
    length as usize + 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_fall_between_records() {
        assert_eq!(boundaries(Framing::Lines, b"a\n\nbc"), [0, 2, 3, 5]);
        assert_eq!(boundaries(Framing::Csv, b"a,\"b\nc\"\nd\n"), [0, 8, 10]);
        assert_eq!(boundaries(Framing::Csv, b"5\"\nb\r\n\rc"), [0, 3, 6, 7, 8]);
        assert_eq!(boundaries(Framing::Delimited(0), b"a\0b"), [0, 2, 3]);
        assert_eq!(boundaries(Framing::Fixed(2), b"abcde"), [0, 2, 4, 5]);
        assert_eq!(boundaries(Framing::Prefixed(Prefix::U32Be), b"\0\0\0\x01a\0\0"), [0, 5, 7]);
        assert_eq!(boundaries(Framing::Whole, b"ab"), [0, 2]);
        assert_eq!(boundaries(Framing::Bytes, b""), [0]);
    }

    #[test]
    fn a_header_is_the_first_records() {
        assert_eq!(header(Framing::Lines, b"a\nb\nc", 2), b"a\nb\n");
        assert_eq!(header(Framing::Lines, b"a", 2), b"a");
        assert_eq!(header(Framing::Lines, b"a", 0), b"");
    }

    #[test]
    fn pieces_joined_are_the_data() {
        for cuts in pairs(Framing::Lines, b"a\nb\nc\n") {
            assert_eq!(pieces(b"a\nb\nc\n", cuts).concat(), b"a\nb\nc\n");
        }
    }
}
