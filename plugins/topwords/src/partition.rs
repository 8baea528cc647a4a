//! A share of the words, by hash: an open-addressed index of eight bytes a slot, and the entries it
//! points to, one after the other. It grows by itself, so that no growth copies the whole table.

use std::collections::{BTreeMap, TryReserveError};

use crate::entries::{self, Entries, HEADER_BYTES};

const SLOTS_MIN: usize = 16;
const ENTRY_BYTES_MIN: usize = 256;

/// A slot that points to nothing.
const FREE: u64 = 0;

/// A share of the words.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    /// `tag << 32 | (place of the entry + 1)`, at or after the slot that the tag asks for.
    slots: Vec<u64>,
    /// Slots in use, at most three of four.
    used: usize,
    entries: Vec<u8>,
    /// What the counts of entries overflowed by, by place.
    carries: BTreeMap<u32, u64>,
}

impl Partition {
    /// Reads the slot that a tag asks for. The value means nothing: that it was read brings the
    /// slot into the processor's cache while the caller goes on with other words.
    #[inline]
    pub(crate) fn touch(&self, tag: u32) -> u64 {
        self.slots.get(wanted(tag, self.slots.len())).copied().unwrap_or(FREE)
    }

    /// The place of a word's entry, if there is one.
    #[inline]
    pub(crate) fn find(&self, tag: u32, word: &[u8]) -> Option<u32> {
        let mut at = wanted(tag, self.slots.len());
        loop {
            let &slot = self.slots.get(at)?;
            if slot == FREE {
                return None;
            }
            if tag_of(slot) == tag && entries::is(&self.entries, place_of(slot), word) {
                return Some(place_of(slot));
            }
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
    }

    /// Adds to the count of the entry at a place that [`Partition::find`] gave.
    #[inline]
    pub(crate) fn raise(&mut self, place: u32, by: u64) {
        let carry = entries::raise(&mut self.entries, place, by);
        if carry > 0 {
            *self.carries.entry(place).or_default() += carry;
        }
    }

    /// Adds to the count of a word of at most [`entries::WORD_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// There is no memory for a further word.
    #[inline]
    pub(crate) fn add(&mut self, tag: u32, word: &[u8], by: u64) -> Result<(), TryReserveError> {
        let place = match self.find(tag, word) {
            Some(place) => place,
            None => self.insert(tag, word)?,
        };
        self.raise(place, by);
        Ok(())
    }

    /// The words and their counts, in the order in which they were first added.
    pub(crate) fn entries(&self) -> Entries<'_> {
        Entries::new(&self.entries)
    }

    /// What the counts of entries overflowed by: place and how much.
    pub(crate) fn carries(&self) -> &BTreeMap<u32, u64> {
        &self.carries
    }
}
