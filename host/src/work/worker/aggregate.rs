//! A worker's way through the chunks of one source: which it takes, and what its accumulator has
//! seen.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::{Cancelled, Worker};
use crate::input::{Chunk, Found, Purpose};
use crate::process::{Failure, Instance, Kind, Order, Place};
use crate::work::merge_tree::Span;
use crate::work::open::{Chunks, Open, RunLength, Slice, take, too_large};
use crate::work::output_unit::OutputUnit;
use crate::work::ring::{Ring, RingChunk, Turn};

/// Neighbouring chunks that an accumulator sees, of `count` chunks; those before the one at
/// `counted` are counted already.
#[derive(Debug, Clone)]
struct ChunkRun {
    run: Range<u64>,
    count: u64,
    counted: u64,
}

/// How a run of chunks ended.
enum Pushed {
    All,
    /// A chunk before these has failed, or the run is cancelled.
    GivenUp,
    /// The source, which nothing said of, is this: it is to be opened as that.
    Found(Found),
}

impl Worker<'_, '_> {
    /// Takes chunks of a source until there are no more, or it turns out to be something else.
    pub(super) fn join(&mut self, open: &Open<'_>) -> Result<Option<Found>, Cancelled> {
        let kind = self.seat.processor().traits().kind;
        match (&open.chunks, kind) {
            (Chunks::Placed { count, taken }, Kind::Aggregator) => {
                self.join_placed(open, *count, taken)
            }
            (Chunks::Placed { count, taken }, Kind::Transformer) => {
                self.transform_placed(open, *count, taken)
            }
            (Chunks::Streamed(ring), kind) => {
                ring.enter();
                let ended = match kind {
                    Kind::Aggregator => self.join_streamed(open, ring),
                    Kind::Transformer => self.transform_streamed(open, ring),
                };
                ring.leave();
                ended.map(|()| None)
            }
        }
    }

    /// Takes runs of chunks that are found by their place. Where the order is kept, an accumulator
    /// goes on only over neighbouring runs; else one sees all runs of this worker.
    fn join_placed(
        &mut self,
        open: &Open<'_>,
        count: u64,
        taken: &AtomicU64,
    ) -> Result<Option<Found>, Cancelled> {
        let length = RunLength {
            multiple_of: open.input.chunks_at_once(),
            most: self.plan.cutter.chunks_per_run_max(),
        };
        let (scope, threads) = (self.scope(), self.plan.settings.threads);
        let mut live = None;
        let mut seen = Vec::new();
        while let Some(run) = take(count, length, taken, scope, threads) {
            live = self.make_way(open, &open.whole, live, run.start);
            if live.is_none() {
                seen.clear();
            }
            let span = Span { start: run.start, end: run.end };
            let mut at = run.start;
            let stretch = ChunkRun { counted: run.start, run, count };
            let mut pushed = self.push_run(open, live.is_none(), &stretch, &mut at);
            seen.push(stretch);
            if let Err(failure) = &pushed
                && failure.past
            {
                pushed = self.push_again(open, &mut seen, &mut at);
            }
            if let Ok(Pushed::Found(found)) = pushed {
                self.seat.clear();
                return Ok(Some(found));
            }
            live = self.after(&open.whole, live, span, pushed, at)?;
        }
        if let Some(span) = live {
            self.results.merge_into(&mut self.seat, open, &open.whole, span);
        }
        Ok(None)
    }

