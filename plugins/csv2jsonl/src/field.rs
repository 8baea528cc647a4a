//! A field of CSV, and the value of JSON that it becomes.

use std::ops::Range;

use crate::output::{BLOCK_BYTES, Output, padded};
use crate::scan::{Quotes, escapes};

/// Why a field is none. The place in the field is returned, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A quote in a field that does not begin with one.
    QuoteInside,
    /// Something behind the quote that ends the field.
    BehindQuote,
}

/// What becomes of quotes where the standard allows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stray {
    /// They make the field none.
    Flaw,
    /// They are a part of the text, as in Python.
    Text,
}

/// How a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) quotes: Quotes,
    pub(crate) stray: Stray,
}

/// Appends a field of `data` as a string of JSON.
///
/// # Errors
/// The field is none, from that byte of it on. What was appended until then stays.
#[expect(clippy::inline_always, reason = "a quarter faster: the output's place stays in registers")]
#[inline(always)]
pub(crate) fn push_string(
    out: &mut Output,
    data: &[u8],
    field: Range<usize>,
    Reading { quotes, stray }: Reading,
) -> Result<(), (usize, Flaw)> {
    out.push_byte(b'"');
    let mut quoted =
        quotes == Quotes::Double && !field.is_empty() && data.get(field.start) == Some(&b'"');
    let mut at = field.start + usize::from(quoted);
    loop {
        at = push_clean(out, data, at..field.end);
        let Some(&byte) = data.get(at).filter(|_| at < field.end) else { break };
        at += 1;
        if byte == b'"' {
            match data.get(at).filter(|_| at < field.end) {
                _ if !quoted && quotes == Quotes::None => {}
                _ if !quoted && stray == Stray::Text => {}
                _ if !quoted => return Err((at - 1 - field.start, Flaw::QuoteInside)),
                Some(b'"') => at += 1,
                Some(_) if stray == Stray::Text => {
                    quoted = false;
                    continue;
                }
                Some(_) => return Err((at - field.start, Flaw::BehindQuote)),
                None => break,
            }
        }
        push_escaped(out, byte);
    }
    out.push_byte(b'"');
    Ok(())
}

/// Whether a field without quotes is a value of JSON that needs none.
pub(crate) fn is_bare_value(field: &[u8]) -> bool {
    matches!(field, b"true" | b"false") || is_number(field)
}

/// Appends what stands before the first byte that cannot be in a string as it is, and returns where
/// that is, or the end.
#[inline]
fn push_clean(out: &mut Output, data: &[u8], part: Range<usize>) -> usize {
    let mut at = part.start;
    while at < part.end {
        let rest = data.get(at..).unwrap_or_default();
        let left = part.end - at;
        // What stands behind the part is copied, too, and does not count.
        let clean = match rest.first_chunk::<BLOCK_BYTES>() {
            Some(block) => push_clean_block(out, block, left),
            None => push_clean_block(out, &padded(rest), left),
        };
        at += clean;
        if clean < left.min(BLOCK_BYTES) {
            break;
        }
    }
    at
}

/// Appends what of the first `bytes` of a block stands before one that needs an escape, and returns
/// how much that is.
#[inline]
fn push_clean_block(out: &mut Output, block: &[u8; BLOCK_BYTES], bytes: usize) -> usize {
    let clean = (escapes(block).trailing_zeros() as usize).min(bytes).min(BLOCK_BYTES);
    out.push_block(block, clean);
    clean
}

/// Appends an escape (RFC 8259, section 7), the short one where there is one.
fn push_escaped(out: &mut Output, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => {
            let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
            out.push(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return;
        }
    };
    out.push(&[b'\\', short]);
}

/// Whether this is a number as JSON writes it (RFC 8259, section 6).
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with(b"0")) {
        return false;
    }
    let rest = match rest.strip_prefix(b".").map(digits) {
        Some(([], _)) => return false,
        Some((_, rest)) => rest,
        None => rest,
    };
    match rest.split_first() {
        None => true,
        Some((b'e' | b'E', exponent)) => {
            let sign = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+"));
            matches!(digits(sign.unwrap_or(exponent)), (found, []) if !found.is_empty())
        }
        Some(_) => false,
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRICT: Reading = Reading { quotes: Quotes::Double, stray: Stray::Flaw };

    fn string(field: &[u8]) -> Result<String, (usize, Flaw)> {
        let message = |place: Range<usize>, data: &[u8]| {
            let mut out = Output::default();
            push_string(&mut out, data, place, STRICT)
                .map(|()| String::from_utf8(out.into_bytes()).unwrap())
        };
        let alone = message(0..field.len(), field);
        let among = [b"x,", field, b",\"\"\"a long neighbour\"\n"].concat();
        assert_eq!(message(2..2 + field.len(), &among), alone);
        alone
    }

    #[test]
    fn quotes_are_where_the_standard_allows_them() {
        assert_eq!(string(b""), Ok(r#""""#.into()));
        assert_eq!(string(br#""""#), Ok(r#""""#.into()));
        assert_eq!(string(br#""a""b""#), Ok(r#""a\"b""#.into()));
        assert_eq!(string(br#""""""#), Ok(r#""\"""#.into()));
        assert_eq!(string(br#"a"b"#), Err((1, Flaw::QuoteInside)));
        assert_eq!(string(br#""a"b""#), Err((3, Flaw::BehindQuote)));
        assert_eq!(string(br#""a" "#), Err((3, Flaw::BehindQuote)));
    }

    #[test]
    fn numbers_are_those_of_json() {
        for number in
            ["0", "-0", "12", "-1.50", "1e3", "1E+30", "0.1e-7", "123456789012345678901234567890"]
        {
            assert!(is_bare_value(number.as_bytes()), "{number}");
        }
        for text in [
            "", "-", "+1", "007", "1.", ".5", "1e", "1e+", "NaN", "0x1", "1 ", "1,2", "--1",
            "True", "null",
        ] {
            assert!(!is_bare_value(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn strings_are_those_of_serde_json(text in "[ -~\\x00-\\x1f\u{e9}\u{1f600}]{0,60}") {
            let expected = serde_json::to_string(&text).unwrap();
            let quoted = format!("\"{}\"", text.replace('"', "\"\""));
            prop_assert_eq!(string(quoted.as_bytes()), Ok(expected.clone()));
            if !text.contains('"') {
                prop_assert_eq!(string(text.as_bytes()), Ok(expected));
            }
        }

        #[test]
        fn bare_values_are_those_of_serde_json(text in "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,1})?") {
            let parsed = serde_json::from_str::<serde_json::Value>(&text);
            prop_assert_eq!(is_bare_value(text.as_bytes()), parsed.is_ok());
        }
    }
}
