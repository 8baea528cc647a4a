//! xz blocks, from the index at the end of each stream (.xz file format 1.2.1, section 4).
//!
//! Read from the end of the file backwards; anything odd, and there are no blocks. A block is
//! decoded within a stream of its own, whose index says what the file's says of it, so the decoder
//! compares both.

use flate2::Crc;

use crate::settings::limits::{DECODE_INDEX_BYTES_MAX, DECODE_PIECE_BYTES_MAX};

use super::super::super::Input;
use super::super::magic::XZ;
use super::{Envelope, Part, Unit, array};

/// Section 2.1: Stream Header and Stream Footer.
const HEADER_BYTES: u64 = 12;
const FOOTER_BYTES: u64 = 12;
const FOOTER_MAGIC: [u8; 2] = *b"YZ";

/// What a block is of its stream. Sizes are compared with the index, so a block that is sound by
/// itself is sound where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct InStream {
    /// Whether it is the first.
    pub(in super::super) begins: bool,
    /// Whether it is the last.
    pub(in super::super) ends: bool,
    /// What it adds to the members of the source: its stream with the first block, and what stands
    /// between streams or behind them.
    pub(in super::super) members: u64,
}

/// The blocks of all streams, in order.
#[derive(Debug)]
pub(super) struct Walk {
    blocks: Vec<Found>,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Found {
    offset: u64,
    unpadded: u64,
    decompressed: u64,
    flags: [u8; 2],
    stream: InStream,
    /// Behind it, and behind its stream where it is the last of that.
    end: u64,
}

impl Walk {
    /// The blocks of an input that has more than one, none of them too large to be held.
    pub(super) fn of(input: &Input) -> Option<Self> {
        let mut blocks: Vec<Found> = Vec::new();
        // Behind the last block: empty streams, and padding that ends the input.
        let mut behind = 0;
        let mut end = input.bytes();
        let mut index_bytes = 0;
        while end > 0 {
            let padding: [u8; 4] = array(input, end.checked_sub(4)?)?;
            if padding == [0; 4] {
                behind += u64::from(end == input.bytes());
                end -= 4;
                index_bytes += 4;
                // Padding follows a stream: none may stand before the first.
                if end == 0 {
                    return None;
                }
            } else {
                let stream = Stream::before(input, end)?;
                index_bytes += stream.index.len() as u64;
                match blocks.last_mut() {
                    _ if !stream.records.is_empty() => {}
                    Some(follows) => follows.stream.members += 1,
                    None => behind += 1,
                }
                end = stream.blocks(&mut blocks)?;
            }
            if index_bytes > DECODE_INDEX_BYTES_MAX {
                return None;
            }
        }
        // Streams came last to first, and the blocks of each as well.
        blocks.reverse();
        let last = blocks.last_mut()?;
        last.stream.members += behind;
        last.end = input.bytes();
        let fit = blocks.iter().all(|block| block.decompressed <= DECODE_PIECE_BYTES_MAX);
        (blocks.len() > 1 && fit).then_some(Self { blocks, next: 0 })
    }

    /// The next block. `offset` is where the last one ended.
    pub(super) fn unit(&mut self, offset: u64) -> Option<Unit> {
        let found = *self.blocks.get(self.next)?;
        self.next += 1;
        let bytes = padded(found.unpadded)?;
        let end = found.offset.checked_add(bytes)?;
        Some(Unit {
            before: found.offset.checked_sub(offset)?,
            bytes,
            after: found.end.checked_sub(end)?,
            decompressed: Some(found.decompressed),
            envelope: envelope(&found)?,
            part: Part::Xz(found.stream),
        })
    }
}

/// A stream that ends at `end`.
struct Stream {
    end: u64,
    flags: [u8; 2],
    index: Vec<u8>,
    input_header: [u8; 12],
    start: u64,
    records: Vec<(u64, u64)>,
}

impl Stream {
    fn before(input: &Input, end: u64) -> Option<Self> {
        let footer: [u8; 12] = array(input, end.checked_sub(FOOTER_BYTES)?)?;
        // CRC32, Backward Size, Stream Flags, and the magic bytes.
        let (checksum, rest) = footer.split_first_chunk()?;
        let (own, magic) = rest.split_at_checked(6)?;
        let (&size, flags) = own.split_first_chunk()?;
        let flags = *flags.first_chunk()?;
        if magic != FOOTER_MAGIC || crc([own, &[]]) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let index_bytes = (u64::from(u32::from_le_bytes(size)) + 1) * 4;
        if index_bytes > DECODE_INDEX_BYTES_MAX {
            return None;
        }
        let index_start = end.checked_sub(FOOTER_BYTES + index_bytes)?;
        let mut index = vec![0; usize::try_from(index_bytes).ok()?];
        input.read_at(&mut index, index_start).ok()?;
        let records = records(&index)?;
        let mut blocks_bytes = 0_u64;
        for &(unpadded, _) in &records {
            blocks_bytes = blocks_bytes.checked_add(padded(unpadded)?)?;
        }
        let start = index_start.checked_sub(blocks_bytes)?.checked_sub(HEADER_BYTES)?;
        let input_header = array(input, start)?;
        Some(Self { end, flags, index, input_header, start, records })
    }

