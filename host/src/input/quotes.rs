//! Which offsets of an input are within quotes: what decides whether a line feed there ends a
//! record of csv.
//!
//! Whether a quote opens a field depends on the quotes before it ([`Walk`]). The input is walked
//! over in blocks, each when somebody first needs what lies behind it: nothing is looked at for one
//! who does not look. A block is walked from each state that its front may be in, so threads that
//! need the same stretch walk it together, a block each; the walks meet at the first field or two,
//! and are one from there on. Nobody waits for anybody, so at worst a block is walked again that
//! another thread is at.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::csv::{Csv, State, Walk};
use super::{Error, Input, Scan};
use crate::settings::limits::{
    BOUNDARY_READ_BYTES, BOUNDARY_READ_BYTES_MAX, QUOTE_BLOCK_BYTES, QUOTE_BLOCKS_MAX,
    QUOTE_MEET_BYTES,
};

/// What is known of a block: nothing, that somebody is at it, or with [`KNOWN`] to which state each
/// leads, two bits for each.
const UNKNOWN: u8 = 0;
const CLAIMED: u8 = 1;
const KNOWN: u8 = 0x80;

/// A stretch of an input.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The blocks of one input.
#[derive(Debug)]
pub(super) struct Quotes {
    csv: Csv,
    block_bytes: u64,
    blocks: Vec<AtomicU8>,
    /// The state before each block, and behind the last, of those up to `front`.
    before: Vec<AtomicU8>,
    /// So many blocks at the front are all known. Only grows.
    front: AtomicUsize,
}

/// To which state each leads.
#[derive(Debug, Clone, Copy)]
struct Leads([State; 3]);

impl Leads {
    fn from(self, state: State) -> State {
        let Self([outside, inside, closing]) = self;
        match state {
            State::Outside => outside,
            State::Inside => inside,
            State::Closing => closing,
        }
    }

    fn to_bits(self) -> u8 {
        let Self(states) = self;
        states.iter().rev().fold(KNOWN >> 6, |bits, state| bits << 2 | state.index())
    }

    fn of_bits(bits: u8) -> Option<Self> {
        let state = |at: u8| State::of(bits >> (2 * at) & 3);
        (bits & KNOWN != 0).then(|| Self([state(0), state(1), state(2)]))
    }
}

/// A place, and what is known of quotes there.
#[derive(Debug, Clone, Copy)]
struct Known {
    offset: u64,
    state: State,
}

impl Quotes {
    /// Nothing is known yet of an input of so many bytes. Blocks are whole numbers of chunks: an
    /// offset that is asked for is where one begins, unless chunks are small.
    pub(super) fn new(csv: Csv, bytes: u64, chunk_bytes: u64) -> Self {
        let block_bytes = QUOTE_BLOCK_BYTES
            .max(bytes.div_ceil(QUOTE_BLOCKS_MAX))
            .checked_next_multiple_of(chunk_bytes)
            .unwrap_or(u64::MAX);
        Self::in_blocks(csv, bytes, block_bytes)
    }

    fn in_blocks(csv: Csv, bytes: u64, block_bytes: u64) -> Self {
        let count = usize::try_from(bytes / block_bytes).unwrap_or(usize::MAX);
        let blocks = |count| std::iter::repeat_with(|| AtomicU8::new(0)).take(count).collect();
        let before = blocks(count.saturating_add(1));
        Self { csv, block_bytes, blocks: blocks(count), before, front: AtomicUsize::new(0) }
    }

    /// Where the first line feed outside quotes is in `window`. A record begins at `record`, which
    /// is not behind the window.
    pub(super) fn find_end(
        &self,
        input: &Input,
        window: Window,
        record: u64,
        scan: &mut Scan,
    ) -> Result<Option<u64>, Error> {
        let Known { offset, state } = self.known_before(input, window.from, record, scan)?;
        let previous = if offset == record { b'\n' } else { byte_before(input, offset, scan)? };
        let mut walk = Walk::at(state, previous);
        let before = Window { from: offset, to: window.from };
        read_in_steps(input, before, BOUNDARY_READ_BYTES_MAX, scan, |_, bytes| {
            walk.over(self.csv, bytes);
            None::<()>
        })?;
        read_in_steps(input, window, BOUNDARY_READ_BYTES, scan, |offset, bytes| {
            walk.first(self.csv, bytes).map(|at| offset + at as u64)
        })
    }

    /// The nearest place at or before `offset` of which the state is known: a block's, or the
    /// record's.
    fn known_before(
        &self,
        input: &Input,
        offset: u64,
        record: u64,
        scan: &mut Scan,
    ) -> Result<Known, Error> {
        let block = usize::try_from(offset / self.block_bytes).unwrap_or(usize::MAX);
        let block = block.min(self.blocks.len());
        let begins = self.block_bytes.saturating_mul(block as u64);
        if record >= begins {
            return Ok(Known { offset: record, state: State::Outside });
        }
        Ok(Known { offset: begins, state: self.state_before(input, block, scan)? })
    }

