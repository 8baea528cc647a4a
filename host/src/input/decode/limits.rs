//! What may come out of one source, and what it may take to decode it.

use crate::settings::limits::{
    DECODE_MEMBERS_MAX, DECODE_RATIO_MAX, DECODE_XZ_MEMORY_BYTES_MAX, DECODE_ZSTD_WINDOW_LOG_MAX,
    DECODED_BYTES_MAX,
};

/// Bounds of one [`Decoder`](super::Decoder).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Bytes that may come out.
    pub bytes_max: u64,
    /// Bytes that may come out for each that goes in, once
    /// [`DECODE_RATIO_FREE_BYTES`](crate::settings::limits::DECODE_RATIO_FREE_BYTES) have come out.
    pub ratio_max: u64,
    /// Members, frames or streams, empty and skippable ones included; a bzip2 stream that holds
    /// next to nothing counts for
    /// [`DECODE_SMALL_BZIP2_MEMBERS`](crate::settings::limits::DECODE_SMALL_BZIP2_MEMBERS).
    pub members_max: u64,
    /// Binary logarithm of the largest window of a zstd frame, in bytes; 10 to 31.
    pub zstd_window_log_max: u32,
    /// Memory that decoding xz may take, in bytes.
    pub xz_memory_bytes_max: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            bytes_max: DECODED_BYTES_MAX,
            ratio_max: DECODE_RATIO_MAX,
            members_max: DECODE_MEMBERS_MAX,
            zstd_window_log_max: DECODE_ZSTD_WINDOW_LOG_MAX,
            xz_memory_bytes_max: DECODE_XZ_MEMORY_BYTES_MAX,
        }
    }
}
