//! A chain: what comes out of one plugin goes into the next at once, on the same worker, while it is hot.
//!
//! The source is cut where every stage can be cut. What a stage gives for a chunk of whole records is taken as whole records by
//! the next one. Where one stage has to see a source in order, so do those behind it: they are the tail of the chain, and what is
//! before them the head, which runs over chunks in parallel where several workers are.

use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use crate::input::Framing;
use crate::process::{
    Failure, FailureKind, Fill, Instance, Kind, Opening, Order, Place, Processor, Pushed, Reject,
    Scope, Split, Traits, spare,
};

/// One plugin of a chain.
pub struct Stage {
    /// What it is called in messages.
    pub name: String,
    /// The plugin.
    pub processor: Box<dyn Processor + Send>,
    /// Where what it takes may be cut.
    pub framing: Framing,
}

impl Stage {
    /// As many of the first records of what it takes as it asks for.
    fn header<'b>(&self, first: &'b [u8]) -> &'b [u8] {
        self.framing.first_records(first, self.processor.traits().header_records)
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
    /// The stages before the first that has to see a source in order, and those from it on.
    split: Option<(Stretch, Stretch)>,
    framing: Framing,
}

impl Chain {
    /// A chain of `stages`, the first of which takes the source.
    ///
    /// # Errors
    /// When there are none, or one that is not the last is an aggregator.
    pub fn new(stages: Vec<Stage>) -> Result<Self, ChainError> {
        for (stage, next) in stages.iter().zip(stages.iter().skip(1)) {
            if stage.processor.traits().kind == Kind::Aggregator {
                return Err(ChainError::AggregatorNotLast(stage.name.clone(), next.name.clone()));
            }
        }
        let framing = stages.iter().skip(1).fold(
            stages.first().map_or(Framing::Bytes, |first| first.framing),
            // What a stage gives is for the next one to take as whole records, unless the source can be cut for both.
            |framing, stage| if framing.is_cut_by(stage.framing) { stage.framing } else { framing },
        );
        let count = stages.len();
        let in_order = |stage: &Stage| stage.processor.traits().scope == Scope::Source;
        let at = stages.iter().position(in_order).filter(|at| *at > 0);
        let stages = Arc::from(stages);
        let stretch = |own| Stretch::new(&stages, own).ok_or(ChainError::Empty);
        let split = at.map(|at| Ok((stretch(0..at)?, stretch(at..count)?))).transpose()?;
        Ok(Self { all: stretch(0..count)?, split, framing })
    }

    /// Where a source is cut for it.
    pub fn framing(&self) -> Framing {
        self.framing
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

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        self.all.start()
    }
}

/// Neighbouring stages of a chain.
struct Stretch {
    /// All of the chain.
    stages: Arc<[Stage]>,
    own: Range<usize>,
    traits: Traits,
}

impl Stretch {
    /// The stages at `own`; nothing where that is nowhere.
    fn new(stages: &Arc<[Stage]>, own: Range<usize>) -> Option<Self> {
        let all = || stages.iter().take(own.end).map(|stage| stage.processor.traits());
        let last = all().next_back()?;
        let in_order = all().skip(own.start).any(|traits| traits.scope == Scope::Source);
        let traits = Traits {
            kind: last.kind,
            scope: if in_order { Scope::Source } else { Scope::Chunk },
            order: match last.kind {
                Kind::Aggregator => last.order,
                Kind::Transformer => Order::Kept,
            },
            // Those before it make its header of that of the source.
            header_records: all().map(|traits| traits.header_records).max().unwrap_or(0),
        };
        Some(Self { stages: Arc::clone(stages), own, traits })
    }

    fn own(&self) -> &[Stage] {
        self.stages.get(self.own.clone()).unwrap_or_default()
    }

