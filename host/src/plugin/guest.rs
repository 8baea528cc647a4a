//! What the host keeps for one guest: its limits, and what it asks of the host while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use thiserror::Error;
use wasmtime::component::Linker;
use wasmtime::{ResourceLimiter, StoreContextMut, UpdateDeadline};

use super::contract::{self, Flaw, Level};
use super::load::Rejects;
use crate::process::Reject;
use crate::settings::limits::{
    CORE_INSTANCES_MAX, COUNTER_NAME_BYTES_MAX, COUNTERS_MAX, EPOCH_TICK, LOG_BYTES_MAX,
    LOG_LINE_BYTES_MAX, MEMORIES_MAX, OUTPUT_BYTES, REJECT_BYTES_MAX, TABLE_ELEMENTS_MAX,
    TABLES_MAX,
};
use crate::stats::{Charge, Stats};

/// The host's side of one instance; counted into `stats` when it is dropped.
pub(super) struct Guest {
    plugin: Arc<str>,
    stats: Arc<Stats>,
    stop: Arc<AtomicBool>,
    pub(super) memory_bytes_max: usize,
    /// Bytes of all memories of the instance.
    pub(super) memory_bytes: usize,
    /// How many bytes it would have had, had the last growth been allowed.
    pub(super) refused_bytes: Option<usize>,
    /// What its memories are charged to.
    charge: Charge,
    /// What would have allowed that.
    pub(super) raise: &'static str,
    /// The last line that it logged as an error: what it says of itself before it crashes.
    pub(super) last_error: Option<String>,
    ticks_left: u128,
    logged_bytes: usize,
    counters: Vec<(String, u64)>,
    rejected: u64,
    rejects: Rejects,
    /// Those that nobody has taken yet, and their bytes.
    kept: Vec<Reject>,
    kept_bytes: usize,
    /// Where the chunk at hand begins in its source.
    chunk_offset: u64,
}

/// Why a running guest was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Stopped {
    #[error("the run was cancelled")]
    Cancelled,
    #[error("time is up")]
    Timeout,
}

/// A guest has set aside more in one call than it may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too many rejects")]
pub(super) struct TooManyRejects;

impl Guest {
    pub(super) fn new(
        plugin: Arc<str>,
        memory_bytes_max: usize,
        stats: Arc<Stats>,
        stop: Arc<AtomicBool>,
        rejects: Rejects,
    ) -> Self {
        Self {
            charge: stats.budget().hold(0),
            raise: "raise --memory",
            plugin,
            stats,
            stop,
            memory_bytes_max,
            memory_bytes: 0,
            refused_bytes: None,
            last_error: None,
            ticks_left: 0,
            logged_bytes: 0,
            counters: Vec::new(),
            rejected: 0,
            rejects,
            kept: Vec::new(),
            kept_bytes: 0,
            chunk_offset: 0,
        }
    }

    /// Gives the next source its share of the log.
    pub(super) fn begin_source(&mut self) {
        self.logged_bytes = 0;
    }

    /// Says which chunk the next call is about.
    pub(super) fn begin_chunk(&mut self, offset: u64) {
        self.chunk_offset = offset;
    }

    /// The records that were set aside, where they are kept.
    pub(super) fn take_rejects(&mut self) -> Vec<Reject> {
        self.kept_bytes = 0;
        std::mem::take(&mut self.kept)
    }

    /// Gives the next call its time.
    pub(super) fn begin_call(&mut self, timeout: Duration) {
        self.ticks_left = timeout.as_nanos().div_ceil(EPOCH_TICK.as_nanos());
        self.refused_bytes = None;
        self.last_error = None;
    }

    /// Called at every tick while the guest runs.
    pub(super) fn tick(&mut self) -> Result<UpdateDeadline, Stopped> {
        if self.stop.load(Ordering::Acquire) {
            return Err(Stopped::Cancelled);
        }
        match self.ticks_left.checked_sub(1) {
            Some(left) => {
                self.ticks_left = left;
                Ok(UpdateDeadline::Continue(1))
            }
            None => Err(Stopped::Timeout),
        }
    }

    fn log(&mut self, level: Level, message: &str) {
        let line = clean(message);
        if level == Level::Error {
            self.last_error = Some(line.clone());
        }
        let before = self.logged_bytes;
        self.logged_bytes = before.saturating_add(line.len());
        if before > LOG_BYTES_MAX {
            return;
        }
        self.print(level, &line);
        if self.logged_bytes > LOG_BYTES_MAX {
            self.print(Level::Warn, "logs too much: the rest is not shown");
        }
    }

    fn print(&self, level: Level, line: &str) {
        let plugin = &*self.plugin;
        match level {
            Level::Debug => tracing::debug!("{plugin}: {line}"),
            Level::Info => tracing::info!("{plugin}: {line}"),
            Level::Warn => tracing::warn!("{plugin}: {line}"),
            Level::Error => tracing::error!("{plugin}: {line}"),
        }
    }

    fn count(&mut self, name: &str, by: u64) {
        if let Some((_, value)) = self.counters.iter_mut().find(|(known, _)| known == name) {
            *value = value.saturating_add(by);
        } else if is_counter_name(name) && self.counters.len() < COUNTERS_MAX {
            self.counters.push((name.to_string(), by));
        } else {
            self.log(Level::Warn, &format!("counter `{name}` is not counted: {COUNTER_RULE}"));
        }
    }

