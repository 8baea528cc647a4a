//! Character references of HTML, section 13.5 of the standard: by number, and those names that say
//! something in an address or number, or stand next to one.

use super::{Escape, number};

/// Digits of a reference by number, at most.
const DIGITS_MAX: usize = 7;

/// Bytes of the longest name.
const NAME_BYTES_MAX: usize = 8;

const NAMES: [(&[u8], char); 26] = [
    (b"commat;", '@'),
    (b"period;", '.'),
    (b"colon;", ':'),
    (b"amp;", '&'),
    (b"lt;", '<'),
    (b"gt;", '>'),
    (b"quot;", '"'),
    (b"apos;", '\''),
    (b"nbsp;", ' '),
    (b"ensp;", ' '),
    (b"emsp;", ' '),
    (b"thinsp;", ' '),
    (b"Tab;", '\t'),
    (b"NewLine;", '\n'),
    (b"hyphen;", '-'),
    (b"dash;", '-'),
    (b"ndash;", '-'),
    (b"mdash;", '-'),
    (b"minus;", '-'),
    (b"lowbar;", '_'),
    (b"plus;", '+'),
    (b"equals;", '='),
    (b"percnt;", '%'),
    (b"sol;", '/'),
    (b"lsqb;", '['),
    (b"rsqb;", ']'),
];

/// The reference whose `&` is at `at`.
pub(super) fn at(text: &[u8], at: usize) -> Option<Escape> {
    let behind = text.get(at + 1..)?;
    if let Some(digits) = behind.strip_prefix(b"#") {
        let (digits, radix, sign) = match digits {
            [b'x' | b'X', digits @ ..] => (digits, 16, 3),
            digits => (digits, 10, 2),
        };
        let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let count = digits.iter().take(DIGITS_MAX).take_while(is_digit).count();
        let value = number(digits.get(..count)?, radix)?;
        // The semicolon may be missing.
        let end = usize::from(digits.get(count) == Some(&b';'));
        return Some(Escape::scalar(sign + count + end, value));
    }
    if !behind.iter().take(NAME_BYTES_MAX).any(|&byte| byte == b';') {
        return None;
    }
    let (name, letter) = NAMES.iter().find(|(name, _)| behind.starts_with(name))?;
    Some(Escape::scalar(1 + name.len(), u32::from(*letter)))
}
