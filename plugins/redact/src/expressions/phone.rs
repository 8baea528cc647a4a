//! Phone numbers: international (ITU-T E.123 and E.164: up to 15 digits behind `+` or 00), of North
//! America (3-3-4), and national ones that begin with 0. Digits alone count where they have one of
//! these forms.

use std::ops::Range;

use super::{before, behind, is_in_word, is_word};

pub(super) const EXPRESSION: &str = concat!(
    r"(?:\+|00)[1-9](?:[ .()/+-]{0,3}[0-9]){6,14}",
    r"|(?:1[ .+-]?)?\(?[2-9][0-9]{2}\)?[ .+/-]{0,2}[2-9][0-9]{2}[ .+-]?[0-9]{4}",
    r"|\(?0[1-9](?:[ .()/+-]{0,2}[0-9]){7,10}",
);

/// Digits of the shortest number.
const DIGITS_MIN: usize = 7;

/// No part of a longer number or word, and no date. Groups that belong to something else are left
/// out.
pub(super) fn check(text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    let start = found.start;
    let first = before(text, start);
    let joined = match text.get(start)? {
        b'+' | b'(' => false,
        _ => {
            is_in_word(text, start)
                || (matches!(first, b'.' | b'-') && before(text, start - 1).is_ascii_digit())
        }
    };
    if joined || is_date(text.get(found.clone())?) {
        return None;
    }
    let mut part = text.get(found)?;
    while part.iter().filter(|byte| byte.is_ascii_digit()).count() >= DIGITS_MIN {
        let end = start + part.len();
        if !goes_on(text, end) {
            return Some(start..end);
        }
        let group = part.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = part.get(..part.len() - group)?;
        let signs = rest.iter().rev().take_while(|byte| !byte.is_ascii_digit()).count();
        part = rest.get(..rest.len() - signs)?;
    }
    None
}

/// Whether what ends at `end` is a part of something longer.
fn goes_on(text: &[u8], end: usize) -> bool {
    let next = behind(text, end);
    is_word(next) || (matches!(next, b'.' | b'-' | b':') && behind(text, end + 1).is_ascii_digit())
}

/// Whether this begins as `01.02.2003` does.
fn is_date(text: &[u8]) -> bool {
    let [a, b, sign, c, d, same, year @ ..] = text else { return false };
    let digits = [a, b, c, d].iter().all(|byte| byte.is_ascii_digit());
    digits
        && matches!(sign, b'.' | b'/' | b'-')
        && sign == same
        && matches!(year, [b'1', b'9', ..] | [b'2', b'0', ..])
}

/// Its digits, with a plus before those of an international one.
pub(crate) fn normal(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text).replace("(0)", "");
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let international = text.trim_start().starts_with('+');
    match digits.strip_prefix("00") {
        _ if international => format!("+{digits}").into(),
        Some(behind) => format!("+{behind}").into(),
        None => digits.into(),
    }
}
