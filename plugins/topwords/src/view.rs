//! A table to be read, whether it is in use or saved.

use crate::entries::{COUNT_MAX, Entries, Entry, WORD_BYTES_MAX};
use crate::hash::WordMap;

/// A table to be read.
#[derive(Debug, Default)]
pub(crate) struct View<'a> {
    /// Its partitions.
    pub(crate) shares: Vec<Share<'a>>,
    /// The counts that entries do not hold.
    pub(crate) spilled: WordMap<&'a [u8]>,
}

/// A partition to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share<'a> {
    /// Blocks of entries, of a table in use.
    pub(crate) full: &'a [Vec<u8>],
    /// The entries behind those: of a saved table all.
    pub(crate) rest: &'a [u8],
    /// The greatest count, or one more than an entry holds if there is a greater one.
    pub(crate) greatest: u32,
}

impl<'a> Share<'a> {
    /// The entries, in parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.full.iter().map(Vec::as_slice).chain([self.rest])
    }

    /// How many bytes the entries take.
    pub(crate) fn bytes(&self) -> usize {
        self.full.iter().map(Vec::len).sum::<usize>() + self.rest.len()
    }

    #[inline]
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        self.parts().flat_map(Entries::new)
    }
}

impl<'a> View<'a> {
    /// The words of a partition, with all of their counts.
    #[inline]
    pub(crate) fn counts(&self, share: &Share<'a>) -> impl Iterator<Item = (&'a [u8], u64)> {
        share.entries().map(|entry| {
            let spilled = if entry.spilled { self.spilled.get(entry.word) } else { None };
            (entry.word, entry.count.saturating_add(spilled.copied().unwrap_or_default()))
        })
    }

    /// The words that have at least `count`, maybe with some that have less, but not the long ones.
    pub(crate) fn counts_from(&self, count: u64) -> impl Iterator<Item = (&'a [u8], u64)> {
        // A count that spilled is greater than `greatest` says.
        let all = self
            .shares
            .iter()
            .filter(move |share| u64::from(share.greatest) >= count || share.greatest > COUNT_MAX);
        all.flat_map(|share| self.counts(share))
    }

    /// The words that are too long for an entry.
    pub(crate) fn long_counts(&self) -> impl Iterator<Item = (&'a [u8], u64)> {
        let spilled = self.spilled.iter().map(|(&word, &count)| (word, count));
        spilled.filter(|(word, _)| word.len() > WORD_BYTES_MAX)
    }

    /// A count that at least `n` words have, found without looking at any word: the n-th greatest
    /// of what the partitions have at most.
    pub(crate) fn floor(&self, n: usize) -> u64 {
        let mut greatest: Vec<u32> = self.shares.iter().map(|share| share.greatest).collect();
        greatest.sort_unstable_by(|left, right| right.cmp(left));
        n.checked_sub(1).and_then(|last| greatest.get(last)).copied().unwrap_or_default().into()
    }
}
