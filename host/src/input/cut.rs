//! Where a source is cut into chunks: nominal cuts at multiples of the chunk size, each moved on to
//! where the next record begins, so that any thread can find any chunk by reading a little around
//! its two ends.
//!
//! The chunks of an input, joined in order, are the input; no record is cut; there is at least one
//! chunk; a chunk that lies inside one long record is empty. Records that cannot be found by their
//! place in a source are not for this file: such a source is read from its front, as a
//! [`Stream`](super::Stream).

use super::quotes::{Window, last_record, read_in_steps};
use super::{Error, Framing, Input, Purpose};
use crate::settings::limits::{
    BOUNDARY_READ_BYTES, BOUNDARY_READ_BYTES_MAX, CHUNK_BYTES, CSV_RUN_BYTES_MAX,
    STREAM_CHUNK_BYTES,
};
use crate::slices;

/// What finding record boundaries takes; reused.
#[derive(Debug)]
pub struct Scan {
    buffer: Vec<u8>,
    /// Whether the bytes after a boundary are for the one who looks for it.
    pub purpose: Purpose,
}

impl Default for Scan {
    fn default() -> Self {
        Self { buffer: Vec::new(), purpose: Purpose::Read }
    }
}

impl Scan {
    /// The `length` bytes at `offset`.
    pub(super) fn read(
        &mut self,
        input: &Input,
        offset: u64,
        length: usize,
    ) -> Result<&[u8], Error> {
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        let into = slices::part_mut(&mut self.buffer, ..length);
        input.read_asked(into, offset, self.purpose)?;
        Ok(into)
    }
}

/// Cuts inputs by one framing.
#[derive(Debug, Clone, Copy)]
pub struct Cutter {
    /// What records are.
    pub framing: Framing,
    /// Nominal size of a chunk in bytes, at least 1.
    pub chunk_bytes: u64,
    /// Longest record in bytes; at least the chunk size.
    pub record_bytes_max: u64,
}

impl Cutter {
    /// The same for a source that is read from its front: unless another size was asked for, its
    /// chunks are smaller.
    #[must_use]
    pub fn of_stream(self) -> Self {
        match self.chunk_bytes {
            CHUNK_BYTES => Self { chunk_bytes: STREAM_CHUNK_BYTES, ..self },
            _ => self,
        }
    }

    /// How many chunks an input has.
    pub fn chunks(&self, input: &Input) -> u64 {
        match (self.framing, input.blocks()) {
            (Framing::Whole | Framing::Prefixed(_), _) => 1,
            (_, Some(blocked)) => blocked.chunks(),
            _ => input.bytes().div_ceil(self.chunk_bytes).max(1),
        }
    }

    /// The most neighbouring chunks that one worker takes at once: where what lies before them is
    /// counted first, as many as are still in the page cache when they are read.
    pub fn chunks_per_run_max(&self) -> u64 {
        match self.framing {
            Framing::Csv(_) => (CSV_RUN_BYTES_MAX / self.chunk_bytes).max(1),
            _ => u64::MAX,
        }
    }

    /// Where the chunk at `index` would begin if there were no records.
    fn nominal(&self, input: &Input, index: u64) -> u64 {
        match input.blocks() {
            Some(blocked) => blocked.nominal(index),
            None => self.chunk_bytes.saturating_mul(index),
        }
    }

    /// What the end of the chunk at `index` is asked for, in a run of chunks up to `end`: who has
    /// come to the last that has bytes only looks at what is behind it.
    pub fn purpose(&self, input: &Input, index: u64, end: u64) -> Purpose {
        let is_last = self.nominal(input, index + 1) >= self.nominal(input, end);
        if is_last { Purpose::Peek } else { Purpose::Read }
    }

    /// Checks what the size alone decides.
    ///
    /// # Errors
    /// When the input is not a whole number of records, or is one that is too long.
    pub fn check(&self, bytes: u64) -> Result<(), Error> {
        match self.framing {
            Framing::Fixed(record_bytes) if !bytes.is_multiple_of(record_bytes) => {
                Err(Error::Ragged { bytes, record_bytes })
            }
            Framing::Whole if bytes > self.record_bytes_max => Err(self.too_long(0)),
            _ => Ok(()),
        }
    }

    /// Where the chunk at `index` begins: at the first record that begins after its nominal cut, or
    /// at 0.
    ///
    /// # Errors
    /// When the input cannot be read, or no record begins within the longest record allowed.
    pub fn start(&self, input: &Input, index: u64, scan: &mut Scan) -> Result<u64, Error> {
        self.start_after(input, index, 0, scan)
    }

    /// The same, where a record is known to begin at `record`, before the nominal cut.
    fn start_after(
        &self,
        input: &Input,
        index: u64,
        record: u64,
        scan: &mut Scan,
    ) -> Result<u64, Error> {
        let bytes = input.bytes();
        let nominal = self.nominal(input, index);
        if nominal == 0 || nominal >= bytes {
            return Ok(nominal.min(bytes));
        }
        match self.framing {
            Framing::Bytes => Ok(nominal),
            Framing::Whole | Framing::Prefixed(_) => Ok(bytes),
            Framing::Fixed(record) => {
                Ok(nominal.div_ceil(record).saturating_mul(record).min(bytes))
            }
            Framing::Delimited(_) | Framing::Csv(_) => {
                let end = nominal.saturating_add(self.record_bytes_max);
                let window = Window { from: nominal, to: end.min(bytes) };
                match self.find_end(input, window, record, scan)? {
                    Some(at) => Ok(at + 1),
                    None if end >= bytes => Ok(bytes),
                    None => Err(self.too_long(nominal)),
                }
            }
        }
    }

