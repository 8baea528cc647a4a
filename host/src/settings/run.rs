//! The settings of `host run`.

use std::path::PathBuf;
use std::time::Duration;

use super::limits;

/// How plain files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Io {
    /// Whatever measured best: reading, for files that are scanned once.
    #[default]
    Auto,
    /// `pread` straight into the sandbox.
    Read,
    /// Memory-mapped, then copied in.
    Mmap,
}

/// Which results are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// One result for each source.
    pub per_source: bool,
    /// One result over all sources.
    pub total: bool,
}

/// How one run goes about its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Worker threads.
    pub threads: usize,
    /// Nominal chunk size in bytes.
    pub chunk_bytes: u64,
    /// Longest record in bytes.
    pub record_bytes_max: u64,
    /// How plain files are read.
    pub io: Io,
    /// Which results are wanted.
    pub show: Show,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// Bytes of results and states that may wait for their turn.
    pub window_bytes: usize,
    /// Linear memory of one instance, in bytes.
    pub memory_bytes: usize,
    /// Guest time of one call.
    pub timeout: Duration,
    /// Where compiled code is kept; `None` keeps none.
    pub cache: Option<PathBuf>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            threads: 1,
            chunk_bytes: limits::CHUNK_BYTES,
            record_bytes_max: limits::RECORD_BYTES_MAX,
            io: Io::Auto,
            show: Show { per_source: true, total: true },
            fail_fast: false,
            window_bytes: limits::WINDOW_BYTES,
            memory_bytes: limits::MEMORY_BYTES,
            timeout: limits::CALL_TIMEOUT,
            cache: None,
        }
    }
}
