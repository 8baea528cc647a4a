//! Words and their counts, one after the other in memory: four bytes of length and count, then the
//! word.
//!
//! An entry's count is small, and flagged where it is not all: what it cannot hold is kept
//! elsewhere.

/// Bytes before the word: `count << 9 | spilled << 8 | length`, the least significant first.
const HEADER_BYTES: usize = 4;

/// The longest word that an entry holds, in bytes: the length has 8 bits.
pub(crate) const WORD_BYTES_MAX: usize = u8::MAX as usize;

/// The greatest count that an entry holds: it has 23 bits.
pub(crate) const COUNT_MAX: u32 = u32::MAX >> 9;

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

/// Bytes that the entry of a word takes.
pub(crate) fn entry_bytes(word: &[u8]) -> usize {
    HEADER_BYTES + word.len()
}

/// Appends a word that is not counted yet, of at most [`WORD_BYTES_MAX`] bytes.
pub(crate) fn push(entries: &mut Vec<u8>, word: &[u8]) {
    #[expect(clippy::cast_possible_truncation, reason = "at most WORD_BYTES_MAX")]
    let length = word.len() as u32;
    entries.extend_from_slice(&length.to_le_bytes());
    entries.extend_from_slice(word);
}

/// The word of the entry at `place`.
#[inline]
pub(crate) fn word_at(entries: &[u8], place: u32) -> Option<&[u8]> {
    Entries::new(entries.get(place as usize..)?).next().map(|entry| entry.word)
}

/// What became of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raised {
    /// The entry holds it.
    Count(u32),
    /// The entry is flagged and begins anew: this much has to be kept elsewhere.
    Spilled(u64),
}

/// Adds to the count of the entry at `place`.
#[inline]
pub(crate) fn raise(entries: &mut [u8], place: u32, by: u64) -> Raised {
    let Some(header) = entries.get_mut(place as usize..).and_then(<[u8]>::first_chunk_mut) else {
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

    #[test]
    fn a_count_that_overflows_is_handed_out_whole() {
        let mut entries = Vec::new();
        push(&mut entries, b"word");
        let most = u64::from(COUNT_MAX);
        assert_eq!(raise(&mut entries, 0, most), Raised::Count(COUNT_MAX));
        assert_eq!(raise(&mut entries, 0, 2), Raised::Spilled(most + 2));
        assert_eq!(raise(&mut entries, 0, 3), Raised::Count(3));
        let expected = Entry { word: b"word", count: 3, spilled: true };
        assert!(Entries::new(&entries).eq([expected]));
    }

    #[test]
    fn entries_are_read_in_order() {
        let mut entries = Vec::new();
        let words = [&b""[..], b"a", &[b'x'; WORD_BYTES_MAX]];
        for word in words {
            push(&mut entries, word);
        }
        assert!(Entries::new(&entries).map(|entry| entry.word).eq(words));
        assert_eq!(word_at(&entries, 4), Some(&b"a"[..]));
    }
}