    /// Reads or runs the chunks of a stream, whichever is due.
    fn join_streamed<'r>(&mut self, open: &Open<'r>, ring: &Ring<'r>) -> Result<(), Cancelled> {
        let mut live: Option<(Option<Arc<OutputUnit<'r>>>, Span)> = None;
        loop {
            self.pass.ask();
            self.check_cancel()?;
            match ring.turn(&mut self.pass) {
                Turn::Read(reader, buffer) => self.read_ahead(open, ring, reader, buffer),
                Turn::Run(RingChunk { member, chunk }) => {
                    let begun = self.results.times.last();
                    let whole = member.as_deref().unwrap_or(&open.whole);
                    let seen = match live.take() {
                        Some((other, span)) if !is_same(other.as_ref(), member.as_ref()) => {
                            self.results.merge_into(
                                &mut self.seat,
                                open,
                                other.as_deref().unwrap_or(&open.whole),
                                span,
                            );
                            None
                        }
                        live => live.map(|(_, span)| span),
                    };
                    let span = Span { start: chunk.index, end: chunk.index + 1 };
                    let seen = self.make_way(open, whole, seen, span.start);
                    let pushed = self.push_chunk(whole, seen.is_none(), &chunk);
                    let seen = self.after(whole, seen, span, pushed, chunk.index)?;
                    match seen {
                        // Nothing of this whole comes after it: it need not wait.
                        Some(span) if chunk.last => {
                            self.results.merge_into(&mut self.seat, open, whole, span);
                        }
                        seen => live = seen.map(|span| (member, span)),
                    }
                    ring.give_back(chunk, self.results.times.last() - begun);
                }
                Turn::Decode(pieces) => self.decode_ahead(ring, &pieces),
                Turn::Later => self.results.times.was_idle(),
                Turn::End => break,
            }
        }
        if let Some((member, span)) = live {
            self.results.merge_into(
                &mut self.seat,
                open,
                member.as_deref().unwrap_or(&open.whole),
                span,
            );
        }
        Ok(())
    }

    /// Settles an accumulator that cannot go on at position `next`.
    fn make_way(
        &mut self,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
        live: Option<Span>,
        next: u64,
    ) -> Option<Span> {
        let kept = self.plan.processor.traits().order == Order::Kept;
        match live {
            Some(span) if kept && span.end != next => {
                self.results.merge_into(&mut self.seat, open, whole, span);
                None
            }
            live => live,
        }
    }

    /// What the accumulator has seen after a push over `span`; nothing where that failed at
    /// position `at`.
    fn after(
        &mut self,
        whole: &OutputUnit<'_>,
        live: Option<Span>,
        span: Span,
        pushed: Result<Pushed, Failure>,
        at: u64,
    ) -> Result<Option<Span>, Cancelled> {
        let seen = live.map_or(span, |live| live.longer(span.len()));
        let failed = match pushed {
            Ok(Pushed::All) => return Ok(Some(seen)),
            Ok(Pushed::Found(_) | Pushed::GivenUp) => whole.merge_tree.give_up(seen.len()),
            Err(failure) => {
                self.check_cancel()?; // a guest that was stopped for that is no failure
                whole.merge_tree.fail(seen.len(), at, failure)
            }
        };
        self.seat.clear();
        self.results.merge_failed(whole, failed);
        self.check_cancel()?;
        Ok(None)
    }

    fn push_chunk(
        &mut self,
        whole: &OutputUnit<'_>,
        fresh: bool,
        chunk: &Chunk,
    ) -> Result<Pushed, Failure> {
        if self.hopeless(whole, chunk.index) {
            return Ok(Pushed::GivenUp);
        }
        let mut instance = self.seat.accumulator(whole.opening(), fresh)?;
        let place = Place { index: chunk.index, offset: chunk.offset, last: chunk.last };
        let pushed = instance.push(place, &mut chunk.bytes())?;
        let mut rejects = instance.take_rejects();
        self.locate_streamed(chunk, whole, &mut rejects);
        whole.keep_rejects(rejects, self.plan.settings.rejects_max)?;
        self.results.times.was_guest(pushed.filling);
        self.results.times.count_bytes(chunk.bytes().len() as u64, chunk.stored);
        self.results.times.show_counts(self.plan.stats);
        self.seat.put(instance);
        Ok(Pushed::All)
    }

    /// Runs all that an accumulator has seen once more in a fresh sandbox, up to where it failed,
    /// and what comes after that.
    fn push_again(
        &mut self,
        open: &Open<'_>,
        seen: &mut [ChunkRun],
        at: &mut u64,
    ) -> Result<Pushed, Failure> {
        // Gone before there is another: both would not be within what a worker may have.
        if let Some(mut instance) = self.seat.take() {
            instance.forget();
        }
        let failed = *at;
        for stretch in &mut *seen {
            let is_last = stretch.run.contains(&failed);
            stretch.counted = if is_last { failed } else { stretch.run.end };
        }
        self.plan.stats.add_retry();
        let mut fresh = true;
        for stretch in seen {
            match self.push_run(open, fresh, stretch, at)? {
                Pushed::All => fresh = false,
                ended => return Ok(ended),
            }
        }
        Ok(Pushed::All)
    }

