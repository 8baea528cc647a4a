//! Lz4 blocks where they are independent and their frame is long, else whole frames, found by
//! walking over the sizes of blocks.

use crate::settings::limits::{DECODE_FIRST_FRAME_BYTES_MAX, DECODE_RUN_BYTES};

use super::super::super::Input;
use super::super::lz4::{DESCRIPTOR_BYTES_MAX, Frame, header_checksum};
use super::super::magic::{LZ4, is_skippable};
use super::{Envelope, Part, Unit, array};

/// Neighbouring blocks of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Within {
    /// Theirs.
    pub(in super::super) frame: Frame,
    /// Whether the first of them is that of the frame.
    pub(in super::super) begins: bool,
    /// Checksum of the content, 0 where there is none, where the last of them is that of the frame.
    pub(in super::super) ends: Option<u32>,
}

/// Where the walk is.
#[derive(Debug)]
pub(super) struct Walk {
    inside: Option<Inside>,
}

/// Within a frame whose blocks are taken one by one.
#[derive(Debug, Clone)]
struct Inside {
    frame: Frame,
    envelope: Envelope,
}

impl Walk {
    /// A walk over an input that has more than one piece, as far as can be told from its first
    /// frame.
    pub(super) fn of(input: &Input) -> Option<Self> {
        let mut walk = Self { inside: None };
        let first = walk.next(input, 0, DECODE_FIRST_FRAME_BYTES_MAX)?;
        let several = first.before + first.bytes + first.after < input.bytes();
        several.then_some(Self { inside: None })
    }

    /// The block or frame at `offset`.
    pub(super) fn unit(&mut self, input: &Input, offset: u64) -> Option<Unit> {
        self.next(input, offset, u64::MAX)
    }

    /// What stands in for the header of the frame that the walk is in.
    pub(super) fn header(&self) -> Vec<u8> {
        self.inside.as_ref().map(|inside| inside.envelope.before.clone()).unwrap_or_default()
    }

    fn next(&mut self, input: &Input, offset: u64, bytes_max: u64) -> Option<Unit> {
        if let Some(inside) = self.inside.clone() {
            return self.block(&inside, input, offset, 0);
        }
        let magic: [u8; 4] = array(input, offset)?;
        if is_skippable(magic) {
            let length = u32::from_le_bytes(array(input, offset.checked_add(4)?)?);
            let bytes = 8 + u64::from(length);
            return Some(Unit { bytes, decompressed: Some(0), ..Unit::default() });
        }
        if magic != LZ4 {
            return None;
        }
        let (frame, header_bytes) = header(input, offset)?;
        let short = if frame.linked { bytes_max } else { DECODE_RUN_BYTES };
        let whole = whole(frame, input, offset, header_bytes, short);
        if whole.is_none() && !frame.linked {
            let envelope = Envelope { before: own_header(frame).into(), after: vec![0; 4] };
            let inside = Inside { frame, envelope };
            return self.block(&inside, input, offset, header_bytes);
        }
        whole
    }

    /// The block at `offset + before`, and the end of the frame where it follows.
    fn block(&mut self, inside: &Inside, input: &Input, offset: u64, before: u64) -> Option<Unit> {
        let frame = inside.frame;
        let at = offset.checked_add(before)?;
        let end_bytes = 4 + if frame.content_checksum { 4 } else { 0 };
        let Some(bytes) = block_bytes(frame, input, at)? else {
            // A frame without a block: nothing comes out, and it is checked as a whole.
            self.inside = None;
            let bytes = before + end_bytes;
            return Some(Unit { bytes, decompressed: Some(0), ..Unit::default() });
        };
        let end = at.checked_add(bytes)?;
        let ends = block_bytes(frame, input, end)?.is_none();
        let checksum = if ends && frame.content_checksum {
            u32::from_le_bytes(array(input, end.checked_add(4)?)?)
        } else {
            0
        };
        self.inside = if ends { None } else { Some(inside.clone()) };
        Some(Unit {
            before,
            bytes,
            after: if ends { end_bytes } else { 0 },
            decompressed: None,
            envelope: inside.envelope.clone(),
            part: Part::Lz4(Within { frame, begins: before > 0, ends: ends.then_some(checksum) }),
        })
    }
}

/// The frame at `offset`, to be decoded as one.
fn whole(
    frame: Frame,
    input: &Input,
    offset: u64,
    header_bytes: u64,
    bytes_max: u64,
) -> Option<Unit> {
    let mut bytes = header_bytes;
    while let Some(block) = block_bytes(frame, input, offset.checked_add(bytes)?)? {
        bytes += block;
        if bytes > bytes_max {
            return None;
        }
    }
    bytes += 4 + if frame.content_checksum { 4 } else { 0 };
    Some(Unit { bytes, decompressed: frame.content_bytes, ..Unit::default() })
}

/// How long the block at `offset` is with its size and checksum: `Some(None)` at the end of the
/// frame.
#[allow(clippy::option_option)]
fn block_bytes(frame: Frame, input: &Input, offset: u64) -> Option<Option<u64>> {
    let size = u32::from_le_bytes(array(input, offset)?);
    if size == 0 {
        return Some(None);
    }
    let data = u64::from(size & 0x7fff_ffff);
    if data > frame.block_bytes_max as u64 {
        return None;
    }
    Some(Some(4 + data + if frame.block_checksum { 4 } else { 0 }))
}

/// The header of the frame at `offset`, and its length.
fn header(input: &Input, offset: u64) -> Option<(Frame, u64)> {
    let there = input.bytes().checked_sub(offset)?.min(4 + DESCRIPTOR_BYTES_MAX as u64);
    let mut bytes = [0; 4 + DESCRIPTOR_BYTES_MAX];
    let bytes = bytes.get_mut(..usize::try_from(there).ok()?)?;
    input.read_at(bytes, offset).ok()?;
    let (frame, descriptor_bytes) = Frame::parse(bytes.get(4..)?).ok()?;
    Some((frame, 4 + descriptor_bytes as u64))
}

/// A header for blocks of a frame by themselves.
fn own_header(frame: Frame) -> [u8; 7] {
    let [a, b, c, d] = LZ4;
    let sizes = match frame.block_bytes_max {
        0..=0x1_0000 => 4 << 4,
        0x1_0001..=0x4_0000 => 5 << 4,
        0x4_0001..=0x10_0000 => 6 << 4,
        _ => 7 << 4,
    };
    let flags = 0b0110_0000 | u8::from(frame.block_checksum) << 4;
    [a, b, c, d, flags, sizes, header_checksum(&[flags, sizes])]
}
