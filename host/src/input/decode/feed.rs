//! The compressed bytes on their way into a codec: one reused buffer, filled by large reads.
//!
//! Knows no codec. Never reads while it still holds bytes, so a slow source is not waited for while
//! there is something to decode.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use crate::settings::limits::DECODE_READ_BYTES;

use super::Fault;
use crate::slices;

/// Compressed bytes that come when somebody writes them.
pub trait Trickle: Read + Send {
    /// Whether a read would not have to wait for that, at the latest after `within`.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn is_ready(&mut self, within: Duration) -> io::Result<bool>;
}

/// Where compressed bytes come from.
pub(super) enum Packed {
    /// All of them are there.
    AtOnce(Box<dyn Read + Send>),
    /// They have to be waited for.
    Trickle(Box<dyn Trickle>),
}

impl Packed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::AtOnce(source) => source.read(into),
            Self::Trickle(source) => source.read(into),
        }
    }
}

/// Compressed bytes, looked at first and taken afterwards.
pub(super) struct Feed {
    source: Packed,
    buffer: Vec<u8>,
    /// The unread bytes are `buffer[from..to]`.
    from: usize,
    to: usize,
    ended: bool,
    taken: u64,
}

impl Feed {
    pub(super) fn new(source: Packed) -> Self {
        let buffer = vec![0; DECODE_READ_BYTES];
        Self { source, buffer, from: 0, to: 0, ended: false, taken: 0 }
    }

    /// Turns to another source. What is held of the last one is lost.
    pub(super) fn turn_to(&mut self, source: Box<dyn Read + Send>) {
        self.source = Packed::AtOnce(source);
        (self.from, self.to, self.ended, self.taken) = (0, 0, false, 0);
    }

    /// Counts as taken what stands before the source.
    pub(super) fn resume_at(&mut self, taken: u64) {
        self.taken = taken;
    }

    /// How many bytes were taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// What was read and not yet taken.
    pub(super) fn held(&self) -> &[u8] {
        slices::part(&self.buffer, self.from..self.to)
    }

    /// Whether all that the source has was taken.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.from == self.to
    }

    /// Whether a read may have to wait for somebody to write.
    pub(super) fn may_wait(&self) -> bool {
        !self.ended && matches!(self.source, Packed::Trickle(_))
    }

    /// Reads once behind what is held, which is less than [`DECODE_READ_BYTES`], where that can be
    /// done within `within`. Says whether it was.
    pub(super) fn read_within(&mut self, within: Duration) -> io::Result<bool> {
        if let Packed::Trickle(source) = &mut self.source
            && !source.is_ready(within)?
        {
            return Ok(false);
        }
        self.move_to_front();
        self.read_more()?;
        Ok(true)
    }

    /// The next bytes: none only at the end of the source.
    pub(super) fn peek(&mut self) -> io::Result<&[u8]> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
            self.read_more()?;
        }
        Ok(self.held())
    }

    /// The next `bytes` bytes or more, fewer only at the end of the source. At most
    /// [`DECODE_READ_BYTES`] can be asked for.
    pub(super) fn ahead(&mut self, bytes: usize) -> io::Result<&[u8]> {
        if self.to - self.from < bytes {
            self.move_to_front();
        }
        while self.to - self.from < bytes && self.read_more()? {}
        Ok(self.held())
    }

    /// Bytes of its buffer.
    pub(super) fn held_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// Marks bytes that were looked at as taken.
    pub(super) fn take(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.to - self.from, "more was taken than was there");
        self.from = (self.from + bytes).min(self.to);
        self.taken += bytes as u64;
    }

    /// Takes exactly `into.len()` bytes.
    pub(super) fn fill(&mut self, mut into: &mut [u8]) -> Result<(), Fault> {
        while !into.is_empty() {
            let held = self.peek()?;
            if held.is_empty() {
                return Err(Fault::Truncated);
            }
            let now = held.len().min(into.len());
            let (room, rest) = into.split_at_mut(now);
            room.copy_from_slice(slices::part(held, ..now));
            self.take(now);
            into = rest;
        }
        Ok(())
    }

    /// Takes exactly `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Takes exactly `bytes` bytes and shows them: in place where the buffer holds them, else by
    /// way of `scratch`, which grows only as far as the source goes on.
    pub(super) fn exactly<'a>(
        &'a mut self,
        bytes: usize,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Fault> {
        if bytes <= self.buffer.len() {
            if self.ahead(bytes)?.len() < bytes {
                return Err(Fault::Truncated);
            }
            let from = self.from;
            self.take(bytes);
            return Ok(slices::part(&self.buffer, from..from + bytes));
        }
        scratch.clear();
        while scratch.len() < bytes {
            let held = self.peek()?;
            if held.is_empty() {
                return Err(Fault::Truncated);
            }
            let now = held.len().min(bytes - scratch.len());
            scratch.extend_from_slice(slices::part(held, ..now));
            self.take(now);
        }
        Ok(scratch)
    }

    /// Takes `bytes` bytes without looking at them.
    pub(super) fn skip(&mut self, mut bytes: u64) -> Result<(), Fault> {
        while bytes > 0 {
            let held = self.peek()?.len();
            if held == 0 {
                return Err(Fault::Truncated);
            }
            let now = held.min(usize::try_from(bytes).unwrap_or(usize::MAX));
            self.take(now);
            bytes -= now as u64;
        }
        Ok(())
    }

    /// Takes zeros up to the first other byte. Returns how many.
    pub(super) fn skip_zeros(&mut self) -> io::Result<u64> {
        let mut zeros = 0;
        loop {
            let held = self.peek()?;
            let all = held.len();
            let now = held.iter().position(|&byte| byte != 0).unwrap_or(all);
            self.take(now);
            zeros += now as u64;
            if now < all || all == 0 {
                return Ok(zeros);
            }
        }
    }

    /// Makes room behind what is held.
    fn move_to_front(&mut self) {
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
    }

    /// Reads behind what is held. Returns whether anything came.
    fn read_more(&mut self) -> io::Result<bool> {
        while !self.ended {
            let room = slices::part_mut(&mut self.buffer, self.to..);
            match self.source.read(room) {
                Ok(0) => self.ended = true,
                Ok(read) => {
                    self.to += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// Whether so many bytes are held, or as many of them as can be.
pub(super) fn is_whole(bytes: usize, held: &[u8]) -> bool {
    held.len() >= bytes.min(DECODE_READ_BYTES)
}
