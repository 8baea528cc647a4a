//! Where a compressed source can be decoded in parallel: pieces of it that need nothing of what
//! stands before them.
//!
//! Found without decoding, from sizes that the format writes down: BGZF members, zstd and lz4
//! frames, lz4 blocks, xz blocks; for other gzip members and bzip2 blocks by looking for their
//! beginnings. Found one after the other, as they are asked for, so a large source is not read
//! twice. What is found is only advice: each piece is checked like a source of its own when it is
//! decoded, and where the sizes stop making sense the last piece is all that is left, for the
//! decoder to read or to refuse.

mod aligned;
mod bgzf;
mod bzip2;
mod gzip;
mod lz4;
mod stretch;
mod xz;
mod zstd;

use crate::settings::limits::{DECODE_RUN_BYTES, DECODE_RUNS_MAX};

use super::super::Input;
use super::Codec;

pub(super) use aligned::Aligned;
pub(super) use bzip2::Bits;
pub(super) use lz4::Within;
pub use stretch::BlockSpan;
pub(super) use xz::InStream;

/// A piece of a compressed source that can be decoded by itself: a run of neighbouring members,
/// frames or blocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Where it begins, in the compressed bytes.
    pub compressed_offset: u64,
    /// How many compressed bytes it has.
    pub compressed_bytes: u64,
    /// Where it begins in the decompressed bytes, if the format says so.
    pub decompressed_offset: Option<u64>,
    /// How many bytes come out of it, if the format says so. Decoding fails when it is something
    /// else.
    pub decompressed_bytes: Option<u64>,
    /// How many members, frames or blocks it has, as far as they were recognised.
    pub members: u64,
    /// What has to stand around it to make it whole.
    pub(super) envelope: Envelope,
    /// Whether it is the rest of the file, in which no more pieces were recognised.
    pub(super) rest: bool,
    /// What it is a piece of.
    pub(super) part: Part,
    /// Where the next one begins at the earliest.
    pub(super) end: u64,
}

impl Block {
    /// Whether it is the last of an input of so many bytes.
    pub(in super::super::super) fn ends(&self, bytes: u64) -> bool {
        self.end >= bytes
    }

    /// Whether it is worth decoding by itself, with no more than `bytes_max` coming out of it, as
    /// far as can be told.
    pub(in super::super::super) fn is_piece(&self, bytes_max: u64) -> bool {
        !self.rest && self.decompressed_bytes.is_none_or(|bytes| bytes <= bytes_max)
    }
}

/// What pieces are made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Part {
    /// Whole members, or what stands alone like one.
    #[default]
    Members,
    /// Neighbouring blocks of one lz4 frame.
    Lz4(Within),
    /// A block of a bzip2 stream.
    Bzip2(Bits),
    /// A block of an xz stream.
    Xz(InStream),
}

/// Bytes that make a piece out of the middle of a file well-formed by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Envelope {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

/// Walks over the pieces of one source.
#[derive(Debug)]
pub struct Blocks {
    walk: Walk,
    at: u64,
    decompressed: Option<u64>,
    run_bytes: u64,
    /// Found behind the end of the last run, and not part of it.
    next: Option<Unit>,
}

#[derive(Debug)]
enum Walk {
    Bgzf,
    Gzip,
    Zstd,
    Bzip2(bzip2::Walk),
    Lz4(lz4::Walk),
    Xz(xz::Walk),
}

/// The smallest unit of a format that can be decoded by itself.
#[derive(Debug, Default)]
struct Unit {
    /// Bytes to pass over, in front of it and behind it.
    before: u64,
    after: u64,
    bytes: u64,
    decompressed: Option<u64>,
    envelope: Envelope,
    part: Part,
}

impl Blocks {
    /// The pieces of `input`. `None` where it has one at most, or the format has none.
    pub fn of(input: &Input, codec: Codec) -> Option<Self> {
        let walk = match codec {
            Codec::Gzip if bgzf::is(input) => Walk::Bgzf,
            Codec::Gzip if gzip::is(input) => Walk::Gzip,
            Codec::Zstd if zstd::is(input) => Walk::Zstd,
            Codec::Bzip2 => Walk::Bzip2(bzip2::Walk::of(input)?),
            Codec::Lz4 => Walk::Lz4(lz4::Walk::of(input)?),
            Codec::Xz => Walk::Xz(xz::Walk::of(input)?),
            _ => return None,
        };
        let run_bytes = DECODE_RUN_BYTES.max(input.bytes() / DECODE_RUNS_MAX);
        Some(Self { walk, at: 0, decompressed: Some(0), run_bytes, next: None })
    }

