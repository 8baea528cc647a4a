//! The total over sources, as one worker sees it: an accumulator of its own, in an instance that never sees data, so
//! that a source which crashes its instance takes nothing of the total with it.

use crate::process::{Failure, Instance, Opening, Order};

use super::Plan;
use super::gather::{Gather, Span};
use super::settle::{Broken, Settled, settle};

/// One worker's share of the total.
pub(super) struct Tally<'a> {
    plan: &'a Plan<'a>,
    gather: &'a Gather,
    share: Option<Share<'a>>,
}

/// An instance with an open accumulator, and the sources that are in it.
struct Share<'a> {
    instance: Box<dyn Instance + 'a>,
    span: Span,
}

impl<'a> Tally<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, gather: &'a Gather) -> Self {
        Self { plan, gather, share: None }
    }

    /// Takes in the source at `index`: its state, or nothing where it failed.
    pub(super) fn add(&mut self, index: usize, state: Option<&[u8]>) {
        let index = index as u64;
        let kept = self.plan.processor.traits().order == Order::Kept;
        if kept && self.share.as_ref().is_some_and(|share| share.span.end != index) {
            self.flush();
        }
        let (instance, span) = match self.share.take() {
            Some(Share { instance, span }) => (Ok(instance), span),
            None => (self.start(), Span { start: index, end: index }),
        };
        let span = span.longer(1);
        let merged = instance.and_then(|mut instance| {
            state.map_or(Ok(()), |state| instance.merge(state))?;
            Ok(Share { instance, span })
        });
        match merged {
            Ok(share) => self.share = Some(share),
            Err(failure) => self.fail(Broken { failure, held: span.len() }, span),
        }
    }

    /// Offers what this worker has to the whole. Whoever completes it delivers the total.
    pub(super) fn flush(&mut self) {
        let Some(Share { mut instance, span }) = self.share.take() else { return };
        match settle(&mut *instance, Opening::default(), span, self.gather) {
            Ok(Settled::Parked) => {}
            Ok(Settled::Whole) => self.plan.deliver.total(instance.finish()),
            Ok(Settled::Failed(failure)) => self.plan.deliver.total(Err(failure)),
            Err(broken) => self.fail(broken, span),
        }
    }

    fn start(&self) -> Result<Box<dyn Instance + 'a>, Failure> {
        let mut instance = self.plan.processor.start()?;
        instance.open(Opening::default())?;
        Ok(instance)
    }

    fn fail(&self, broken: Broken, span: Span) {
        if let Some(failure) = self.gather.fail(broken.held, span.start, broken.failure) {
            self.plan.deliver.total(Err(failure));
        }
    }
}

/// Delivers the total over no sources.
pub(super) fn empty(plan: &Plan<'_>) {
    let result = plan.processor.start().and_then(|mut instance| {
        instance.open(Opening::default())?;
        instance.finish()
    });
    plan.deliver.total(result);
}
