//! The total over sources, as one worker sees it: an accumulator of its own, in an instance that
//! never sees data, so that a source which crashes its instance takes nothing of the total with it.

use crate::process::{Accumulate, Failure, Instance, Opening, Order};

use super::merge_into::{Broken, Merging, merge_into};
use super::merge_tree::{MergeTree, Span};
use super::{End, Plan, Position};
use crate::settings::limits::MEMBER_POSITIONS;

/// What brings the total together. Each source has [`MEMBER_POSITIONS`] positions; the last result
/// of one takes what its members have left.
pub(super) fn tree(plan: &Plan<'_>) -> MergeTree {
    let whole = (plan.sources.len() as u64).saturating_mul(MEMBER_POSITIONS);
    MergeTree::new(Some(whole), plan.processor.traits().order)
}

fn span(at: Position, end: End) -> Span {
    let first = (at.source as u64).saturating_mul(MEMBER_POSITIONS);
    let start = first.saturating_add(at.member.min(MEMBER_POSITIONS - 1));
    match end {
        End::Part | End::Member => Span { start, end: start + 1 },
        End::Source => Span { start, end: first.saturating_add(MEMBER_POSITIONS) },
    }
}

/// One worker's share of the total.
pub(super) struct TotalShare<'a> {
    plan: &'a Plan<'a>,
    merge_tree: &'a MergeTree,
    share: Option<Share<'a>>,
}

/// An instance with an open accumulator, and the sources that are in it.
struct Share<'a> {
    instance: Box<dyn Instance + 'a>,
    span: Span,
}

impl<'a> TotalShare<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, merge_tree: &'a MergeTree) -> Self {
        Self { plan, merge_tree, share: None }
    }

    /// Takes in what stands there: its state, or nothing where it failed.
    pub(super) fn add(&mut self, at: Position, end: End, state: Option<&[u8]>) {
        let fresh = span(at, end);
        let kept = self.plan.processor.traits().order == Order::Kept;
        if kept && self.share.as_ref().is_some_and(|share| share.span.end != fresh.start) {
            self.flush();
        }
        let (instance, span) = match self.share.take() {
            Some(Share { instance, span }) => (Ok(instance), span.longer(fresh.len())),
            None => (self.start(), fresh),
        };
        let merged = instance.and_then(|mut instance| {
            state.map_or(Ok(()), |state| instance.accumulator()?.merge(state))?;
            Ok(Share { instance, span })
        });
        match merged {
            Ok(share) => self.share = Some(share),
            Err(failure) => self.fail(Broken { failure, held: span.len() }, span),
        }
    }

    /// Offers what this worker has to the whole. The worker that completes it delivers the total.
    pub(super) fn flush(&mut self) {
        let Some(Share { mut instance, span }) = self.share.take() else { return };
        match merge_into(&mut *instance, Opening::default(), span, self.merge_tree) {
            Ok(Merging::Parked) => {}
            Ok(Merging::Whole) => {
                let total = instance.accumulator().and_then(Accumulate::finish);
                self.plan.stats.add_out(total.as_ref().map_or(0, |total| total.len() as u64));
                self.plan.deliver.total(total);
            }
            Ok(Merging::Failed(failure)) => self.plan.deliver.total(Err(failure)),
            Err(broken) => self.fail(broken, span),
        }
    }

    fn start(&self) -> Result<Box<dyn Instance + 'a>, Failure> {
        let mut instance = self.plan.processor.start()?;
        instance.open(Opening::default())?;
        Ok(instance)
    }

    fn fail(&self, broken: Broken, span: Span) {
        if let Some(failure) = self.merge_tree.fail(broken.held, span.start, broken.failure) {
            self.plan.deliver.total(Err(failure));
        }
    }
}

/// Delivers the total over no sources.
pub(super) fn empty(plan: &Plan<'_>) {
    let result = plan.processor.start().and_then(|mut instance| {
        instance.open(Opening::default())?;
        instance.accumulator()?.finish()
    });
    plan.deliver.total(result);
}
