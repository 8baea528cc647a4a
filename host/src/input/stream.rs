//! A source that is read from its front: compressed, or framed so that records cannot be found from
//! the middle. Cut into chunks as it comes; what follows the last whole record of a chunk opens the
//! next.

use std::sync::Arc;
use std::time::Duration;

use super::boundary::Boundary;
use super::growth::Growth;
use super::{Cutter, Error, Framing, LineCount};
use crate::settings::limits::STREAM_FIRST_READ_BYTES;
use crate::slices;
use crate::stats::{Held, MemoryBudget};

/// Bytes that come one after the other.
pub trait Bytes: Send {
    /// Reads up to as many bytes as `into` holds, none only at the end.
    ///
    /// # Errors
    /// When they cannot be read or decoded.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error>;

    /// How many bytes of the source, as it is stored, have gone into what was read.
    fn stored(&self) -> u64;

    /// Up to which of the bytes that were read all checksums have been compared that they are
    /// under; the end of the source is one.
    fn sound(&self) -> u64 {
        u64::MAX
    }

    /// Whether a read would not have to wait for somebody to write, at the latest after `within`.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn is_ready(&mut self, _within: Duration) -> Result<bool, Error> {
        Ok(true)
    }

    /// How many are left, where that is known.
    fn left(&self) -> Option<u64> {
        None
    }

    /// Bytes of memory that reading takes.
    fn held_bytes(&self) -> u64 {
        0
    }
}

/// A chunk of a stream, in a buffer that is given back for a later one.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Position among the chunks, from 0.
    pub index: u64,
    /// Offset of its first byte in the source.
    pub offset: u64,
    /// Whether it is the last.
    pub last: bool,
    /// Bytes of the source, as it is stored, that were read for it.
    pub stored: u64,
    /// Lines before it, where the source is made of lines.
    pub lines_before: u64,
    buffer: Held,
    length: usize,
}

impl Chunk {
    /// The only chunk of nothing.
    pub(super) fn end(buffer: Held) -> Self {
        Self { last: true, buffer, ..Self::default() }
    }

    /// The bytes of the chunk.
    pub fn bytes(&self) -> &[u8] {
        slices::part(&self.buffer, ..self.length)
    }

    /// Memory that it takes.
    pub fn held_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// The buffer, for another chunk.
    pub fn into_buffer(self) -> Held {
        self.buffer
    }
}

/// Cuts bytes into chunks.
pub struct Stream {
    bytes: Box<dyn Bytes>,
    cutter: Cutter,
    linger: Duration,
    /// What chunks are charged to, and what they take beside while they are read.
    memory: Arc<MemoryBudget>,
    /// How many records the first chunk holds, however long they take to come; fewer only where it
    /// is the last.
    header_records: u32,
    /// What follows the last chunk and has been read already.
    tail: Vec<u8>,
    index: u64,
    offset: u64,
    stored: u64,
    lines: LineCount,
    ended: bool,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("index", &self.index)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// A stream of chunks over `bytes`. Where no more bytes come for as long as `linger`, a chunk
    /// ends with the last record that is there.
    pub fn new(bytes: Box<dyn Bytes>, cutter: Cutter, linger: Duration) -> Self {
        Self {
            bytes,
            cutter: cutter.of_stream(),
            linger,
            memory: Arc::default(),
            header_records: 0,
            tail: Vec::new(),
            index: 0,
            offset: 0,
            stored: 0,
            lines: LineCount::from(cutter.framing, 0),
            ended: false,
        }
    }

    /// The same whose first chunk holds so many records, or all that there are.
    #[must_use]
    pub fn with_header(self, header_records: u32) -> Self {
        Self { header_records, ..self }
    }

    /// The same whose chunks are charged to that budget, and what it takes to read them.
    #[must_use]
    pub fn within(self, memory: &Arc<MemoryBudget>) -> Self {
        Self { memory: Arc::clone(memory), ..self }
    }

