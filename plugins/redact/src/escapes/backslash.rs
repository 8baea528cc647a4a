//! Escapes with a backslash: those of JSON (RFC 8259, section 7), what C, Python, Rust and
//! JavaScript write, and what regular expressions, shells, Perl and Markdown put a backslash
//! before, so that it is itself: `bob\.smith\@example\.org`.

use super::{Escape, hex, is_joiner, number};

/// Digits between braces, at most: `\u{10ffff}`.
const BRACED_DIGITS_MAX: usize = 6;

/// The escape whose backslash is at `at`.
pub(super) fn at(text: &[u8], at: usize) -> Option<Escape> {
    let byte = |meaning| Some(Escape::byte(2, meaning));
    match *text.get(at + 1)? {
        same @ (b'"' | b'\\' | b'/' | b'\'' | b'(' | b')') => byte(same),
        same if is_joiner(same) => byte(same),
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'b' => byte(8),
        b'f' => byte(12),
        b'a' => byte(7),
        b'v' => byte(11),
        b'e' => byte(27),
        b'u' | b'x' if text.get(at + 2) == Some(&b'{') => braced(text, at),
        b'u' => unicode(text, at),
        b'U' => hex(text, at + 2, 8).map(|value| Escape::scalar(10, value)),
        b'x' => hex(text, at + 2, 2).map(|value| Escape::byte(4, low(value))),
        b'0'..=b'7' => octal(text, at),
        _ => None,
    }
}

fn braced(text: &[u8], at: usize) -> Option<Escape> {
    let inside = text.get(at + 3..)?;
    let digits = inside.iter().take(BRACED_DIGITS_MAX + 1).position(|&byte| byte == b'}')?;
    let value = number(inside.get(..digits)?, 16)?;
    Some(Escape::scalar(4 + digits, value))
}

/// Four digits, and four more where they are a pair of surrogates.
fn unicode(text: &[u8], at: usize) -> Option<Escape> {
    let first = hex(text, at + 2, 4)?;
    if !(0xd800..0xdc00).contains(&first) || text.get(at + 6..at + 8) != Some(br"\u") {
        return Some(Escape::scalar(6, first));
    }
    match hex(text, at + 8, 4) {
        Some(second @ 0xdc00..0xe000) => {
            Some(Escape::scalar(12, 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)))
        }
        _ => Some(Escape::scalar(6, first)),
    }
}

/// Three digits, or a zero alone.
fn octal(text: &[u8], at: usize) -> Option<Escape> {
    match text.get(at + 1..at + 4).and_then(|digits| number(digits, 8)) {
        Some(value @ ..0x100) => Some(Escape::byte(4, low(value))),
        _ if text.get(at + 1) == Some(&b'0') => Some(Escape::byte(2, 0)),
        _ => None,
    }
}

fn low(value: u32) -> u8 {
    value.to_le_bytes()[0]
}
