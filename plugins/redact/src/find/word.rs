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

/// Where the digits around `at`, and the single dots between them, begin and end. At `at` is a
/// digit.
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

/// Where the first space beyond ASCII in `text[start..end]` begins, or else `end`.
#[inline]
pub(super) fn until_wide_space(text: &[u8], start: usize, end: usize) -> usize {
    wide_spaces(text, start, end).next().map_or(end, |(at, _)| at)
}

/// Where what stands behind the last space beyond ASCII in `text[start..end]` begins, or else
/// `start`.
#[inline]
pub(super) fn behind_wide_space(text: &[u8], start: usize, end: usize) -> usize {
    wide_spaces(text, start, end).last().map_or(start, |(at, space)| at + space.len_utf8())
}

/// The spaces beyond ASCII, and where they stand.
fn wide_spaces(text: &[u8], start: usize, end: usize) -> impl Iterator<Item = (usize, char)> {
    let part = text.get(start..end).filter(|part| !part.is_ascii()).unwrap_or_default();
    let mut next = start;
    part.utf8_chunks().flat_map(move |chunk| {
        let at = next;
        next += chunk.valid().len() + chunk.invalid().len();
        let letters = chunk.valid().char_indices().map(move |(by, letter)| (at + by, letter));
        letters.filter(|(_, letter)| !letter.is_ascii() && letter.is_whitespace())
    })
}
