//! What reading a chunk takes beyond what is charged when it begins: the buffer, which grows for a
//! long record, and the window of a decoder that fills.
//!
//! It is charged as it grows, until the caller that asked for the chunk charges all of it. A chunk
//! and a decoder of the usual size are set aside for each worker before a run begins, and are never
//! refused; more is, where the memory of the whole run is used up.

use std::sync::Arc;

use super::Error;
use crate::settings::limits::DECODER_BYTES;
use crate::stats::{Charge, MemoryBudget};

/// For the reading of one chunk; nothing is charged any more when it is dropped.
pub(super) struct Growth {
    charge: Charge,
    /// What was held when it began.
    before: u64,
    /// What may always be held, also if others use up the budget.
    free: u64,
}

impl Growth {
    /// From `held` bytes on, in a stream of such chunks.
    pub(super) fn from(memory: &Arc<MemoryBudget>, held: u64, chunk_bytes: u64) -> Self {
        let free = DECODER_BYTES.saturating_add(chunk_bytes);
        Self { charge: memory.hold(0), before: held, free }
    }

    /// So much is held now, or is about to be.
    ///
    /// # Errors
    /// When it is more than is set aside, and than all that there is.
    pub(super) fn to(&mut self, held: u64) -> Result<(), Error> {
        let more = held.saturating_sub(self.before);
        match &mut self.charge {
            charge if more <= charge.bytes() => {}
            charge if held <= self.free => charge.set(more),
            charge => charge.grow(more)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_aside_is_never_refused_and_more_is_where_all_is_used_up() {
        let memory = Arc::new(MemoryBudget::new(DECODER_BYTES + 1000));
        let others = memory.hold(500);
        let mut growth = Growth::from(&memory, 100, 50);
        growth.to(DECODER_BYTES + 50).unwrap();
        assert_eq!(memory.peak(), 500 + DECODER_BYTES - 50);
        growth.to(DECODER_BYTES + 600).unwrap();
        let message = growth.to(DECODER_BYTES + 601).unwrap_err().to_string();
        assert!(message.starts_with("reading it takes 1 bytes of memory more"), "{message}");
        drop((growth, others));
        assert!(!memory.is_full());
    }
}
