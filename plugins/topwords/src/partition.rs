//! A share of the words, by hash: an open-addressed index of eight bytes a slot, and the entries it
//! points to. It grows by itself, so that no growth copies the whole table.

use std::collections::TryReserveError;

use crate::entries::{Blocks, COUNT_MAX, Raised};
use crate::hash::same;
use crate::view::Share;

const SLOTS_MIN: usize = 16;

/// The second index of a partition has up to this many slots more than the half that each index
/// adds, so that partitions grow at different times, and old indexes become room for entries. If
/// all grew at once, memory would have to hold all old ones beside all new ones.
const SLOTS_SPREAD: usize = SLOTS_MIN * 3 / 4;

/// A slot that points to nothing.
const FREE: u64 = 0;

/// A share of the words.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    /// `tag << 32 | (place of the entry + 1)`, at or after the slot that the tag asks for.
    slots: Vec<u64>,
    /// Slots in use, at most three of four.
    used: usize,
    entries: Blocks,
    /// The greatest count; of a word that spilled, one more than an entry holds.
    greatest: u32,
}

impl Partition {
    /// Reads the slot that a tag asks for. The value means nothing: that it was read brings the
    /// slot into the processor's cache while the caller goes on with other words.
    #[inline]
    pub(crate) fn touch(&self, tag: u32) -> u64 {
        self.slots.get(wanted(tag, self.slots.len())).copied().unwrap_or(FREE)
    }

    /// The place of a word's entry, if it has one. `tag` is a part of its hash.
    #[inline]
    pub(crate) fn find(&self, tag: u32, word: &[u8]) -> Option<u32> {
        let mut at = wanted(tag, self.slots.len());
        loop {
            let &slot = self.slots.get(at)?;
            if slot == FREE {
                return None;
            }
            let place = place_of(slot);
            if tag_of(slot) == tag
                && self.entries.word_at(place).is_some_and(|found| same(found, word))
            {
                return Some(place);
            }
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
    }

    /// Adds to the count at a place that [`Partition::find`] or [`Partition::insert`] gave. Returns
    /// what has to be kept elsewhere, mostly nothing.
    #[inline]
    pub(crate) fn raise(&mut self, place: u32, by: u64) -> Option<u64> {
        match self.entries.raise(place, by) {
            Raised::Count(count) => {
                self.greatest = self.greatest.max(count);
                None
            }
            Raised::Spilled(count) => {
                self.greatest = COUNT_MAX + 1;
                Some(count)
            }
        }
    }

    /// Gives a word that has none an entry, not counted yet. It has at most
    /// [`crate::entries::WORD_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// There is no memory for a further word.
    pub(crate) fn insert(&mut self, tag: u32, word: &[u8]) -> Result<u32, TryReserveError> {
        if self.used + 1 > self.slots.len() / 4 * 3 {
            self.grow(tag)?;
        }
        let place = self.entries.push(word)?;
        put(&mut self.slots, u64::from(tag) << 32 | u64::from(place + 1));
        self.used += 1;
        Ok(place)
    }

    /// Whether it has no words.
    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The entries as they are in memory.
    pub(crate) fn share(&self) -> Share<'_> {
        let (full, rest) = self.entries.parts();
        Share { full, rest, greatest: self.greatest }
    }

    /// Half as many slots again: the tags say where each goes, so no entry is touched. How many the
    /// second index has depends on the tag of a word.
    #[cold]
    fn grow(&mut self, tag: u32) -> Result<(), TryReserveError> {
        let length = match self.slots.len() {
            0 => SLOTS_MIN,
            SLOTS_MIN => SLOTS_MIN * 3 / 2 + tag as usize % SLOTS_SPREAD,
            slots => slots + slots / 2,
        };
        let mut slots = Vec::new();
        slots.try_reserve_exact(length)?;
        slots.resize(length, FREE);
        for &slot in self.slots.iter().filter(|&&slot| slot != FREE) {
            put(&mut slots, slot);
        }
        self.slots = slots;
        Ok(())
    }
}

/// The slot that a tag asks for: its share of all slots, so that their number need be no power of
/// two.
#[inline]
fn wanted(tag: u32, slots: usize) -> usize {
    ((u64::from(tag) * slots as u64) >> 32) as usize
}

/// Puts a slot into the first free place at or after the one it asks for. One place is free.
#[inline]
fn put(slots: &mut [u64], new: u64) {
    let (before, after) = slots.split_at_mut(wanted(tag_of(new), slots.len()));
    if let Some(free) = after.iter_mut().chain(before).find(|slot| **slot == FREE) {
        *free = new;
    }
}

#[inline]
fn tag_of(slot: u64) -> u32 {
    (slot >> 32) as u32
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
fn place_of(slot: u64) -> u32 {
    slot as u32 - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_share_a_tag_are_apart() {
        let mut partition = Partition::default();
        let words: Vec<String> = (0..100).map(|number: u32| number.to_string()).collect();
        let tag = |word: &str| if word.len() == 1 { 0 } else { u32::MAX };
        for word in &words {
            assert_eq!(partition.find(tag(word), word.as_bytes()), None);
            let place = partition.insert(tag(word), word.as_bytes()).unwrap();
            assert_eq!(partition.raise(place, 3), None);
        }
        for word in &words {
            let place = partition.find(tag(word), word.as_bytes()).unwrap();
            assert_eq!(partition.raise(place, 4), None);
        }
        assert_eq!(partition.share().greatest, 7);
        let found = partition.share().entries().map(|entry| (entry.word, entry.count));
        assert!(found.eq(words.iter().map(|word| (word.as_bytes(), 7))));
    }
}