    fn reject(&mut self, flaw: Flaw, mut data: Vec<u8>) -> Result<(), TooManyRejects> {
        self.rejected += 1;
        let Flaw { offset, reason } = flaw;
        if self.rejects == Rejects::Count {
            let line = format!("rejects a record at byte {offset} of its chunk: {reason}");
            self.log(Level::Warn, &line);
            return Ok(());
        }
        let bytes = data.len() as u64;
        data.truncate(REJECT_BYTES_MAX);
        let reason = clean(&reason);
        self.kept_bytes += data.len() + reason.len() + size_of::<Reject>();
        if self.kept_bytes > OUTPUT_BYTES {
            return Err(TooManyRejects);
        }
        let offset = self.chunk_offset.saturating_add(offset);
        self.kept.push(Reject { offset, reason, data, bytes });
        Ok(())
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

const COUNTER_RULE: &str = "a plugin has at most 16, named in lower case, digits and _";

fn is_counter_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=COUNTER_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// One line without control characters, which could rewrite a terminal.
fn clean(message: &str) -> String {
    let end = message.floor_char_boundary(LOG_LINE_BYTES_MAX);
    let line = message.get(..end).unwrap_or_default();
    line.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        let within = total <= self.memory_bytes_max;
        if within && self.charge.grow(total as u64).is_ok() {
            self.memory_bytes = total;
            return Ok(true);
        }
        self.raise = if within { "raise --memory-total" } else { "raise --memory" };
        self.refused_bytes = Some(total);
        Ok(false)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
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

/// Offers guests what the contract says they may ask for, and nothing else.
pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut host = linker.instance(contract::HOST)?;
    host.func_wrap(
        "log",
        |mut cx: StoreContextMut<'_, Guest>, (level, message): (Level, String)| {
            cx.data_mut().log(level, &message);
            Ok(())
        },
    )?;
    host.func_wrap("count", |mut cx: StoreContextMut<'_, Guest>, (name, by): (String, u64)| {
        cx.data_mut().count(&name, by);
        Ok(())
    })?;
    host.func_wrap("reject", |mut cx: StoreContextMut<'_, Guest>, (flaw, data): (Flaw, Vec<u8>)| {
        Ok(cx.data_mut().reject(flaw, data)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> Guest {
        Guest::new("test".into(), 100, Arc::default(), Arc::default(), Rejects::Count)
    }

    #[test]
    fn memory_is_limited_over_all_memories_together() {
        let mut guest = guest();
        assert!(guest.memory_growing(0, 60, None).unwrap());
        assert!(!guest.memory_growing(0, 60, None).unwrap());
        assert_eq!(guest.refused_bytes, Some(120));
        assert!(guest.memory_growing(60, 100, None).unwrap());
    }

    #[test]
    fn memory_of_all_guests_is_limited_by_the_budget_that_they_share() {
        let stats = Arc::new(Stats::within(Arc::new(crate::stats::Budget::new(150))));
        let of = |stats| Guest::new("test".into(), 100, stats, Arc::default(), Rejects::Count);
        let (mut one, mut other) = (of(Arc::clone(&stats)), of(Arc::clone(&stats)));
        assert!(one.memory_growing(0, 100, None).unwrap());
        assert!(!one.memory_growing(100, 101, None).unwrap());
        assert_eq!((one.refused_bytes, one.raise), (Some(101), "raise --memory"));
        assert!(!other.memory_growing(0, 60, None).unwrap());
        assert_eq!((other.refused_bytes, other.raise), (Some(60), "raise --memory-total"));
        drop(one);
        assert!(other.memory_growing(0, 60, None).unwrap());
        assert_eq!(stats.budget().peak(), 100);
    }

    #[test]
    fn a_call_has_its_ticks_and_no_more() {
        let mut guest = guest();
        guest.begin_call(EPOCH_TICK * 2);
        assert!(guest.tick().is_ok());
        assert!(guest.tick().is_ok());
        assert_eq!(guest.tick().err(), Some(Stopped::Timeout));
        guest.begin_call(EPOCH_TICK);
        guest.stop.store(true, Ordering::Release);
        assert_eq!(guest.tick().err(), Some(Stopped::Cancelled));
    }

    #[test]
    fn log_lines_are_cut_and_cannot_touch_a_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\n"), "a [2Jb c");
        assert_eq!(clean(&"ä".repeat(LOG_LINE_BYTES_MAX)).len(), LOG_LINE_BYTES_MAX);
    }

    #[test]
    fn counters_are_few_and_plainly_named() {
        let mut guest = guest();
        for n in 0..100 {
            guest.count(&format!("counter_{n}"), 1);
        }
        guest.count("Bad Name", 1);
        assert!(is_counter_name(&"a".repeat(COUNTER_NAME_BYTES_MAX)));
        assert!(!is_counter_name(&"a".repeat(COUNTER_NAME_BYTES_MAX + 1)));
        guest.count("counter_0", 2);
        assert_eq!(guest.counters.len(), COUNTERS_MAX);
        assert_eq!(guest.counters[0], ("counter_0".to_string(), 3));
    }
}
