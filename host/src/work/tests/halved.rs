//! A processor that is split, without wasm.

use super::Echo;
use crate::process::{
    Failure, Fill, Instance, Kind, Opening, Order, Place, Processor, Pushed, Scope, Split, Traits,
};

/// An [`Echo`] behind a head that passes on what it is given, and calls `at` with the position of each chunk.
pub(super) struct Halved<'a> {
    head: Head<'a>,
    tail: Echo,
}

struct Head<'a> {
    traits: Traits,
    at: &'a (dyn Fn(u64) + Sync),
}

struct HeadInstance<'a>(&'a Head<'a>);

impl<'a> Halved<'a> {
    pub(super) fn new(at: &'a (dyn Fn(u64) + Sync), order: Order) -> Self {
        let (kind, scope) = (Kind::Transformer, Scope::Chunk);
        let traits = Traits { kind, scope, order: Order::Kept, header_records: 0 };
        Self { head: Head { traits, at }, tail: Echo::new(Scope::Source, order) }
    }
}

impl Processor for Halved<'_> {
    fn traits(&self) -> &Traits {
        self.tail.traits()
    }

    fn split(&self) -> Option<Split<'_>> {
        Some(Split { head: &self.head, tail: &self.tail })
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        self.tail.start()
    }
}

impl Processor for Head<'_> {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(HeadInstance(self)))
    }
}

impl Instance for HeadInstance<'_> {
    fn open(&mut self, _opening: Opening<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn Fill) -> Result<Pushed, Failure> {
        let mut output = vec![0; fill.len()];
        fill.fill(&mut output)?;
        (self.0.at)(place.index);
        Ok(Pushed { output, ..Pushed::default() })
    }

    fn save(&mut self) -> Result<Vec<u8>, Failure> {
        panic!("a transformer has no state")
    }

    fn merge(&mut self, _state: &[u8]) -> Result<(), Failure> {
        panic!("a transformer has no state")
    }

    fn finish(&mut self) -> Result<Vec<u8>, Failure> {
        panic!("a transformer has no result")
    }

    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn spent(&self) -> bool {
        false
    }
}
