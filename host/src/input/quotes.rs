//! Which offsets of an input are within quotes: what decides whether a line feed there ends a record of csv.
//!
//! Whether a quote opens a field depends on the quotes before it ([`Walk`]). The input is walked over in blocks, each when somebody
//! first needs what lies behind it: nothing is looked at for one who does not look. A block is walked from each state that its front
//! may be in, so threads that need the same stretch walk it together, a block each; the walks meet at the first field or two, and
//! are one from there on. Nobody waits for anybody, so at worst a block is walked again that another thread is at.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::csv::{Csv, State, Walk};
use super::cut::Window;
use super::{Error, Input, Scan};
use crate::settings::limits::{
    BOUNDARY_READ_BYTES, BOUNDARY_READ_BYTES_MAX, QUOTE_BLOCK_BYTES, QUOTE_BLOCKS_MAX,
    QUOTE_MEET_BYTES,
};

/// What is known of a block: nothing, that somebody is at it, or with [`KNOWN`] to which state each leads, two bits for each.
const UNKNOWN: u8 = 0;
const CLAIMED: u8 = 1;
const KNOWN: u8 = 0x80;

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
    /// Nothing is known yet of an input of so many bytes. Blocks are whole numbers of chunks: an offset that is asked for
    /// is where one begins, unless chunks are small.
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

    /// Where the first line feed outside quotes is in `window`. A record begins at `record`, which is not behind the window.
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

    /// The nearest place at or before `offset` of which the state is known: a block's, or the record's.
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

    /// Walks over a block that nobody has been or is at.
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

