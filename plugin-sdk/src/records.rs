//! The records of a chunk, one by one, without copying them.
//!
//! ```
//! use gristmill_sdk::records;
//!
//! let data = b"one\n\nthree";
//! assert!(records::lines(data).eq([&b"one"[..], b"", b"three"]));
//! assert!(records::lines_with_end(data).eq([&b"one\n"[..], b"\n", b"three"]));
//! ```

use std::slice::Chunks;

use memchr::memchr;

/// Lines without their line feed. A line feed at the end begins no further line; a carriage return
/// stays.
pub fn lines(data: &[u8]) -> Records<'_> {
    delimited(data, b'\n')
}

/// Lines with their line feed, which the last one may lack: joined, they are `data`.
pub fn lines_with_end(data: &[u8]) -> Records<'_> {
    delimited_with_end(data, b'\n')
}

/// Records that end with `delimiter`, without it.
pub fn delimited(data: &[u8], delimiter: u8) -> Records<'_> {
    Records { rest: data, delimiter, end: End::Dropped }
}

/// Records with the `delimiter` that ends them, which the last one may lack: joined, they are
/// `data`.
pub fn delimited_with_end(data: &[u8], delimiter: u8) -> Records<'_> {
    Records { rest: data, delimiter, end: End::Kept }
}

/// Records of `bytes` bytes each (at least 1); the last one of a source may be shorter.
pub fn fixed(data: &[u8], bytes: usize) -> Chunks<'_, u8> {
    data.chunks(bytes.max(1))
}

/// Where in `data` a record begins that is a part of it, in bytes. Meaningless for any other slice.
pub fn offset(data: &[u8], record: &[u8]) -> u64 {
    record.as_ptr().addr().saturating_sub(data.as_ptr().addr()) as u64
}

/// An iterator over records that end with one byte.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    delimiter: u8,
    end: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Kept,
    Dropped,
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let found = memchr(self.delimiter, self.rest);
        let (record, rest) = self.rest.split_at(found.map_or(self.rest.len(), |at| at + 1));
        self.rest = rest;
        match (self.end, record.split_last()) {
            (End::Dropped, Some((_, bare))) if found.is_some() => Some(bare),
            _ => Some(record),
        }
    }
}

impl std::iter::FusedIterator for Records<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_standard_library() {
        for text in ["", "\n", "a", "a\n", "\na", "a\n\nb\r\n", "\n\n"] {
            let expected: Vec<&str> = text.split_terminator('\n').collect();
            let found: Vec<&[u8]> = lines(text.as_bytes()).collect();
            assert_eq!(found, expected.iter().map(|line| line.as_bytes()).collect::<Vec<_>>());
            let joined: Vec<u8> = lines_with_end(text.as_bytes()).flatten().copied().collect();
            assert_eq!(joined, text.as_bytes());
        }
    }

    #[test]
    fn records_end_at_their_delimiter() {
        assert!(delimited(b"a\0b\0", 0).eq([b"a", b"b"]));
        assert!(delimited_with_end(b"a\0b", 0).eq([&b"a\0"[..], b"b"]));
        assert!(fixed(b"abcde", 2).eq([&b"ab"[..], b"cd", b"e"]));
    }

    #[test]
    fn an_offset_is_where_the_record_begins() {
        let data = b"ab\n\ncd";
        let offsets: Vec<u64> = lines(data).map(|line| offset(data, line)).collect();
        assert_eq!(offsets, [0, 3, 4]);
    }
}
