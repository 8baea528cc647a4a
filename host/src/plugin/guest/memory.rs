//! The memories of one guest: how large they are together, and what that is charged to.

use super::Refused;
use crate::stats::{Charge, Stats};

/// What the engine keeps for an element of a table: a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// What a guest's memories take.
pub(in crate::plugin) struct Memory {
    /// Bytes of all memories of the instance.
    pub(in crate::plugin) bytes: usize,
    /// Bytes of all its tables.
    table_bytes: usize,
    charge: Charge,
}

impl Memory {
    /// None yet; what comes is charged to the memory of these counters.
    pub(super) fn new(stats: &Stats) -> Self {
        Self { bytes: 0, table_bytes: 0, charge: stats.memory().hold(0) }
    }

    /// One of them grows by so many bytes.
    ///
    /// # Errors
    /// When it would be more than `bytes_max`, or than all that the run or its host has.
    pub(super) fn grow(&mut self, more: usize, bytes_max: usize) -> Result<(), Refused> {
        let total = self.bytes.saturating_add(more);
        if total > bytes_max {
            return Err(Refused::Memory(total));
        }
        let all = total.saturating_add(self.table_bytes);
        self.charge.grow(all as u64).map_err(Refused::Total)?;
        self.bytes = total;
        Ok(())
    }

    /// Its tables have so many elements now, which are not fewer than before.
    ///
    /// # Errors
    /// When that is more than all that the run or its host has.
    pub(super) fn set_tables(&mut self, elements: usize) -> Result<(), Refused> {
        let table_bytes = elements.saturating_mul(TABLE_ELEMENT_BYTES);
        let all = self.bytes.saturating_add(table_bytes);
        self.charge.grow(all as u64).map_err(Refused::Total)?;
        self.table_bytes = table_bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::stats::{Full, MemoryBudget};

    #[test]
    fn tables_are_charged_beside_memories() {
        let stats = Stats::within(Arc::new(MemoryBudget::new(150)));
        let mut guest = Memory::new(&stats);
        assert_eq!((guest.grow(50, 100), guest.set_tables(10)), (Ok(()), Ok(())));
        let full = Full { bytes: 24, charged: 130, bytes_max: 150 };
        assert_eq!(guest.set_tables(13), Err(Refused::Total(full)));
        assert_eq!(guest.grow(20, 100), Ok(()));
        drop(guest);
        assert_eq!((stats.memory().is_full(), stats.memory().peak()), (false, 150));
    }

    #[test]
    fn memory_of_all_guests_is_limited_by_the_budget_that_they_share() {
        let stats = Stats::within(Arc::new(MemoryBudget::new(150)));
        let (mut one, mut other) = (Memory::new(&stats), Memory::new(&stats));
        assert_eq!(one.grow(100, 100), Ok(()));
        assert_eq!(one.grow(1, 100), Err(Refused::Memory(101)));
        let full = Full { bytes: 60, charged: 100, bytes_max: 150 };
        assert_eq!(other.grow(60, 100), Err(Refused::Total(full)));
        drop(one);
        assert_eq!(other.grow(60, 100), Ok(()));
        assert_eq!((other.bytes, stats.memory().peak()), (60, 100));
    }
}
