//! What the host keeps for one guest: its limits, what it has used of them, and what it asks of the
//! host while it runs.

mod call;
mod memory;
mod talk;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub(super) use call::Stopped;
use memory::Memory;
pub(super) use talk::link;
use thiserror::Error;
use wasmtime::ResourceLimiter;

use super::budget::Budget;
use super::options::{Options, Rejects};
use crate::process::{LogSink, Reject};
use crate::settings::Sandbox;
use crate::settings::limits::{
    CORE_INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_CEILING, TABLE_ELEMENTS_TOTAL, TABLES_MAX,
};
use crate::stats::{Full, MemoryBudget, Stats};

/// The host's side of one instance; counted into `stats` when it is dropped.
pub(super) struct Guest {
    plugin: Arc<str>,
    pub(super) limits: Sandbox,
    budget: Arc<Budget>,
    stats: Arc<Stats>,
    stop: Arc<AtomicBool>,
    log: Option<Arc<dyn LogSink>>,
    pub(super) memory: Memory,
    /// Elements of all its tables.
    table_elements: usize,
    /// What it asked for and did not get in the call at hand.
    pub(super) refused: Option<Refused>,
    /// The last line that it logged as an error: what it says of itself before it crashes.
    pub(super) last_error: Option<String>,
    /// Time that the call at hand may take.
    pub(super) allowed: Duration,
    /// Bytes that the call at hand may return.
    pub(super) output_bytes_max: usize,
    /// Bytes of records that it may set aside in the call at hand.
    rejects_bytes_max: usize,
    logged_bytes: usize,
    is_told_of_lines: bool,
    counters: Vec<(String, u64)>,
    rejected: u64,
    rejects: Rejects,
    /// Those that nobody has taken yet, and their bytes.
    kept: Vec<Reject>,
    kept_bytes: usize,
    /// Where the chunk at hand begins in its source.
    chunk_offset: u64,
    at_source: Counted,
    at_chunk: Counted,
}

/// A size that a guest asked for, beyond what it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Bytes of memory.
    Memory(usize),
    /// Memory, of which all that the run or its host has is in use.
    Total(Full),
    /// Elements of a table.
    Table(usize),
    /// Elements of all tables together.
    Tables(usize),
}

/// What a guest had counted at some moment.
#[derive(Debug, Default)]
struct Counted {
    counters: Vec<u64>,
    rejected: u64,
}

/// What a guest has done since then is done again in another sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// The open resource.
    Source,
    /// The chunk at hand.
    Chunk,
}

/// A guest has set aside more than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum TooManyRejects {
    /// In one call.
    #[error("{bytes} bytes of rejects, more than {max}")]
    Bytes { bytes: usize, max: usize },
    /// In the whole job.
    #[error("more than {max} rejects")]
    Records { max: u64 },
    /// In the whole run, or its host.
    #[error(transparent)]
    Total(Full),
}

impl Guest {
    pub(super) fn new(plugin: Arc<str>, options: &Options) -> Self {
        let Options { sandbox, budget, stats, stop, log, rejects, .. } = options;
        Self {
            plugin,
            limits: *sandbox,
            budget: Arc::clone(budget),
            stats: Arc::clone(stats),
            stop: Arc::clone(stop),
            log: log.clone(),
            memory: Memory::new(stats),
            table_elements: 0,
            refused: None,
            last_error: None,
            allowed: Duration::ZERO,
            output_bytes_max: sandbox.output_bytes,
            rejects_bytes_max: sandbox.output_bytes,
            logged_bytes: 0,
            is_told_of_lines: false,
            counters: Vec::new(),
            rejected: 0,
            rejects: *rejects,
            kept: Vec::new(),
            kept_bytes: 0,
            chunk_offset: 0,
            at_source: Counted::default(),
            at_chunk: Counted::default(),
        }
    }

    /// What is held because of it is charged to that.
    pub(super) fn budget_of_memory(&self) -> &Arc<MemoryBudget> {
        self.stats.memory()
    }

    /// Gives the next source its share of the log.
    pub(super) fn begin_source(&mut self) {
        self.logged_bytes = 0;
        self.is_told_of_lines = false;
        self.at_source = self.counted();
    }

    /// Says which chunk the next call is about.
    pub(super) fn begin_chunk(&mut self, offset: u64) {
        self.chunk_offset = offset;
        self.at_chunk = self.counted();
    }

    fn counted(&self) -> Counted {
        let counters = self.counters.iter().map(|(_, value)| *value).collect();
        Counted { counters, rejected: self.rejected }
    }

