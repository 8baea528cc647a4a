//! A pool of packers, one per worker, each with its encoder and buffers.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::output::{CannotPack, Packer, Written};
use crate::process::spare;
use crate::settings::Pack;
use crate::stats::{Charge, Held, MemoryBudget};

/// The packers of one job.
pub(super) struct Packing {
    pack: Pack,
    free: Mutex<Vec<(Packer, Charge)>>,
    memory: Arc<MemoryBudget>,
}

impl Packing {
    /// Packers whose encoders and buffers are charged to that budget.
    pub(super) fn new(pack: Pack, memory: &Arc<MemoryBudget>) -> Self {
        Self { pack, free: Mutex::default(), memory: Arc::clone(memory) }
    }

    /// What comes out of a chunk, compressed where that is wanted.
    pub(super) fn pack(&self, plain: Held) -> Result<Held, CannotPack> {
        if self.pack == Pack::None {
            return Ok(plain);
        }
        let mut packed = spare::take();
        self.with(|packer| packer.pack(&plain, &mut packed))?;
        spare::give(plain);
        Ok(Held::within(&self.memory, packed))
    }

    /// The end of a record, compressed where that is wanted.
    pub(super) fn pack_end(&self, end: u8) -> Result<Held, CannotPack> {
        self.pack(Held::within(&self.memory, vec![end]))
    }

    /// What stands at the end of a file.
    pub(super) fn end(&self, written: Written) -> Result<Vec<u8>, CannotPack> {
        let mut packed = Vec::new();
        if self.pack != Pack::None {
            self.with(|packer| packer.end(written, &mut packed))?;
        }
        Ok(packed)
    }

    fn with<T>(
        &self,
        call: impl FnOnce(&mut Packer) -> Result<T, CannotPack>,
    ) -> Result<T, CannotPack> {
        let free = || self.free.lock();
        let packer = free().pop();
        let (mut packer, mut held) = match packer {
            Some(free) => free,
            None => (Packer::new(self.pack)?, self.memory.hold(0)),
        };
        let done = call(&mut packer)?;
        held.set(packer.held_bytes());
        free().push((packer, held));
        Ok(done)
    }
}