    /// What the stages before the one at `index` of the chain make of the first records of a source. They are run over nothing
    /// else, in instances of their own: what they count and set aside, they do again with the first chunk.
    fn header_at(&self, index: usize, opening: Opening<'_>) -> Result<Vec<u8>, Failure> {
        let mut bytes = opening.header.to_vec();
        for stage in self.stages.iter().take(index) {
            let named = |failure| self.named(stage, failure);
            let header = stage.header(&bytes);
            let mut instance = stage.processor.start().map_err(named)?;
            instance.open(Opening { name: opening.name, header }).map_err(named)?;
            let place = Place { index: 0, offset: 0, last: true };
            bytes = instance.push(place, &mut &bytes[..]).map_err(named)?.output;
        }
        Ok(bytes)
    }

    /// A failure, with the name of the stage where there are several.
    fn named(&self, stage: &Stage, failure: Failure) -> Failure {
        if self.stages.len() == 1 {
            return failure;
        }
        Failure { message: format!("{}: {}", stage.name, failure.message), ..failure }
    }

    fn named_reject(&self, stage: &Stage, reject: Reject) -> Reject {
        if self.stages.len() == 1 {
            return reject;
        }
        Reject { reason: format!("{}: {}", stage.name, reject.reason), ..reject }
    }
}

impl Processor for Stretch {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        let instances: Result<Vec<_>, _> = self
            .own()
            .iter()
            .map(|stage| stage.processor.start().map_err(|failure| self.named(stage, failure)))
            .collect();
        Ok(Box::new(Links { stretch: self, instances: instances?, rejects: Vec::new() }))
    }
}

/// The instances of neighbouring stages.
struct Links<'a> {
    stretch: &'a Stretch,
    instances: Vec<Box<dyn Instance + 'a>>,
    rejects: Vec<Reject>,
}

impl<'a> Links<'a> {
    /// Calls the last stage.
    fn last<T>(
        &mut self,
        call: impl FnOnce(&mut (dyn Instance + 'a)) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some((stage, last)) = self.stretch.own().last().zip(self.instances.last_mut()) else {
            return Err(Failure::new(FailureKind::Start, "a chain of no plugins"));
        };
        call(&mut **last).map_err(|failure| self.stretch.named(stage, failure))
    }
}

impl Instance for Links<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        let stretch = self.stretch;
        let indexed = (stretch.own.start..).zip(stretch.own());
        for ((index, stage), instance) in indexed.zip(&mut self.instances) {
            let made = match (stage.processor.traits().header_records, index) {
                (0, _) => Vec::new(),
                (_, 0) => opening.header.to_vec(),
                _ => stretch.header_at(index, opening)?,
            };
            let opened = instance.open(Opening { name: opening.name, header: stage.header(&made) });
            opened.map_err(|failure| stretch.named(stage, failure))?;
        }
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn Fill) -> Result<Pushed, Failure> {
        let mut pushed: Option<Pushed> = None;
        for (stage, instance) in self.stretch.own().iter().zip(&mut self.instances) {
            let next = match &pushed {
                None => instance.push(place, fill),
                Some(before) => instance.push(place, &mut &before.output[..]),
            };
            let next = next.map_err(|failure| self.stretch.named(stage, failure))?;
            let set_aside = instance.take_rejects().into_iter();
            self.rejects.extend(set_aside.map(|reject| self.stretch.named_reject(stage, reject)));
            let filling = pushed.map_or(next.filling, |before| {
                spare::give(before.output);
                before.filling
            });
            pushed = Some(Pushed { filling, output: next.output });
        }
        Ok(pushed.unwrap_or_default())
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }

    fn save(&mut self) -> Result<Vec<u8>, Failure> {
        self.last(Instance::save)
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Failure> {
        self.last(|last| last.merge(state))
    }

    fn finish(&mut self) -> Result<Vec<u8>, Failure> {
        let result = self.last(Instance::finish)?;
        self.close()?;
        Ok(result)
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.instances.iter_mut().try_for_each(|instance| instance.close())
    }

    fn spent(&self) -> bool {
        self.instances.iter().any(|instance| instance.spent())
    }
}
