//! What a job has done, in memory, for one that asks about each of a million sources before it
//! begins.
//!
//! Holds no names: 32 bytes for each source, the first half of a digest of its name and of its
//! identity. To go through a job once costs a fifth of asking the database about each source of it.

use std::collections::HashMap;
use std::path::Path;

use super::entry::{Identity, JobId};

/// What is known of a source, given the version that is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it never was done, or was forgotten.
    Nothing,
    /// This version is committed.
    Committed,
    /// This version failed.
    Failed,
    /// Another version was done, or has failed.
    Changed,
}

/// The sources of one job that were durable when it was made.
#[derive(Debug, Default)]
pub struct Done {
    committed: HashMap<Half, Half>,
    failed: HashMap<Half, Half>,
    /// How many records of a committed source were set aside, where any were.
    rejects: HashMap<Half, u64>,
    /// Rows that do not say what was written, and the source of the first.
    altered: u64,
    first_altered: Option<Vec<u8>>,
}

/// Half a digest: two of a million million are the same with a chance of 1 in 10^14.
pub(super) type Half = [u8; 16];

impl Done {
    pub(super) fn add_committed(&mut self, source: &[u8], identity: &[u8], rejects: u64) {
        self.committed.insert(half(source), half(identity));
        if rejects > 0 {
            self.rejects.insert(half(source), rejects);
        }
    }

    pub(super) fn add_failed(&mut self, source: &[u8], identity: &[u8]) {
        self.failed.insert(half(source), half(identity));
    }

    pub(super) fn add_altered(&mut self, source: &[u8]) {
        self.altered += 1;
        self.first_altered.get_or_insert_with(|| source.to_vec());
    }

    /// How many sources are as if they never were done, as their rows do not say what was written,
    /// and the first of them.
    pub fn altered(&self) -> Option<(u64, &[u8])> {
        Some((self.altered, self.first_altered.as_deref()?))
    }

    /// What is known of the source of this name, when this is the version that is there.
    pub fn look(&self, source: &[u8], identity: &Identity) -> Known {
        let (source, now) = (half(source), half(identity.as_str().as_bytes()));
        match (self.committed.get(&source), self.failed.get(&source)) {
            (None, None) => Known::Nothing,
            (Some(then), _) if *then == now => Known::Committed,
            (_, Some(then)) if *then == now => Known::Failed,
            _ => Known::Changed,
        }
    }

    /// How many records of a committed source were set aside.
    pub fn rejects(&self, source: &[u8]) -> u64 {
        self.rejects.get(&half(source)).copied().unwrap_or(0)
    }

    /// Bytes of memory that it takes.
    pub fn held_bytes(&self) -> u64 {
        let maps =
            [self.committed.capacity(), self.failed.capacity()].map(held_bytes::<(Half, Half)>);
        let [committed, failed] = maps;
        committed
            .saturating_add(failed)
            .saturating_add(held_bytes::<(Half, u64)>(self.rejects.capacity()))
    }

    /// How many sources are committed.
    pub fn committed(&self) -> usize {
        self.committed.len()
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.failed.len()
    }
}

/// Whose the output files are that a ledger knows, as of when it was made.
#[derive(Debug, Default)]
pub struct Owners {
    by_path: HashMap<Half, (JobId, Half)>,
}

impl Owners {
    pub(super) fn add(&mut self, path: &[u8], job: JobId, source: &[u8]) {
        self.by_path.insert(half(path), (job, half(source)));
    }

    /// Bytes of memory that it takes.
    pub fn held_bytes(&self) -> u64 {
        held_bytes::<(Half, (JobId, Half))>(self.by_path.capacity())
    }

    /// Whether the file at an absolute path is the output of another source than that of this name,
    /// in whichever job.
    pub fn is_of_another(&self, path: &Path, source: &[u8]) -> bool {
        self.of(path).is_some_and(|(_, owner)| owner != half(source))
    }

    /// Whether it is an output of that job.
    pub fn is_of_job(&self, path: &Path, job: JobId) -> bool {
        self.of(path).is_some_and(|(owner, _)| owner == job)
    }

    fn of(&self, path: &Path) -> Option<(JobId, Half)> {
        // Nothing is hashed where nothing is known.
        let known = (!self.by_path.is_empty()).then(|| half(path.as_os_str().as_encoded_bytes()));
        self.by_path.get(&known?).copied()
    }
}

/// What a table for so many takes: it is an eighth larger, and has a byte more for each.
pub(super) fn held_bytes<T>(capacity: usize) -> u64 {
    (capacity as u64).saturating_mul(size_of::<T>() as u64 + 1) / 7 * 8
}

pub(super) fn half(bytes: &[u8]) -> Half {
    blake3::hash(bytes).as_bytes().first_chunk().copied().unwrap_or_default()
}
