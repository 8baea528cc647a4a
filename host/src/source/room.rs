//! How much memory a listing may take: what sources and names need is counted as they are found, by
//! all who look for them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use super::Source;
use super::path::ALLOCATION_BYTES;

/// Memory for sources and their names. Whoever adds one asks [afterwards](Self::check) whether that
/// was too much, so more than is allowed is held for one source a thread at most.
#[derive(Debug)]
pub struct Room {
    bytes_max: u64,
    bytes: AtomicU64,
    sources: AtomicU64,
}

/// A list takes more memory than there is for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the list of sources takes {bytes} bytes of memory with {sources} sources, more than {bytes_max}"
)]
pub struct TooManySources {
    /// Sources that were found.
    pub sources: u64,
    /// What they take.
    pub bytes: u64,
    /// What they may take.
    pub bytes_max: u64,
}

impl TooManySources {
    /// The way out.
    pub const HINT: &'static str = "raise ⟦memory_total⟧, or list fewer sources in a run";
}

impl Default for Room {
    fn default() -> Self {
        Self::new(u64::MAX)
    }
}

impl Room {
    /// Room for so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        Self { bytes_max, bytes: AtomicU64::new(0), sources: AtomicU64::new(0) }
    }

    /// Counts a source.
    pub fn add(&self, source: &Source) {
        self.sources.fetch_add(1, Ordering::Relaxed);
        self.add_bytes(source.held_bytes());
    }

    /// Counts what is kept beside sources.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a name that is kept beside the source that it will be.
    pub fn add_name(&self, name: &Path) {
        self.add_bytes(name_bytes(name));
    }

    /// What was counted so is held no more.
    pub fn free_bytes(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes so far, those of sources among them that were left out later.
    pub fn held_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether what was counted is allowed.
    ///
    /// # Errors
    /// With what was counted.
    pub fn check(&self) -> Result<(), TooManySources> {
        let (bytes, bytes_max) = (self.held_bytes(), self.bytes_max);
        if bytes <= bytes_max {
            return Ok(());
        }
        Err(TooManySources { sources: self.sources.load(Ordering::Relaxed), bytes, bytes_max })
    }
}

/// What a name in a list that grows takes: at worst the list has just doubled.
fn name_bytes(name: &Path) -> u64 {
    (2 * size_of::<PathBuf>() + name.as_os_str().len() + ALLOCATION_BYTES) as u64
}
