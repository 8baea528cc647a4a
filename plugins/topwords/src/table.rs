//! All words and their counts, in partitions by hash.
//!
//! Counting goes anywhere in memory, so words are taken in batches: the slots of a batch are
//! fetched at once, then its entries, and the processor waits for many of them together. Tables are
//! saved and merged partition by partition, from front to back. A large table is not merged when it
//! comes but laid aside as it is, and `top` mostly gets by without ever merging it.

use std::collections::TryReserveError;
use std::hint::black_box;

use gristmill_sdk::{Error, State};

use crate::entries::{Entries, WORD_BYTES_MAX};
use crate::hash::{Hash, WordMap};
use crate::partition::Partition;
use crate::saved::{self, PARTITIONS};
use crate::view::View;
use crate::words::words;

/// Words of a batch: more than the processor waits for at once, few enough for its first cache.
const BATCH_WORDS: usize = 32;

/// A table of fewer bytes is merged when it comes.
const ASIDE_BYTES_MIN: usize = if cfg!(test) { 1 } else { 1 << 20 };

/// Tables laid aside: with more, `top` finds less that cannot be among the most frequent.
const ASIDE_TABLES_MAX: usize = 15;

/// All words and their counts.
#[derive(Debug)]
pub struct Table {
    pub(crate) partitions: Vec<Partition>,
    /// The counts that entries do not hold: of words too long for one, and of very frequent ones.
    pub(crate) spilled: WordMap<Vec<u8>>,
    /// Saved tables that belong to this one, too.
    pub(crate) aside: Vec<Vec<u8>>,
}

impl Default for Table {
    fn default() -> Self {
        let partitions = std::iter::repeat_with(Partition::default).take(PARTITIONS).collect();
        Self { partitions, spilled: WordMap::default(), aside: Vec::new() }
    }
}

impl Table {
    /// Counts every word of `data`.
    ///
    /// # Errors
    /// There is no memory for a further word.
    pub fn count(&mut self, data: &[u8]) -> Result<(), Error> {
        let mut batch = [&[][..]; BATCH_WORDS];
        let mut filled = 0;
        let mut result = Ok(());
        words(data, |word| {
            if let Some(free) = batch.get_mut(filled) {
                *free = word;
                filled += 1;
            }
            if filled == BATCH_WORDS {
                filled = 0;
                result = self.count_batch(&batch);
            }
        });
        result?;
        self.count_batch(batch.get(..filled).unwrap_or_default())
    }

    /// Adds to the count of a word.
    ///
    /// # Errors
    /// There is no memory for a further word.
    #[inline]
    pub fn add(&mut self, word: &[u8], by: u64) -> Result<(), Error> {
        self.add_hashed(Hash::of(word), word, by)
    }

    /// Adds tables that were saved.
    ///
    /// # Errors
    /// There is no memory for them, or `bytes` are no saved tables.
    pub fn merge_saved(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let mut rest = bytes.as_slice();
        let first = saved::split(&mut rest).ok_or_else(broken)?;
        if rest.is_empty() {
            return if self.lays_aside(first.len()) {
                self.aside.push(bytes);
                Ok(())
            } else {
                self.merge_now(&bytes)
            };
        }
        self.merge_saved(first.to_vec())?;
        while !rest.is_empty() {
            self.merge_saved(saved::split(&mut rest).ok_or_else(broken)?.to_vec())?;
        }
        Ok(())
    }

