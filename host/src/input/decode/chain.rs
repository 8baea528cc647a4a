//! Whether pieces that were decoded each by itself are, one after the other, what a decoder from
//! the front would have given.
//!
//! Checks what no piece can check alone: the checksums of a frame or stream that several are cut
//! from, the limits of the source. Says no where there is doubt, and where a decoder from the front
//! can go on then: its verdict counts.

use std::hash::Hasher;

use twox_hash::XxHash32;

use crate::settings::limits::{
    DECODE_RATIO_FREE_BYTES, DECODE_SMALL_BZIP2_MEMBERS, DECODE_SMALL_STREAM_BYTES,
};

use super::DecodeLimits;
use super::blocks::{Bits, InStream, Part, Within};
use super::piece::DecodedBlock;

/// The pieces so far.
#[derive(Debug)]
pub(in super::super) struct Chain {
    limits: DecodeLimits,
    /// Bytes of the source.
    compressed: u64,
    /// Behind the last whole member.
    resume: Resume,
    decompressed: u64,
    /// Up to where all checksums have been compared.
    sound: u64,
    members: u64,
    inside: Inside,
}

/// A place between members, and what a decoder from the front has counted when it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Resume {
    pub(in super::super) compressed: u64,
    pub(in super::super) decompressed: u64,
    pub(in super::super) members: u64,
}

/// The member that the pieces so far have ended in.
#[derive(Debug)]
enum Inside {
    None,
    Lz4 { hash: XxHash32, bytes: u64 },
    Bzip2 { crc: u32, bytes: u64 },
    Xz,
}

impl Chain {
    /// Of a source of so many bytes.
    pub(in super::super) fn new(limits: DecodeLimits, compressed: u64) -> Self {
        Self {
            limits,
            compressed,
            resume: Resume::default(),
            decompressed: 0,
            sound: 0,
            members: 0,
            inside: Inside::None,
        }
    }

    /// Where a decoder from the front can go on: not before it has to.
    pub(in super::super) fn resume(&self) -> Resume {
        self.resume
    }

    /// How many bytes have come out of all pieces.
    pub(in super::super) fn decompressed(&self) -> u64 {
        self.decompressed
    }

    /// Up to which of them all checksums have been compared that they are under.
    pub(in super::super) fn sound(&self) -> u64 {
        self.sound
    }

    /// Whether the source may end here.
    pub(in super::super) fn is_whole(&self) -> bool {
        self.resume.compressed == self.compressed && matches!(self.inside, Inside::None)
    }

    /// Takes the next piece. False where it does not follow, or a limit may have been met within
    /// it.
    pub(in super::super) fn take(&mut self, piece: &DecodedBlock) -> bool {
        if !self.is_within_limits(piece) {
            return false;
        }
        self.decompressed += piece.bytes().len() as u64;
        let end = match &piece.block.part {
            Part::Members => self.take_members(piece),
            Part::Lz4(within) => self.take_lz4(within, piece),
            Part::Bzip2(bits) => self.take_bzip2(bits, piece),
            Part::Xz(stream) => self.take_xz(*stream),
        };
        if matches!(end, Taken::Whole | Taken::Checked) {
            self.sound = self.decompressed;
        }
        if matches!(end, Taken::Whole) {
            let (decompressed, members) = (self.decompressed, self.members);
            let compressed = piece.block.end;
            self.resume = Resume { compressed, decompressed, members };
            self.inside = Inside::None;
        }
        !matches!(end, Taken::Not)
    }

    /// Whether no limit was met, at whatever place a decoder from the front looked.
    fn is_within_limits(&self, piece: &DecodedBlock) -> bool {
        let bytes = self.decompressed.saturating_add(piece.bytes().len() as u64);
        let most = self.compressed.saturating_mul(self.limits.ratio_max);
        bytes <= self.limits.bytes_max && bytes <= most.max(DECODE_RATIO_FREE_BYTES)
    }

    fn take_members(&mut self, piece: &DecodedBlock) -> Taken {
        self.members = self.members.saturating_add(piece.members);
        let between = matches!(self.inside, Inside::None);
        let padded = piece.padded && piece.block.end < self.compressed;
        if between && !padded && self.members <= self.limits.members_max {
            Taken::Whole
        } else {
            Taken::Not
        }
    }

    /// Counts the member that begins; false where that is one too many, or not where members begin.
    fn begin(&mut self, inside: Inside) -> bool {
        let between = matches!(self.inside, Inside::None);
        self.members = self.members.saturating_add(1);
        self.inside = inside;
        between && self.members <= self.limits.members_max
    }

    fn take_lz4(&mut self, within: &Within, piece: &DecodedBlock) -> Taken {
        let inside = || Inside::Lz4 { hash: XxHash32::with_seed(0), bytes: 0 };
        if within.begins && !self.begin(inside()) {
            return Taken::Not;
        }
        let Inside::Lz4 { hash, bytes } = &mut self.inside else { return Taken::Not };
        *bytes += piece.bytes().len() as u64;
        if within.frame.content_checksum {
            hash.write(piece.bytes());
        }
        match within.ends {
            None => Taken::Part,
            Some(checksum) => {
                let content =
                    !within.frame.content_checksum || hash.finish() == u64::from(checksum);
                let size = within.frame.content_bytes.is_none_or(|size| size == *bytes);
                if content && size { Taken::Whole } else { Taken::Not }
            }
        }
    }

    fn take_bzip2(&mut self, bits: &Bits, piece: &DecodedBlock) -> Taken {
        if bits.begins && !self.begin(Inside::Bzip2 { crc: 0, bytes: 0 }) {
            return Taken::Not;
        }
        let Inside::Bzip2 { crc, bytes } = &mut self.inside else { return Taken::Not };
        *crc = crc.rotate_left(1) ^ bits.crc;
        *bytes += piece.bytes().len() as u64;
        match bits.ends {
            None => Taken::Part,
            Some(combined) if combined == *crc => {
                if *bytes < DECODE_SMALL_STREAM_BYTES {
                    self.members += DECODE_SMALL_BZIP2_MEMBERS - 1;
                }
                Taken::Whole
            }
            Some(_) => Taken::Not,
        }
    }

    /// The index of each stream was read before its first block, so a block has nothing to wait for
    /// but its own check.
    fn take_xz(&mut self, stream: InStream) -> Taken {
        let between = matches!(self.inside, Inside::None);
        self.members = self.members.saturating_add(stream.members);
        self.inside = Inside::Xz;
        let follows = between == stream.begins && self.members <= self.limits.members_max;
        match (follows, stream.ends) {
            (false, _) => Taken::Not,
            (true, true) => Taken::Whole,
            (true, false) => Taken::Checked,
        }
    }
}

/// What a piece is to the chain.
enum Taken {
    /// It goes on within a member.
    Part,
    /// It goes on within a member, and has been compared with all that it is checked by.
    Checked,
    /// It ends with a member.
    Whole,
    /// It does not follow.
    Not,
}
