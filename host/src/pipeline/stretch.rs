//! The stages of a chain, and neighbouring ones of them: what each takes and gives, and what they
//! are to the scheduler. Runs nothing over a source: `links.rs` does.

use std::ops::Range;
use std::sync::Arc;

use crate::input::Framing;
use crate::process::{
    Failure, Header, Held, Kind, Opening, Order, Place, Processor, Scope, Traits,
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
    pub(super) fn between(before: &Stage, next: &Stage) -> Self {
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

/// All of a chain.
pub(super) struct Line {
    pub(super) stages: Vec<Stage>,
    /// Between each and the next.
    pub(super) joints: Vec<Joint>,
    /// Where a source is cut.
    pub(super) framing: Framing,
    pub(super) record_bytes_max: u64,
}

impl Line {
    /// Where a stage reads a table that the source is, which the stages before it only filter: its
    /// header is the first records of the source. A filter that drops those leaves a table without
    /// names, and the next row must not be taken for them.
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

    /// Records of a source that the stages up to the one before `end` are opened with: those of the
    /// first stage, or those that may not be dropped.
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
pub(super) struct StageRange {
    pub(super) line: Arc<Line>,
    pub(super) own: Range<usize>,
    pub(super) traits: Traits,
}

impl StageRange {
    /// The stages at `own`; nothing where that is nowhere.
    pub(super) fn new(line: &Arc<Line>, own: Range<usize>) -> Option<Self> {
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

    /// Whether nothing of the first records of a source is left by the stages before the one at
    /// `index`. They are run over nothing else, in instances of their own: what they count and set
    /// aside is forgotten, as they do it again with the first chunk.
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
