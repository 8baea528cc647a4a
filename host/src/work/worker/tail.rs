//! A worker's part where a processor is split: what came out of the head it brings to the queue, and runs the tail over
//! whatever is next there.

use super::{Cancelled, Worker};
use crate::process::{Failure, Kind, Place, Pushed, Reject, spare};
use crate::work::open::Open;
use crate::work::queue::{Due, Item, Passed, Queue};
use crate::work::whole::Whole;

/// How a whole goes on after an item.
enum Onward {
    /// There are more.
    More,
    /// It was the last.
    End,
    /// It failed.
    Failed,
}

impl<'a> Worker<'_, 'a> {
    /// Brings what came out of a chunk in the head.
    pub(super) fn bring(
        &mut self,
        queue: &Queue<'a>,
        whole: &Whole<'_>,
        place: Place,
        bytes: usize,
        (pushed, rejects): (Pushed, Vec<Reject>),
    ) {
        self.times.was_guest(pushed.filling);
        if place.last {
            self.recycle();
        } else {
            self.times.show_counts(self.plan.stats);
        }
        let passed = Passed { place, bytes, output: pushed.output, rejects };
        queue.bring(whole.at, Item { index: place.index, result: Ok(passed) });
    }

    /// Runs the tail over what is next of a whole, as long as something is. To be called after anything was brought.
    pub(super) fn run_tail(&mut self, open: &Open<'_>, whole: &Whole<'_>) -> Result<(), Cancelled> {
        let Some(queue) = self.queue else { return Ok(()) };
        loop {
            self.pass.ask();
            self.check_cancel()?;
            let Some(Due { item, tail }) = queue.next(whole.at) else { return Ok(()) };
            // While it is run, the tail is the instance at hand: what ends a whole is the same for both.
            let head = std::mem::replace(&mut self.instance, tail);
            let onward = self.run_item(queue, open, whole, item);
            let tail = std::mem::replace(&mut self.instance, head);
            match onward? {
                Onward::More => queue.rest(whole.at, tail),
                Onward::End => {
                    queue.end(whole.at);
                    self.tail = tail;
                }
                Onward::Failed => queue.fail(whole.at),
            }
        }
    }

    /// Runs the tail over one item, and delivers its results.
    fn run_item(
        &mut self,
        queue: &Queue<'a>,
        open: &Open<'_>,
        whole: &Whole<'_>,
        item: Item,
    ) -> Result<Onward, Cancelled> {
        let index = item.index;
        // Before the first item is looked at: as on one thread, a header that is none comes before anything else.
        let opened = if index == 0 { self.open_tail(queue, whole) } else { Ok(()) };
        let passed = match opened.and(item.result) {
            Ok(passed) => passed,
            Err(failure) => {
                self.check_cancel()?; // a guest that was stopped for that is no failure
                self.fail_in_order(whole, index, failure);
                return Ok(Onward::Failed);
            }
        };
        let (place, bytes) = (passed.place, passed.bytes);
        let pushed = self.push_item(passed);
        match (self.plan.processor.traits().kind, pushed) {
            (Kind::Transformer, Ok(pushed)) => self.put_part(open, whole, place, bytes, pushed)?,
            (Kind::Aggregator, Ok(pushed)) => self.gather_part(open, whole, place, pushed)?,
            (_, Err(failure)) => {
                self.check_cancel()?; // a guest that was stopped for that is no failure
                self.fail_in_order(whole, index, failure);
            }
        }
        Ok(match whole.gather.failed_at() {
            Some(at) if at <= index => Onward::Failed,
            _ if place.last => Onward::End,
            _ => Onward::More,
        })
    }

    fn open_tail(&mut self, queue: &Queue<'a>, whole: &Whole<'_>) -> Result<(), Failure> {
        let mut tail = match self.tail.take() {
            Some(tail) => tail,
            None => queue.split.tail.start()?,
        };
        tail.open(whole.opening())?;
        self.instance = Some(tail);
        Ok(())
    }

    fn push_item(&mut self, passed: Passed) -> Result<(Pushed, Vec<Reject>), Failure> {
        let Passed { place, output, mut rejects, .. } = passed;
        let Some(mut tail) = self.instance.take() else { return Ok(Default::default()) };
        let pushed = tail.push(place, &mut &output[..])?;
        spare::give(output.release());
        rejects.extend(tail.take_rejects());
        self.instance = Some(tail);
        Ok((pushed, rejects))
    }

    /// What was pushed is in the accumulator: keeps what was set aside, and ends the whole where it was the last.
    fn gather_part(
        &mut self,
        open: &Open<'_>,
        whole: &Whole<'_>,
        place: Place,
        (pushed, rejects): (Pushed, Vec<Reject>),
    ) -> Result<(), Cancelled> {
        self.times.was_guest(pushed.filling);
        match whole.keep_rejects(rejects, self.plan.settings.rejects_max) {
            Ok(()) if place.last => self.conclude(open, whole),
            Ok(()) => {}
            Err(failure) => self.fail_in_order(whole, place.index, failure),
        }
        self.check_cancel()
    }

    /// Ends a whole with what happened at an item: all before it have been seen.
    fn fail_in_order(&mut self, whole: &Whole<'_>, index: u64, failure: Failure) {
        self.instance = None;
        match self.plan.processor.traits().kind {
            Kind::Transformer => self.fail_part(whole, index, failure),
            Kind::Aggregator => {
                whole.gather.note(index, failure.clone());
                self.settle_failed(whole, Some(failure));
            }
        }
    }
}
