//! A worker's part where a processor is split: what came out of the head it brings to the queue,
//! and runs the tail over whatever is next there.

use std::time::Duration;

use super::seat::Seat;
use super::{Cancelled, Worker};
use crate::process::{Failure, Held, Kind, spare};
use crate::work::open::Open;
use crate::work::output_unit::OutputUnit;
use crate::work::queue::{Due, Item, Passed, Queue};

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
    pub(super) fn bring(&mut self, queue: &Queue<'a>, whole: &OutputUnit<'_>, passed: Passed) {
        if passed.place.last {
            self.seat.recycle();
        } else {
            self.results.times.show_counts(self.plan.stats);
        }
        queue.bring(whole.at, Item { index: passed.place.index, result: Ok(passed) });
    }

    /// Runs the tail over what is next of a whole, as long as something is. To be called after
    /// anything was brought.
    pub(super) fn run_tail(
        &mut self,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
    ) -> Result<(), Cancelled> {
        let Some(queue) = self.queue else { return Ok(()) };
        loop {
            self.pass.ask();
            self.check_cancel()?;
            let Some(Due { item, tail }) = queue.next(whole.at) else { return Ok(()) };
            let mut tail = Seat::of(queue.split.tail, tail);
            match self.run_item(&mut tail, open, whole, item)? {
                Onward::More => queue.rest(whole.at, tail.take()),
                Onward::End => {
                    queue.end(whole.at);
                    self.tail = tail.take();
                }
                Onward::Failed => queue.fail(whole.at),
            }
        }
    }

    /// Runs the tail over one item, and delivers its results.
    fn run_item(
        &mut self,
        tail: &mut Seat<'a>,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
        item: Item,
    ) -> Result<Onward, Cancelled> {
        let index = item.index;
        // Before the first item is looked at: as on one thread, a header that is none comes before
        // anything else.
        let opened = if index == 0 { self.open_tail(tail, whole) } else { Ok(()) };
        let run = opened.and(item.result).and_then(|passed| run_tail_over(tail, passed));
        let (filling, passed) = match run {
            Ok(run) => run,
            Err(failure) => {
                self.check_cancel()?; // a guest that was stopped for that is no failure
                self.fail_in_order(tail, whole, index, failure);
                return Ok(Onward::Failed);
            }
        };
        let place = passed.place;
        self.results.times.was_guest(filling);
        match self.plan.processor.traits().kind {
            Kind::Transformer => self.results.put_part(tail, open, whole, passed)?,
            Kind::Aggregator => self.gather_part(tail, open, whole, passed)?,
        }
        Ok(match whole.merge_tree.failed_at() {
            Some(at) if at <= index => Onward::Failed,
            _ if place.last => Onward::End,
            _ => Onward::More,
        })
    }

    fn open_tail(&mut self, tail: &mut Seat<'a>, whole: &OutputUnit<'_>) -> Result<(), Failure> {
        if let Some(instance) = self.tail.take() {
            tail.put(instance);
        }
        let instance = tail.accumulator(whole.opening(), true)?;
        tail.put(instance);
        Ok(())
    }

    /// What was pushed is in the accumulator: keeps what was set aside, and ends the whole where it
    /// was the last.
    fn gather_part(
        &mut self,
        tail: &mut Seat<'a>,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
        Passed { place, rejects, .. }: Passed,
    ) -> Result<(), Cancelled> {
        match whole.keep_rejects(rejects, self.plan.settings.rejects_max) {
            Ok(()) if place.last => self.results.conclude(tail, open, whole),
            Ok(()) => {}
            Err(failure) => self.fail_in_order(tail, whole, place.index, failure),
        }
        self.check_cancel()
    }

    /// Ends a whole with what happened at an item: all before it have been seen.
    fn fail_in_order(
        &mut self,
        tail: &mut Seat<'a>,
        whole: &OutputUnit<'_>,
        index: u64,
        failure: Failure,
    ) {
        tail.clear();
        match self.plan.processor.traits().kind {
            Kind::Transformer => self.results.fail_part(whole, index, failure),
            Kind::Aggregator => {
                whole.merge_tree.note(index, failure.clone());
                self.results.merge_failed(whole, Some(failure));
            }
        }
    }
}

/// What comes out of the tail for what came out of the head; and how long that took to be filled
/// in.
fn run_tail_over(tail: &mut Seat<'_>, passed: Passed) -> Result<(Duration, Passed), Failure> {
    let Passed { place, bytes, output, mut rejects } = passed;
    let Some(mut instance) = tail.take() else {
        let output = Held::default();
        return Ok((Duration::ZERO, Passed { place, bytes, output, rejects: Vec::new() }));
    };
    let pushed = instance.push(place, &mut &output[..])?;
    spare::give(output);
    rejects.extend(instance.take_rejects());
    tail.put(instance);
    Ok((pushed.filling, Passed { place, bytes, output: pushed.output, rejects }))
}