    /// Its first records, as many as the first chunk holds for a header.
    pub fn header<'c>(&self, first: &'c Chunk) -> &'c [u8] {
        self.cutter.framing.first_records(first.bytes(), self.header_records)
    }

    /// Whether whole records, which come next, may be a chunk: the first has to hold the header.
    fn holds_header(&self, whole: &[u8]) -> bool {
        let Some(before_last) = self.header_records.checked_sub(1) else { return true };
        self.index > 0 || self.cutter.framing.first_records(whole, before_last).len() < whole.len()
    }

    /// Bytes of memory that it holds.
    pub fn held_bytes(&self) -> u64 {
        self.bytes.held_bytes().saturating_add(self.tail.capacity() as u64)
    }

    /// Position of the chunk that comes next.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The next chunk, in `buffer`. Not called again after the last.
    ///
    /// # Errors
    /// When the bytes cannot be had, or do not follow the framing, or where there is not the memory
    /// for them.
    pub fn next(&mut self, buffer: Held) -> Result<Chunk, Error> {
        let held = buffer.capacity() as u64 + self.held_bytes();
        let mut growth = Growth::from(&self.memory, held, self.cutter.chunk_bytes);
        let (buffer, charged) = buffer.apart();
        let mut filling = Filling { buffer, length: 0 };
        filling.append(&self.tail);
        self.tail.clear();
        let cut = self.fill(&mut filling, &mut growth)?;
        self.tail.extend_from_slice(slices::part(filling.bytes(), cut..));
        // Where that would mean waiting, an empty chunk may have to be the last one.
        if !self.ended && self.tail.is_empty() && self.bytes.is_ready(Duration::ZERO)? {
            self.look_ahead()?;
        }
        drop((growth, charged));
        let buffer = Held::within(&self.memory, filling.buffer);
        let last = self.ended && self.tail.is_empty();
        let before = std::mem::replace(&mut self.stored, self.bytes.stored());
        let stored = self.stored.saturating_sub(before);
        let (index, offset) = (self.index, self.offset);
        let lines_before = self.lines.ended();
        let chunk = Chunk { index, offset, last, stored, lines_before, buffer, length: cut };
        if self.cutter.framing.has_lines() {
            self.lines.add(chunk.bytes());
        }
        self.index += 1;
        self.offset += cut as u64;
        Ok(chunk)
    }

    /// Fills until there is a chunk of whole records, and says where it ends.
    fn fill(&mut self, filling: &mut Filling, growth: &mut Growth) -> Result<usize, Error> {
        let framing = self.cutter.framing;
        let record_max = usize::try_from(self.cutter.record_bytes_max).unwrap_or(usize::MAX);
        let mut boundary = Boundary::default();
        let mut held = self.held_bytes();
        let mut want = usize::try_from(self.cutter.chunk_bytes).unwrap_or(usize::MAX);
        if let Some(left) = self.bytes.left() {
            // No larger a buffer than it takes to come upon the end.
            let all = usize::try_from(left).unwrap_or(usize::MAX).saturating_add(filling.length);
            want = want.min(all.saturating_add(1));
        }
        loop {
            while filling.length < want && !self.ended {
                if filling.length > 0 && !self.bytes.is_ready(self.linger)? {
                    let there = boundary.scan(framing, filling.bytes());
                    if there > 0 && self.holds_header(filling.first(there)) {
                        return Ok(there);
                    }
                }
                growth.to(filling.grown(want) as u64 + held)?;
                let got = self.bytes.read(filling.room(want))?;
                held = self.held_bytes();
                growth.to(filling.buffer.capacity() as u64 + held)?;
                filling.length += got;
                self.ended = got == 0 || self.bytes.left() == Some(0);
            }
            let cut = boundary.scan(framing, filling.bytes());
            let is_chunk = cut > 0 && self.holds_header(filling.first(cut));
            match cut {
                _ if self.ended => return self.end(filling.length, cut),
                _ if is_chunk => return Ok(cut),
                _ if want >= record_max => {
                    self.look_ahead()?;
                    if !self.ended {
                        return Err(self.cutter.too_long_as(self.offset, filling.bytes()));
                    }
                }
                _ => want = want.saturating_mul(2).min(record_max),
            }
        }
    }

    /// The last chunk takes all that is left, unless that cannot be the end of a record.
    fn end(&self, length: usize, cut: usize) -> Result<usize, Error> {
        let total = self.offset + length as u64;
        match self.cutter.framing {
            Framing::Fixed(record_bytes) if cut < length => {
                Err(Error::Ragged { bytes: total, record_bytes })
            }
            Framing::Prefixed(_) if cut < length => {
                Err(Error::CutShort { offset: self.offset + cut as u64, bytes: total })
            }
            _ => Ok(length),
        }
    }

    /// Finds out whether there is more, so that the last chunk is known to be the last.
    fn look_ahead(&mut self) -> Result<(), Error> {
        let mut next = [0; 512];
        let got = self.bytes.read(&mut next)?;
        self.ended = got == 0;
        self.tail.extend_from_slice(slices::part(&next, ..got));
        Ok(())
    }
}

/// A buffer with bytes at its front; it stays as long as it once was, so that it is zeroed once.
struct Filling {
    buffer: Vec<u8>,
    length: usize,
}

impl Filling {
    fn bytes(&self) -> &[u8] {
        slices::part(&self.buffer, ..self.length)
    }

    fn first(&self, length: usize) -> &[u8] {
        slices::part(self.bytes(), ..length)
    }

    /// Room for what is missing to `want` bytes, or for some of it: a buffer grows with what comes,
    /// so that a source that is smaller than a chunk does not pay for one.
    fn room(&mut self, want: usize) -> &mut [u8] {
        let grown = self.grown(want);
        if self.buffer.len() < grown {
            self.buffer.resize(grown, 0);
        }
        let end = want.min(self.buffer.len());
        slices::part_mut(&mut self.buffer, self.length..end)
    }

    /// How long it is with that room.
    fn grown(&self, want: usize) -> usize {
        let grown = self.length.saturating_mul(2).max(STREAM_FIRST_READ_BYTES).min(want);
        grown.max(self.buffer.len())
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        if let Some(room) = self.buffer.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
        }
        self.length = end;
    }
}

#[cfg(test)]
mod tests;
