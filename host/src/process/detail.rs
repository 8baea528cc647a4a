//! Details of a call that failed, beyond its message.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Call, chunk, limits and backtrace. Field names are the keys of the JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Detail {
    /// The plugin, by its file's name without the extension.
    pub plugin: String,
    /// The function of the contract that was called.
    pub call: String,
    /// The chunk that it was called with, if with any.
    pub chunk: Option<ChunkPlace>,
    /// What the guest logged last as an error: the text of its panic.
    pub said: Option<String>,
    /// Functions that were running, the innermost first, each with its place in the module.
    pub backtrace: Vec<String>,
    /// Linear memory that it might have, in bytes.
    pub memory_bytes: usize,
    /// Time that it might take for one call.
    pub timeout_ms: u64,
    /// Where it is kept, to be run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repro: Option<PathBuf>,
}

/// A chunk of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkPlace {
    /// Position among the chunks of the source, from 0.
    pub index: u64,
    /// Offset of its first byte in the source, or in what a chain's stage before gave.
    pub offset: u64,
    /// Whether it is the last one.
    pub last: bool,
    /// How long it is.
    pub bytes: u64,
}
