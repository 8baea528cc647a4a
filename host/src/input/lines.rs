//! In which line of a source an offset is: counted where somebody asks, from the nearest place that is known.
//!
//! Only records that are set aside are asked for, so a source without any costs nothing. One with many is read once more in all, from
//! the page cache, as each question leaves a mark for the next.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::cut::Window;
use super::quotes::read_in_steps;
use super::{Error, Input, Scan};
use crate::settings::limits::BOUNDARY_READ_BYTES_MAX;

/// What is known of one input.
#[derive(Debug, Default)]
pub struct Lines {
    /// Line feeds before an offset.
    marks: Mutex<BTreeMap<u64, u64>>,
}

impl Lines {
    /// The line that `offset` is in, from 1.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn at(&self, input: &Input, offset: u64, scan: &mut Scan) -> Result<u64, Error> {
        let marks = || self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let nearest = marks().range(..=offset).next_back().map(|(at, lines)| (*at, *lines));
        let (from, mut lines) = nearest.unwrap_or_default();
        read_in_steps(
            input,
            Window { from, to: offset },
            BOUNDARY_READ_BYTES_MAX,
            scan,
            |_, bytes| {
                lines += line_feeds(bytes);
                None::<()>
            },
        )?;
        marks().insert(offset, lines);
        Ok(lines + 1)
    }
}

/// How many there are.
pub fn line_feeds(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
