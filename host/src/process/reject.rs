//! A record that a plugin set aside, and what it is charged for, wherever it goes.

use crate::stats::Charged;

/// A record that was set aside; where they are only counted, the first of those of a call, which
/// stands for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reject {
    /// Where it begins in the source, as far as the plugin says so; or the chunk that it is in,
    /// where that is all that is known.
    pub offset: u64,
    /// Whether the offset is that of the record.
    pub is_exact: bool,
    /// The line of the source that it begins in, from 1, where that was counted.
    pub line: Option<u64>,
    /// The stage that set it aside, in a chain.
    pub stage: Option<String>,
    /// What is wrong with it.
    pub reason: String,
    /// The record, or the beginning of a long one; nothing where it is only counted.
    pub data: Vec<u8>,
    /// How long it is, with those that it stands for.
    pub bytes: u64,
    /// Lines that it goes over, 1 for what has none.
    pub lines: u64,
    /// How many it stands for, itself among them.
    pub records: u64,
    /// What it is charged for, wherever it goes.
    pub charged: Charged,
}

impl Reject {
    /// Bytes of memory that it takes.
    pub fn held_bytes(&self) -> u64 {
        (size_of::<Self>() + self.reason.capacity() + self.data.capacity()) as u64
    }

    /// How many records these are.
    pub fn count(rejects: &[Self]) -> u64 {
        rejects.iter().map(|reject| reject.records).sum()
    }
}
