//! Where a compressed source can be decoded in parallel: pieces of it that need nothing of what stands before them.
//!
//! Found without decoding, from sizes that the format writes down: BGZF members, zstd and lz4 frames, lz4 blocks, xz
//! blocks; for bzip2 streams by looking for their beginnings. Found one after the other, as they are asked for, so a large source is not read twice. What is
//! found is only advice: each piece is checked like a source of its own when it is decoded, and where the
//! sizes stop making sense the last piece is all that is left, for the decoder to read or to refuse.

mod bgzf;
mod bzip2;
mod lz4;
mod stretch;
mod xz;
mod zstd;

use crate::settings::limits::{DECODE_RUN_BYTES, DECODE_RUNS_MAX};

use super::super::Input;
use super::Codec;

pub use stretch::Stretch;

/// A piece of a compressed source that can be decoded by itself: a run of neighbouring members, frames or blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it begins, in the compressed bytes.
    pub compressed_offset: u64,
    /// How many compressed bytes it has.
    pub compressed_bytes: u64,
    /// Where it begins in the decompressed bytes, if the format says so.
    pub decompressed_offset: Option<u64>,
    /// How many bytes come out of it, if the format says so. Decoding fails when it is something else.
    pub decompressed_bytes: Option<u64>,
    /// How many members, frames or blocks it has, as far as they could be told apart.
    pub members: u64,
    /// What has to stand around it to make it whole.
    pub(super) envelope: Envelope,
    /// Whether it is what is left where no more pieces could be told apart.
    pub(super) rest: bool,
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
    Zstd,
    Bzip2,
    Lz4(lz4::Walk),
    Xz(xz::Walk),
}

/// The smallest piece that a format lets be told apart.
#[derive(Debug, Default)]
struct Unit {
    /// Bytes to pass over, in front of it and behind it.
    before: u64,
    after: u64,
    bytes: u64,
    decompressed: Option<u64>,
    envelope: Envelope,
}

impl Blocks {
    /// The pieces of `input`. `None` where it has one at most, or the format has none.
    pub fn of(input: &Input, codec: Codec) -> Option<Self> {
        let walk = match codec {
            Codec::Gzip if bgzf::is(input) => Walk::Bgzf,
            Codec::Zstd if zstd::is(input) => Walk::Zstd,
            Codec::Bzip2 if bzip2::is(input) => Walk::Bzip2,
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
            run.compressed_bytes += unit.bytes;
            run.decompressed_bytes =
                run.decompressed_bytes.zip(unit.decompressed).and_then(|(a, b)| a.checked_add(b));
            gap = unit.after;
            self.pass(unit.bytes + unit.after, unit.decompressed);
        }
        Some(run)
    }

    fn pass(&mut self, bytes: u64, decompressed: Option<u64>) {
        self.at += bytes;
        self.decompressed = self.decompressed.zip(decompressed).and_then(|(a, b)| a.checked_add(b));
    }

    /// All that is left. Where it begins within a frame, it needs that frame's header to be read as what it is.
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
        };
        self.at += left;
        rest
    }

    /// The unit that begins where the last one ended, if one does that lies within the source.
    fn unit(&mut self, input: &Input) -> Option<Unit> {
        let unit = match &mut self.walk {
            Walk::Bgzf => bgzf::unit(input, self.at),
            Walk::Zstd => zstd::unit(input, self.at),
            Walk::Bzip2 => bzip2::unit(input, self.at),
            Walk::Lz4(walk) => walk.unit(input, self.at),
            Walk::Xz(walk) => walk.unit(self.at),
        }?;
        let bytes = unit.before.checked_add(unit.bytes)?.checked_add(unit.after)?;
        let end = self.at.checked_add(bytes)?;
        (bytes > 0 && end <= input.bytes()).then_some(unit)
    }
}

impl Walk {
    /// Whether neighbouring units can be decoded as one.
    fn joins(&self, a: &Envelope, b: &Envelope) -> bool {
        match self {
            Self::Bgzf | Self::Zstd | Self::Bzip2 | Self::Lz4(_) => a == b,
            Self::Xz(_) => false,
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
