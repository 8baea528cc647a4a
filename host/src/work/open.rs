//! A source that workers are at: its input, its chunks yet to be taken, and its parts.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::input::{Found, Input, Lines, Look, Offsets, Opener, is_archive};
use crate::process::{ChunkReader, Failure, FailureKind, Held, Scope};
use crate::source::Source;

use super::Plan;
use super::fault::{refused, separated};
use super::layout::{Layout, SequentialSource, look, reader};
use super::merge_tree::MergeTree;
use super::output_unit::OutputUnit;
use super::ring::{Reads, Ring};

/// An opened source.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) input: Input,
    pub(super) chunks: Chunks<'a>,
    /// What the chunks are pieces of; an archive's are pieces of its members.
    pub(super) whole: OutputUnit<'a>,
    /// Of what is found by its place.
    pub(super) lines: Lines,
    /// What its reader still has to find out about it.
    pub(super) look: Look,
}

/// How the chunks of a source are had.
#[derive(Debug)]
pub(super) enum Chunks<'a> {
    /// Any worker finds any chunk: they are taken in runs, from front to back.
    Placed {
        /// How many there are.
        count: u64,
        /// How many have been taken.
        taken: AtomicU64,
    },
    /// They come one after the other.
    Streamed(Box<Ring<'a>>),
}

impl<'a> Open<'a> {
    /// Opens the source at `index` of the plan, `known` to be that, where anything was found out
    /// about it.
    pub(super) fn new(
        plan: &Plan<'_>,
        opener: &mut Opener,
        index: usize,
        source: &'a Source,
        known: Option<Found>,
    ) -> Result<Self, Failure> {
        if let Err(refusal) = &source.listed {
            return Err(separated(source, refused(refusal)));
        }
        let mut input = Input::open(opener, source, plan.access)
            .map_err(|error| separated(source, error.into()))?;
        input.check_holes(plan.decoding.limits)?;
        match Layout::of(plan, &mut input, source, known)? {
            Layout::Placed { behind } => {
                let looked = known.is_some();
                let mut open = Self::placed(plan, input, (index, source), behind)?;
                if !looked && open.is_single() {
                    open.look = look(plan, &open.input, source);
                }
                Ok(open)
            }
            Layout::InOrder(front) => Self::streamed(plan, input, (index, source), front),
        }
    }

    fn placed(
        plan: &Plan<'_>,
        input: Input,
        at: (usize, &'a Source),
        behind: u64,
    ) -> Result<Self, Failure> {
        plan.cutter.check(input.bytes())?;
        let count = plan.cutter.chunks(&input);
        let header = plan.cutter.header(&input, plan.processor.traits().header_records)?;
        let mut whole = whole(plan, at, Some(count), header);
        whole.offsets = Offsets::Behind(behind);
        whole.set_parts(count);
        whole.add_bytes(input.bytes());
        let chunks = Chunks::Placed { count, taken: AtomicU64::new(0) };
        Ok(Self { input, chunks, whole, lines: Lines::default(), look: Look::NONE })
    }

    fn streamed(
        plan: &Plan<'_>,
        input: Input,
        at: (usize, &'a Source),
        front: SequentialSource,
    ) -> Result<Self, Failure> {
        let SequentialSource { bytes, pieces, again } = front;
        let (reader, offsets) = reader(plan, at.1, (bytes, again))?;
        let (first, header, reader) = match reader {
            Reads::Stream(mut stream) => {
                let first = stream.next(Held::default())?;
                let header = stream.header(&first).to_vec();
                (Some(first), header, Reads::Stream(stream))
            }
            archive @ Reads::Archive(_) => (None, Vec::new(), archive),
        };
        let last = first.as_ref().is_some_and(|first| first.last);
        let mut whole = whole(plan, at, last.then_some(1), header);
        whole.offsets = offsets;
        if last {
            whole.set_parts(1);
        }
        whole.add_bytes(first.as_ref().map_or(0, |first| first.bytes().len() as u64));
        if first.as_ref().is_some_and(|first| is_archive(first.bytes())) {
            plan.note_archive(&whole);
        }
        let chunk_bytes = plan.cutter.of_stream().chunk_bytes;
        let ring = Ring::new(reader, chunk_bytes, first, pieces, plan.stats.memory());
        let chunks = Chunks::Streamed(Box::new(ring));
        Ok(Self { input, chunks, whole, lines: Lines::default(), look: Look::NONE })
    }

    /// Whether it is one chunk, read by one call.
    pub(super) fn is_single(&self) -> bool {
        matches!(self.chunks, Chunks::Placed { count: 1, .. })
    }

    /// About how many chunks nobody has taken yet; 0 when there are none.
    pub(super) fn remaining(&self) -> u64 {
        match &self.chunks {
            Chunks::Placed { count, taken } => count.saturating_sub(taken.load(Ordering::Relaxed)),
            Chunks::Streamed(ring) => u64::from(ring.has_more()),
        }
    }
}

fn whole<'a>(
    plan: &Plan<'_>,
    (index, source): (usize, &'a Source),
    count: Option<u64>,
    header: Vec<u8>,
) -> OutputUnit<'a> {
    let merge_tree = MergeTree::new(count, plan.processor.traits().order);
    let header = Held::within(plan.stats.memory(), header).into();
    OutputUnit::source(index, source, header, merge_tree)
}

/// How many neighbouring chunks a worker takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunLength {
    /// Whole groups of this many.
    pub(super) multiple_of: u64,
    /// But for that, no more.
    pub(super) most: u64,
}