    /// Adds the blocks, last first. Returns where the stream begins.
    fn blocks(&self, into: &mut Vec<Found>) -> Option<u64> {
        if self.input_header != header(self.flags) {
            return None;
        }
        let (flags, mut ends) = (self.flags, true);
        let mut start = self.end.checked_sub(FOOTER_BYTES + self.index.len() as u64)?;
        for (at, &(unpadded, decompressed)) in self.records.iter().enumerate().rev() {
            let end = if ends { self.end } else { start };
            let begins = at == 0;
            let stream = InStream { begins, ends, members: u64::from(begins) };
            start = start.checked_sub(padded(unpadded)?)?;
            into.push(Found { offset: start, unpadded, decompressed, flags, stream, end });
            ends = false;
        }
        Some(self.start)
    }
}

/// The unpadded and the uncompressed size of every block (section 4.3). The decoder sees an index
/// of our own for each of them, so this one is checked here to its last byte.
fn records(index: &[u8]) -> Option<Vec<(u64, u64)>> {
    let (body, checksum) = index.split_last_chunk::<4>()?;
    if crc([body, &[]]) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let (&0, mut body) = body.split_first()? else { return None };
    let count = integer(&mut body)?;
    // Two bytes at least for each, so the count cannot ask for more than is there.
    if count > body.len() as u64 / 2 {
        return None;
    }
    let mut records = Vec::new();
    for _ in 0..count {
        let unpadded = integer(&mut body).filter(|&bytes| bytes > 0)?;
        records.push((unpadded, integer(&mut body)?));
    }
    // Section 4.4: Index Padding.
    (body.len() < 4 && body.iter().all(|&byte| byte == 0)).then_some(records)
}

/// Section 1.2: seven bits a byte, the lowest first, in as few bytes as it takes.
fn integer(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return (byte > 0 || shift == 0).then_some(value);
        }
    }
    None
}

fn write_integer(mut value: u64, into: &mut Vec<u8>) {
    while value > 0x7f {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push((value & 0x7f) as u8);
}

/// A block is followed by zeros up to a multiple of four bytes.
fn padded(unpadded: u64) -> Option<u64> {
    unpadded.checked_next_multiple_of(4)
}

/// Section 2.1.1: Stream Header.
fn header(flags: [u8; 2]) -> [u8; 12] {
    let mut header = [0; 12];
    let (magic, rest) = header.split_at_mut(6);
    magic.copy_from_slice(&XZ);
    let (own, checksum) = rest.split_at_mut(2);
    own.copy_from_slice(&flags);
    checksum.copy_from_slice(&crc([&flags, &[]]).to_le_bytes());
    header
}

/// What makes a block a stream: a header in front of it, an index with one record and a footer
/// behind it.
fn envelope(found: &Found) -> Option<Envelope> {
    let mut after = vec![0, 1];
    write_integer(found.unpadded, &mut after);
    write_integer(found.decompressed, &mut after);
    after.resize(after.len().next_multiple_of(4), 0);
    after.extend(crc([&after, &[]]).to_le_bytes());
    let size = u32::try_from(after.len() / 4 - 1).ok()?.to_le_bytes();
    after.extend(crc([&size[..], &found.flags]).to_le_bytes());
    after.extend(size);
    after.extend(found.flags);
    after.extend(FOOTER_MAGIC);
    Some(Envelope { before: header(found.flags).into(), after })
}

fn crc(parts: [&[u8]; 2]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(body: &[u8]) -> Vec<u8> {
        [body, &crc([body, &[]]).to_le_bytes()].concat()
    }

    #[test]
    fn an_index_is_checked_to_its_last_byte() {
        let good = index(&[0, 2, 26, 6, 27, 0x87, 1, 0]);
        assert_eq!(records(&good), Some(vec![(26, 6), (27, 135)]));
        for (bad, why) in [
            (&[0, 2, 26, 6, 27, 0x87, 1, 1][..], "padding that is not zero"),
            (&[0, 2, 26, 6, 27, 7, 0, 0, 0, 0], "padding of four bytes"),
            (&[0, 2, 26, 6, 27, 0x87, 0, 0], "an integer that is longer than it must be"),
            (&[0, 2, 26, 6, 0, 7, 0, 0], "a block of no bytes"),
            (&[0, 3, 26, 6, 27, 7, 0, 0], "fewer records than it says"),
        ] {
            assert_eq!(records(&index(bad)), None, "{why}");
        }
    }
}
