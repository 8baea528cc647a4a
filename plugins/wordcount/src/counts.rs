//! What is counted, always.

use serde::{Deserialize, Serialize};

/// The counts of a run of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Line feeds.
    pub lines: u64,
    /// Runs of bytes other than ASCII white space.
    pub words: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Counts {
    /// Adds the counts of bytes that do not continue a word of these.
    pub fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.words += other.words;
        self.bytes += other.bytes;
    }
}
