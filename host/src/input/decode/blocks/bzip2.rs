//! Blocks of bzip2 streams. They begin at any bit, and nothing says how long they are: the next one
//! is searched for, by the 48 bits that every block and every end of a stream begins with.
//!
//! Where those bits stand within a block, by a chance of one in 2^48 a bit or by design, the piece
//! that ends there is no whole block, and fails: a block ends with a symbol of its own, and has a
//! CRC-32.

use std::ops::Range;

use crate::settings::limits::DECODE_SEARCH_BYTES_MAX;

use super::super::super::Input;
use super::super::magic::{BZIP2, BZIP2_BLOCK, BZIP2_END};
use super::{Block, Envelope, Part, array};

/// Read at once: part of a block of the usual 900 KB.
const SEARCH_BYTES: usize = 64 << 10;

/// Of one of the two magics, and of the CRC-32 that follows it.
const MAGIC_BITS: u64 = 48;
const CRC_BITS: u64 = 32;

/// A block of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Bits {
    /// From its magic up to the next one, in bits from the beginning of the source.
    pub(in super::super) range: Range<u64>,
    /// CRC-32 of what comes out of it.
    pub(in super::super) crc: u32,
    /// Whether it is the first of its stream.
    pub(in super::super) begins: bool,
    /// CRC-32 of the stream, where it is the last.
    pub(in super::super) ends: Option<u32>,
}

/// Where the walk is.
#[derive(Debug)]
pub(super) enum Walk {
    /// At a byte where a stream may begin.
    Between(u64),
    /// At a bit where a block begins.
    Inside {
        /// Which.
        bit: u64,
        /// Of the stream.
        level: u8,
        /// Whether it is the first of its stream.
        begins: bool,
    },
}

impl Walk {
    /// A walk over an input that has more than one piece.
    pub(super) fn of(input: &Input) -> Option<Self> {
        let mut walk = Self::Between(0);
        let first = walk.next(input)?;
        (first.end < input.bytes()).then_some(Self::Between(0))
    }

    /// Where the piece that comes next begins.
    pub(super) fn at(&self) -> u64 {
        match self {
            Self::Between(at) => *at,
            Self::Inside { bit, .. } => bit / 8,
        }
    }

    /// The next block, or a stream without any. `None` where there is neither.
    pub(super) fn next(&mut self, input: &Input) -> Option<Block> {
        let (bit, level, begins) = match *self {
            Self::Inside { bit, level, begins } => (bit, level, begins),
            Self::Between(at) => {
                let [a, b, c, level] = array(input, at)?;
                if [a, b, c] != BZIP2 || !level.is_ascii_digit() || level == b'0' {
                    return None;
                }
                ((at + 4) * 8, level, true)
            }
        };
        match magic(input, bit)? {
            Magic::Block => {}
            Magic::End if begins => return self.empty(input, bit),
            Magic::End => return None,
        }
        let crc = u32_at(input, bit + MAGIC_BITS)?;
        let (end, found) = next_magic(input, bit + MAGIC_BITS + CRC_BITS)?;
        let ends = match found {
            Magic::Block => {
                *self = Self::Inside { bit: end, level, begins: false };
                None
            }
            Magic::End => {
                *self = Self::Between(end_of_stream(end));
                Some(u32_at(input, end + MAGIC_BITS)?)
            }
        };
        let offset = bit / 8;
        let before = [&BZIP2[..], &[level]].concat();
        Some(Block {
            compressed_offset: offset,
            compressed_bytes: end.div_ceil(8) - offset,
            envelope: Envelope { before, after: Vec::new() },
            members: 1,
            part: Part::Bzip2(Bits { range: bit..end, crc, begins, ends }),
            end: self.at(),
            ..Block::default()
        })
    }

    /// A stream without a block, which is a piece of its own.
    fn empty(&mut self, input: &Input, bit: u64) -> Option<Block> {
        let (start, end) = (self.at(), end_of_stream(bit));
        *self = Self::Between(end);
        (end <= input.bytes()).then(|| Block {
            compressed_offset: start,
            compressed_bytes: end - start,
            members: 1,
            end,
            ..Block::default()
        })
    }
}