/// Takes a run of neighbouring chunks of `count`: long at first, short near the end, so that
/// workers end together.
pub(super) fn take(
    count: u64,
    run: RunLength,
    taken: &AtomicU64,
    scope: Scope,
    threads: usize,
) -> Option<Range<u64>> {
    let share = match scope {
        Scope::Chunk if threads > 1 => 2 * threads as u64,
        _ => 1,
    };
    let length = |at: u64| {
        let end = at + (count.saturating_sub(at) / share).min(run.most).max(1);
        end.next_multiple_of(run.multiple_of).min(count) - at
    };
    let next = |at| (at < count).then(|| at + length(at));
    let start = taken.try_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
    Some(start..start + length(start))
}

/// Takes the next group of chunks that belong together.
pub(super) fn take_next(count: u64, at_once: u64, taken: &AtomicU64) -> Option<Range<u64>> {
    let end = |start: u64| (start + at_once).min(count);
    let next = |start| (start < count).then(|| end(start));
    let start = taken.try_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
    Some(start..end(start))
}

/// That a chunk is larger than memory can be.
pub(super) fn too_large(bytes: u64) -> Failure {
    Failure::new(
        FailureKind::RecordTooLong,
        format!("a chunk of {bytes} bytes fits into no memory"),
    )
}

/// A chunk in a file, to be read when there is room for it.
pub(super) struct Slice<'a> {
    pub(super) input: &'a Input,
    pub(super) offset: u64,
    pub(super) bytes: usize,
    /// What to look for in the bytes; what is found is left in `found`, and filling fails.
    pub(super) look: Look,
    pub(super) found: Option<Found>,
    /// Whether the source turned out to be an archive.
    pub(super) is_archive: bool,
}

impl<'a> Slice<'a> {
    pub(super) fn of(open: &'a Open<'_>, offset: u64, bytes: usize) -> Self {
        Self { input: &open.input, offset, bytes, look: open.look, found: None, is_archive: false }
    }

    /// The offset of what follows it.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.bytes as u64
    }
}

impl ChunkReader for Slice<'_> {
    fn len(&self) -> usize {
        self.bytes
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure> {
        self.input.read_at(into, self.offset)?;
        self.found = self.look.at(into)?;
        match self.found {
            None => {
                self.is_archive = self.offset == 0 && is_archive(into);
                Ok(())
            }
            Some(found) => Err(Failure::new(FailureKind::Read, format!("is not plain: {found:?}"))),
        }
    }
}
