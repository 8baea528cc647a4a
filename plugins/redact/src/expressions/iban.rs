//! International bank account numbers (ISO 13616-1), by their check digits.

use std::ops::{Range, RangeInclusive};

use super::{behind, is_in_word, is_word};

pub(super) const EXPRESSION: &str = r"[A-Za-z]{2}[0-9]{2}(?:[ +-]?[A-Za-z0-9]){11,30}";

/// Characters of a number: Norway has 15, the standard allows 34.
const CHARACTERS: RangeInclusive<usize> = 15..=34;

/// The longest beginning of a match that is one, and ends where a word does.
pub(super) fn check(text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    if is_in_word(text, found.start) {
        return None;
    }
    let mut characters = Vec::with_capacity(*CHARACTERS.end());
    let mut longest = None;
    for (at, &byte) in text.get(found.clone())?.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            continue;
        }
        characters.push(byte);
        let end = found.start + at + 1;
        if CHARACTERS.contains(&characters.len())
            && !is_word(behind(text, end))
            && is_checked(&characters)
        {
            longest = Some(end);
        }
    }
    longest.map(|end| found.start..end)
}

/// Whether the number is right: with the first four characters at the end, and letters as 10 to 35,
/// one is what is left of a division by 97 (ISO 7064, MOD 97-10).
fn is_checked(characters: &[u8]) -> bool {
    let Some((first, rest)) = characters.split_at_checked(4) else { return false };
    let left = rest.iter().chain(first).fold(0, |left, &byte| {
        let value = char::from(byte).to_digit(36).unwrap_or_default();
        (left * if value > 9 { 100 } else { 10 } + value) % 97
    });
    left == 1
}

/// In capitals, and without spaces.
pub(crate) fn normal(text: &[u8]) -> Vec<u8> {
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect()
}
