//! The bytes of a saved table: how many bytes all that follows takes (8), how many bytes each partition's
//! entries take (4 each), those entries as they are in memory, and the counts kept apart from entries:
//! count (8), length of the word (4), word. All numbers have the least significant byte first.

use std::collections::BTreeMap;

use crate::entries::{Entries, WORD_BYTES_MAX};

/// Partitions of a table, a power of two: with five million words of 15 bytes each takes 300 KB.
pub(crate) const PARTITIONS: usize = 512;

const SIZES_BYTES: usize = PARTITIONS * 4;

/// Appends a table.
pub(crate) fn write<'a>(
    bytes: &mut Vec<u8>,
    partitions: impl Iterator<Item = &'a [u8]> + Clone,
    spilled: &BTreeMap<Vec<u8>, u64>,
) {
    bytes.extend(((written_bytes(partitions.clone(), spilled) - 8) as u64).to_le_bytes());
    for entries in partitions.clone() {
        bytes.extend((entries.len() as u32).to_le_bytes());
    }
    partitions.for_each(|entries| bytes.extend_from_slice(entries));
    for (word, count) in spilled {
        bytes.extend(count.to_le_bytes());
        bytes.extend((word.len() as u32).to_le_bytes());
        bytes.extend_from_slice(word);
    }
}

/// How many bytes [`write`] appends.
pub(crate) fn written_bytes<'a>(
    partitions: impl Iterator<Item = &'a [u8]>,
    spilled: &BTreeMap<Vec<u8>, u64>,
) -> usize {
    let entries: usize = partitions.map(<[u8]>::len).sum();
    let spilled: usize = spilled.keys().map(|word| 12 + word.len()).sum();
    8 + SIZES_BYTES + entries + spilled
}

/// Takes the bytes of one table off the front of several; none if they are not there.
pub(crate) fn split<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u64::from_le_bytes(*bytes.first_chunk()?)).ok()?;
    let (table, rest) = bytes.split_at_checked(length.checked_add(8)?)?;
    *bytes = rest;
    Some(table)
}

/// A table read where it stands, saved or not.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// The entries of every partition.
    pub(crate) partitions: Vec<&'a [u8]>,
    /// The counts kept apart from entries.
    pub(crate) spilled: BTreeMap<&'a [u8], u64>,
}

impl<'a> View<'a> {
    /// Reads what [`split`] gave; none if it is damaged.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (sizes, mut rest) = bytes.get(8..)?.split_at_checked(SIZES_BYTES)?;
        let mut partitions = Vec::with_capacity(PARTITIONS);
        for size in sizes.as_chunks::<4>().0 {
            let (entries, after) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
            partitions.push(entries);
            rest = after;
        }
        let mut spilled = BTreeMap::new();
        while !rest.is_empty() {
            let (count, after) = rest.split_first_chunk::<8>()?;
            let (length, after) = after.split_first_chunk::<4>()?;
            let (word, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            spilled.insert(word, u64::from_le_bytes(*count));
            rest = after;
        }
        Some(Self { partitions, spilled })
    }

    /// The words that entries hold, with all of their counts.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'a [u8], u64)> {
        self.partitions.iter().flat_map(|entries| self.counts_in(entries))
    }

    /// The same of one partition's entries.
    #[inline]
    pub(crate) fn counts_in(&self, entries: &'a [u8]) -> impl Iterator<Item = (&'a [u8], u64)> {
        Entries::new(entries).map(|entry| {
            let spilled = if entry.spilled { self.spilled.get(entry.word) } else { None };
            (entry.word, entry.count + spilled.copied().unwrap_or_default())
        })
    }

    /// The words that are too long for an entry, with their counts.
    pub(crate) fn long_counts(&self) -> impl Iterator<Item = (&'a [u8], u64)> {
        let spilled = self.spilled.iter().map(|(&word, &count)| (word, count));
        spilled.filter(|(word, _)| word.len() > WORD_BYTES_MAX)
    }
}
