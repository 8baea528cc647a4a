//! Runs of bytes around a place.

/// Where the run of bytes of a class that ends at `end` begins.
#[inline]
pub(super) fn start(text: &[u8], end: usize, class: impl Fn(u8) -> bool) -> usize {
    let before = text.get(..end).unwrap_or_default();
    before.iter().rposition(|&byte| !class(byte)).map_or(0, |at| at + 1)
}

/// Where the run of bytes of a class that begins at `start` ends.
#[inline]
pub(super) fn end(text: &[u8], start: usize, class: impl Fn(u8) -> bool) -> usize {
    let after = text.get(start..).unwrap_or_default();
    after.iter().position(|&byte| !class(byte)).map_or(text.len(), |at| start + at)
}

/// Where the digits around `at`, and the single dots between them, begin and end. At `at` is a digit.
#[inline]
pub(super) fn numbers(text: &[u8], at: usize) -> (usize, usize) {
    let (before, behind) = text.split_at_checked(at).unwrap_or((text, &[]));
    let (mut start, mut dot) = (at, false);
    for &byte in before.iter().rev() {
        match byte {
            b'0'..=b'9' => (start, dot) = (start - 1 - usize::from(dot), false),
            b'.' if !dot => dot = true,
            _ => break,
        }
    }
    let (mut end, mut dot) = (at, false);
    for &byte in behind {
        match byte {
            b'0'..=b'9' => (end, dot) = (end + 1 + usize::from(dot), false),
            b'.' if !dot => dot = true,
            _ => break,
        }
    }
    (start, end)
}
