//! A worker's way through the chunks of one source with a transformer: what comes out of each is delivered at once, in
//! its place. One chunk is taken at a time, in the order of the source, and none while too much waits for another.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::course::is_same;
use super::{Cancelled, Worker};
use crate::input::Asked;
use crate::process::{Failure, Kind, Place, Pushed, Reject, Scope};
use crate::work::open::{Open, Slice, take_next, too_large};
use crate::work::queue::Item;
use crate::work::ring::{Piece, Ring, Turn};
use crate::work::whole::Whole;
use crate::work::{At, Done, End, Origin};

/// Whether a worker goes on with a source.
#[derive(Debug, PartialEq, Eq)]
enum Onward {
    Yes,
    /// Another source is waited for, which this worker can help along.
    Elsewhere,
}

impl Worker<'_, '_> {
    /// Takes chunks that are found by their place.
    pub(super) fn transform_placed(
        &mut self,
        open: &Open<'_>,
        count: u64,
        taken: &AtomicU64,
    ) -> Result<(), Cancelled> {
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
                match self.slice(open, index..run.end, count) {
                    Ok((place, mut slice)) => {
                        let mut pushed = self.run_chunk(&open.whole, fresh, place, &mut slice);
                        if let Ok((_, rejects)) = &mut pushed {
                            self.locate_placed(open, &open.whole, rejects);
                        }
                        if let Some(found) = slice.found {
                            self.instance = None;
                            self.found = Some(found);
                            return Ok(());
                        }
                        if slice.is_archive {
                            self.plan.note_archive(&open.whole);
                        }
                        let (start, end) = (slice.offset, slice.offset + slice.bytes as u64);
                        let stored = open.input.stored(end) - open.input.stored(start);
                        self.times.count_bytes(end - start, stored);
                        self.pass_on(open, &open.whole, place, slice.bytes, pushed)?;
                        fresh = self.instance.is_none();
                    }
                    Err(failure) => self.fail_chunk(&open.whole, index, failure),
                }
                self.run_tail(open, &open.whole)?;
            }
        }
        self.close();
        Ok(())
    }

    /// The first chunk of a run: where it stands, and the promise to read it.
    fn slice<'o>(
        &mut self,
        open: &'o Open<'_>,
        run: Range<u64>,
        count: u64,
    ) -> Result<(Place, Slice<'o>), Failure> {
        let (cutter, index) = (self.plan.cutter, run.start);
        self.scan.asked = Asked::ToGoOn;
        let start = cutter.start(&open.input, index, &mut self.scan)?;
        self.scan.asked = cutter.asked(&open.input, index, run.end);
        let end = cutter.end(&open.input, index, start, &mut self.scan)?;
        let place = Place { index, offset: start, last: index + 1 == count };
        let bytes = usize::try_from(end - start).map_err(|_| too_large(end - start))?;
        Ok((place, Slice::of(open, start, bytes)))
    }

    /// Reads or runs the chunks of a stream, whichever is due.
    pub(super) fn transform_streamed<'r>(
        &mut self,
        open: &Open<'r>,
        ring: &Ring<'r>,
    ) -> Result<(), Cancelled> {
        let mut open_for: Option<Arc<Whole<'r>>> = None;
        let mut fresh = true;
        while self.onward(open, |at| ring.has_given(at))? == Onward::Yes {
            self.pass.ask();
            match ring.turn(&mut self.pass) {
                Turn::Read(reader, buffer) => self.read_ahead(open, ring, reader, buffer),
                Turn::Run(Piece { member, chunk }) => {
                    let begun = Instant::now();
                    let same = is_same(open_for.as_ref(), member.as_ref());
                    let whole = member.as_deref().unwrap_or(&open.whole);
                    let hopeless = self.hopeless(whole, chunk.index);
                    if !hopeless {
                        let place =
                            Place { index: chunk.index, offset: chunk.offset, last: chunk.last };
                        let fresh_now = fresh || !same;
                        self.times.count_bytes(chunk.bytes().len() as u64, chunk.stored);
                        let mut bytes = chunk.bytes();
                        let mut pushed = self.run_chunk(whole, fresh_now, place, &mut bytes);
                        if let Ok((_, rejects)) = &mut pushed {
                            self.locate_streamed(&chunk, whole, rejects);
                        }
                        self.pass_on(open, whole, place, bytes.len(), pushed)?;
                        fresh = self.instance.is_none();
                    }
                    ring.give_back(chunk, begun.elapsed());
                    if !hopeless {
                        self.run_tail(open, whole)?;
                        open_for = member;
                    }
                }
                Turn::Decode(pieces) => self.decode_ahead(ring, &pieces),
                Turn::Later => self.times.was_idle(),
                Turn::End => break,
            }
        }
        self.close();
        Ok(())
    }

    /// Delivers what came out of one chunk, or brings it to where it waits for the tail.
    fn pass_on(
        &mut self,
        open: &Open<'_>,
        whole: &Whole<'_>,
        place: Place,
        bytes: usize,
        pushed: Result<(Pushed, Vec<Reject>), Failure>,
    ) -> Result<(), Cancelled> {
        match (self.queue, pushed) {
            (_, Err(failure)) => {
                self.check_cancel()?; // a guest that was stopped for that is no failure
                self.fail_chunk(whole, place.index, failure);
            }
            (None, Ok(pushed)) => self.put_part(open, whole, place, bytes, pushed)?,
            (Some(queue), Ok(pushed)) => self.bring(queue, whole, place, bytes, pushed),
        }
        Ok(())
    }

    /// Delivers a part of what comes out of a whole.
    pub(super) fn put_part(
        &mut self,
        open: &Open<'_>,
        whole: &Whole<'_>,
        place: Place,
        bytes: usize,
        (pushed, rejects): (Pushed, Vec<Reject>),
    ) -> Result<(), Cancelled> {
        let bytes = bytes as u64;
        self.times.was_guest(pushed.filling);
        let max = self.plan.settings.rejects_max;
        if let Err((to, failure)) = whole.count_rejects_of(place.index, &rejects, max) {
            // It fails where they are taken in order; what is behind those that were counted need not be looked at.
            whole.gather.note(to, failure.clone());
            if self.plan.settings.unordered {
                self.instance = None;
                self.fail_with(whole.slot(), failure, rejects);
                return Ok(());
            }
        }
        if open.is_single()
            && let Err(failure) = whole.check_rejects(max)
        {
            self.instance = None;
            self.fail_with(whole.slot(), failure, rejects);
            return Ok(());
        }
        let mut slot = whole.slot();
        slot.at.part = place.index;
        if !open.is_single() {
            slot.end = End::Part;
            self.times.show_counts(self.plan.stats);
        }
        let (result, origin) = (Ok(Some(pushed.output)), Origin::Processed);
        self.deliver(slot, Done { bytes, result, state: None, rejects, origin });
        if place.last {
            self.recycle();
        }
        if whole.part_is_done() && !open.is_single() {
            self.end(open, whole);
        }
        self.check_cancel()
    }

    /// All chunks have been delivered: says that there are no more, or that they are worth nothing.
    fn end(&mut self, open: &Open<'_>, whole: &Whole<'_>) {
        let mut slot = whole.slot();
        slot.at.part = whole.parts();
        let checked = if whole.is_source() {
            open.input.check_unchanged().map_err(Failure::from)
        } else {
            Ok(())
        };
        let max = self.plan.settings.rejects_max;
        match checked.and_then(|()| whole.check_rejects(max)) {
            Ok(()) => {
                let (rejects, origin) = (Vec::new(), Origin::Processed);
                let done = Done { bytes: 0, result: Ok(None), state: None, rejects, origin };
                self.deliver(slot, done);
            }
            Err(failure) => self.fail(slot, failure),
        }
    }

    /// Ends a whole with what happened at one of its chunks. Of several, the first in the source is told.
    fn fail_chunk(&mut self, whole: &Whole<'_>, index: u64, failure: Failure) {
        self.instance = None;
        self.fail_read(whole, index, failure);
    }

    /// The same for a chunk that no instance has seen.
    pub(super) fn fail_read(&mut self, whole: &Whole<'_>, index: u64, failure: Failure) {
        match self.queue {
            Some(queue) => {
                whole.gather.note(index, failure.clone());
                queue.bring(whole.at, Item { index, result: Err(failure) });
            }
            None => self.fail_part(whole, index, failure),
        }
    }

    /// Delivers a failure in the place of a part.
    pub(super) fn fail_part(&mut self, whole: &Whole<'_>, index: u64, failure: Failure) {
        whole.gather.note(index, failure.clone());
        let mut slot = whole.slot();
        slot.at.part = index;
        self.fail(slot, failure);
    }

    fn close(&mut self) {
        // An instance that cannot be closed is dropped: what it had to say has been said.
        if let Some(mut instance) = self.instance.take()
            && instance.close().is_ok()
            && !instance.spent()
        {
            self.instance = Some(instance);
        }
    }

    /// Waits while too much waits for a chunk of this source that somebody else is at, as `is_taken` tells.
    fn onward(
        &mut self,
        open: &Open<'_>,
        is_taken: impl Fn(At) -> bool,
    ) -> Result<Onward, Cancelled> {
        let whole = &open.whole;
        loop {
            self.check_cancel()?;
            if let Some(queue) = self.queue.filter(|queue| !open.is_single() && queue.is_full()) {
                self.pass.leave();
                queue.wait_while_full();
                self.times.was_idle();
                continue;
            }
            // A result is there when all chunks have been seen: waiting for it helps nobody.
            if self.plan.processor.traits().kind == Kind::Aggregator {
                return Ok(Onward::Yes);
            }
            // One chunk is for nobody else to go on with; and behind the last chunk, what is waited for may be the next source
            // that this worker has taken.
            if open.is_single() || (self.scope() == Scope::Source && open.remaining() == 0) {
                return Ok(Onward::Yes);
            }
            let Some(at) = self.plan.deliver.blocked_on(Some(whole.at)) else {
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
            self.plan.deliver.wait_while_blocked_on(at);
            self.times.was_idle();
        }
    }
}
