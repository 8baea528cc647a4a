//! Words and their counts: four bytes of length and count, then the word. A saved table has all
//! entries one after the other; in a table in use they are in blocks of one size.
//!
//! Blocks are why a table fills the memory of an instance. A buffer that grows leaves a hole behind
//! it each time, and buffers that grow together leave holes that none of them fits into: a third of
//! all memory. A block never moves, and any block fits where another one was.
//!
//! An entry's count is small, and flagged where it is not all: what it cannot hold is kept
//! elsewhere.

use std::collections::TryReserveError;

/// Bytes before the word: `count << 9 | spilled << 8 | length`, the least significant first.
const HEADER_BYTES: usize = 4;

/// The longest word that an entry holds, in bytes: the length has 8 bits.
pub(crate) const WORD_BYTES_MAX: usize = u8::MAX as usize;

/// The greatest count that an entry holds: it has 23 bits.
pub(crate) const COUNT_MAX: u32 = u32::MAX >> 9;

/// Bytes of a block: small beside the share of a partition in a full memory, large beside an entry.
const BLOCK_BYTES: usize = 1 << BLOCK_BITS;
const BLOCK_BITS: u32 = if cfg!(test) { 9 } else { 12 };

/// The first block of a table begins with this many bytes, and doubles.
const FIRST_BYTES: usize = 112;

const LENGTH: u32 = 0xff;
const SPILLED: u32 = 0x100;

/// A word, and what its entry knows of its count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) word: &'a [u8],
    pub(crate) count: u64,
    /// Whether more was counted than `count`, which is kept elsewhere.
    pub(crate) spilled: bool,
}

/// What became of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raised {
    /// The entry holds it.
    Count(u32),
    /// The entry is flagged and begins anew: this much has to be kept elsewhere.
    Spilled(u64),
}

/// The entries of a table in use. A place is the number of a block, then the offset in it.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    /// Blocks that are full.
    full: Vec<Vec<u8>>,
    /// The block that is being filled: the only one of a small table.
    last: Vec<u8>,
}

impl Blocks {
    /// Appends a word that is not counted yet, of at most [`WORD_BYTES_MAX`] bytes, and returns its
    /// place.
    ///
    /// # Errors
    /// There is no memory for it.
    #[inline]
    pub(crate) fn push(&mut self, word: &[u8]) -> Result<u32, TryReserveError> {
        let needed = HEADER_BYTES + word.len();
        if self.last.capacity() - self.last.len() < needed {
            self.make_room(needed)?;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a 512th of a 32-bit memory")]
        let place = (self.full.len() << BLOCK_BITS | self.last.len()) as u32;
        #[expect(clippy::cast_possible_truncation, reason = "at most WORD_BYTES_MAX")]
        let length = word.len() as u32;
        self.last.extend_from_slice(&length.to_le_bytes());
        self.last.extend_from_slice(word);
        Ok(place)
    }

    /// Grows the first block, or begins the next one.
    #[cold]
    fn make_room(&mut self, needed: usize) -> Result<(), TryReserveError> {
        let (used, capacity) = (self.last.len(), self.last.capacity());
        if BLOCK_BYTES - used >= needed {
            let bytes = (2 * capacity).max(FIRST_BYTES).max(used + needed).min(BLOCK_BYTES);
            return self.last.try_reserve_exact(bytes - used);
        }
        let mut next = Vec::new();
        next.try_reserve_exact(BLOCK_BYTES)?;
        self.full.try_reserve(1)?;
        self.full.push(std::mem::replace(&mut self.last, next));
        Ok(())
    }

    /// The word of the entry at `place`.
    #[inline]
    pub(crate) fn word_at(&self, place: u32) -> Option<&[u8]> {
        let (index, offset) = split(place);
        let block = self.full.get(index).unwrap_or(&self.last);
        Entries::new(block.get(offset..)?).next().map(|entry| entry.word)
    }

    /// Adds to the count of the entry at `place`.
    #[inline]
    pub(crate) fn raise(&mut self, place: u32, by: u64) -> Raised {
        let (index, offset) = split(place);
        let block = self.full.get_mut(index).unwrap_or(&mut self.last);
        let Some(header) = block.get_mut(offset..).and_then(<[u8]>::first_chunk_mut) else {
            return Raised::Spilled(by);
        };
        let packed = u32::from_le_bytes(*header);
        let count = u64::from(packed >> 9).saturating_add(by);
        let (packed, raised) = match u32::try_from(count) {
            Ok(count) if count <= COUNT_MAX => {
                (count << 9 | packed & (SPILLED | LENGTH), Raised::Count(count))
            }
            _ => (SPILLED | packed & LENGTH, Raised::Spilled(count)),
        };
        *header = packed.to_le_bytes();
        raised
    }

    /// The blocks that are full, and the last one: together they are the entries in the order in
    /// which they were pushed.
    pub(crate) fn parts(&self) -> (&[Vec<u8>], &[u8]) {
        (&self.full, &self.last)
    }
}

/// The number of a block, and the offset in it.
#[inline]
fn split(place: u32) -> (usize, usize) {
    ((place >> BLOCK_BITS) as usize, place as usize & (BLOCK_BYTES - 1))
}

/// Entries, in the order in which they were pushed.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    pub(crate) fn new(entries: &'a [u8]) -> Self {
        Self { rest: entries }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let (header, rest) = self.rest.split_first_chunk::<HEADER_BYTES>()?;
        let packed = u32::from_le_bytes(*header);
        let (word, rest) = rest.split_at_checked((packed & LENGTH) as usize)?;
        self.rest = rest;
        Some(Entry { word, count: u64::from(packed >> 9), spilled: packed & SPILLED != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(blocks: &Blocks) -> impl Iterator<Item = Entry<'_>> {
        blocks.full.iter().chain([&blocks.last]).flat_map(|block| Entries::new(block))
    }

    #[test]
    fn a_count_that_overflows_is_handed_out_whole() {
        let mut entries = Blocks::default();
        let place = entries.push(b"word").unwrap();
        let most = u64::from(COUNT_MAX);
        assert_eq!(entries.raise(place, most), Raised::Count(COUNT_MAX));
        assert_eq!(entries.raise(place, 2), Raised::Spilled(most + 2));
        assert_eq!(entries.raise(place, 3), Raised::Count(3));
        let expected = Entry { word: b"word", count: 3, spilled: true };
        assert!(all(&entries).eq([expected]));
    }

    #[test]
    fn entries_are_read_in_order_and_by_their_places() {
        let mut entries = Blocks::default();
        let words: Vec<Vec<u8>> = (0..40)
            .map(|at| vec![b'a' + at; usize::from(at) * 51 % (WORD_BYTES_MAX + 1)])
            .collect();
        let places: Vec<u32> = words.iter().map(|word| entries.push(word).unwrap()).collect();
        assert!(entries.full.len() > 8);
        assert!(all(&entries).map(|entry| entry.word).eq(&words));
        assert!(places.iter().map(|&place| entries.word_at(place).unwrap()).eq(&words));
    }

    #[test]
    fn a_block_never_moves_once_it_has_its_full_size() {
        let mut entries = Blocks::default();
        let mut places = Vec::new();
        while entries.full.len() < 20 {
            entries.push(b"some word").unwrap();
            assert!(entries.last.capacity() <= BLOCK_BYTES);
            if entries.last.capacity() == BLOCK_BYTES && entries.full.len() == places.len() {
                places.push(entries.last.as_ptr());
            }
        }
        assert!(entries.full.iter().map(Vec::as_ptr).eq(places.into_iter().take(20)));
    }
}
