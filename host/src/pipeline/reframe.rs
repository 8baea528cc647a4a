//! What one stage gives for a source, cut anew where records of the next stage end: what is behind
//! the last whole record is carried over to the next chunk.

use crate::input::{Boundary, Framing};
use std::sync::Arc;

use crate::process::{Charge, Failure, FailureKind, Header, Held, MemoryBudget, Place};
use crate::slices;

/// The way from one stage to the next, for the source at hand.
pub(super) struct Reframe {
    framing: Framing,
    record_bytes_max: u64,
    boundary: Boundary,
    /// What has not been handed over, which begins with a record; so many bytes of it are whole
    /// records.
    carry: Vec<u8>,
    whole: usize,
    memory: Arc<MemoryBudget>,
    /// For the carry.
    charge: Charge,
    /// The chunk that comes next.
    index: u64,
    offset: u64,
    /// How many records the next stage waits for before it is opened.
    waits_for: u32,
}

impl Reframe {
    /// For a stage of that framing; what waits is charged to `memory`.
    pub(super) fn new(framing: Framing, record_bytes_max: u64, memory: Arc<MemoryBudget>) -> Self {
        let charge = memory.hold(0);
        Self {
            framing,
            record_bytes_max,
            boundary: Boundary::default(),
            carry: Vec::new(),
            whole: 0,
            memory,
            charge,
            index: 0,
            offset: 0,
            waits_for: 0,
        }
    }

    /// Another source begins, whose first `header_records` records the next stage is opened with.
    pub(super) fn begin(&mut self, header_records: u32) {
        let memory = Arc::clone(&self.memory);
        *self = Self::new(self.framing, self.record_bytes_max, memory);
        self.waits_for = header_records;
    }

    /// Whether the next stage is not opened yet.
    pub(super) fn waits(&self) -> bool {
        self.waits_for > 0
    }

    /// Takes what the stage before has given.
    ///
    /// # Errors
    /// When the record at hand is longer than allowed, or the source ends within one that has to be
    /// whole.
    pub(super) fn take(&mut self, given: &[u8], last: bool) -> Result<(), Failure> {
        self.carry.extend_from_slice(given);
        self.charge.set(self.carry.capacity() as u64);
        self.whole = self.boundary.scan(self.framing, &self.carry);
        let (open, offset) =
            ((self.carry.len() - self.whole) as u64, self.offset + self.whole as u64);
        if open > self.record_bytes_max {
            let (record, max) = (self.framing.record(), self.record_bytes_max);
            let message = format!(
                "the {record} that begins at byte {offset} of what it is given is longer than {max} bytes"
            );
            return Err(
                Failure::new(FailureKind::RecordTooLong, message).hint("raise ⟦max_record⟧")
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

    /// The header that the next stage is to be opened with now; returned once.
    pub(super) fn header(&mut self, last: bool) -> Option<Header> {
        let whole = slices::part(&self.carry, ..self.whole);
        let (before_last, records) = (self.waits_for.checked_sub(1)?, self.waits_for);
        if !last && self.framing.first_records(whole, before_last).len() == whole.len() {
            return None;
        }
        self.waits_for = 0;
        let header = self.framing.first_records(whole, records).to_vec();
        Some(Held::within(&self.memory, header).into())
    }

    /// What the next stage is to see now; nothing where no record is whole, unless it is the last.
    pub(super) fn next(&self, last: bool) -> Option<(Place, &[u8])> {
        let whole = slices::part(&self.carry, ..self.whole);
        if self.waits() || (whole.is_empty() && !last) {
            return None;
        }
        Some((Place { index: self.index, offset: self.offset, last }, whole))
    }

    /// The caller has handled what [`next`](Self::next) returned.
    pub(super) fn drop_given(&mut self) {
        self.carry.drain(..self.whole);
        self.offset += self.whole as u64;
        self.index += 1;
        self.whole = 0;
        self.boundary = Boundary::default();
        // What is left is looked at once more: less than a record.
    }
}
