//! Members of a gzip file that has several and says of none how long it is.
//!
//! The next one is searched for by its header, of which enough bits are set to stand in the middle
//! of a member by a chance of one in 2^37 a byte only. A piece that ends there is cut off; one that
//! is decoded to its end has ended with a member.

use memchr::memmem::Finder;

use crate::settings::limits::DECODE_SEARCH_BYTES_MAX;

use super::super::super::Input;
use super::super::magic::GZIP;
use super::Unit;
use crate::slices;

/// RFC 1952 section 2.3: the fixed part of a header.
const HEADER_BYTES: usize = 10;

/// Of the shortest member: a header, a block of deflate that is empty, CRC-32 and size.
const MEMBER_BYTES_MIN: u64 = 20;

/// Read at once.
const SEARCH_BYTES: usize = 64 << 10;

/// Whether an input begins with a member that is over soon, and goes on behind it.
pub(super) fn is(input: &Input) -> bool {
    let mut header = [0; HEADER_BYTES];
    input.bytes() > MEMBER_BYTES_MIN
        && input.read_at(&mut header, 0).is_ok()
        && is_header(&header)
        && matches!(next_start(input, MEMBER_BYTES_MIN), Next::At(_))
}

/// The members from `offset` on that have `bytes` bytes together, or a few more.
pub(super) fn unit(input: &Input, offset: u64, bytes: u64) -> Option<Unit> {
    let end = match next_start(input, offset.checked_add(bytes.max(MEMBER_BYTES_MIN))?) {
        Next::At(end) => end,
        Next::End => input.bytes(),
        Next::Far => return None,
    };
    Some(Unit { bytes: end.checked_sub(offset)?, ..Unit::default() })
}

enum Next {
    At(u64),
    End,
    Far,
}

/// Where the first member begins that does not begin before `from`.
fn next_start(input: &Input, from: u64) -> Next {
    let finder = Finder::new(&GZIP);
    let to = input.bytes().min(from.saturating_add(DECODE_SEARCH_BYTES_MAX));
    let mut buffer = vec![0; SEARCH_BYTES];
    let mut at = from;
    while at + HEADER_BYTES as u64 <= to {
        let bytes = usize::try_from(to - at).unwrap_or(usize::MAX).min(SEARCH_BYTES);
        let window = slices::part_mut(&mut buffer, ..bytes);
        if input.read_at(window, at).is_err() {
            return Next::Far; // whoever decodes says why
        }
        let found = finder.find_iter(window).find(|&at| window.get(at..).is_some_and(is_header));
        if let Some(found) = found {
            return Next::At(at + found as u64);
        }
        at += (bytes - (HEADER_BYTES - 1)) as u64;
    }
    if to == input.bytes() { Next::End } else { Next::Far }
}

/// Whether a member that any compressor writes begins so: no reserved flag, and numbers that the
/// RFC gives meanings to.
fn is_header(bytes: &[u8]) -> bool {
    let Some([a, b, c, flags, _, _, _, _, extra_flags, system]) = bytes.first_chunk() else {
        return false;
    };
    [*a, *b, *c] == GZIP
        && flags & 0xe0 == 0
        && matches!(extra_flags, 0 | 2 | 4)
        && matches!(system, 0..=13 | 19 | 255)
}
