//! The bytes of a saved table: how many bytes all that follows takes (8), for each partition how
//! many bytes its entries take (4) and its greatest count (4), all entries as they are in memory,
//! and the counts kept apart from entries: count (8), length of the word (4), word. All numbers
//! have the least significant byte first.

use crate::view::{Share, View};

/// Partitions of a table, a power of two: with five million words of 15 bytes each takes 200 KB.
pub(crate) const PARTITIONS: usize = 512;

const LENGTH_BYTES: usize = 8;
const SHARES_BYTES: usize = PARTITIONS * 8;
const SPILLED_BYTES: usize = 12;

/// Appends a table.
pub(crate) fn write(bytes: &mut Vec<u8>, table: &View<'_>) {
    bytes.extend(((written_bytes(table) - LENGTH_BYTES) as u64).to_le_bytes());
    for share in &table.shares {
        bytes.extend(length(share.bytes()));
        bytes.extend(share.greatest.to_le_bytes());
    }
    for share in &table.shares {
        share.full.iter().for_each(|block| bytes.extend_from_slice(block));
        bytes.extend_from_slice(share.rest);
    }
    for (word, count) in &table.spilled {
        bytes.extend(count.to_le_bytes());
        bytes.extend(length(word.len()));
        bytes.extend_from_slice(word);
    }
}

/// How many bytes [`write`] appends.
pub(crate) fn written_bytes(table: &View<'_>) -> usize {
    let entries: usize = table.shares.iter().map(Share::bytes).sum();
    let spilled: usize = table.spilled.keys().map(|word| SPILLED_BYTES + word.len()).sum();
    LENGTH_BYTES + SHARES_BYTES + entries + spilled
}

/// Takes the bytes of one table off the front of several; none if they are not there.
pub(crate) fn split<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u64::from_le_bytes(*bytes.first_chunk()?)).ok()?;
    let (table, rest) = bytes.split_at_checked(length.checked_add(LENGTH_BYTES)?)?;
    *bytes = rest;
    Some(table)
}

/// Reads what [`split`] gave, where it stands: all entries are in [`Share::rest`]. None if it is
/// damaged.
pub(crate) fn read(bytes: &[u8]) -> Option<View<'_>> {
    let (shares, mut rest) = bytes.get(LENGTH_BYTES..)?.split_at_checked(SHARES_BYTES)?;
    let mut table = View { shares: Vec::with_capacity(PARTITIONS), ..View::default() };
    for numbers in shares.as_chunks::<8>().0 {
        let [length, greatest] = *numbers.as_chunks::<4>().0 else { return None };
        let (entries, after) = rest.split_at_checked(u32::from_le_bytes(length) as usize)?;
        let greatest = u32::from_le_bytes(greatest);
        table.shares.push(Share { full: &[], rest: entries, greatest });
        rest = after;
    }
    while !rest.is_empty() {
        let (count, after) = rest.split_first_chunk::<8>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let (word, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        table.spilled.insert(word, u64::from_le_bytes(*count));
        rest = after;
    }
    Some(table)
}

/// A length: nothing in a 32-bit memory is longer than four bytes can say.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}
