//! An object as bytes at any offset: parts of it are asked for when a reader comes to them, and
//! ahead of a reader that moves forward.
//!
//! Every worker goes forward through a run of its own, so each byte is asked for once: a part ends
//! where one begins that was asked for before, and nothing is asked for ahead that ever was. A part
//! is dropped when all of it has been read. Who only looks where a record ends, which another
//! worker has read or will read, asks for little, and that is kept for a while. What is held is
//! bounded by `settings/limits.rs`; in which version, by [`Fetch`].

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::{Mutex, MutexGuard};

use super::Fetch;
use super::piece::{Fetching, ObjectPart, Without, held_bytes};
use crate::input::{Error, Purpose};
use crate::settings::limits::{
    REMOTE_AHEAD_BYTES, REMOTE_AHEAD_PARTS, REMOTE_LOOK_BYTES, REMOTE_LOOKS, REMOTE_PART_BYTES,
    REMOTE_PASSED_PARTS,
};

/// An object, or what is held of it.
#[derive(Debug)]
pub(in crate::input) struct Object {
    fetch: Arc<Fetch>,
    bytes: u64,
    held: Mutex<Held>,
    stop: Arc<AtomicBool>,
}

/// A piece, and what brings its bytes; that ends with it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) piece: Arc<ObjectPart>,
    pub(super) _fetching: Arc<Fetching>,
}

#[derive(Debug, Default)]
struct Held {
    /// By where they begin. No two overlap.
    parts: BTreeMap<u64, Kept>,
    /// Every stretch that was ever asked for as a part, by where it begins; neighbours are one.
    purpose: BTreeMap<u64, u64>,
    /// Parts that have been read to their ends, but not all of them; the last one last.
    passed: VecDeque<u64>,
    looks: VecDeque<Part>,
}

/// A part, and what was read of it.
#[derive(Debug)]
struct Kept {
    part: Part,
    /// A bit for each [`BLOCK_BYTES`] of it whose last byte was read.
    read: u64,
}

/// A part has as many of them as there are bits.
const BLOCK_BYTES: u64 = REMOTE_PART_BYTES.div_ceil(64);

impl Kept {
    /// Whether all of it has been read, and whether its end has, once `range` has.
    fn mark(&mut self, range: Range<u64>) -> (bool, bool) {
        let ObjectPart { start, end, .. } = *self.part.piece;
        let blocks = (end - start).div_ceil(BLOCK_BYTES);
        for block in (range.start - start) / BLOCK_BYTES..blocks {
            let last = (start + (block + 1) * BLOCK_BYTES).min(end) - 1;
            if !range.contains(&last) {
                break;
            }
            self.read |= 1 << block;
        }
        (u64::from(self.read.count_ones()) == blocks, range.end == end)
    }
}

impl Object {
    /// In which version it was found.
    pub(in crate::input) fn version(&self) -> crate::source::Version {
        self.fetch.version.as_of_file()
    }

    /// An object of that size, of which `first` is on its way.
    pub(super) fn new(
        fetch: Arc<Fetch>,
        bytes: u64,
        first: Option<Part>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let mut held = Held::default();
        if let Some(part) = first {
            held.insert(part);
        }
        Self { fetch, bytes, held: Mutex::new(held), stop }
    }

    /// Size in bytes.
    pub(in crate::input) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Fills `into` with the bytes at `offset`.
    pub(in crate::input) fn read_at(
        &self,
        into: &mut [u8],
        offset: u64,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let (mut into, mut offset) = (into, offset);
        while !into.is_empty() {
            let got = self.read_some_at(into, offset, purpose)?;
            offset += got as u64;
            into = into.split_at_mut(got).1;
        }
        Ok(())
    }

    /// Reads as many bytes at `offset` as are there, at least one unless `into` is empty.
    pub(in crate::input) fn read_some_at(
        &self,
        into: &mut [u8],
        offset: u64,
        purpose: Purpose,
    ) -> Result<usize, Error> {
        if into.is_empty() {
            return Ok(0);
        }
        if offset >= self.bytes {
            let message = format!("the object ends at byte {}", self.bytes);
            return Err(Error::Read { offset, error: std::io::Error::other(message) });
        }
        let part = self.part(offset, purpose);
        let got = part.piece.read(into, offset, &self.stop).map_err(|without| match without {
            Without::Stopped => {
                Error::Read { offset, error: std::io::ErrorKind::Interrupted.into() }
            }
            Without::Failed(fault) => fault.reading(offset),
        })?;
        if purpose == Purpose::Read {
            self.lock().pass(part.piece.start, offset..offset + got as u64);
        }
        Ok(got)
    }