    /// The next piece. The pieces, decoded and joined in order, are the decompressed source.
    pub fn next(&mut self, input: &Input) -> Option<Block> {
        let left = input.bytes().saturating_sub(self.at);
        if left == 0 && self.next.is_none() {
            return None;
        }
        if let Walk::Bzip2(walk) = &mut self.walk {
            let next = walk.next(input);
            self.at = walk.at();
            return Some(next.unwrap_or_else(|| self.rest(left)));
        }
        let Some(first) = self.next.take().or_else(|| self.unit(input)) else {
            return Some(self.rest(left));
        };
        let mut run = Block {
            compressed_offset: self.at + first.before,
            compressed_bytes: first.bytes,
            decompressed_offset: self.decompressed,
            decompressed_bytes: first.decompressed,
            members: 1,
            envelope: first.envelope,
            rest: false,
            part: first.part,
            end: 0,
        };
        self.pass(first.before + first.bytes + first.after, first.decompressed);
        let mut gap = first.after;
        while run.compressed_bytes < self.run_bytes && self.at < input.bytes() {
            let Some(unit) = self.unit(input) else { break };
            if gap + unit.before > 0 || !self.walk.joins(&run.envelope, &unit.envelope) {
                self.next = Some(unit);
                break;
            }
            run.members += 1;
            run.part.goes_on_with(unit.part);
            run.compressed_bytes += unit.bytes;
            run.decompressed_bytes =
                run.decompressed_bytes.zip(unit.decompressed).and_then(|(a, b)| a.checked_add(b));
            gap = unit.after;
            self.pass(unit.bytes + unit.after, unit.decompressed);
        }
        run.end = self.at;
        Some(run)
    }

    fn pass(&mut self, bytes: u64, decompressed: Option<u64>) {
        self.at += bytes;
        self.decompressed = self.decompressed.zip(decompressed).and_then(|(a, b)| a.checked_add(b));
    }

    /// All that is left. Where it begins within a frame, it needs that frame's header to be read as
    /// what it is.
    fn rest(&mut self, left: u64) -> Block {
        let before = match &self.walk {
            Walk::Lz4(walk) => walk.header(),
            _ => Vec::new(),
        };
        let rest = Block {
            compressed_offset: self.at,
            compressed_bytes: left,
            decompressed_offset: self.decompressed,
            decompressed_bytes: None,
            members: 1,
            envelope: Envelope { before, after: Vec::new() },
            rest: true,
            part: Part::Members,
            end: self.at + left,
        };
        self.at += left;
        rest
    }

    /// The unit that begins where the last one ended, if one does that lies within the source.
    fn unit(&mut self, input: &Input) -> Option<Unit> {
        let unit = match &mut self.walk {
            Walk::Bgzf => bgzf::unit(input, self.at),
            Walk::Zstd => zstd::unit(input, self.at),
            Walk::Gzip => gzip::unit(input, self.at, self.run_bytes),
            Walk::Bzip2(_) => None,
            Walk::Lz4(walk) => walk.unit(input, self.at),
            Walk::Xz(walk) => walk.unit(self.at),
        }?;
        let bytes = unit.before.checked_add(unit.bytes)?.checked_add(unit.after)?;
        let end = self.at.checked_add(bytes)?;
        (bytes > 0 && end <= input.bytes()).then_some(unit)
    }
}

impl Part {
    /// Takes in the neighbour behind it.
    fn goes_on_with(&mut self, next: Self) {
        if let (Self::Lz4(within), Self::Lz4(next)) = (self, next) {
            within.ends = next.ends;
        }
    }
}

impl Walk {
    /// Whether neighbouring units can be decoded as one.
    fn joins(&self, a: &Envelope, b: &Envelope) -> bool {
        match self {
            Self::Bgzf | Self::Gzip | Self::Zstd | Self::Lz4(_) => a == b,
            Self::Bzip2(_) | Self::Xz(_) => false,
        }
    }
}

/// `N` bytes at `offset`, if they are there and can be read.
fn array<const N: usize>(input: &Input, offset: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let end = offset.checked_add(N as u64)?;
    if end > input.bytes() {
        return None;
    }
    input.read_at(&mut bytes, offset).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests;
