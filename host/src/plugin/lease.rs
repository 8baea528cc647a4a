//! The life of a plugin's sandboxes: when a fresh one takes the place of one that was used, and
//! when a chunk is run again.
//!
//! A worker owns one of these, and through it one sandbox at a time: the old one is gone, and its
//! memory with it, before a fresh one is made. (Where each chunk has its own, there is a second one
//! for the states.) A sandbox that has failed is never called again. A chunk that failed in a
//! sandbox which had run others is run once more in a fresh one, in which its resource has seen
//! that chunk only; the failure there is the one reported.

use super::guest::Since;
use super::sandbox::{Sandboxed, closed};
use crate::process::{
    Accumulate, ChunkReader, Failure, Header, Held, Instance, Kind, Opening, Place, Processor,
    Pushed, Reject, Scope,
};
use crate::settings::Isolate;

/// What makes the sandboxes of one plugin, for all workers.
pub(super) trait Sandboxes: Processor {
    /// A fresh sandbox.
    ///
    /// # Errors
    /// When it cannot be made, or refuses its settings.
    fn fresh(&self) -> Result<Box<dyn Sandboxed + '_>, Failure>;

    /// Something is tried once more in a fresh sandbox.
    fn report_retry(&self);
}

/// One plugin for one worker, in whichever sandbox it is at the time.
pub(super) struct SandboxLease<'a> {
    sandboxes: &'a dyn Sandboxes,
    isolate: Isolate,
    /// Nothing where the last one is gone, and no fresh one could be made.
    used: Option<Used<'a>>,
    opened: Option<Opened>,
    /// Where each chunk has a sandbox of its own: the accumulator of the chunks before, in one that
    /// has seen states alone.
    gathered: Option<Box<dyn Sandboxed + 'a>>,
}

/// A sandbox, and what it has seen.
struct Used<'a> {
    instance: Box<dyn Sandboxed + 'a>,
    /// Chunks and states that it was handed before the open resource.
    before: u64,
    /// Chunks and states that the open resource was handed.
    within: u64,
    /// Whether the open resource was handed a chunk.
    holds_chunk: bool,
}

/// What a resource is open for.
struct Opened {
    name: String,
    header: Header,
}

impl Opened {
    fn opening(&self) -> Opening<'_> {
        Opening { name: &self.name, header: &self.header }
    }
}

impl<'a> Used<'a> {
    fn fresh(sandboxes: &'a dyn Sandboxes) -> Result<Self, Failure> {
        Ok(Self { instance: sandboxes.fresh()?, before: 0, within: 0, holds_chunk: false })
    }

    /// What it was handed is of the past: another resource is opened.
    fn turn(&mut self) {
        self.before += std::mem::take(&mut self.within);
        self.holds_chunk = false;
    }

    fn was_used(&self) -> bool {
        self.before + self.within > 0
    }
}

impl<'a> SandboxLease<'a> {
    /// Begins with a fresh sandbox.
    pub(super) fn new(sandboxes: &'a dyn Sandboxes, isolate: Isolate) -> Result<Self, Failure> {
        let used = Some(Used::fresh(sandboxes)?);
        Ok(Self { sandboxes, isolate, used, opened: None, gathered: None })
    }

