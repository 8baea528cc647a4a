//! BGZF (SAM format specification, section 4.1): gzip members of at most 64 KiB that carry their
//! own sizes.

use super::super::super::Input;
use super::{Envelope, Unit, array};

/// What is looked at of a member's header: 12 bytes and as many of extra fields as writers use,
/// with room to spare.
const HEADER_BYTES: usize = 64;

/// A member holds at most as much, and is at most as long (`BSIZE` is a `u16`).
const MEMBER_BYTES_MAX: u32 = 64 << 10;

/// Whether an input begins like BGZF and goes on behind the first member.
pub(super) fn is(input: &Input) -> bool {
    unit(input, 0).is_some_and(|unit| unit.bytes < input.bytes())
}

/// The member at `offset`.
pub(super) fn unit(input: &Input, offset: u64) -> Option<Unit> {
    let mut header = [0; HEADER_BYTES];
    let there = input.bytes().checked_sub(offset)?.min(HEADER_BYTES as u64);
    let header = header.get_mut(..usize::try_from(there).ok()?)?;
    input.read_at(header, offset).ok()?;
    let bytes = member_bytes(header)?;
    let size = offset.checked_add(bytes)?.checked_sub(4)?;
    let decompressed = u32::from_le_bytes(array(input, size)?);
    (decompressed <= MEMBER_BYTES_MAX).then(|| Unit {
        bytes,
        decompressed: Some(u64::from(decompressed)),
        envelope: Envelope::default(),
        ..Unit::default()
    })
}

/// The length of the member that begins with `header`: one more than what its extra field `BC`
/// says.
fn member_bytes(header: &[u8]) -> Option<u64> {
    let ([0x1f, 0x8b, 8, flags, ..], extra) = header.split_first_chunk::<10>()? else {
        return None;
    };
    if flags & 4 == 0 {
        return None;
    }
    let (length, extra) = extra.split_first_chunk()?;
    let mut extra = extra.get(..usize::from(u16::from_le_bytes(*length)))?;
    while let Some(([first, second, length @ ..], rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes(*length));
        if (first, second, length) == (&b'B', &b'C', 2) {
            return Some(u64::from(u16::from_le_bytes(*rest.first_chunk()?)) + 1);
        }
        extra = rest.get(length..)?;
    }
    None
}
