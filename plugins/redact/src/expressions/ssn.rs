//! Social security numbers of the United States, with signs between their three parts: nine digits
//! alone are too often something else. Taxpayer numbers, which begin with 9, have the same form.

use std::ops::Range;

use super::{before, behind, is_in_word, is_word};

pub(super) const EXPRESSION: &str = r"[0-9]{3}[ .+-][0-9]{2}[ .+-][0-9]{4}";

/// No part of a longer number or word, the same sign twice, and no part that is never given.
pub(super) fn check(text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    let (first, last) = (before(text, found.start), behind(text, found.end));
    let joined = |sign: u8, digit: u8| matches!(sign, b'-' | b'.') && digit.is_ascii_digit();
    let start = before(text, found.start.saturating_sub(1));
    if is_in_word(text, found.start)
        || is_word(last)
        || joined(first, start)
        || joined(last, behind(text, found.end + 1))
    {
        return None;
    }
    let [area @ .., sign, b1, b2, same, c1, c2, c3, c4] = text.get(found.clone())? else {
        return None;
    };
    let given = !matches!(area, b"000" | b"666")
        && [*b1, *b2] != *b"00"
        && [*c1, *c2, *c3, *c4] != *b"0000";
    (sign == same && given).then_some(found)
}
