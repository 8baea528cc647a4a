//! What a run counts while it goes on, and the report made of it at the end. Knows nothing of what
//! it counts.

mod held;
mod memory;
mod report;
pub mod spare;
mod unopened;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

pub use held::{Charged, Held};
pub use memory::{Charge, Full, MemoryBudget, Need, Reservation, TooLittle};
pub use report::{Failed, FirstSetAside, Report, Seconds, SetAside};
pub use unopened::UnopenedArchives;

use unopened::Unopened;

/// Counters of one run, shared by all its threads.
#[derive(Debug, Default)]
pub struct Stats {
    bytes: AtomicU64,
    stored: AtomicU64,
    out: AtomicU64,
    sources: AtomicU64,
    failed: AtomicU64,
    instances: AtomicU64,
    instances_ns: AtomicU64,
    retries: AtomicU64,
    rejected: AtomicU64,
    replaced: Arc<AtomicU64>,
    non_regular: AtomicU64,
    skipped: AtomicU64,
    read_ns: AtomicU64,
    guest_ns: AtomicU64,
    merge_ns: AtomicU64,
    write_ns: AtomicU64,
    errors: Mutex<BTreeMap<&'static str, u64>>,
    encodings: Mutex<BTreeMap<&'static str, u64>>,
    unopened: Mutex<Unopened>,
    counters: Mutex<BTreeMap<String, u64>>,
    memory: Arc<MemoryBudget>,
}

impl Stats {
    /// Counters of a run whose memory is charged to that budget.
    pub fn within(memory: Arc<MemoryBudget>) -> Self {
        Self { memory, ..Self::default() }
    }

    /// What memory is charged to.
    pub fn memory(&self) -> &Arc<MemoryBudget> {
        &self.memory
    }

    /// Counts sources that are done and did not fail, bytes that a plugin has taken, and what these
    /// were as they are stored.
    pub fn add_done(&self, sources: u64, bytes: u64, stored: u64) {
        self.sources.fetch_add(sources, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.stored.fetch_add(stored, Ordering::Relaxed);
    }

    /// Counts bytes of results, or of what comes out of transformers.
    pub fn add_out(&self, bytes: u64) {
        self.out.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a source that failed, with the word for what went wrong.
    pub fn add_failed(&self, word: &'static str) {
        self.sources.fetch_add(1, Ordering::Relaxed);
        self.turn_failed(word);
    }

    /// Counts a source, that was counted as done, as failed after all: one of several plugins
    /// failed there.
    pub fn turn_failed(&self, word: &'static str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *lock(&self.errors).entry(word).or_default() += 1;
    }

    /// Counts an instance that was made, and how long that took.
    pub fn add_instance(&self, took: Duration) {
        self.instances.fetch_add(1, Ordering::Relaxed);
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.instances_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// Counts what was tried once more in a fresh sandbox.
    pub fn add_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts records that a plugin set aside.
    pub fn add_rejected(&self, records: u64) {
        self.rejected.fetch_add(records, Ordering::Relaxed);
    }

    /// Where characters are counted that U+FFFD took the place of.
    pub fn replaced(&self) -> &Arc<AtomicU64> {
        &self.replaced
    }

    /// Counts entries of directories and archives that are no regular files.
    pub fn add_non_regular(&self, entries: u64) {
        self.non_regular.fetch_add(entries, Ordering::Relaxed);
    }

    /// Counts sources that are done already.
    pub fn add_skipped(&self, sources: u64) {
        self.skipped.fetch_add(sources, Ordering::Relaxed);
    }

    /// Counts a source that was brought into UTF-8, or whose mark was taken off.
    pub fn add_encoding(&self, encoding: Option<&'static str>) {
        if let Some(encoding) = encoding {
            *lock(&self.encodings).entry(encoding).or_default() += 1;
        }
    }

    /// Counts a source that is an archive, and was read as the file that it is: the one at the
    /// position `source`, or a `member` of it.
    pub fn add_unopened(&self, source: usize, member: u64, name: &str) {
        lock(&self.unopened).add((source, member), name);
    }

    /// Archives that were read as the files that they are.
    pub fn unopened(&self) -> UnopenedArchives {
        lock(&self.unopened).describe()
    }

    /// Adds to a counter of the plugin's own.
    pub fn add_counter(&self, name: &str, by: u64) {
        let mut counters = lock(&self.counters);
        match counters.get_mut(name) {
            Some(value) => *value = value.saturating_add(by),
            None => {
                counters.insert(name.to_string(), by);
            }
        }
    }

    /// Adds what one worker spent its time on.
    pub fn add_times(&self, read: Duration, guest: Duration, merge: Duration, write: Duration) {
        let add = |to: &AtomicU64, spent: Duration| {
            to.fetch_add(u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        add(&self.read_ns, read);
        add(&self.guest_ns, guest);
        add(&self.merge_ns, merge);
        add(&self.write_ns, write);
    }

    /// Bytes that plugins have taken so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The same as they are stored: of a compressed source, compressed bytes.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Bytes that plugins have given so far.
    pub fn out(&self) -> u64 {
        self.out.load(Ordering::Relaxed)
    }

    /// Sources that are done, failed ones among them.
    pub fn sources(&self) -> u64 {
        self.sources.load(Ordering::Relaxed)
    }

    /// Sources that failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Records that plugins set aside.
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Entries of directories and archives that are no regular files.
    pub fn non_regular(&self) -> u64 {
        self.non_regular.load(Ordering::Relaxed)
    }

    /// Sources that an earlier run has done, and that were not read again.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// The figures of a run that took `elapsed` on `threads` workers.
    pub fn report(&self, elapsed: Duration, threads: usize) -> Report {
        let seconds =
            |ns: &AtomicU64| Duration::from_nanos(ns.load(Ordering::Relaxed)).as_secs_f64();
        let bytes = self.bytes();
        #[expect(clippy::cast_precision_loss, reason = "a figure to read")]
        let megabytes = bytes as f64 / 1e6;
        let instances = self.instances.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a figure to read")]
        let instance_us = seconds(&self.instances_ns) * 1e6 / instances.max(1) as f64;
        Report {
            files: self.sources(),
            failed: self.failed(),
            bytes,
            seconds: elapsed.as_secs_f64(),
            mb_per_second: megabytes / elapsed.as_secs_f64().max(1e-9),
            peak_rss_bytes: report::peak_rss_bytes(),
            memory_bytes_peak: self.memory.peak(),
            threads,
            instances,
            instance_us,
            retries: self.retries.load(Ordering::Relaxed),
            rejected: self.rejected(),
            replaced: self.replaced.load(Ordering::Relaxed),
            set_aside: SetAside::default(),
            non_regular: self.non_regular(),
            skipped: self.skipped(),
            errors: lock(&self.errors)
                .iter()
                .map(|(word, count)| ((*word).to_string(), *count))
                .collect(),
            encodings: lock(&self.encodings)
                .iter()
                .map(|(word, count)| ((*word).to_string(), *count))
                .collect(),
            unopened_archives: self.unopened(),
            counters: lock(&self.counters).clone(),
            failures: Vec::new(),
            thread_seconds: Seconds {
                read: seconds(&self.read_ns),
                guest: seconds(&self.guest_ns),
                merge: seconds(&self.merge_ns),
                write: seconds(&self.write_ns),
            },
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