    /// The state behind all blocks before this one.
    fn state_before(&self, input: &Input, block: usize, scan: &mut Scan) -> Result<State, Error> {
        let known = self.front.load(Ordering::Acquire).min(block);
        let state = self.before.get(known).map_or(0, |state| state.load(Ordering::Relaxed));
        let mut state = State::of(state);
        for at in known..block {
            self.walk_unclaimed(input, at, scan)?;
        }
        for at in known..block {
            state = self.leads(input, at, scan)?.from(state);
            if let Some(before) = self.before.get(at + 1) {
                before.store(state.index(), Ordering::Relaxed);
            }
        }
        self.front.fetch_max(block, Ordering::AcqRel);
        Ok(state)
    }

    /// Scans a block that no worker has scanned or is scanning.
    fn walk_unclaimed(&self, input: &Input, at: usize, scan: &mut Scan) -> Result<(), Error> {
        let Some(block) = self.blocks.get(at) else { return Ok(()) };
        let claim = block.compare_exchange(UNKNOWN, CLAIMED, Ordering::Relaxed, Ordering::Relaxed);
        if claim.is_ok() {
            self.walk(input, at, scan)?;
        }
        Ok(())
    }

    /// Where a block leads to; walks over it unless that has been done.
    fn leads(&self, input: &Input, at: usize, scan: &mut Scan) -> Result<Leads, Error> {
        let known = self.blocks.get(at).map(|block| block.load(Ordering::Relaxed));
        match known.and_then(Leads::of_bits) {
            Some(leads) => Ok(leads),
            None => self.walk(input, at, scan),
        }
    }

    fn walk(&self, input: &Input, at: usize, scan: &mut Scan) -> Result<Leads, Error> {
        let from = self.block_bytes.saturating_mul(at as u64);
        let window = Window { from, to: from.saturating_add(self.block_bytes) };
        let previous = byte_before(input, from, scan)?;
        let mut walks = State::ALL.map(|state| Walk::at(state, previous));
        read_in_steps(input, window, BOUNDARY_READ_BYTES_MAX, scan, |_, bytes| {
            together(self.csv, &mut walks, bytes);
            None::<()>
        })?;
        let leads = Leads(walks.map(|walk| walk.state));
        if let Some(block) = self.blocks.get(at) {
            block.store(leads.to_bits(), Ordering::Relaxed);
        }
        Ok(leads)
    }
}

/// Walks that become one where they meet.
fn together(csv: Csv, walks: &mut [Walk; 3], bytes: &[u8]) {
    let mut rest = bytes;
    while let [first, others @ ..] = walks
        && !rest.is_empty()
    {
        let met = others.iter().all(|other| other.state == first.state);
        let step = if met { rest.len() } else { rest.len().min(QUOTE_MEET_BYTES) };
        let (now, later) = rest.split_at(step);
        first.over(csv, now);
        for other in others {
            if met {
                *other = *first;
            } else {
                other.over(csv, now);
            }
        }
        rest = later;
    }
}

/// The byte before `offset`; what ends a record where there is none.
fn byte_before(input: &Input, offset: u64, scan: &mut Scan) -> Result<u8, Error> {
    let Some(before) = offset.checked_sub(1) else { return Ok(b'\n') };
    Ok(scan.read(input, before, 1)?.first().copied().unwrap_or(b'\n'))
}

/// Where the last record begins that begins in `window`, at whose front a record begins.
pub(super) fn last_record(
    input: &Input,
    csv: Csv,
    window: Window,
    scan: &mut Scan,
) -> Result<u64, Error> {
    let (mut record, mut walk) = (window.from, Walk::default());
    read_in_steps(input, window, BOUNDARY_READ_BYTES, scan, |offset, bytes| {
        walk.records(csv, bytes, |at| {
            record = offset + at as u64 + 1;
            ControlFlow::Continue(())
        });
        None::<()>
    })?;
    Ok(record)
}

/// Shows the bytes of `window` with their offsets, more at a time the further it comes, until
/// `look` has found something.
pub(super) fn read_in_steps<T>(
    input: &Input,
    window: Window,
    first_bytes: usize,
    scan: &mut Scan,
    mut look: impl FnMut(u64, &[u8]) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Window { mut from, to } = window;
    let mut read_bytes = first_bytes;
    while from < to {
        let length = usize::try_from(to - from).map_or(read_bytes, |rest| rest.min(read_bytes));
        let bytes = scan.read(input, from, length)?;
        if let Some(found) = look(from, bytes) {
            return Ok(Some(found));
        }
        from += length as u64;
        read_bytes = (read_bytes * 4).min(BOUNDARY_READ_BYTES_MAX);
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
