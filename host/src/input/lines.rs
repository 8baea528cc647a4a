//! In which line of a source an offset is: counted where somebody asks, from the nearest place that
//! is known.
//!
//! Only records that are set aside are asked for, so a source without any costs nothing. One with
//! many is read once more in all, from the page cache, as each question leaves a mark for the next.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::quotes::Window;
use super::quotes::read_in_steps;
use super::{Error, Framing, Input, Scan};
use crate::settings::limits::BOUNDARY_READ_BYTES_MAX;

/// What is known of one input.
#[derive(Debug, Default)]
pub struct Lines {
    /// Lines before an offset.
    marks: Mutex<BTreeMap<u64, LineCount>>,
}

impl Lines {
    /// The line that `offset` is in, from 1, as lines end in a source that is framed so.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn at(
        &self,
        input: &Input,
        framing: Framing,
        offset: u64,
        scan: &mut Scan,
    ) -> Result<u64, Error> {
        let marks = || self.marks.lock();
        let nearest = marks().range(..=offset).next_back().map(|(at, lines)| (*at, *lines));
        let (from, mut lines) = nearest.unwrap_or_else(|| (0, LineCount::from(framing, 0)));
        read_in_steps(
            input,
            Window { from, to: offset },
            BOUNDARY_READ_BYTES_MAX,
            scan,
            |_, bytes| {
                lines.add(bytes);
                None::<()>
            },
        )?;
        marks().insert(offset, lines);
        Ok(lines.ended() + 1)
    }
}

/// Counts the ends of lines in bytes that come in pieces. In csv a carriage return alone is one,
/// too, as records may end with it; where records are lines, it is a part of one.
#[derive(Debug, Clone, Copy)]
pub struct LineCount {
    returns_count: bool,
    ended: u64,
    /// Whether the last byte was a carriage return that was counted: a line feed behind it ends the
    /// same line.
    is_returned: bool,
}

impl LineCount {
    /// Goes on behind `ended` lines of a source that is framed so.
    pub fn from(framing: Framing, ended: u64) -> Self {
        Self { returns_count: matches!(framing, Framing::Csv(_)), ended, is_returned: false }
    }

    /// Counts those of the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        if !self.returns_count {
            self.ended += memchr::memchr_iter(b'\n', bytes).count() as u64;
            return;
        }
        let Some(&last) = bytes.last() else { return };
        let is_second = |at: usize| match at.checked_sub(1) {
            Some(before) => bytes.get(before) == Some(&b'\r'),
            None => self.is_returned,
        };
        let is_end = |&at: &usize| bytes.get(at) == Some(&b'\r') || !is_second(at);
        let ended = memchr::memchr2_iter(b'\n', b'\r', bytes).filter(is_end).count() as u64;
        self.ended += ended;
        self.is_returned = last == b'\r';
    }

    /// How many there were.
    pub fn ended(&self) -> u64 {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Csv;

    /// As many as Python finds with `newline=""`, and `wc -l`.
    #[test]
    fn returns_end_lines_in_csv_however_the_bytes_come() {
        let text = b"a\r\nb\rc\n\r\r\n\nd";
        for (framing, expected) in
            [(Framing::Csv(Csv::default()), 6), (Framing::Delimited(b'\n'), 4)]
        {
            for step in 1..=text.len() {
                let mut lines = LineCount::from(framing, 10);
                text.chunks(step).for_each(|piece| lines.add(piece));
                assert_eq!(lines.ended(), 10 + expected, "{framing:?}: {step}");
            }
        }
    }
}
