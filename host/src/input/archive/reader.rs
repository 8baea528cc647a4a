//! An opened archive, read here and there: a little where a header is looked for, more where one
//! follows the other.
//!
//! Holds one buffer, so that neighbouring headers cost one read; a jump within it costs none. How
//! much may be read can be bounded.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::Input;
use crate::settings::limits::{ARCHIVE_READ_BYTES, ARCHIVE_READ_BYTES_MAX};

/// Reads an input from any place on.
pub(super) struct Reader<'a> {
    input: &'a Input,
    at: u64,
    /// The bytes from `start` on.
    buffer: Vec<u8>,
    start: u64,
    ahead: usize,
    /// What may still be read.
    left: u64,
}

impl<'a> Reader<'a> {
    /// A reader that may read `bytes_max` bytes, the same ones twice counted twice, until it is
    /// [freed](Self::free).
    pub(super) fn bounded(input: &'a Input, bytes_max: u64) -> Self {
        let (buffer, ahead) = (Vec::new(), ARCHIVE_READ_BYTES);
        Self { input, at: 0, buffer, start: 0, ahead, left: bytes_max }
    }

    pub(super) fn new(input: &'a Input) -> Self {
        Self::bounded(input, u64::MAX)
    }

    /// Lifts the bound.
    pub(super) fn free(&mut self) {
        self.left = u64::MAX;
    }

    /// Goes on at `offset`.
    pub(super) fn turn_to(&mut self, offset: u64) {
        self.at = offset;
    }

    /// Fills `into` with the bytes at `offset`; an end before that is an error.
    pub(super) fn read_at(&mut self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.turn_to(offset);
        self.read_exact(into)
    }

    /// Where the first byte is, from `offset` on, that is not zero.
    pub(super) fn skip_zeros(&mut self, offset: u64) -> io::Result<Option<u64>> {
        self.turn_to(offset);
        loop {
            if self.held().is_empty() {
                self.refill()?;
            }
            let held = self.held();
            if held.is_empty() {
                return Ok(None);
            }
            if let Some(zeros) = held.iter().position(|&byte| byte != 0) {
                return Ok(Some(self.at + zeros as u64));
            }
            self.at += held.len() as u64;
        }
    }

    fn held(&self) -> &[u8] {
        let from = self.at.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        match from.and_then(|from| self.buffer.get(from..)) {
            Some(held) => held,
            None => &[], // it is elsewhere, and has to be filled again
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let follows = self.start + self.buffer.len() as u64 == self.at;
        self.ahead =
            if follows { (self.ahead * 2).min(ARCHIVE_READ_BYTES_MAX) } else { ARCHIVE_READ_BYTES };
        let there = self.input.bytes().saturating_sub(self.at);
        let bytes = usize::try_from(there).map_or(self.ahead, |there| there.min(self.ahead));
        self.left = self
            .left
            .checked_sub(bytes as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::QuotaExceeded, "too much to search"))?;
        self.buffer.resize(bytes, 0);
        self.start = self.at;
        self.input.read_at(&mut self.buffer, self.at).map_err(io::Error::from)
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.held().is_empty() && !into.is_empty() {
            self.refill()?;
        }
        let held = self.held();
        let bytes = held.len().min(into.len());
        if let (Some(into), Some(held)) = (into.get_mut(..bytes), held.get(..bytes)) {
            into.copy_from_slice(held);
        }
        self.at += bytes as u64;
        Ok(bytes)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(by) => self.input.bytes().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.turn_to(at);
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::input;
    use super::*;

    #[test]
    fn bytes_are_those_of_their_place_wherever_it_jumps() {
        let bytes: Vec<u8> = (0..700_000_u32).flat_map(u32::to_be_bytes).collect();
        let input = input(&bytes);
        let mut reader = Reader::new(&input);
        for offset in [0, 1, 5000, 4990, 2_799_000, 2_700_000, 300_000, 300_100, 299_999] {
            for length in [1, 100, 1000] {
                let mut got = vec![0; length];
                reader.read_at(&mut got, offset as u64).unwrap();
                assert_eq!(got, bytes[offset..offset + length], "{offset} {length}");
            }
        }
        reader.turn_to(0);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(all, bytes);
        assert_eq!(reader.seek(SeekFrom::End(-4)).unwrap(), bytes.len() as u64 - 4);
        assert!(reader.read_at(&mut [0; 5], bytes.len() as u64 - 4).is_err());
        assert!(reader.seek(SeekFrom::Current(i64::MIN)).is_err());
    }

    #[test]
    fn a_bound_is_kept_until_it_is_lifted() {
        let input = input(&vec![7; 100_000]);
        let mut reader = Reader::bounded(&input, 50_000);
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        reader.free();
        reader.turn_to(0);
        assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), 100_000);
    }
}
