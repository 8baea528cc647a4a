//! What a tenant may ask for, and use.

use std::time::Duration;

use super::{Sandbox, limits};

/// The most that a tenant's jobs may ask for; a job that asks for more is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// For each sandbox, and all of a job together. How long one lives is no limit.
    pub sandbox: Sandbox,
    /// Longest record in bytes.
    pub record_bytes_max: u64,
    /// Bytes of results and states that may wait for their turn.
    pub window_bytes: usize,
    /// Bytes that may come out of one compressed source.
    pub decompressed_bytes_max: u64,
    /// Members or frames that a compressed source may have.
    pub members_max: u64,
}

impl Default for Ceiling {
    fn default() -> Self {
        Self {
            sandbox: Sandbox::default(),
            record_bytes_max: limits::RECORD_BYTES_MAX,
            window_bytes: limits::WINDOW_BYTES,
            decompressed_bytes_max: limits::DECODED_BYTES_MAX,
            members_max: limits::DECODE_MEMBERS_MAX,
        }
    }
}

/// How much a tenant may use, over all of its jobs; `None` is as much as it likes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quotas {
    /// Processor time: of guests, and of the host on their behalf.
    pub cpu: Option<Duration>,
    /// Bytes that plugins take, decompressed.
    pub bytes_in: Option<u64>,
    /// Bytes that plugins give, before they are compressed.
    pub bytes_out: Option<u64>,
    /// Jobs at the same time.
    pub jobs: Option<usize>,
}
