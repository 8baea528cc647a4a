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

/// Where the digits around `at`, and the single separators between them, begin and end. At `at` is one of them, or
/// one directly behind the last.
pub(super) fn numbers(text: &[u8], at: usize, separator: fn(u8) -> bool) -> (usize, usize) {
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| {
        text.get(at).is_some_and(|&byte| separator(byte))
            && at.checked_sub(1).is_some_and(digit)
            && digit(at + 1)
    };
    let part = |at: usize| digit(at) || separates(at);
    let mut start = at;
    while start.checked_sub(1).is_some_and(part) {
        start -= 1;
    }
    let mut end = at;
    while part(end) {
        end += 1;
    }
    (start, end)
}
