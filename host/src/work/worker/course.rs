//! A worker's way through the chunks of one source: which it takes, and what its accumulator has seen.

use std::ops::Range;
use std::sync::atomic::AtomicU64;

use super::{Cancelled, Worker};
use crate::input::{Asked, Chunk, Codec, Stream};
use crate::process::{Failure, FailureKind, Instance, Order, Place};
use crate::work::gather::Span;
use crate::work::open::{Chunks, Open, RunLength, Slice, take};
use crate::work::ring::{Ring, Turn};

/// How a run of chunks ended.
enum Pushed {
    All,
    /// A chunk before these has failed, or the run is cancelled.
    GivenUp,
    /// The source, which nothing said of, is compressed: it is to be opened as that.
    Compressed(Codec),
}

impl<'a> Worker<'a> {
    /// Takes chunks of a source until there are no more.
    pub(super) fn join(&mut self, open: &Open<'_>) -> Result<(), Cancelled> {
        match &open.chunks {
            Chunks::Placed { count, taken } => self.join_placed(open, *count, taken),
            Chunks::Streamed(ring) => {
                ring.enter();
                let ended = self.join_streamed(open, ring);
                ring.leave();
                ended
            }
        }
    }

    /// Takes runs of chunks that are found by their place. Where the order is kept, an accumulator goes on
    /// only over neighbouring runs; else one sees all runs of this worker.
    fn join_placed(
        &mut self,
        open: &Open<'_>,
        count: u64,
        taken: &AtomicU64,
    ) -> Result<(), Cancelled> {
        let length = RunLength {
            multiple_of: open.input.chunks_at_once(),
            most: self.plan.cutter.chunks_per_run_max(),
        };
        let (scope, threads) = (self.scope(), self.plan.settings.threads);
        let mut live = None;
        while let Some(run) = take(count, length, taken, scope, threads) {
            live = self.make_way(open, live, run.start);
            let (start, length) = (run.start, run.end - run.start);
            let mut at = start;
            let pushed = self.push_run(open, live.is_none(), run, count, &mut at);
            live = self.after(open, live, Span { start, end: start + length }, pushed, at)?;
        }
        if let Some(span) = live {
            self.settle(open, span);
        }
        Ok(())
    }

    /// Reads or runs the chunks of a stream, whichever is due.
    fn join_streamed(&mut self, open: &Open<'_>, ring: &Ring) -> Result<(), Cancelled> {
        let mut live = None;
        loop {
            self.check_cancel()?;
            match ring.turn() {
                Turn::Read(stream, buffer) => self.read_ahead(open, ring, stream, buffer),
                Turn::Run(chunk) => {
                    let span = Span { start: chunk.index, end: chunk.index + 1 };
                    live = self.make_way(open, live, span.start);
                    let pushed = self.push_chunk(open, live.is_none(), &chunk);
                    live = self.after(open, live, span, pushed, chunk.index)?;
                    ring.give_back(chunk);
                }
                Turn::Decode(pieces) => {
                    pieces.decode_next();
                    self.times.was_read();
                    ring.decoded();
                }
                Turn::Later => self.times.was_idle(),
                Turn::End => break,
            }
        }
        if let Some(span) = live {
            self.settle(open, span);
        }
        Ok(())
    }

    fn read_ahead(
        &mut self,
        open: &Open<'_>,
        ring: &Ring,
        mut stream: Box<Stream>,
        buffer: Vec<u8>,
    ) {
        let index = stream.index();
        let read = if self.hopeless(open, index) { None } else { Some(stream.next(buffer)) };
        self.times.was_read();
        match read {
            Some(Ok(chunk)) => {
                if chunk.last {
                    // Before anybody can have seen it: nothing can have failed as a whole yet.
                    open.gather.set_whole(index + 1);
                }
                ring.put(stream, chunk);
            }
            Some(Err(_)) if self.plan.cancel.is_set() => ring.end(),
            Some(Err(error)) => {
                ring.end();
                open.gather.fail(1, index, error.into());
                let failed = open.gather.set_whole(index + 1);
                self.settle_failed(open, failed);
            }
            None => {
                ring.end();
                let failed = open.gather.set_whole(index);
                self.settle_failed(open, failed);
            }
        }
    }