    /// Where the chunk at `index` ends, when it begins at `start`.
    ///
    /// # Errors
    /// As [`start`](Self::start); and when the last record that begins in the chunk is too long.
    pub fn end(
        &self,
        input: &Input,
        index: u64,
        start: u64,
        scan: &mut Scan,
    ) -> Result<u64, Error> {
        let next = index + 1;
        if next == self.chunks(input) {
            return self.checked_end(input, index, start, input.bytes(), scan);
        }
        let nominal = self.nominal(input, next);
        if start > nominal {
            return Ok(start); // inside a record that began in an earlier chunk
        }
        match self.start_after(input, next, start, scan) {
            Ok(end) => self.checked_end(input, index, start, end, scan),
            Err(Error::RecordTooLong { .. }) => {
                let record = self.last_start(input, index, start, scan)?;
                Err(self.too_long_in(input, record, scan))
            }
            Err(error) => Err(error),
        }
    }

    /// The first `records` records of an input, or all of it where it has fewer.
    ///
    /// # Errors
    /// When the input cannot be read, or the records together are longer than one may be.
    pub fn header(&self, input: &Input, records: u32) -> Result<Vec<u8>, Error> {
        let end = match self.framing {
            _ if records == 0 => 0,
            Framing::Bytes | Framing::Whole | Framing::Prefixed(_) => 0,
            Framing::Fixed(record) => record.saturating_mul(u64::from(records)).min(input.bytes()),
            Framing::Delimited(_) | Framing::Csv(_) => {
                let to = self.record_bytes_max.min(input.bytes());
                let mut scan = Scan::default();
                let mut from = 0;
                for _ in 0..records {
                    from = match self.find_end(input, Window { from, to }, from, &mut scan)? {
                        Some(at) => at + 1,
                        None => to,
                    };
                }
                from
            }
        };
        let most = self.record_bytes_max;
        if end > most || (end == most && end < input.bytes()) {
            return Err(self.too_long(0));
        }
        let mut header = vec![0; usize::try_from(end).unwrap_or(usize::MAX)];
        input.read_at(&mut header, 0)?;
        Ok(header)
    }

    /// A chunk that ends at `end` is fine unless the record that runs over its nominal end is too
    /// long.
    fn checked_end(
        &self,
        input: &Input,
        index: u64,
        start: u64,
        end: u64,
        scan: &mut Scan,
    ) -> Result<u64, Error> {
        let is_searched = matches!(self.framing, Framing::Delimited(_) | Framing::Csv(_));
        if !is_searched || end - start <= self.record_bytes_max {
            return Ok(end);
        }
        let record = self.last_start(input, index, start, scan)?;
        if end - record > self.record_bytes_max {
            return Err(self.too_long_in(input, record, scan));
        }
        Ok(end)
    }

    /// Where the last record begins that begins in the chunk at `index`, which begins at `start`.
    fn last_start(
        &self,
        input: &Input,
        index: u64,
        start: u64,
        scan: &mut Scan,
    ) -> Result<u64, Error> {
        let nominal_end = self.nominal(input, index + 1).min(input.bytes());
        let byte = match self.framing {
            Framing::Delimited(byte) => byte,
            Framing::Csv(csv) => {
                return last_record(input, csv, Window { from: start, to: nominal_end }, scan);
            }
            _ => return Ok(start),
        };
        let mut to = nominal_end.max(start);
        while to > start {
            let from = to.saturating_sub(BOUNDARY_READ_BYTES_MAX as u64).max(start);
            let bytes = scan.read(input, from, usize::try_from(to - from).unwrap_or(usize::MAX))?;
            if let Some(at) = memchr::memrchr(byte, bytes) {
                return Ok(from + at as u64 + 1);
            }
            to = from;
        }
        Ok(start)
    }

    /// Where the first record end is in `window`. Reads little at first, then more at a time. A
    /// record begins at `record`, which is not behind the window.
    fn find_end(
        &self,
        input: &Input,
        window: Window,
        record: u64,
        scan: &mut Scan,
    ) -> Result<Option<u64>, Error> {
        let find = |byte, scan: &mut Scan| {
            read_in_steps(input, window, BOUNDARY_READ_BYTES, scan, |offset, bytes| {
                memchr::memchr(byte, bytes).map(|at| offset + at as u64)
            })
        };
        match self.framing {
            Framing::Delimited(byte) => find(byte, scan),
            Framing::Csv(csv) => {
                input.quotes(csv, self.chunk_bytes).find_end(input, window, record, scan)
            }
            _ => Ok(None),
        }
    }

    /// That the record at `record` is too long, and what makes it so, as far as that can be read.
    fn too_long_in(&self, input: &Input, record: u64, scan: &mut Scan) -> Error {
        let length = self.record_bytes_max.min(input.bytes().saturating_sub(record));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        match scan.read(input, record, length) {
            Ok(bytes) => self.too_long_as(record, bytes),
            Err(_) => self.too_long(record),
        }
    }

    /// That the record at `offset` is too long, of which `bytes` are the first.
    pub(super) fn too_long_as(&self, offset: u64, bytes: &[u8]) -> Error {
        let Framing::Csv(csv) = self.framing else { return self.too_long(offset) };
        let quote = csv.open_quote(bytes).map(|at| offset + at as u64);
        let (record, bytes_max) = (self.framing.record(), self.record_bytes_max);
        Error::RecordTooLong { record, offset, bytes_max, quote }
    }

    fn too_long(&self, offset: u64) -> Error {
        let record = self.framing.record();
        Error::RecordTooLong { record, offset, bytes_max: self.record_bytes_max, quote: None }
    }
}

#[cfg(test)]
mod tests;
