//! One worker: a thread's loop over tasks, with the instance that it owns.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::input::{Codec, Opener, Piece, Stream};
use crate::process::{Failure, FailureKind, Instance, Order, Piece as Place, Scope};
use crate::source::Source;

use super::feed::{Feed, Task};
use super::gather::{Gather, Span};
use super::open::{Chunks, Open, Slice, take};
use super::ring::{Ring, Turn};
use super::settle::{Broken, Settled, settle};
use super::tally::Tally;
use super::times::Times;
use super::{Done, Plan};

pub(super) struct Worker<'a> {
    plan: &'a Plan<'a>,
    feed: &'a Feed<'a>,
    tally: Option<Tally<'a>>,
    /// Dropped after any failure; a new one costs microseconds.
    instance: Option<Box<dyn Instance + 'a>>,
    opener: Opener,
    /// What the source at hand turned out to be compressed with.
    found: Option<Codec>,
    /// For reads around cuts; reused.
    scratch: Vec<u8>,
    times: Times,
}

/// The run has been cancelled: leave everything as it is.
struct Cancelled;

impl<'a> Worker<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, feed: &'a Feed<'a>, total: Option<&'a Gather>) -> Self {
        let tally = total.map(|gather| Tally::new(plan, gather));
        let opener = Opener::default();
        Self { plan, feed, tally, instance: None, opener, found: None, scratch: Vec::new(), times: Times::new() }
    }

    /// Works until nothing is left to take, or the run is cancelled.
    pub(super) fn run(mut self) {
        if self.work().is_ok() {
            self.flush();
        }
        self.times.add_to(self.plan.stats);
    }

    fn work(&mut self) -> Result<(), Cancelled> {
        loop {
            self.check_cancel()?;
            let task = self.feed.next(self.plan.deliver.blocked_on());
            self.times.was_idle(); // but for a moment, where there was something to do
            match task {
                Task::Sources(batch) => {
                    for index in batch {
                        self.check_cancel()?;
                        self.source(index)?;
                    }
                    self.feed.opened();
                }
                // Others are at the last sources: meanwhile they can merge what this worker has.
                Task::Later => self.flush(),
                Task::Join(open) => self.join(&open)?,
                Task::Wait(index) => self.plan.deliver.wait_while_blocked_on(index),
                Task::Done => return Ok(()),
            }
        }
    }

    /// Hands over this worker's share of the total.
    fn flush(&mut self) {
        if let Some(tally) = &mut self.tally {
            tally.flush();
        }
        self.times.was_merge();
    }

    fn source(&mut self, index: usize) -> Result<(), Cancelled> {
        let Some(source) = self.plan.sources.get(index) else { return Ok(()) };
        self.source_as(index, source, None)
    }

    /// Opens and joins a source that is `known` to be compressed with that codec, if with any.
    fn source_as(
        &mut self,
        index: usize,
        source: &'a Source,
        known: Option<Codec>,
    ) -> Result<(), Cancelled> {
        let opened = Open::new(self.plan, &mut self.opener, index, source, known);
        self.times.was_read();
        let open = match opened {
            Ok(open) => Arc::new(open),
            Err(failure) => {
                self.check_cancel()?; // a reader that was stopped for that is no failure
                self.deliver(index, 0, Err(failure), None);
                return Ok(());
            }
        };
        if !open.is_single() && self.scope() == Scope::Chunk {
            self.feed.share(&open);
        }
        self.join(&open)?;
        match self.found.take() {
            Some(codec) => self.source_as(index, source, Some(codec)),
            None => Ok(()),
        }
    }

    /// Takes chunks of a source until there are no more.
    fn join(&mut self, open: &Open<'_>) -> Result<(), Cancelled> {
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
        let mut live = None;
        while let Some(run) = take(count, taken, self.scope(), self.plan.settings.threads) {
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
                Turn::Run(piece) => {
                    let span = Span { start: piece.index, end: piece.index + 1 };
                    live = self.make_way(open, live, span.start);
                    let pushed = self.push_piece(open, live.is_none(), &piece);
                    live = self.after(open, live, span, pushed, piece.index)?;
                    ring.give_back(piece);
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

    fn read_ahead(&mut self, open: &Open<'_>, ring: &Ring, mut stream: Box<Stream>, buffer: Vec<u8>) {
        let index = stream.index();
        let read = if self.hopeless(open, index) { None } else { Some(stream.next(buffer)) };
        self.times.was_read();
        match read {
            Some(Ok(piece)) => {
                if piece.last {
                    // Before anybody can have seen it: nothing can have failed as a whole yet.
                    open.gather.set_whole(index + 1);
                }
                ring.put(stream, piece);
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

    fn push_piece(&mut self, open: &Open<'_>, fresh: bool, piece: &Piece) -> Result<Pushed, Failure> {
        if self.hopeless(open, piece.index) {
            return Ok(Pushed::GivenUp);
        }
        let mut instance = self.accumulator(open, fresh)?;
        let place = Place { index: piece.index, offset: piece.offset, last: piece.last };
        let filling = instance.push(place, &mut piece.bytes())?;
        self.times.was_guest(filling);
        self.plan.stats.add_bytes(piece.bytes().len() as u64);
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
        let mut start = cutter.start(&open.input, run.start, &mut self.scratch)?;
        for index in run {
            *at = index;
            if self.hopeless(open, index) {
                return Ok(Pushed::GivenUp);
            }
            let end = cutter.end(&open.input, index, start, &mut self.scratch)?;
            let bytes = usize::try_from(end - start).map_err(|_| too_large(end - start))?;
            let place = Place { index, offset: start, last: index + 1 == count };
            let look = open.is_to_be_looked_at(self.plan);
            let mut slice = Slice { input: &open.input, offset: start, bytes, look, found: None };
            let pushed = instance.push(place, &mut slice);
            if let Some(codec) = slice.found {
                return Ok(Pushed::Compressed(codec));
            }
            self.times.was_guest(pushed?);
            self.plan.stats.add_bytes(end - start);
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

    /// Offers the open accumulator to the source; concludes the source if that completes it.
    fn settle(&mut self, open: &Open<'_>, span: Span) {
        let Some(instance) = self.instance.as_deref_mut() else { return };
        match settle(instance, open.opening(), span, &open.gather) {
            Ok(Settled::Parked) => self.recycle(),
            Ok(Settled::Whole) => self.conclude(open),
            Ok(Settled::Failed(failure)) => self.settle_failed(open, Some(failure)),
            Err(Broken { failure, held }) => {
                self.instance = None;
                // After all chunks: a failure of the data itself is told rather than this one.
                let failed = open.gather.fail(held, u64::MAX, failure);
                self.settle_failed(open, failed);
            }
        }
    }

    fn settle_failed(&mut self, open: &Open<'_>, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.deliver(open.index, 0, Err(failure), None);
        }
    }

    /// Ends a source whose accumulator, in this worker's instance, has seen everything.
    fn conclude(&mut self, open: &Open<'_>) {
        // What one call has read is of one moment: there is nothing that it could differ from.
        let result = if open.is_single() { Ok(()) } else { open.input.check_unchanged() };
        match result.map_err(Failure::from).and_then(|()| self.outcome()) {
            Ok(Outcome { result, state }) => {
                self.recycle();
                let bytes = open.bytes();
                self.deliver(open.index, bytes, Ok(result), state.as_deref());
            }
            Err(failure) => {
                self.instance = None;
                self.deliver(open.index, 0, Err(failure), None);
            }
        }
    }

    /// The result of the open accumulator and its state, each where it is wanted.
    fn outcome(&mut self) -> Result<Outcome, Failure> {
        let Some(instance) = self.instance.as_deref_mut() else { return Ok(Outcome::default()) };
        let state = if self.tally.is_some() { Some(instance.save()?) } else { None };
        if self.plan.settings.show.per_source {
            return Ok(Outcome { result: Some(instance.finish()?), state });
        }
        instance.close()?;
        Ok(Outcome { result: None, state })
    }

    fn deliver(
        &mut self,
        index: usize,
        bytes: u64,
        result: Result<Option<Vec<u8>>, Failure>,
        state: Option<&[u8]>,
    ) {
        if let Err(failure) = &result {
            if failure.kind == FailureKind::Cancelled {
                return; // the run ends, and the source is not done
            }
            if failure.kind.ends_job() {
                self.plan.cancel.fail(failure.clone());
            } else if self.plan.settings.fail_fast {
                self.plan.cancel.set();
            }
        }
        self.plan.stats.add_source(result.as_ref().err().map(|failure| failure.kind.word()));
        if let Some(tally) = &mut self.tally {
            tally.add(index, state);
        }
        self.times.was_merge();
        self.plan.deliver.source(index, Done { bytes, result });
        self.times.was_write();
    }

    /// Makes room for a new instance when this one has grown; only called while nothing is open in it.
    fn recycle(&mut self) {
        if self.instance.as_ref().is_some_and(|instance| instance.spent()) {
            self.instance = None;
        }
    }

    fn scope(&self) -> Scope {
        self.plan.processor.traits().scope
    }

    fn check_cancel(&self) -> Result<(), Cancelled> {
        if self.plan.cancel.is_set() { Err(Cancelled) } else { Ok(()) }
    }
}

/// What comes of a source, each part where it is wanted.
#[derive(Default)]
struct Outcome {
    result: Option<Vec<u8>>,
    state: Option<Vec<u8>>,
}

/// How a run of chunks ended.
enum Pushed {
    All,
    /// A chunk before these has failed, or the run is cancelled.
    GivenUp,
    /// The source, which nothing said of, is compressed: it is to be opened as that.
    Compressed(Codec),
}

fn too_large(bytes: u64) -> Failure {
    Failure::new(FailureKind::RecordTooLong, format!("a chunk of {bytes} bytes fits into no memory"))
}
