//! Where the results of a worker go: they are checked, counted, merged into its share of the total,
//! and delivered.

use super::Cancelled;
use super::seat::Seat;
use crate::process::{Failure, FailureKind, Held, Kind, Reject};
use crate::work::merge_into::{Broken, Merging, merge_into};
use crate::work::merge_tree::{MergeTree, Span};
use crate::work::open::Open;
use crate::work::output_unit::OutputUnit;
use crate::work::queue::Passed;
use crate::work::times::Times;
use crate::work::total_share::TotalShare;
use crate::work::{Done, End, Origin, Plan, ResultSlot};

pub(super) struct Results<'a> {
    plan: &'a Plan<'a>,
    /// This worker's share of the total, where one is wanted.
    pub(super) total_share: Option<TotalShare<'a>>,
    pub(super) times: Times,
}

impl<'a> Results<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, total: Option<&'a MergeTree>) -> Self {
        Self {
            plan,
            total_share: total.map(|merge_tree| TotalShare::new(plan, merge_tree)),
            times: Times::new(),
        }
    }

    /// Hands over this worker's share of the total.
    pub(super) fn flush(&mut self) {
        if let Some(total_share) = &mut self.total_share {
            total_share.flush();
        }
        self.times.was_merge();
    }

    /// Offers the open accumulator to its whole; concludes that if it completes it.
    pub(super) fn merge_into(
        &mut self,
        seat: &mut Seat<'_>,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
        span: Span,
    ) {
        let Some(instance) = seat.instance() else { return };
        match merge_into(instance, whole.opening(), span, &whole.merge_tree) {
            Ok(Merging::Parked) => seat.recycle(),
            Ok(Merging::Whole) => self.conclude(seat, open, whole),
            Ok(Merging::Failed(failure)) => self.merge_failed(whole, Some(failure)),
            Err(Broken { failure, held }) => {
                seat.clear();
                // After all chunks: a failure of the data itself is reported instead of this one.
                let failed = whole.merge_tree.fail(held, u64::MAX, failure);
                self.merge_failed(whole, failed);
            }
        }
    }

    pub(super) fn merge_failed(&mut self, whole: &OutputUnit<'_>, failure: Option<Failure>) {
        let Some(failure) = failure else { return };
        let rejects = match failure.kind {
            FailureKind::Rejects => whole.take_rejects(), // they say why
            _ => Vec::new(),
        };
        self.fail_with(whole.slot(), failure, rejects);
    }

    /// Ends a whole whose accumulator, in this seat, has seen everything.
    pub(super) fn conclude(
        &mut self,
        seat: &mut Seat<'_>,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
    ) {
        // What one call has read of a file is of one moment: there is nothing that it could differ
        // from. An archive that is read from its front is checked at its end.
        let checked = if whole.is_source() && (!open.is_single() || open.input.is_member()) {
            open.input.check_unchanged().map_err(Failure::from)
        } else {
            Ok(())
        };
        let max = self.plan.settings.rejects_max;
        match checked.and_then(|()| whole.check_rejects(max)).and_then(|()| self.outcome(seat)) {
            Ok(Outcome { result, state }) => {
                seat.recycle();
                let (bytes, rejects) = (whole.bytes(), whole.take_rejects());
                let origin = Origin::Processed;
                let done = Done { bytes, result: Ok(result), state, rejects, origin };
                self.deliver(whole.slot(), done);
            }
            Err(failure) => {
                seat.clear();
                self.merge_failed(whole, Some(failure));
            }
        }
    }

    /// The result of the open accumulator and its state, each where it is wanted.
    fn outcome(&self, seat: &mut Seat<'_>) -> Result<Outcome, Failure> {
        let Some(instance) = seat.instance() else { return Ok(Outcome::default()) };
        let state =
            if self.total_share.is_some() { Some(instance.accumulator()?.save()?) } else { None };
        if self.plan.settings.show.per_source {
            let result = instance.accumulator()?.finish()?;
            self.plan.deliver.check(&result)?;
            return Ok(Outcome { result: Some(result), state });
        }
        instance.close()?;
        Ok(Outcome { result: None, state })
    }

    /// Delivers a part of what comes out of a whole.
    pub(super) fn put_part(
        &mut self,
        seat: &mut Seat<'_>,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
        part: Passed,
    ) -> Result<(), Cancelled> {
        let Passed { place, bytes, output, rejects } = part;
        let max = self.plan.settings.rejects_max;
        if let Err((to, failure)) = whole.count_rejects_of(place.index, &rejects, max) {
            // It fails where they are taken in order; what is behind those that were counted need
            // not be looked at.
            whole.merge_tree.note(to, failure.clone());
            if self.plan.settings.unordered {
                seat.clear();
                self.fail_with(whole.slot(), failure, rejects);
                return Ok(());
            }
        }
        if open.is_single()
            && let Err(failure) = whole.check_rejects(max)
        {
            seat.clear();
            self.fail_with(whole.slot(), failure, rejects);
            return Ok(());
        }
        let mut slot = whole.slot();
        slot.at.part = place.index;
        if !open.is_single() {
            slot.end = End::Part;
            self.times.show_counts(self.plan.stats);
        }
        let (bytes, result, origin) = (bytes as u64, Ok(Some(output)), Origin::Processed);
        self.deliver(slot, Done { bytes, result, state: None, rejects, origin });
        if place.last {
            seat.recycle();
        }
        if whole.part_is_done() && !open.is_single() {
            self.end(open, whole);
        }
        if self.plan.cancel.is_set() { Err(Cancelled) } else { Ok(()) }
    }

    /// All chunks have been delivered: says that there are no more, or that they are worth nothing.
    fn end(&mut self, open: &Open<'_>, whole: &OutputUnit<'_>) {
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

    /// Delivers a failure in the place of a part.
    pub(super) fn fail_part(&mut self, whole: &OutputUnit<'_>, index: u64, failure: Failure) {
        whole.merge_tree.note(index, failure.clone());
        let mut slot = whole.slot();
        slot.at.part = index;
        self.fail(slot, failure);
    }

    pub(super) fn fail(&mut self, slot: ResultSlot, failure: Failure) {
        self.fail_with(slot, failure, Vec::new());
    }

    fn fail_with(&mut self, slot: ResultSlot, failure: Failure, rejects: Vec<Reject>) {
        let (result, origin) = (Err(failure), Origin::Processed);
        self.deliver(slot, Done { bytes: 0, result, state: None, rejects, origin });
    }

    pub(super) fn deliver(&mut self, slot: ResultSlot, done: Done) {
        if let Err(failure) = &done.result {
            if failure.kind == FailureKind::Cancelled {
                return; // the run ends, and the source is not done
            }
            if failure.kind.ends_job() {
                self.plan.cancel.fail(failure.clone());
            } else if self.plan.settings.fail_fast {
                self.plan.cancel.set();
            }
        }
        match (&done.result, self.plan.processor.traits().kind) {
            // Several parts may fail, or their output: the sink, which puts them in order, knows
            // how the source ended.
            (_, Kind::Transformer) => {}
            (Ok(_), Kind::Aggregator) => self.times.count_source(done.origin),
            (Err(failure), Kind::Aggregator) => self.plan.stats.add_failed(failure.kind.word()),
        }
        if let Ok(Some(result)) = &done.result {
            self.times.count_out(result.len() as u64);
        }
        if let Some(total_share) = &mut self.total_share {
            total_share.add(slot.at, slot.end, done.state.as_deref());
        }
        self.times.was_merge();
        self.plan.deliver.put(slot, done);
        self.times.was_write();
    }
}

/// The results of a source, each part where it is wanted.
#[derive(Default)]
struct Outcome {
    result: Option<Held>,
    state: Option<Held>,
}
