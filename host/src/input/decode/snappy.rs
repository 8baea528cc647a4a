//! Snappy frames (snappy framing format of 2013-10-25): the chunks are read here, the blocks by the
//! crate.
//!
//! The crate's own frame reader takes no padding and no skippable chunk above 76 KB.

use crc32c::crc32c;
use snap::raw::{Decoder, decompress_len};

use super::feed::is_whole;
use super::magic::{SNAPPY, is_cut_off};
use super::{Begin, Decoded, Engine, Fault, Feed};
use crate::slices;

/// Section 4.2: "the maximum of uncompressed data in a chunk is 65536".
const BLOCK_BYTES_MAX: usize = 64 << 10;

/// Largest chunk that can be right: a block that could not be compressed, with room to spare, and
/// its checksum.
const CHUNK_BYTES_MAX: usize = BLOCK_BYTES_MAX + BLOCK_BYTES_MAX / 6 + 32 + 4;

pub(super) struct Snappy {
    decoder: Decoder,
    /// A block that was decoded and not yet handed out: `plain[from..to]`.
    plain: Vec<u8>,
    from: usize,
    to: usize,
    scratch: Vec<u8>,
}

impl Snappy {
    pub(super) fn new() -> Self {
        let plain = vec![0; BLOCK_BYTES_MAX];
        Self { decoder: Decoder::new(), plain, from: 0, to: 0, scratch: Vec::new() }
    }

    /// Reads the next chunk. `false`: there is none.
    fn chunk(&mut self, feed: &mut Feed) -> Result<bool, Fault> {
        if feed.peek()?.is_empty() {
            return Ok(false);
        }
        let [kind, length @ ..]: [u8; 4] = feed.array()?;
        let length = length_of(length);
        match kind {
            0x00 | 0x01 if length > CHUNK_BYTES_MAX => {
                return Err(Fault::Corrupt("a chunk is larger than its format allows"));
            }
            0x00 => self.block(feed, length, Kind::Compressed)?,
            0x01 => self.block(feed, length, Kind::Stored)?,
            0xff => {
                let mut body = [0; 6];
                feed.fill(
                    body.get_mut(..length).ok_or(Fault::Corrupt("not a stream identifier"))?,
                )?;
                if !SNAPPY.ends_with(&body) {
                    return Err(Fault::Corrupt("not a stream identifier"));
                }
            }
            0x80..=0xfe => feed.skip(length as u64)?,
            _ => return Err(Fault::Unsupported("a reserved kind of chunk")),
        }
        Ok(true)
    }

    fn block(&mut self, feed: &mut Feed, length: usize, kind: Kind) -> Result<(), Fault> {
        const TOO_LARGE: Fault = Fault::Corrupt("a block is larger than its format allows");
        let chunk = feed.exactly(length, &mut self.scratch)?;
        let Some((checksum, data)) = chunk.split_first_chunk() else {
            return Err(Fault::Corrupt("a chunk is too short for its checksum"));
        };
        let written = match kind {
            Kind::Stored => {
                self.plain.get_mut(..data.len()).ok_or(TOO_LARGE)?.copy_from_slice(data);
                data.len()
            }
            Kind::Compressed => {
                const INVALID: Fault = Fault::Corrupt("invalid block");
                if decompress_len(data).map_err(|_| INVALID)? > BLOCK_BYTES_MAX {
                    return Err(TOO_LARGE);
                }
                self.decoder.decompress(data, &mut self.plain).map_err(|_| INVALID)?
            }
        };
        if masked(slices::part(&self.plain, ..written)) != u32::from_le_bytes(*checksum) {
            return Err(Fault::Checksum("CRC-32C of a chunk"));
        }
        (self.from, self.to) = (0, written);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Compressed,
    Stored,
}

impl Engine for Snappy {
    fn held_bytes(&self, _decoded: u64) -> u64 {
        (self.plain.capacity() + self.scratch.capacity()) as u64
    }

    fn begin(&mut self, feed: &mut Feed, first: bool) -> Result<Begin, Fault> {
        if !first {
            return Ok(Begin::NotOurs);
        }
        let magic = feed.ahead(SNAPPY.len())?;
        if is_cut_off(magic, &SNAPPY) {
            return Err(Fault::Truncated);
        }
        (self.from, self.to) = (0, 0);
        Ok(if magic.starts_with(&SNAPPY) { Begin::Member } else { Begin::NotOurs })
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        if self.from == self.to && !self.chunk(feed)? {
            return Ok(Decoded::Last(0));
        }
        let bytes = into.len().min(self.to - self.from);
        if let (Some(from), Some(into)) =
            (self.plain.get(self.from..self.from + bytes), into.get_mut(..bytes))
        {
            into.copy_from_slice(from);
        }
        self.from += bytes;
        Ok(if self.from < self.to { Decoded::More(bytes) } else { Decoded::Some(bytes) })
    }

    fn starves(&self, held: &[u8]) -> bool {
        let Some([_, length @ ..]) = held.first_chunk::<4>() else { return true };
        !is_whole(4 + length_of(*length), held)
    }
}

/// Section 4.1: three bytes, the lowest first.
fn length_of(bytes: [u8; 3]) -> usize {
    bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte))
}

/// Section 3: the checksum is rotated and offset, as it may stand in data that is itself
/// checksummed.
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}