    /// Runs a row of chunks. What the first of them are counted for has been counted before.
    fn push_run(
        &mut self,
        open: &Open<'_>,
        fresh: bool,
        stretch: &ChunkRun,
        at: &mut u64,
    ) -> Result<Pushed, Failure> {
        if self.is_over(open, stretch.run.start) {
            return Ok(Pushed::GivenUp);
        }
        let mut instance = self.seat.accumulator(open.whole.opening(), fresh)?;
        let pushed = self.push_slices(open, &mut *instance, stretch, at);
        self.seat.put(instance); // where it has failed, for what it has counted
        pushed
    }

    fn push_slices(
        &mut self,
        open: &Open<'_>,
        instance: &mut dyn Instance,
        stretch: &ChunkRun,
        at: &mut u64,
    ) -> Result<Pushed, Failure> {
        let ChunkRun { run, count, counted } = stretch.clone();
        let mut start = self.start(open, run.start)?;
        for index in run.clone() {
            *at = index;
            self.pass.ask();
            if self.is_over(open, index) {
                return Ok(Pushed::GivenUp);
            }
            let (place, mut slice) = self.slice(open, start, index..run.end, count)?;
            let pushed = instance.push(place, &mut slice);
            if let Some(found) = slice.found {
                return Ok(Pushed::Found(found));
            }
            if slice.is_archive {
                self.plan.note_archive(&open.whole);
            }
            self.results.times.was_guest(pushed?.filling);
            let mut rejects = instance.take_rejects();
            if index >= counted {
                self.locate_placed(open, &open.whole, &mut rejects);
                open.whole.keep_rejects(rejects, self.plan.settings.rejects_max)?;
                self.count(&slice);
            }
            if !open.is_single() {
                self.results.times.show_counts(self.plan.stats);
            }
            start = slice.end();
        }
        Ok(Pushed::All)
    }

    /// Where the chunk at `index` begins, for one who goes on to read it.
    pub(super) fn start(&mut self, open: &Open<'_>, index: u64) -> Result<u64, Failure> {
        self.sight.scan.purpose = Purpose::Read;
        Ok(self.plan.cutter.start(&open.input, index, &mut self.sight.scan)?)
    }

    /// The first chunk of a run, which begins at `start`: where it stands, and the promise to read
    /// it.
    pub(super) fn slice<'o>(
        &mut self,
        open: &'o Open<'_>,
        start: u64,
        run: Range<u64>,
        count: u64,
    ) -> Result<(Place, Slice<'o>), Failure> {
        let (cutter, index, scan) = (self.plan.cutter, run.start, &mut self.sight.scan);
        scan.purpose = cutter.purpose(&open.input, index, run.end);
        let end = cutter.end(&open.input, index, start, scan)?;
        let place = Place { index, offset: start, last: index + 1 == count };
        let bytes = usize::try_from(end - start).map_err(|_| too_large(end - start))?;
        Ok((place, Slice::of(open, start, bytes)))
    }

    /// Counts the bytes of a chunk that was read.
    pub(super) fn count(&mut self, slice: &Slice<'_>) {
        let (start, end) = (slice.offset, slice.end());
        let stored = slice.input.stored(end) - slice.input.stored(start);
        self.results.times.count_bytes(end - start, stored);
    }

    /// Whether the chunk at `index` of what is found by its place need not be looked at.
    fn is_over(&self, open: &Open<'_>, index: u64) -> bool {
        if open.is_single() { self.plan.cancel.is_set() } else { self.hopeless(&open.whole, index) }
    }

    /// Whether the chunk at `index` need not be looked at: one before it has failed, or the run is
    /// cancelled.
    pub(super) fn hopeless(&self, whole: &OutputUnit<'_>, index: u64) -> bool {
        self.plan.cancel.is_set() || whole.merge_tree.failed_at().is_some_and(|at| at < index)
    }
}

/// Whether two pieces of a stream are of the same member, or both of what is no archive.
pub(super) fn is_same(a: Option<&Arc<OutputUnit<'_>>>, b: Option<&Arc<OutputUnit<'_>>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}
