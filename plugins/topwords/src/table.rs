//! All words and their counts, in partitions by hash.
//!
//! A saved table is its partitions one after the other, so merging it reads it from front to back and
//! touches one partition of this table at a time, which fits into the processor's cache: it costs a small fraction of
//! counting, where every word goes anywhere.

use std::collections::{BTreeMap, TryReserveError};

use gristmill_sdk::{Error, State};

use crate::hash::hash;
use crate::partition::{Partition, WORD_BYTES_MAX};
use crate::saved;

/// Partitions, a power of two: with five million words of 15 bytes one takes 350 KB.
const PARTITIONS: usize = 512;

/// All words and their counts.
#[derive(Debug)]
pub struct Table {
    partitions: Vec<Partition>,
    /// The words that an entry cannot hold.
    long: BTreeMap<Vec<u8>, u64>,
}

impl Default for Table {
    fn default() -> Self {
        let partitions = std::iter::repeat_with(Partition::default).take(PARTITIONS).collect();
        Self { partitions, long: BTreeMap::new() }
    }
}

impl Table {
    /// Adds to the count of a word.
    ///
    /// # Errors
    /// There is no memory for a further word.
    #[inline]
    pub fn add(&mut self, word: &[u8], by: u64) -> Result<(), Error> {
        let hash = hash(word);
        let partition = self.partitions.get_mut((hash >> 32) as usize % PARTITIONS);
        match partition {
            Some(partition) if word.len() <= WORD_BYTES_MAX => {
                partition.add(hash as u32, word, by).map_err(|error| full(&error))
            }
            _ => {
                self.add_long(word, by);
                Ok(())
            }
        }
    }

    /// How many distinct words there are.
    pub fn len(&self) -> usize {
        self.long.len() + self.partitions.iter().map(Partition::len).sum::<usize>()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The words and their counts, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let long = self.long.iter().map(|(word, &count)| (word.as_slice(), count));
        self.partitions.iter().flat_map(Partition::iter).chain(long)
    }

    /// Adds a table that was saved.
    ///
    /// # Errors
    /// There is no memory for a further word, or `bytes` is no saved table.
    pub fn merge_saved(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        for partition in &mut self.partitions {
            for _ in 0..saved::read(&mut bytes).ok_or_else(broken)? {
                let (word, count) = saved::read_entry(&mut bytes).ok_or_else(broken)?;
                partition.add(hash(word) as u32, word, count).map_err(|error| full(&error))?;
            }
        }
        for _ in 0..saved::read(&mut bytes).ok_or_else(broken)? {
            let (word, count) = saved::read_entry(&mut bytes).ok_or_else(broken)?;
            self.add_long(word, count);
        }
        Ok(())
    }

    #[cold]
    fn add_long(&mut self, word: &[u8], by: u64) {
        let count = self.long.entry(word.to_vec()).or_default();
        *count = count.saturating_add(by);
    }
}

impl State for Table {
    fn save(&self) -> Result<Vec<u8>, Error> {
        let long_bytes: usize = self.long.keys().map(|word| word.len() + 16).sum();
        let entry_bytes: usize = self.partitions.iter().map(Partition::saved_bytes).sum();
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(entry_bytes + long_bytes + 16).map_err(|error| full(&error))?;
        for partition in &self.partitions {
            saved::write(&mut bytes, partition.len() as u64);
            for (word, count) in partition.iter() {
                saved::write_entry(&mut bytes, word, count);
            }
        }
        saved::write(&mut bytes, self.long.len() as u64);
        for (word, &count) in &self.long {
            saved::write_entry(&mut bytes, word, count);
        }
        Ok(bytes)
    }

    fn load(saved: &[u8]) -> Result<Self, Error> {
        let mut table = Self::default();
        table.merge_saved(saved)?;
        Ok(table)
    }
}

#[cold]
fn full(error: &TryReserveError) -> Error {
    Error::fatal(format_args!("too many distinct words for the memory of the plugin: {error}"))
}

#[cold]
fn broken() -> Error {
    Error::fatal("not a saved table of words")
}