    /// Counts nothing of what it has done since then.
    pub(super) fn forget(&mut self, since: Since) {
        let before = match since {
            Since::Source => &self.at_source,
            Since::Chunk => &self.at_chunk,
        };
        self.counters.truncate(before.counters.len());
        for ((_, value), before) in self.counters.iter_mut().zip(&before.counters) {
            *value = *before;
        }
        if self.rejects == Rejects::Keep {
            self.budget.forget_rejects(self.rejected - before.rejected);
        }
        self.rejected = before.rejected;
        self.kept.clear();
        self.kept_bytes = 0;
    }

    /// The records that were set aside, where they are kept.
    pub(super) fn take_rejects(&mut self) -> Vec<Reject> {
        self.kept_bytes = 0;
        std::mem::take(&mut self.kept)
    }

    /// Elements of all its tables together: a table that may be larger is allowed to be the only
    /// one.
    pub(super) fn table_elements_total_max(&self) -> usize {
        self.limits.table_elements.max(TABLE_ELEMENTS_TOTAL)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.stats.add_rejected(self.rejected);
        for (name, value) in &self.counters {
            self.stats.add_counter(name, *value);
        }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The engine asks before it looks whether the memory itself may be so large.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let more = desired.saturating_sub(current);
        let grown = self.memory.grow(more, self.limits.memory_bytes);
        self.refused = grown.err().or(self.refused);
        Ok(grown.is_ok())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Its own, unless it is all that a place for a table has, which is more than is allowed.
        let own = maximum.filter(|&maximum| maximum < TABLE_ELEMENTS_CEILING);
        if own.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        let refused = match () {
            () if desired > self.limits.table_elements => Some(Refused::Table(desired)),
            () if total > self.table_elements_total_max() => Some(Refused::Tables(total)),
            () => self.memory.set_tables(total).err(),
        };
        if refused.is_none() {
            self.table_elements = total;
        } else {
            self.refused = refused;
        }
        Ok(refused.is_none())
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::talk::Record;
    use super::*;

    fn guest(limits: Sandbox) -> Guest {
        let options = Options { sandbox: limits, rejects: Rejects::Keep, ..Options::default() };
        Guest::new("test".into(), &options)
    }

    #[test]
    fn memory_is_limited_over_all_memories_together() {
        let mut guest = guest(Sandbox { memory_bytes: 100, ..Sandbox::default() });
        assert!(guest.memory_growing(0, 60, None).unwrap());
        assert!(!guest.memory_growing(0, 60, None).unwrap());
        assert_eq!(guest.refused, Some(Refused::Memory(120)));
        assert!(guest.memory_growing(60, 100, None).unwrap());
    }

    #[test]
    fn what_a_memory_or_table_itself_cannot_be_counts_for_nothing() {
        let mut guest = guest(Sandbox::default());
        assert!(!guest.memory_growing(0, 60, Some(50)).unwrap());
        assert!(!guest.table_growing(0, 60, Some(50)).unwrap());
        assert_eq!((guest.memory.bytes, guest.table_elements), (0, 0));
        assert_eq!(guest.refused, None);
    }

    #[test]
    fn tables_are_limited_together() {
        let most = Sandbox::default().table_elements;
        let mut guest = guest(Sandbox::default());
        assert!(!guest.table_growing(0, most + 1, None).unwrap());
        assert_eq!(guest.refused, Some(Refused::Table(most + 1)));
        for _ in 0..TABLE_ELEMENTS_TOTAL / most {
            assert!(guest.table_growing(0, most, None).unwrap());
        }
        assert!(!guest.table_growing(0, 1, None).unwrap());
        assert_eq!(guest.refused, Some(Refused::Tables(TABLE_ELEMENTS_TOTAL + 1)));
    }

    #[test]
    fn one_table_may_be_as_large_as_the_user_says_but_all_together_no_larger() {
        let table_elements = 2 * TABLE_ELEMENTS_TOTAL;
        let mut guest = guest(Sandbox { table_elements, ..Sandbox::default() });
        assert!(guest.table_growing(0, table_elements, None).unwrap());
        assert!(!guest.table_growing(0, 1, None).unwrap());
    }

    #[test]
    fn what_is_done_again_is_not_counted_twice() {
        let mut guest = guest(Sandbox::default());
        guest.count("a", 1);
        guest.begin_source();
        guest.count("a", 2);
        guest.reject(Record::default()).unwrap();
        guest.begin_chunk(0);
        guest.count("a", 4);
        guest.count("b", 1);
        guest.reject(Record::default()).unwrap();
        guest.forget(Since::Chunk);
        assert_eq!((&guest.counters[..], guest.rejected), (&[("a".to_string(), 3)][..], 1));
        guest.forget(Since::Source);
        assert_eq!((&guest.counters[..], guest.rejected), (&[("a".to_string(), 1)][..], 0));
        assert_eq!(guest.budget.reject(), 1);
    }
}
