//! A worker's way through the chunks of one source with a transformer: what comes out of each is
//! delivered at once, in its place. One chunk is taken at a time, in the order of the source, and
//! none while too much waits for another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::aggregate::is_same;
use super::halves::Run;
use super::{Cancelled, Worker};
use crate::input::Found;
use crate::process::{Failure, Kind, Place, Scope};
use crate::work::Position;
use crate::work::open::{Open, take_next};
use crate::work::output_unit::OutputUnit;
use crate::work::queue::{Item, Passed};
use crate::work::ring::{Ring, RingChunk, Turn};

/// Whether a worker goes on with a source.
#[derive(Debug, PartialEq, Eq)]
enum Onward {
    Yes,
    /// Another source is waited for, which this worker can help along.
    Elsewhere,
}

impl Worker<'_, '_> {
    /// Takes chunks that are found by their place, until there are no more or the source turns out
    /// to be something else.
    pub(super) fn transform_placed(
        &mut self,
        open: &Open<'_>,
        count: u64,
        taken: &AtomicU64,
    ) -> Result<Option<Found>, Cancelled> {
        let mut fresh = true;
        let next = || taken.load(Ordering::Relaxed);
        while self.onward(open, |at| at.part < next())? == Onward::Yes {
            let Some(run) = take_next(count, open.input.chunks_at_once(), taken) else { break };
            for index in run.clone() {
                self.pass.ask();
                self.check_cancel()?;
                if !open.is_single() && self.hopeless(&open.whole, index) {
                    continue;
                }
                let start = self.start(open, index);
                match start.and_then(|start| self.slice(open, start, index..run.end, count)) {
                    Ok((place, mut slice)) => {
                        let mut pushed = self.run_chunk(&open.whole, fresh, place, &mut slice);
                        if let Ok((_, rejects)) = &mut pushed {
                            self.locate_placed(open, &open.whole, rejects);
                        }
                        if let Some(found) = slice.found {
                            self.seat.clear();
                            return Ok(Some(found));
                        }
                        if slice.is_archive {
                            self.plan.note_archive(&open.whole);
                        }
                        self.count(&slice);
                        self.pass_on(open, &open.whole, place, slice.bytes, pushed)?;
                        fresh = self.seat.is_empty();
                    }
                    Err(failure) => self.fail_chunk(&open.whole, index, failure),
                }
                self.run_tail(open, &open.whole)?;
            }
        }
        self.seat.close();
        Ok(None)
    }

    /// Reads or runs the chunks of a stream, whichever is due.
    pub(super) fn transform_streamed<'r>(
        &mut self,
        open: &Open<'r>,
        ring: &Ring<'r>,
    ) -> Result<(), Cancelled> {
        let mut open_for: Option<Arc<OutputUnit<'r>>> = None;
        let mut fresh = true;
        while self.onward(open, |at| ring.has_given(at))? == Onward::Yes {
            self.pass.ask();
            match ring.turn(&mut self.pass) {
                Turn::Read(reader, buffer) => self.read_ahead(open, ring, reader, buffer),
                Turn::Run(RingChunk { member, chunk }) => {
                    let begun = self.results.times.last();
                    let same = is_same(open_for.as_ref(), member.as_ref());
                    let whole = member.as_deref().unwrap_or(&open.whole);
                    let hopeless = self.hopeless(whole, chunk.index);
                    if !hopeless {
                        let place =
                            Place { index: chunk.index, offset: chunk.offset, last: chunk.last };
                        let fresh_now = fresh || !same;
                        self.results.times.count_bytes(chunk.bytes().len() as u64, chunk.stored);
                        let mut bytes = chunk.bytes();
                        let mut pushed = self.run_chunk(whole, fresh_now, place, &mut bytes);
                        if let Ok((_, rejects)) = &mut pushed {
                            self.locate_streamed(&chunk, whole, rejects);
                        }
                        self.pass_on(open, whole, place, bytes.len(), pushed)?;
                        fresh = self.seat.is_empty();
                    }
                    ring.give_back(chunk, self.results.times.last() - begun);
                    if !hopeless {
                        self.run_tail(open, whole)?;
                        open_for = member;
                    }
                }
                Turn::Decode(pieces) => self.decode_ahead(ring, &pieces),
                Turn::Later => self.results.times.was_idle(),
                Turn::End => break,
            }
        }
        self.seat.close();
        Ok(())
    }

    /// Delivers what came out of one chunk, or brings it to where it waits for the tail.
    fn pass_on(
        &mut self,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
        place: Place,
        bytes: usize,
        run: Result<Run, Failure>,
    ) -> Result<(), Cancelled> {
        let (pushed, rejects) = match run {
            Ok(run) => run,
            Err(failure) => {
                self.check_cancel()?; // a guest that was stopped for that is no failure
                self.fail_chunk(whole, place.index, failure);
                return Ok(());
            }
        };
        self.results.times.was_guest(pushed.filling);
        let passed = Passed { place, bytes, output: pushed.output, rejects };
        match self.queue {
            None => self.results.put_part(&mut self.seat, open, whole, passed),
            Some(queue) => {
                self.bring(queue, whole, passed);
                Ok(())
            }
        }
    }

    /// Ends a whole with what happened at one of its chunks. Of several, the first in the source is
    /// reported.
    fn fail_chunk(&mut self, whole: &OutputUnit<'_>, index: u64, failure: Failure) {
        self.seat.clear();
        self.fail_read(whole, index, failure);
    }

    /// The same for a chunk that no instance has seen.
    pub(super) fn fail_read(&mut self, whole: &OutputUnit<'_>, index: u64, failure: Failure) {
        match self.queue {
            Some(queue) => {
                whole.merge_tree.note(index, failure.clone());
                queue.bring(whole.at, Item { index, result: Err(failure) });
            }
            None => self.results.fail_part(whole, index, failure),
        }
    }

    /// Waits while too much output waits for a chunk of this source that another worker has taken,
    /// as `is_taken` says.
    fn onward(
        &mut self,
        open: &Open<'_>,
        is_taken: impl Fn(Position) -> bool,
    ) -> Result<Onward, Cancelled> {
        let whole = &open.whole;
        loop {
            self.check_cancel()?;
            if let Some(queue) = self.queue.filter(|queue| !open.is_single() && queue.is_full()) {
                self.pass.leave();
                queue.wait_while_full();
                self.results.times.was_idle();
                continue;
            }
            // A result is there when all chunks have been seen: waiting for it helps nobody.
            if self.plan.processor.traits().kind == Kind::Aggregator {
                return Ok(Onward::Yes);
            }
            // One chunk is for nobody else to go on with; and behind the last chunk, what is waited
            // for may be the next source that this worker has taken.
            if open.is_single() || (self.scope() == Scope::Source && open.remaining() == 0) {
                return Ok(Onward::Yes);
            }
            let Some(at) = self.plan.deliver.next_required(Some(whole.at)) else {
                return Ok(Onward::Yes);
            };
            if at.source != whole.at.source {
                if self.scope() == Scope::Chunk {
                    return Ok(Onward::Elsewhere);
                }
            } else if !is_taken(at) {
                return Ok(Onward::Yes);
            }
            self.pass.leave();
            self.plan.deliver.wait_for_next_required(at);
            self.results.times.was_idle();
        }
    }
}
