//! Something that happens inside the call that hands over a chunk, before the chunk is read.

use std::sync::Arc;

use gristmill::process::{
    Accumulate, ChunkReader, Failure, Instance, MemoryBudget, Opening, Place, Processor, Pushed,
    Traits,
};

/// A processor that lets something happen right before the chunk `at` of the source `victim` is
/// pushed.
pub(crate) struct Meddled<'a> {
    pub(crate) inner: &'a dyn Processor,
    pub(crate) victim: &'a str,
    pub(crate) at: u64,
    pub(crate) meddle: &'a (dyn Fn() + Sync),
}

struct MeddledInstance<'a> {
    inner: Box<dyn Instance + 'a>,
    meddled: &'a Meddled<'a>,
    is_victim: bool,
}

impl Processor for Meddled<'_> {
    fn traits(&self) -> &Traits {
        self.inner.traits()
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        self.inner.memory()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        let inner = self.inner.start()?;
        Ok(Box::new(MeddledInstance { inner, meddled: self, is_victim: false }))
    }
}

impl Instance for MeddledInstance<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        self.is_victim = opening.name.ends_with(self.meddled.victim);
        self.inner.open(opening)
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        if self.is_victim && place.index == self.meddled.at {
            (self.meddled.meddle)();
        }
        self.inner.push(place, fill)
    }

    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        self.inner.accumulator()
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.inner.close()
    }

    fn spent(&self) -> bool {
        self.inner.spent()
    }
}
