//! Names as text, from which the bytes of the name can be had back: JSON and plugins take text, and
//! file names are bytes.
//!
//! Each byte that is no part of a character in UTF-8 becomes `\xNN`, as Python's `backslashreplace`
//! writes it. So that a name in which this stands already is another one, its backslash becomes
//! `\x5c`. So are the bytes of U+27E6, by which messages mark settings. All other names, and other
//! backslashes, are what they are.

use std::borrow::Cow;
use std::fmt::Write;

use crate::slices;

/// The name as text; no two names are shown alike.
pub fn name_text(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(text) if escapes(text).next().is_none() && !text.contains(MARK) => Cow::Borrowed(text),
        _ => Cow::Owned(escaped(name)),
    }
}

fn escaped(name: &[u8]) -> String {
    let mut shown = String::with_capacity(name.len() + 8);
    for chunk in name.utf8_chunks() {
        let text = chunk.valid();
        let mut from = 0;
        for at in escapes(text) {
            push(&mut shown, slices::text(text, from..at));
            shown.push_str("\\x5c");
            from = at + 1;
        }
        push(&mut shown, slices::text(text, from..));
        for byte in chunk.invalid() {
            // A string takes all that is written to it.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// What messages mark settings with ([`Key`](crate::settings::Key)): a name that has it in it must
/// not be taken for one.
const MARK: char = '⟦';

fn push(shown: &mut String, text: &str) {
    let mut parts = text.split(MARK);
    shown.push_str(parts.next().unwrap_or_default());
    for part in parts {
        shown.push_str("\\xe2\\x9f\\xa6"); // its bytes in UTF-8
        shown.push_str(part);
    }
}

/// Where a text has what an escape looks like.
fn escapes(text: &str) -> impl Iterator<Item = usize> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let found = move |&at: &usize| match text.as_bytes().get(at..) {
        Some([_, b'x', high, low, ..]) => is_hex(high) && is_hex(low),
        _ => false,
    };
    memchr::memchr_iter(b'\\', text.as_bytes()).filter(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The way back.
    fn bytes(shown: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut left = shown.as_bytes();
        while let Some((&first, rest)) = left.split_first() {
            let digits = left.get(2..4).filter(|_| left.starts_with(b"\\x"));
            let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
            let is_lower = |digits: &&str| {
                !digits.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'+')
            };
            let digits = digits.filter(is_lower);
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.unwrap_or(first));
            left = if byte.is_some() { &left[4..] } else { rest };
        }
        bytes
    }

    #[test]
    fn only_invalid_text_and_apparent_escapes_are_escaped() {
        for (name, text) in [
            (&b"caf\xe9"[..], r"caf\xe9"),
            (b"caf\xe9/\xff\xfe.txt", r"caf\xe9/\xff\xfe.txt"),
            ("café \u{fffd}".as_bytes(), "café \u{fffd}"),
            (br"caf\xe9", r"caf\x5cxe9"),
            (br"a\b\xg\x5C\", r"a\b\xg\x5C\"),
            (b"\\\xe9", r"\\xe9"),
            (b"\\x\xe9", r"\x\xe9"),
            (b"\xf0\x9f\x98", r"\xf0\x9f\x98"),
        ] {
            assert_eq!(name_text(name), text);
            assert_eq!(bytes(text), name, "{text}");
        }
    }

    proptest! {
        #[test]
        fn each_name_comes_back(name in prop::collection::vec(prop::sample::select(&b"\\x5cE9e\xe9\xc3\xa9/\xe2\x9f\xa6"[..]), 0..16)) {
            prop_assert_eq!(bytes(&name_text(&name)), name);
        }
    }
}
