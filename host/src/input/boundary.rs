//! Where records end in bytes that begin with one: the last whole one, where they grow at their
//! end, and each from the front.

use std::ops::ControlFlow;

use super::csv::{Csv, Walk};
use super::framing::{Framing, Prefix};
use crate::slices;

/// Scans a buffer that grows: each byte is looked at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Boundary {
    scanned: usize,
    /// End of the last whole record so far.
    end: usize,
    /// What is known of quotes at `scanned`.
    walk: Walk,
}

impl Boundary {
    /// End of the last whole record in `buffer`, 0 if there is none.
    pub fn scan(&mut self, framing: Framing, buffer: &[u8]) -> usize {
        let fresh = slices::part(buffer, self.scanned..);
        match framing {
            Framing::Bytes => self.end = buffer.len(),
            Framing::Whole => {}
            Framing::Fixed(record) => {
                let record = usize::try_from(record).unwrap_or(usize::MAX);
                self.end = buffer.len() - buffer.len() % record;
            }
            Framing::Delimited(byte) => {
                if let Some(at) = memchr::memrchr(byte, fresh) {
                    self.end = self.scanned + at + 1;
                }
            }
            Framing::Csv(csv) => self.scan_csv(csv, fresh),
            Framing::Prefixed(prefix) => self.scan_prefixed(prefix, buffer),
        }
        self.scanned = buffer.len();
        self.end
    }

    fn scan_csv(&mut self, csv: Csv, fresh: &[u8]) {
        let (mut end, scanned) = (self.end, self.scanned);
        self.walk.records(csv, fresh, |at| {
            end = scanned + at + 1;
            ControlFlow::Continue(())
        });
        self.end = end;
    }

    fn scan_prefixed(&mut self, prefix: Prefix, buffer: &[u8]) {
        while let Some(bytes) = buffer.get(self.end..).and_then(|rest| rest.first_chunk()) {
            let length = usize::try_from(prefix.read(*bytes)).unwrap_or(usize::MAX);
            let next = self.end.saturating_add(Prefix::BYTES).saturating_add(length);
            if next > buffer.len() {
                break;
            }
            self.end = next;
        }
    }
}

impl Framing {
    /// Whether the last record of `bytes`, which begin with one, ends where they do.
    pub fn ends_with_record(self, bytes: &[u8]) -> bool {
        match self {
            Self::Delimited(byte) => bytes.last() == Some(&byte),
            _ => Boundary::default().scan(self, bytes) == bytes.len(),
        }
    }

    /// Lengths of the records of `bytes`, which begin with one; the last may lack its end.
    pub fn records(self, mut bytes: &[u8]) -> impl Iterator<Item = usize> {
        std::iter::from_fn(move || {
            let length = first_record(self, bytes).unwrap_or(bytes.len());
            bytes = slices::part(bytes, length..);
            (length > 0).then_some(length)
        })
    }

    /// Where `bytes`, which begin with a record, can be cut in two about equal parts; `None` where
    /// they are one record.
    pub fn middle(self, bytes: &[u8]) -> Option<usize> {
        let half = bytes.len() / 2;
        if self == Self::Bytes {
            return (half > 0).then_some(half);
        }
        let mut before = None;
        let mut end = 0;
        for length in self.records(bytes) {
            end += length;
            if end == bytes.len() {
                break;
            }
            before = Some(end);
            if end >= half {
                break;
            }
        }
        before
    }

    /// The first `count` records of `bytes`; all of them where there are fewer.
    pub fn first_records(self, bytes: &[u8], count: u32) -> &[u8] {
        let mut end = 0;
        for _ in 0..count {
            let rest = slices::part(bytes, end..);
            end += first_record(self, rest).unwrap_or(rest.len());
        }
        slices::part(bytes, ..end)
    }
}

/// Length of the first record in `bytes`, if all of it is there.
pub(super) fn first_record(framing: Framing, bytes: &[u8]) -> Option<usize> {
    match framing {
        Framing::Bytes | Framing::Whole => None,
        Framing::Fixed(record) => {
            usize::try_from(record).ok().filter(|&length| length <= bytes.len())
        }
        Framing::Delimited(byte) => memchr::memchr(byte, bytes).map(|at| at + 1),
        Framing::Csv(csv) => csv.first_record(bytes),
        Framing::Prefixed(prefix) => {
            let length = usize::try_from(prefix.read(*bytes.first_chunk()?)).ok()?;
            length.checked_add(Prefix::BYTES).filter(|&length| length <= bytes.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CSV: Framing = Framing::Csv(Csv { delimiter: None });

    fn once(framing: Framing, bytes: &[u8]) -> usize {
        Boundary::default().scan(framing, bytes)
    }

    #[test]
    fn quotes_hide_line_feeds() {
        assert_eq!(once(CSV, b"a,\"b\nc\"\nd,\"e\n"), 8);
        assert_eq!(once(CSV, b"\"a\"\"\n\"\nb"), 7);
        assert_eq!(once(CSV, b"a\r\nb\r\n\"c"), 6);
    }

    #[test]
    fn the_first_record_is_found_in_every_framing() {
        assert_eq!(first_record(CSV, b"\"a\n\",b\nc"), Some(7));
        assert_eq!(first_record(Framing::Delimited(b';'), b"a;b;"), Some(2));
        assert_eq!(first_record(Framing::Fixed(3), b"abcd"), Some(3));
        assert_eq!(first_record(Framing::Fixed(3), b"ab"), None);
        assert_eq!(first_record(Framing::Prefixed(Prefix::U32Le), b"\x01\0\0\0ab"), Some(5));
    }

    #[test]
    fn lengths_lead_from_record_to_record() {
        let framing = Framing::Prefixed(Prefix::U32Be);
        assert_eq!(once(framing, b"\0\0\0\x02ab\0\0\0\0\0\0\0\x09short"), 10);
        assert_eq!(once(Framing::Prefixed(Prefix::U32Le), b"\x02\0\0\0ab\x01"), 6);
    }

    proptest! {
        #[test]
        fn growing_finds_what_scanning_at_once_finds(
            text in "[a\"\n]{0,40}",
            cuts in prop::collection::vec(0usize..40, 0..5),
        ) {
            for framing in [CSV, Framing::Delimited(b'\n'), Framing::Fixed(3)] {
                let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
                cuts.sort_unstable();
                let mut growing = Boundary::default();
                for cut in cuts {
                    growing.scan(framing, &text.as_bytes()[..cut]);
                }
                prop_assert_eq!(growing.scan(framing, text.as_bytes()), once(framing, text.as_bytes()));
            }
        }
    }
}