    /// The part that `offset` is in, on its way at least; and those ahead of it, where the reader
    /// goes on.
    fn part(&self, offset: u64, purpose: Purpose) -> Part {
        let mut held = self.lock();
        let found = held.part(offset).or_else(|| held.look(offset));
        match (purpose, found) {
            (Purpose::Peek, Some(part)) => part,
            (Purpose::Peek, None) => {
                let look = self.begin(offset..(offset + REMOTE_LOOK_BYTES).min(self.bytes));
                held.looks.push_back(look.clone());
                if held.looks.len() > REMOTE_LOOKS {
                    held.looks.pop_front();
                }
                look
            }
            (Purpose::Read, found) => {
                let part = found.unwrap_or_else(|| {
                    let part = self.begin(offset..held.end_of(offset, self.bytes));
                    held.insert(part.clone());
                    part
                });
                self.read_ahead(&mut held, part.piece.end);
                part
            }
        }
    }

    /// Asks for what follows `from` and was never asked for, as far as there is room.
    fn read_ahead(&self, held: &mut Held, from: u64) {
        let mut at = from;
        for _ in 0..REMOTE_AHEAD_PARTS {
            if at >= self.bytes {
                return;
            }
            if let Some(part) = held.part(at) {
                at = part.piece.end;
                continue;
            }
            let end = held.end_of(at, self.bytes);
            if held.was_asked(at) || held_bytes() + (end - at) > REMOTE_AHEAD_BYTES {
                return;
            }
            held.insert(self.begin(at..end));
            at = end;
        }
    }

    fn begin(&self, range: Range<u64>) -> Part {
        let piece = Arc::new(ObjectPart::new(range.start, range.end, &self.fetch.memory));
        let fetching = Arc::new(self.fetch.begin(&piece));
        Part { piece, _fetching: fetching }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock()
    }
}

impl Held {
    fn part(&self, offset: u64) -> Option<Part> {
        let (_, kept) = self.parts.range(..=offset).next_back()?;
        kept.part.piece.holds(offset).then(|| kept.part.clone())
    }

    fn look(&self, offset: u64) -> Option<Part> {
        self.looks.iter().find(|look| look.piece.holds(offset)).cloned()
    }

    fn was_asked(&self, offset: u64) -> bool {
        self.purpose.range(..=offset).next_back().is_some_and(|(_, end)| *end > offset)
    }

    /// Where a part ends that begins at `offset`: with its stretch of the grid, or where another
    /// begins.
    fn end_of(&self, offset: u64, bytes: u64) -> u64 {
        let grid = (offset / REMOTE_PART_BYTES + 1).saturating_mul(REMOTE_PART_BYTES).min(bytes);
        let next = if self.was_asked(offset) {
            self.parts.range(offset..).next().map(|(start, _)| *start)
        } else {
            self.purpose.range(offset..).next().map(|(start, _)| *start)
        };
        next.unwrap_or(grid).min(grid)
    }

    fn insert(&mut self, part: Part) {
        let Range { mut start, mut end } = part.piece.start..part.piece.end;
        if let Some((before, its_end)) = self.purpose.range(..=start).next_back()
            && *its_end >= start
        {
            (start, end) = (*before, end.max(*its_end));
        }
        while let Some((after, its_end)) = self.purpose.range(start + 1..=end).next() {
            let (after, its_end) = (*after, *its_end);
            end = end.max(its_end);
            self.purpose.remove(&after);
        }
        self.purpose.insert(start, end);
        self.parts.insert(part.piece.start, Kept { part, read: 0 });
    }

    /// These bytes of the part that begins at `start` have been read. It goes when all have; one
    /// that has been read to its end stays a while, as another worker is at what lies before that.
    fn pass(&mut self, start: u64, range: Range<u64>) {
        let Some(kept) =
            self.parts.get_mut(&start).filter(|kept| kept.part.piece.holds(range.end - 1))
        else {
            return;
        };
        let (whole, end) = kept.mark(range);
        if whole {
            self.parts.remove(&start);
            self.passed.retain(|passed| *passed != start);
        } else if end && !self.passed.contains(&start) {
            self.passed.push_back(start);
        }
        let kept = if held_bytes() > REMOTE_AHEAD_BYTES { 0 } else { REMOTE_PASSED_PARTS };
        while self.passed.len() > kept {
            if let Some(oldest) = self.passed.pop_front() {
                self.parts.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_asked_for_up_to_what_was_asked_for_before() {
        let mut held = Held::default();
        let mut ask = |start, end| {
            held.purpose.insert(start, end);
            (held.end_of(0, 100), held.was_asked(start), held.was_asked(end))
        };
        assert_eq!(ask(50, 60), (50, true, false));
        assert_eq!(ask(20, 30), (20, true, false));
        let grid = REMOTE_PART_BYTES;
        assert_eq!(Held::default().end_of(grid + 1, 3 * grid), 2 * grid);
        assert_eq!(Held::default().end_of(2 * grid, 2 * grid + 5), 2 * grid + 5);
    }
}
