//! A chain: what comes out of one plugin goes into the next at once, on the same worker, while it is hot.
//!
//! The source is cut where every stage can be cut. What a stage gives for a chunk of whole records is taken as whole records by
//! the next one. Where one stage has to see a source in order, the whole chain does.

use thiserror::Error;

use crate::input::Framing;
use crate::process::{
    Failure, FailureKind, Fill, Instance, Kind, Opening, Order, Place, Processor, Pushed, Reject,
    Scope, Traits, spare,
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
    stages: Vec<Stage>,
    traits: Traits,
    framing: Framing,
}

impl Chain {
    /// A chain of `stages`, the first of which takes the source.
    ///
    /// # Errors
    /// When there are none, or one that is not the last is an aggregator.
    pub fn new(stages: Vec<Stage>) -> Result<Self, ChainError> {
        let Some(last) = stages.last() else { return Err(ChainError::Empty) };
        for (stage, next) in stages.iter().zip(stages.iter().skip(1)) {
            if stage.processor.traits().kind == Kind::Aggregator {
                return Err(ChainError::AggregatorNotLast(stage.name.clone(), next.name.clone()));
            }
        }
        let all = || stages.iter().map(|stage| stage.processor.traits());
        let kind = last.processor.traits().kind;
        let in_order = all().any(|traits| traits.scope == Scope::Source);
        let traits = Traits {
            kind,
            scope: if in_order { Scope::Source } else { Scope::Chunk },
            order: match kind {
                Kind::Aggregator => last.processor.traits().order,
                Kind::Transformer => Order::Kept,
            },
            header_records: all().map(|traits| traits.header_records).max().unwrap_or(0),
        };
        let framing = stages.iter().skip(1).fold(
            stages.first().map_or(Framing::Bytes, |first| first.framing),
            // What a stage gives is for the next one to take as whole records, unless the source can be cut for both.
            |framing, stage| if framing.is_cut_by(stage.framing) { stage.framing } else { framing },
        );
        Ok(Self { stages, traits, framing })
    }

    /// Where a source is cut for it.
    pub fn framing(&self) -> Framing {
        self.framing
    }
}

impl Processor for Chain {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        let instances: Result<Vec<_>, _> = self
            .stages
            .iter()
            .map(|stage| stage.processor.start().map_err(|failure| self.named(stage, failure)))
            .collect();
        Ok(Box::new(Links { chain: self, instances: instances?, rejects: Vec::new() }))
    }
}

impl Chain {
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

/// The instances of a chain.
struct Links<'a> {
    chain: &'a Chain,
    instances: Vec<Box<dyn Instance + 'a>>,
    rejects: Vec<Reject>,
}

impl<'a> Links<'a> {
    /// Calls the last stage.
    fn last<T>(
        &mut self,
        call: impl FnOnce(&mut (dyn Instance + 'a)) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some((stage, last)) = self.chain.stages.last().zip(self.instances.last_mut()) else {
            return Err(Failure::new(FailureKind::Start, "a chain of no plugins"));
        };
        call(&mut **last).map_err(|failure| self.chain.named(stage, failure))
    }

    /// What the stages before the one at `index` make of the first records of a source. They are run over nothing else, in
    /// instances of their own: what they count and set aside, they do again with the first chunk.
    fn header_at(&self, index: usize, opening: Opening<'_>) -> Result<Vec<u8>, Failure> {
        let mut bytes = opening.header.to_vec();
        for stage in self.chain.stages.iter().take(index) {
            let named = |failure| self.chain.named(stage, failure);
            let mut instance = stage.processor.start().map_err(named)?;
            instance.open(opening).map_err(named)?;
            let place = Place { index: 0, offset: 0, last: true };
            bytes = instance.push(place, &mut &bytes[..]).map_err(named)?.output;
        }
        Ok(bytes)
    }
}

impl Instance for Links<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        for (index, stage) in self.chain.stages.iter().enumerate() {
            let records = stage.processor.traits().header_records;
            let header = match (records, index) {
                (0, _) => Vec::new(),
                (_, 0) => opening.header.to_vec(),
                _ => self.header_at(index, opening)?,
            };
            let header = stage.framing.first_records(&header, records);
            if let Some(instance) = self.instances.get_mut(index) {
                let opened = instance.open(Opening { name: opening.name, header });
                opened.map_err(|failure| self.chain.named(stage, failure))?;
            }
        }
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn Fill) -> Result<Pushed, Failure> {
        let mut pushed: Option<Pushed> = None;
        for (stage, instance) in self.chain.stages.iter().zip(&mut self.instances) {
            let next = match &pushed {
                None => instance.push(place, fill),
                Some(before) => instance.push(place, &mut &before.output[..]),
            };
            let next = next.map_err(|failure| self.chain.named(stage, failure))?;
            let set_aside = instance.take_rejects().into_iter();
            self.rejects.extend(set_aside.map(|reject| self.chain.named_reject(stage, reject)));
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
