//! Zstd frames, found by walking over the headers of their blocks (RFC 8878 section 3.1.1).

use crate::settings::limits::DECODE_FIRST_FRAME_BYTES_MAX;

use super::super::super::Input;
use super::super::magic::{ZSTD, is_skippable};
use super::{Unit, array};

/// Whether an input begins with a frame that is over soon, and goes on behind it.
pub(super) fn is(input: &Input) -> bool {
    let end = frame(input, 0, DECODE_FIRST_FRAME_BYTES_MAX);
    end.is_some_and(|unit| unit.bytes < input.bytes())
}

/// The frame at `offset`.
pub(super) fn unit(input: &Input, offset: u64) -> Option<Unit> {
    frame(input, offset, u64::MAX)
}

fn frame(input: &Input, offset: u64, bytes_max: u64) -> Option<Unit> {
    let magic: [u8; 4] = array(input, offset)?;
    if is_skippable(magic) {
        let length = u32::from_le_bytes(array(input, offset.checked_add(4)?)?);
        let bytes = 8 + u64::from(length);
        return Some(Unit { bytes, decompressed: Some(0), ..Unit::default() });
    }
    if magic != ZSTD {
        return None;
    }
    let header = Header::read(input, offset.checked_add(4)?)?;
    let mut bytes = 4 + header.bytes;
    loop {
        if bytes > bytes_max {
            return None;
        }
        // Section 3.1.1.2: Block_Header.
        let [a, b, c] = array(input, offset.checked_add(bytes)?)?;
        let block = u32::from_le_bytes([a, b, c, 0]);
        bytes += 3 + match block >> 1 & 3 {
            0 | 2 => u64::from(block >> 3),
            1 => 1,
            _ => return None,
        };
        if block & 1 == 1 {
            break;
        }
    }
    bytes += if header.checksum { 4 } else { 0 };
    Some(Unit { bytes, decompressed: header.decompressed, ..Unit::default() })
}

/// Section 3.1.1.1: `Frame_Header`.
struct Header {
    bytes: u64,
    checksum: bool,
    decompressed: Option<u64>,
}

impl Header {
    fn read(input: &Input, offset: u64) -> Option<Self> {
        let [descriptor] = array(input, offset)?;
        let single_segment = descriptor >> 5 & 1 == 1;
        let dictionary_bytes = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied()?;
        let window_bytes = u64::from(!single_segment);
        let at = offset.checked_add(1 + window_bytes + dictionary_bytes)?;
        let (size_bytes, decompressed) = match descriptor >> 6 {
            0 if single_segment => (1, Some(u64::from(u8::from_le_bytes(array(input, at)?)))),
            0 => (0, None),
            1 => (2, Some(u64::from(u16::from_le_bytes(array(input, at)?)) + 256)),
            2 => (4, Some(u64::from(u32::from_le_bytes(array(input, at)?)))),
            _ => (8, Some(u64::from_le_bytes(array(input, at)?))),
        };
        Some(Self {
            bytes: 1 + window_bytes + dictionary_bytes + size_bytes,
            checksum: descriptor >> 2 & 1 == 1,
            decompressed,
        })
    }
}
