//! A chain: what comes out of one plugin goes into the next at once, on the same worker, while it is hot.
//!
//! The source is cut where the first stage can be cut. What a stage gives for a chunk of whole records is checked to be whole records
//! of the next one, where both have records of one kind; else the next stage is *reframed*: it sees what the one before gives for
//! the whole source, in order, cut where its own records end. So is a later stage that asks for a header: the stages before may drop
//! or change any record, so its header is only known once the first records have come out of them. A stage that is reframed, or that has to see a source in order, and those
//! behind it are the tail of the chain; what is before them is the head, which runs over chunks in parallel where several workers are.

use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use super::links::Links;
use crate::input::Framing;
use crate::process::{
    Failure, Header, Held, Instance, Kind, MemoryBudget, Opening, Order, Place, Processor, Scope,
    Split, Traits,
};
use crate::slices;

/// One plugin of a chain.
pub struct Stage {
    /// What it is called in messages.
    pub name: String,
    /// The plugin.
    pub processor: Box<dyn Processor + Send>,
    /// Where what it takes may be cut.
    pub framing: Framing,
}

/// How what one stage gives becomes what the next one takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// As it is: what comes out of a chunk is a chunk.
    Same,
    /// Cut anew, where records of the next stage end.
    Reframed,
}

impl Joint {
    fn between(before: &Stage, next: &Stage) -> Self {
        let fits = match (before.framing, next.framing) {
            // Which records come out first is told by no record of the source.
            _ if next.processor.traits().header_records > 0 => false,
            (_, Framing::Bytes) | (Framing::Bytes, Framing::Delimited(_)) => true,
            (before, Framing::Delimited(byte)) => before.record_end() == Some(byte),
            (_, Framing::Whole) => false,
            (before, next) => before == next,
        };
        if fits { Self::Same } else { Self::Reframed }
    }
}

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
    all: Stretch,
    /// The stages before the first that has to see its source in order, and those from it on.
    split: Option<(Stretch, Stretch)>,
}

impl Chain {
    /// A chain of `stages`, the first of which takes the source. Where one is reframed, what waits for the end of a record is bounded
    /// by `record_bytes_max`.
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
        // What may be cut anywhere is cut where the first stage behind it that has records can take the pieces as they come.
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
        let stretch = |own| Stretch::new(&line, own).ok_or(ChainError::Empty);
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

/// All of a chain.
pub(super) struct Line {
    pub(super) stages: Vec<Stage>,
    /// Between each and the next.
    joints: Vec<Joint>,
    /// Where a source is cut.
    pub(super) framing: Framing,
    pub(super) record_bytes_max: u64,
}

impl Line {
    /// Where a stage reads a table that the source is, which the stages before it only filter: its header is the first records of the
    /// source. A filter that drops those leaves a table without names, and the next row must not be taken for them.
    pub(super) fn is_table_of_source(&self, index: usize) -> bool {
        let Some(stage) = self.stages.get(index) else { return false };
        let only_filters = |before: &Stage| {
            let Traits { header_records, scope, .. } = *before.processor.traits();
            header_records == 0 && scope == Scope::Chunk
        };
        index > 0
            && stage.processor.traits().header_records > 0
            && matches!(stage.framing, Framing::Csv(_))
            && self.framing.has_records()
            && self.stages.iter().take(index).all(only_filters)
    }

    /// Records of a source that the stages up to the one before `end` are opened with: those of the first stage, or those that may not be
    /// dropped.
    fn header_records(&self, end: usize) -> u32 {
        let own = |index: &usize| *index == 0 || self.is_table_of_source(*index);
        let stages = (0..end).filter(own).filter_map(|index| self.stages.get(index));
        stages.map(|stage| stage.processor.traits().header_records).max().unwrap_or(0)
    }

    /// How what is given becomes what the stage at `index` takes.
    pub(super) fn joint(&self, index: usize) -> Joint {
        let before = index.checked_sub(1).and_then(|before| self.joints.get(before));
        before.copied().unwrap_or(Joint::Same)
    }
}

/// Neighbouring stages of a chain.
pub(super) struct Stretch {
    pub(super) line: Arc<Line>,
    pub(super) own: Range<usize>,
    traits: Traits,
}

impl Stretch {
    /// The stages at `own`; nothing where that is nowhere.
    fn new(line: &Arc<Line>, own: Range<usize>) -> Option<Self> {
        let all = || line.stages.iter().take(own.end).map(|stage| stage.processor.traits());
        let last = all().next_back()?;
        let in_order = all().skip(own.start).any(|traits| traits.scope == Scope::Source)
            || own.clone().any(|index| line.joint(index) == Joint::Reframed);
        let traits = Traits {
            kind: last.kind,
            scope: if in_order { Scope::Source } else { Scope::Chunk },
            order: match last.kind {
                Kind::Aggregator => last.order,
                Kind::Transformer => Order::Kept,
            },
            header_records: line.header_records(own.end),
        };
        Some(Self { line: Arc::clone(line), own, traits })
    }

    pub(super) fn own(&self) -> &[Stage] {
        slices::part(&self.line.stages, self.own.clone())
    }

    /// Whether nothing of the first records of a source is left by the stages before the one at `index`. They are run over nothing
    /// else, in instances of their own: what they count and set aside is forgotten, as they do it again with the first chunk.
    pub(super) fn drops_header(&self, index: usize, opening: Opening<'_>) -> Result<bool, Failure> {
        let mut bytes: Option<Held> = None;
        if opening.header.is_empty() || !self.line.is_table_of_source(index) {
            return Ok(false);
        }
        for stage in self.line.stages.iter().take(index) {
            let named = |failure| self.named(stage, failure);
            let mut instance = stage.processor.start().map_err(named)?;
            instance.open(Opening { header: Header::NONE, ..opening }).map_err(named)?;
            let place = Place { index: 0, offset: 0, last: true };
            let mut given = bytes.as_deref().unwrap_or(opening.header);
            bytes = Some(instance.push(place, &mut given).map_err(named)?.output);
            instance.forget();
        }
        Ok(bytes.is_some_and(|bytes| bytes.is_empty()))
    }

    /// A failure, with the name of the stage where there are several.
    pub(super) fn named(&self, stage: &Stage, failure: Failure) -> Failure {
        if self.line.stages.len() == 1 {
            return failure;
        }
        Failure { message: format!("{}: {}", stage.name, failure.message), ..failure }
    }
}

impl Processor for Stretch {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        self.own().first().map(|stage| stage.processor.memory()).unwrap_or_default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(Links::start(self)?))
    }
}