    /// This table without those laid aside, to be read.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            shares: self.partitions.iter().map(Partition::share).collect(),
            spilled: self.spilled.iter().map(|(word, &count)| (word.as_slice(), count)).collect(),
        }
    }

    /// Adds to the count of a word that has an entry; any other is not counted.
    #[inline]
    pub(crate) fn add_if_known(&mut self, word: &[u8], by: u64) {
        let hash = Hash::of(word);
        if let Some(partition) = self.partitions.get_mut(hash.partition(PARTITIONS))
            && let Some(place) = partition.find(hash.tag(), word)
            && let Some(over) = partition.raise(place, by)
        {
            self.spill(word, over);
        }
    }

    /// Merges all tables that were laid aside.
    ///
    /// # Errors
    /// There is no memory for a further word, or one of them is damaged.
    pub(crate) fn merge_aside(&mut self) -> Result<(), Error> {
        while let Some(table) = self.aside.pop() {
            self.merge_now(&table)?;
        }
        Ok(())
    }

    /// Whether a table of so many bytes is laid aside: one that is small beside this one merges
    /// at little cost.
    fn lays_aside(&self, bytes: usize) -> bool {
        let own =
            || self.partitions.iter().map(|partition| partition.share().bytes()).sum::<usize>();
        bytes >= ASIDE_BYTES_MIN && self.aside.len() < ASIDE_TABLES_MAX && bytes >= own() / 4
    }

    fn merge_now(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let table = saved::read(bytes).ok_or_else(broken)?;
        for entry in table.shares.iter().flat_map(|share| Entries::new(share.rest)) {
            self.add(entry.word, entry.count)?;
        }
        for (word, count) in table.spilled {
            self.add(word, count)?;
        }
        Ok(())
    }

    /// Counts each word once. No step of a pass waits for another one of it.
    #[inline]
    fn count_batch(&mut self, batch: &[&[u8]]) -> Result<(), Error> {
        let mut hashes = [Hash::default(); BATCH_WORDS];
        let mut places = [None; BATCH_WORDS];
        for (to, word) in hashes.iter_mut().zip(batch) {
            *to = Hash::of(word);
            black_box(self.partition(*to).map(|partition| partition.touch(to.tag())));
        }
        for ((to, hash), word) in places.iter_mut().zip(hashes).zip(batch) {
            *to = self.partition(hash).and_then(|partition| partition.find(hash.tag(), word));
        }
        for ((place, hash), word) in places.into_iter().zip(hashes).zip(batch) {
            let Some(place) = place else {
                self.add_hashed(hash, word, 1)?;
                continue;
            };
            let partition = self.partitions.get_mut(hash.partition(PARTITIONS));
            if let Some(over) = partition.and_then(|partition| partition.raise(place, 1)) {
                self.spill(word, over);
            }
        }
        Ok(())
    }

    #[inline]
    fn partition(&self, hash: Hash) -> Option<&Partition> {
        self.partitions.get(hash.partition(PARTITIONS))
    }

    fn add_hashed(&mut self, hash: Hash, word: &[u8], by: u64) -> Result<(), Error> {
        let partition = self.partitions.get_mut(hash.partition(PARTITIONS));
        let over = match partition.filter(|_| word.len() <= WORD_BYTES_MAX) {
            Some(partition) => {
                let place = match partition.find(hash.tag(), word) {
                    Some(place) => place,
                    None => partition.insert(hash.tag(), word).map_err(full)?,
                };
                partition.raise(place, by)
            }
            None => Some(by),
        };
        if let Some(over) = over {
            self.spill(word, over);
        }
        Ok(())
    }

    #[cold]
    fn spill(&mut self, word: &[u8], by: u64) {
        match self.spilled.get_mut(word) {
            Some(count) => *count = count.saturating_add(by),
            None => drop(self.spilled.insert(word.to_vec(), by)),
        }
    }
}

impl State for Table {
    fn save(&self) -> Result<Vec<u8>, Error> {
        let own = self.view();
        let aside: usize = self.aside.iter().map(Vec::len).sum();
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(saved::written_bytes(&own) + aside).map_err(full)?;
        saved::write(&mut bytes, &own);
        self.aside.iter().for_each(|table| bytes.extend_from_slice(table));
        Ok(bytes)
    }

    fn load(saved: &[u8]) -> Result<Self, Error> {
        let mut table = Self::default();
        table.merge_saved(saved.to_vec())?;
        Ok(table)
    }
}

#[cold]
fn full(_: TryReserveError) -> Error {
    Error::fatal("too many distinct words for the memory of an instance")
}

#[cold]
pub(crate) fn broken() -> Error {
    Error::fatal("not a saved table of words")
}
