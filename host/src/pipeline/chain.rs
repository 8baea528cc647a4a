//! A chain: what comes out of one plugin goes into the next at once, on the same worker, while it
//! is hot.
//!
//! The source is cut where the first stage can be cut. What a stage gives for a chunk of whole
//! records is checked to be whole records of the next one, where both have records of one kind;
//! else the next stage is *reframed*: it sees what the one before gives for the whole source, in
//! order, cut where its own records end. So is a later stage that asks for a header: the stages
//! before may drop or change any record, so its header is only known once the first records have
//! come out of them. A stage that is reframed, or that has to see a source in order, and those
//! behind it are the tail of the chain; what is before them is the head, which runs over chunks in
//! parallel where several workers are.

use std::sync::Arc;

use thiserror::Error;

use super::stretch::{Joint, Line, Stage, StageRange};
use crate::input::Framing;
use crate::process::{Failure, Instance, Kind, MemoryBudget, Processor, Scope, Split, Traits};

/// Why plugins make no chain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// There is none.
    #[error("a chain has at least one plugin")]
    Empty,
    /// Nothing can come after an aggregator.
    #[error(
        "`{0}` is an aggregator, which gives one result: it can only stand last, but `{1}` comes after it"
    )]
    AggregatorNotLast(String, String),
}

/// Plugins that take what the ones before them give.
pub struct Chain {
    all: StageRange,
    /// The stages before the first that has to see its source in order, and those from it on.
    split: Option<(StageRange, StageRange)>,
}

impl Chain {
    /// A chain of `stages`, the first of which takes the source. Where one is reframed, what waits
    /// for the end of a record is bounded by `record_bytes_max`.
    ///
    /// # Errors
    /// When there are none, or one that is not the last is an aggregator.
    pub fn new(stages: Vec<Stage>, record_bytes_max: u64) -> Result<Self, ChainError> {
        for (stage, next) in stages.iter().zip(stages.iter().skip(1)) {
            if stage.processor.traits().kind == Kind::Aggregator {
                return Err(ChainError::AggregatorNotLast(stage.name.clone(), next.name.clone()));
            }
        }
        let joints: Vec<_> = stages
            .iter()
            .zip(stages.iter().skip(1))
            .map(|(before, next)| Joint::between(before, next))
            .collect();
        // What may be cut anywhere is cut where the first stage behind it that has records can take
        // the pieces as they come.
        let as_they_come = joints.iter().take_while(|joint| **joint == Joint::Same).count() + 1;
        let framed = stages.iter().take(as_they_come).find(|stage| stage.framing != Framing::Bytes);
        let framing = framed.or(stages.first()).map_or(Framing::Bytes, |stage| stage.framing);
        let count = stages.len();
        let in_order = |at: &usize| {
            let scope = stages.get(*at).map(|stage| stage.processor.traits().scope);
            scope == Some(Scope::Source) || joints.get(*at - 1) == Some(&Joint::Reframed)
        };
        let at = (1..count).find(in_order);
        let line = Arc::new(Line { stages, joints, framing, record_bytes_max });
        let stretch = |own| StageRange::new(&line, own).ok_or(ChainError::Empty);
        let split = at.map(|at| Ok((stretch(0..at)?, stretch(at..count)?))).transpose()?;
        Ok(Self { all: stretch(0..count)?, split })
    }

    /// What ends a record of what comes out of it, where that is one byte.
    pub fn record_end(&self) -> Option<u8> {
        self.all.line.stages.last().and_then(|last| last.framing.record_end())
    }

    /// Where a source is cut for it.
    pub fn framing(&self) -> Framing {
        self.all.line.framing
    }
}

impl Processor for Chain {
    fn traits(&self) -> &Traits {
        self.all.traits()
    }

    fn split(&self) -> Option<Split<'_>> {
        let (head, tail) = self.split.as_ref()?;
        Some(Split { head, tail })
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        self.all.memory()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        self.all.start()
    }
}
