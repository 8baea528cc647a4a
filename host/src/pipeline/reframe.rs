//! What one stage gives for a source, cut anew where records of the next stage end: what is behind the last whole record is carried
//! over to the next chunk.

use crate::input::{Boundary, Framing};
use crate::process::{Failure, FailureKind, Place};

/// The way from one stage to the next, for the source at hand.
pub(super) struct Reframe {
    framing: Framing,
    record_bytes_max: u64,
    boundary: Boundary,
    /// What has not been handed over, which begins with a record; so many bytes of it are whole records.
    carry: Vec<u8>,
    whole: usize,
    /// The chunk that comes next.
    index: u64,
    offset: u64,
    /// How many records the next stage waits for before it is opened.
    waits_for: u32,
}

impl Reframe {
    pub(super) fn new(framing: Framing, record_bytes_max: u64) -> Self {
        let (boundary, carry) = (Boundary::default(), Vec::new());
        let (whole, index, offset, waits_for) = (0, 0, 0, 0);
        Self { framing, record_bytes_max, boundary, carry, whole, index, offset, waits_for }
    }

    /// Another source begins, whose first `header_records` records the next stage is opened with.
    pub(super) fn begin(&mut self, header_records: u32) {
        *self =
            Self { waits_for: header_records, ..Self::new(self.framing, self.record_bytes_max) };
    }

    /// Whether the next stage is not opened yet.
    pub(super) fn waits(&self) -> bool {
        self.waits_for > 0
    }

    /// Takes what the stage before has given.
    ///
    /// # Errors
    /// When the record at hand is longer than allowed, or the source ends within one that has to be whole.
    pub(super) fn take(&mut self, given: &[u8], last: bool) -> Result<(), Failure> {
        self.carry.extend_from_slice(given);
        self.whole = self.boundary.scan(self.framing, &self.carry);
        let (open, offset) =
            ((self.carry.len() - self.whole) as u64, self.offset + self.whole as u64);
        if open > self.record_bytes_max {
            let (record, max) = (self.framing.record(), self.record_bytes_max);
            let message = format!(
                "the {record} that begins at byte {offset} of what it is given is longer than {max} bytes"
            );
            return Err(
                Failure::new(FailureKind::RecordTooLong, message).hint("raise --max-record")
            );
        }
        if last && open > 0 && matches!(self.framing, Framing::Fixed(_) | Framing::Prefixed(_)) {
            let message =
                format!("what it is given ends within the record that begins at byte {offset}");
            return Err(Failure::new(FailureKind::Framing, message));
        }
        if last {
            self.whole = self.carry.len();
        }
        Ok(())
    }

    /// The header that the next stage is to be opened with now; told once.
    pub(super) fn header(&mut self, last: bool) -> Option<&[u8]> {
        let whole = self.carry.get(..self.whole).unwrap_or_default();
        let (before_last, records) = (self.waits_for.checked_sub(1)?, self.waits_for);
        if !last && self.framing.first_records(whole, before_last).len() == whole.len() {
            return None;
        }
        self.waits_for = 0;
        Some(self.framing.first_records(whole, records))
    }

    /// What the next stage is to see now; nothing where no record is whole, unless it is the last.
    pub(super) fn next(&self, last: bool) -> Option<(Place, &[u8])> {
        let whole = self.carry.get(..self.whole).unwrap_or_default();
        if self.waits() || (whole.is_empty() && !last) {
            return None;
        }
        Some((Place { index: self.index, offset: self.offset, last }, whole))
    }

    /// What [`next`](Self::next) told has been seen.
    pub(super) fn drop_given(&mut self) {
        self.carry.drain(..self.whole);
        self.offset += self.whole as u64;
        self.index += 1;
        self.whole = 0;
        self.boundary = Boundary::default();
        // What is left is looked at once more: less than a record.
    }
}