impl Bits {
    /// What a stream of this block alone has behind the level, from the bytes that the block lies
    /// in.
    pub(super) fn aligned(&self, bytes: &[u8]) -> Vec<u8> {
        let shift = self.range.start % 8;
        let bits = self.range.end - self.range.start;
        let whole = usize::try_from(bits / 8).unwrap_or(usize::MAX);
        let pair = |at: usize| {
            let byte = |at: usize| u16::from(bytes.get(at).copied().unwrap_or(0));
            byte(at) << 8 | byte(at + 1)
        };
        let byte = |at: usize| (pair(at) << shift).to_be_bytes()[0];
        let mut aligned: Vec<u8> = (0..whole.min(bytes.len())).map(byte).collect();
        // The end of the stream follows the last bits, which do not fill a byte.
        let left = bits % 8;
        let mut last = byte(whole);
        for next in BZIP2_END.into_iter().chain(self.crc.to_be_bytes()) {
            let kept = if left == 0 { 0 } else { last & (0xff << (8 - left)) };
            let joined = u16::from(kept) << 8 | u16::from(next) << (8 - left);
            let [first, second] = joined.to_be_bytes();
            aligned.push(first);
            last = second;
        }
        if left > 0 {
            aligned.push(last);
        }
        aligned
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Magic {
    Block,
    End,
}

impl Magic {
    fn of(bits: u64) -> Option<Self> {
        let [_, _, magic @ ..] = bits.to_be_bytes();
        match magic {
            BZIP2_BLOCK => Some(Self::Block),
            BZIP2_END => Some(Self::End),
            _ => None,
        }
    }
}

/// The byte behind a stream whose end begins at that bit: the rest of the last byte is padding.
fn end_of_stream(bit: u64) -> u64 {
    (bit + MAGIC_BITS + CRC_BITS).div_ceil(8)
}

/// The magic at that bit.
fn magic(input: &Input, bit: u64) -> Option<Magic> {
    let bytes = array(input, bit / 8)?;
    Magic::of(u64::from_be_bytes(bytes) << (bit % 8) >> (64 - MAGIC_BITS))
}

fn u32_at(input: &Input, bit: u64) -> Option<u32> {
    let [a, b, c, d] = array(input, bit / 8)?;
    let shift = bit % 8;
    let [last] = if shift == 0 { [0] } else { array(input, bit / 8 + 4)? };
    let bits = u64::from_be_bytes([0, 0, 0, a, b, c, d, last]) << shift >> 8;
    let [_, _, _, _, found @ ..] = bits.to_be_bytes();
    Some(u32::from_be_bytes(found))
}

/// The first magic that begins at that bit or behind it.
fn next_magic(input: &Input, from: u64) -> Option<(u64, Magic)> {
    let candidates = Candidates::new();
    let mut at = from / 8;
    let to = input.bytes().min(at.saturating_add(DECODE_SEARCH_BYTES_MAX));
    let mut buffer = vec![0; SEARCH_BYTES];
    while at + 8 <= to {
        let bytes = usize::try_from(to - at).unwrap_or(usize::MAX).min(SEARCH_BYTES);
        let window = buffer.get_mut(..bytes)?;
        input.read_at(window, at).ok()?;
        if let Some(found) = candidates.find(window, at * 8, from) {
            return Some(found);
        }
        at += (bytes - 7) as u64;
    }
    None
}

/// What the fourth byte may be of eight that a magic begins in the first of: most bytes are not.
struct Candidates([bool; 256]);

impl Candidates {
    fn new() -> Self {
        let mut fourth = [false; 256];
        for magic in [BZIP2_BLOCK, BZIP2_END] {
            let [_, _, a, b, ..] = magic;
            for shift in 0..8 {
                let [_, byte] = (u16::from_be_bytes([a, b]) >> shift).to_be_bytes();
                if let Some(may) = fourth.get_mut(usize::from(byte)) {
                    *may = true;
                }
            }
        }
        Self(fourth)
    }

    /// The first magic in `window`, whose first bit is the source's at `base`, that is not before
    /// the bit `from`.
    fn find(&self, window: &[u8], base: u64, from: u64) -> Option<(u64, Magic)> {
        window.windows(8).enumerate().find_map(|(at, bytes)| {
            let eight = *bytes.first_chunk::<8>()?;
            let [_, _, _, fourth, ..] = eight;
            if !self.0.get(usize::from(fourth)).copied().unwrap_or(false) {
                return None;
            }
            let first = base + at as u64 * 8;
            (0..8).find_map(|shift| {
                let bits = u64::from_be_bytes(eight) << shift >> (64 - MAGIC_BITS);
                Magic::of(bits)
                    .filter(|_| first + shift >= from)
                    .map(|magic| (first + shift, magic))
            })
        })
    }
}