    fn used(&mut self) -> Result<&mut Used<'a>, Failure> {
        self.used.as_mut().ok_or_else(closed)
    }

    fn was_used(&self) -> bool {
        self.used.as_ref().is_some_and(Used::was_used)
    }

    /// A fresh sandbox takes the place of the one at hand, with the same resource open in it.
    fn renew(&mut self) -> Result<(), Failure> {
        self.used = None;
        self.used = Some(Used::fresh(self.sandboxes)?);
        self.reopen()
    }

    fn reopen(&mut self) -> Result<(), Failure> {
        match (&mut self.used, &self.opened) {
            (Some(used), Some(opened)) => used.instance.open(opened.opening()),
            _ => Ok(()),
        }
    }

    /// Whether each chunk has a resource of its own, whatever is open.
    fn is_by_chunk(&self) -> bool {
        let traits = self.sandboxes.traits();
        traits.kind == Kind::Transformer && traits.scope == Scope::Chunk
    }

    /// Makes way for a chunk that is to have a sandbox of its own.
    fn make_way(&mut self) -> Result<(), Failure> {
        if !self.was_used() {
            return Ok(());
        }
        if self.sandboxes.traits().kind == Kind::Aggregator {
            self.gather()?;
            self.gathered = self.used.take().map(|used| used.instance);
        }
        self.renew()
    }

    /// Leaves the accumulator of all chunks so far in a sandbox that has seen states alone.
    fn gather(&mut self) -> Result<(), Failure> {
        let Some(used) = self.used.as_mut().filter(|used| used.holds_chunk) else {
            return Ok(());
        };
        let state = used.instance.accumulator()?.save()?;
        match self.gathered.take() {
            Some(instance) => used.instance = instance,
            None => self.renew()?,
        }
        let used = self.used()?;
        (used.before, used.within, used.holds_chunk) = (0, 1, false);
        used.instance.accumulator()?.merge(&state)
    }

    /// Gathers where chunks before this one have been gathered.
    fn complete(&mut self) -> Result<(), Failure> {
        if self.gathered.is_some() { self.gather() } else { Ok(()) }
    }

    /// Runs a chunk again that has failed, where that may help: all that the resource has seen is
    /// this chunk, and the sandbox had seen others.
    fn push_again(
        &mut self,
        failure: Failure,
        place: Place,
        fill: &mut dyn ChunkReader,
    ) -> Result<Pushed, Failure> {
        let used = self.used()?;
        if !failure.kind.may_be_of_the_past() || used.before == 0 {
            return Err(failure);
        }
        if used.within > 0 {
            return Err(Failure { past: true, ..failure });
        }
        used.instance.sandbox().forget(Since::Chunk);
        self.report_failure(&failure);
        self.renew()?;
        self.used()?.instance.push(place, fill)
    }

    fn report_failure(&self, failure: &Failure) {
        self.sandboxes.report_retry();
        tracing::info!("{failure}: tried once more in a fresh sandbox");
    }
}

impl Instance for SandboxLease<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        self.used()?.turn();
        self.gathered = None;
        let Opening { name, header } = opening;
        self.opened = Some(Opened { name: name.to_string(), header: header.clone() });
        if self.isolate != Isolate::Job && self.was_used() {
            return self.renew();
        }
        let used = self.used()?;
        match used.instance.open(opening) {
            Err(failure) if failure.kind.may_be_of_the_past() && used.before > 0 => {
                self.report_failure(&failure);
                self.renew()
            }
            opened => opened,
        }
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        if self.isolate == Isolate::Chunk {
            self.make_way()?;
        }
        let pushed = match self.used()?.instance.push(place, fill) {
            Ok(pushed) => pushed,
            Err(failure) => self.push_again(failure, place, fill)?,
        };
        let is_by_chunk = self.is_by_chunk();
        let used = self.used()?;
        used.within += 1;
        used.holds_chunk = true;
        if is_by_chunk {
            used.turn();
        }
        Ok(pushed)
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        self.used.as_mut().map(|used| used.instance.take_rejects()).unwrap_or_default()
    }

    fn forget(&mut self) {
        if let Some(used) = &mut self.used {
            used.instance.sandbox().forget(Since::Source);
        }
    }

    fn forget_chunk(&mut self) {
        if let Some(used) = &mut self.used {
            used.instance.sandbox().forget(Since::Chunk);
        }
    }

    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        self.used()?.instance.accumulator()?;
        Ok(self)
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.gathered = None;
        self.used()?.instance.close()
    }

    fn spent(&self) -> bool {
        match self.isolate {
            Isolate::Job => self.used.as_ref().is_some_and(|used| used.instance.spent()),
            Isolate::Source | Isolate::Chunk => self.was_used(),
        }
    }
}

impl Accumulate for SandboxLease<'_> {
    fn save(&mut self) -> Result<Held, Failure> {
        self.complete()?;
        self.used()?.instance.accumulator()?.save()
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Failure> {
        if self.isolate == Isolate::Chunk {
            self.gather()?;
        }
        let used = self.used()?;
        used.within += 1;
        used.instance.accumulator()?.merge(state)
    }

    fn finish(&mut self) -> Result<Held, Failure> {
        self.complete()?;
        self.used()?.instance.accumulator()?.finish()
    }
}