    /// Settles an accumulator that cannot go on at position `next`.
    fn make_way(&mut self, open: &Open<'_>, live: Option<Span>, next: u64) -> Option<Span> {
        let kept = self.plan.processor.traits().order == Order::Kept;
        match live {
            Some(span) if kept && span.end != next => {
                self.settle(open, span);
                None
            }
            live => live,
        }
    }

    /// What the accumulator has seen after a push over `span`; nothing where that failed at position `at`.
    fn after(
        &mut self,
        open: &Open<'_>,
        live: Option<Span>,
        span: Span,
        pushed: Result<Pushed, Failure>,
        at: u64,
    ) -> Result<Option<Span>, Cancelled> {
        let seen = live.map_or(span, |live| live.longer(span.len()));
        let failed = match pushed {
            Ok(Pushed::All) => return Ok(Some(seen)),
            Ok(Pushed::Compressed(codec)) => {
                self.found = Some(codec);
                None
            }
            Ok(Pushed::GivenUp) => open.gather.give_up(seen.len()),
            Err(failure) => {
                self.check_cancel()?; // a guest that was stopped for that is no failure
                open.gather.fail(seen.len(), at, failure)
            }
        };
        self.instance = None;
        self.settle_failed(open, failed);
        self.check_cancel()?;
        Ok(None)
    }

    /// The instance with the source's accumulator open in it; a new one where it is to be fresh.
    fn accumulator(
        &mut self,
        open: &Open<'_>,
        fresh: bool,
    ) -> Result<Box<dyn Instance + 'a>, Failure> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.plan.processor.start()?,
        };
        if fresh {
            instance.open(open.opening())?;
        }
        Ok(instance)
    }

    fn push_chunk(
        &mut self,
        open: &Open<'_>,
        fresh: bool,
        chunk: &Chunk,
    ) -> Result<Pushed, Failure> {
        if self.hopeless(open, chunk.index) {
            return Ok(Pushed::GivenUp);
        }
        let mut instance = self.accumulator(open, fresh)?;
        let place = Place { index: chunk.index, offset: chunk.offset, last: chunk.last };
        let filling = instance.push(place, &mut chunk.bytes())?;
        self.times.was_guest(filling);
        self.times.count_bytes(chunk.bytes().len() as u64);
        self.times.show_counts(self.plan.stats);
        self.instance = Some(instance);
        Ok(Pushed::All)
    }

    fn push_run(
        &mut self,
        open: &Open<'_>,
        fresh: bool,
        run: Range<u64>,
        count: u64,
        at: &mut u64,
    ) -> Result<Pushed, Failure> {
        if self.hopeless(open, run.start) {
            return Ok(Pushed::GivenUp);
        }
        let cutter = self.plan.cutter;
        let mut instance = self.accumulator(open, fresh)?;
        self.scan.asked = Asked::ToGoOn;
        let mut start = cutter.start(&open.input, run.start, &mut self.scan)?;
        for index in run.clone() {
            *at = index;
            if self.hopeless(open, index) {
                return Ok(Pushed::GivenUp);
            }
            if index + 1 == run.end {
                self.scan.asked = Asked::ToLook;
            }
            let end = cutter.end(&open.input, index, start, &mut self.scan)?;
            let bytes = usize::try_from(end - start).map_err(|_| too_large(end - start))?;
            let place = Place { index, offset: start, last: index + 1 == count };
            let look = open.is_to_be_looked_at(self.plan);
            let mut slice = Slice { input: &open.input, offset: start, bytes, look, found: None };
            let pushed = instance.push(place, &mut slice);
            if let Some(codec) = slice.found {
                return Ok(Pushed::Compressed(codec));
            }
            self.times.was_guest(pushed?);
            self.times.count_bytes(end - start);
            if !open.is_single() {
                self.times.show_counts(self.plan.stats);
            }
            start = end;
        }
        self.instance = Some(instance);
        Ok(Pushed::All)
    }

    /// Whether the chunk at `index` need not be looked at: one before it has failed, or the run is cancelled.
    fn hopeless(&self, open: &Open<'_>, index: u64) -> bool {
        let failed_before = || open.gather.failed_at().is_some_and(|at| at < index);
        self.plan.cancel.is_set() || (!open.is_single() && failed_before())
    }
}

fn too_large(bytes: u64) -> Failure {
    Failure::new(
        FailureKind::RecordTooLong,
        format!("a chunk of {bytes} bytes fits into no memory"),
    )
}