/// Shows the bytes of `window` with their offsets, more at a time the further it comes, until `look` has found something.
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
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::super::boundary::first_record;
    use super::super::csv::Csv;
    use super::super::{Access, Cutter, Framing, Opener};
    use super::*;
    use crate::source::{Source, Way};

    const CSV: Csv = Csv { delimiter: Some(b',') };

    /// An input whose quotes are counted in blocks of so many bytes.
    fn input(bytes: &[u8], block_bytes: u64) -> Input {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
        let input = Input::open(&mut Opener::default(), &source, &Access::default()).unwrap();
        input.quotes.set(Quotes::in_blocks(CSV, bytes.len() as u64, block_bytes)).unwrap();
        input
    }

    fn csv(chunk_bytes: u64, record_bytes_max: u64) -> Cutter {
        Cutter { framing: Framing::Csv(CSV), chunk_bytes, record_bytes_max }
    }

    /// Where records begin and the last one ends, going from one to the next.
    fn records(bytes: &[u8]) -> Vec<u64> {
        let mut places = vec![0];
        let mut at = 0;
        while let Some(length) = first_record(Framing::Csv(CSV), &bytes[at..]) {
            at += length;
            places.push(at as u64);
        }
        if at < bytes.len() {
            places.push(bytes.len() as u64);
        }
        places
    }

    /// Start and end of the chunks, looked for in this order.
    fn cuts(cutter: &Cutter, input: &Input, order: &[u64]) -> Result<Vec<(u64, u64, u64)>, Error> {
        let mut scan = Scan::default();
        let mut cut = |&index: &u64| {
            let start = cutter.start(input, index, &mut scan)?;
            Ok((index, start, cutter.end(input, index, start, &mut scan)?))
        };
        order.iter().map(&mut cut).collect()
    }

    proptest! {
        /// Invariant 2, whoever looks for which chunk first.
        #[test]
        fn chunks_joined_are_the_source_and_cut_no_record(
            text in "[a,\"\"\r\n]{0,80}",
            chunk_bytes in 1u64..20,
            blocks in 1u64..8,
            seed in any::<u64>(),
        ) {
            let input = input(text.as_bytes(), chunk_bytes * blocks);
            let cutter = csv(chunk_bytes, 100);
            let mut order: Vec<u64> = (0..cutter.chunks(&input)).collect();
            order.sort_by_key(|index| (index + 1).wrapping_mul(seed | 1).rotate_left(17));
            let mut found = cuts(&cutter, &input, &order).unwrap();
            found.sort_unstable();
            let places = records(text.as_bytes());
            let mut at = 0;
            for (index, start, end) in found {
                prop_assert_eq!(start, at);
                // The first record that begins behind the nominal cut.
                let nominal = index * chunk_bytes;
                let first = places.iter().copied().find(|place| nominal == 0 || *place > nominal);
                prop_assert_eq!(start, first.unwrap_or(text.len() as u64));
                at = end;
            }
            prop_assert_eq!(at, input.bytes());
        }

        /// As when it is read from its front, and wherever the cuts are.
        #[test]
        fn too_long_a_record_is_named_alike(
            text in "[aaaa,\"\"\n]{0,80}",
            chunk_bytes in 1u64..=12,
            blocks in 1u64..5,
        ) {
            let max = 12;
            let places = records(text.as_bytes());
            let long = places.windows(2).find(|record| record[1] - record[0] > max).map(|record| record[0]);
            let input = input(text.as_bytes(), chunk_bytes * blocks);
            let cutter = csv(chunk_bytes, max);
            let order: Vec<u64> = (0..cutter.chunks(&input)).collect();
            let found = match cuts(&cutter, &input, &order) {
                Ok(_) => None,
                Err(Error::RecordTooLong { offset, .. }) => Some(offset),
                Err(error) => panic!("{error}"),
            };
            prop_assert_eq!(found, long);
        }
    }

    /// Quotes of all kinds, some in the middle of fields.
    fn sample(rows: usize) -> Vec<u8> {
        let row = |at: usize| match at % 5 {
            0 => format!("{at},\"a\n\"\"b\"\"\r\n\",c\n"),
            1 => format!("{at},x\"y,\"\nz\",\n"),
            2 => format!("{at},\"\"\r\n"),
            _ => format!("{at}{}\n", ",".repeat(at % 70)),
        };
        (0..rows).map(row).collect::<String>().into_bytes()
    }

    #[test]
    fn threads_that_count_together_find_what_one_finds() {
        let bytes = sample(4000);
        let cutter = csv(61, 1 << 20);
        for round in 0..20 {
            let input = input(&bytes, 61 * (1 + round % 3));
            let count = cutter.chunks(&input);
            let next = AtomicUsize::new(0);
            let found = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            let mut found = Vec::new();
                            loop {
                                // Runs from the end on: each needs all that lies before.
                                let run = next.fetch_add(1, Ordering::Relaxed) as u64 * 7;
                                if run >= count {
                                    return found;
                                }
                                let run: Vec<_> = (run..(run + 7).min(count))
                                    .map(|at| count - 1 - at)
                                    .rev()
                                    .collect();
                                found.extend(cuts(&cutter, &input, &run).unwrap());
                            }
                        })
                    })
                    .collect();
                let mut found: Vec<_> =
                    threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
                found.sort_unstable();
                found
            });
            let places = records(&bytes);
            let mut at = 0;
            for (index, start, end) in found {
                assert_eq!(start, at, "chunk {index}");
                assert!(
                    places.binary_search(&start).is_ok(),
                    "chunk {index} begins within a record"
                );
                at = end;
            }
            assert_eq!(at, bytes.len() as u64);
        }
    }

    /// Blocks grow with the input, and a run from the front does not count what is behind it.
    #[test]
    fn blocks_are_few_and_counted_only_when_needed() {
        let quotes = Quotes::new(CSV, u64::MAX, 100);
        assert!(quotes.blocks.len() as u64 <= QUOTE_BLOCKS_MAX);
        assert_eq!(quotes.block_bytes % 100, 0);
        let input = input(&sample(1000), 100);
        cuts(&csv(100, 1 << 20), &input, &[0, 1, 2]).unwrap();
        let states: Vec<_> = input
            .quotes(CSV, 100)
            .blocks
            .iter()
            .map(|block| block.load(Ordering::Relaxed))
            .collect();
        assert!(states.iter().take(3).all(|state| *state >= KNOWN));
        assert!(states.iter().skip(3).all(|state| *state == UNKNOWN));
    }

    #[test]
    fn headers_are_the_first_records() {
        let bytes = b"a,\"b\nc\"\r\n1,\"\"\"\n\"\n3,4";
        let input = input(bytes, 4);
        assert_eq!(csv(2, 64).header(&input, 1).unwrap(), b"a,\"b\nc\"\r\n");
        assert_eq!(csv(2, 64).header(&input, 2).unwrap(), &bytes[..17]);
        assert_eq!(csv(2, 64).header(&input, 9).unwrap(), bytes);
        assert!(csv(2, 8).header(&input, 1).is_err());
    }
}
