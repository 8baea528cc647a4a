//! Quoted-printable: RFC 2045, section 6.7, and as RFC 2047, section 4.2, writes it in headers.
//!
//! `=40` also stands in many a `key=40`. So it is an escape only in a text in which something else says that this is
//! quoted-printable.

use std::iter;

use memchr::{memchr_iter, memmem};

use super::{Escape, hex};

/// An `@`.
const SIGN: &[u8] = b"=40";

/// The escape whose `=` is at `at`. A line end behind one is kept: it may be that of a string of JSON.
pub(super) fn at(text: &[u8], at: usize) -> Option<Escape> {
    hex(text, at + 1, 2).map(|value| Escape::byte(3, value.to_le_bytes()[0]))
}

/// Whether something but `=40` says that a text is quoted-printable: an encoded word, `=3D` for `=`, a byte beyond ASCII, a line
/// that goes on behind its end.
pub(super) fn is_evident(text: &[u8]) -> bool {
    memchr_iter(b'=', text).any(|at| match text.get(at + 1..).unwrap_or_default() {
        []
        | [b'\r']
        | [b'\n', ..]
        | [b'\r', b'\n', ..]
        | [b'3', b'D', ..]
        | [b'8' | b'9' | b'A'..=b'F', b'0'..=b'9' | b'A'..=b'F', ..] => true,
        [b'?', word @ ..] => word.split(|&byte| byte == b'?').nth(1).is_some_and(is_q),
        _ => false,
    })
}

fn is_q(encoding: &[u8]) -> bool {
    encoding.eq_ignore_ascii_case(b"q")
}

/// Bytes that are compared with the sign at once: several lanes.
const STEP_BYTES: usize = 128;

type Step = [u8; STEP_BYTES];

/// Where `=40` stands between what may be a local part and a domain.
pub(crate) fn ats(text: &[u8]) -> impl Iterator<Item = usize> {
    let steps = |from: usize| text.get(from..).unwrap_or_default().as_chunks::<STEP_BYTES>().0;
    let (signs, fours, zeros) = (steps(0), steps(1), steps(2));
    let whole = zeros.len() * STEP_BYTES;
    let steps = signs.iter().zip(fours).zip(zeros).enumerate();
    let likely = steps.filter(|(_, ((signs, fours), zeros))| {
        let first = any(signs, fours, |sign, four| sign == b'=' && four == b'4');
        first && any(signs, zeros, |sign, zero| sign == b'=' && zero == b'0')
    });
    let likely = likely.map(|(step, _)| step * STEP_BYTES..(step + 1) * STEP_BYTES);
    likely.chain(iter::once(whole..text.len())).flat_map(move |step| {
        let end = (step.end + SIGN.len() - 1).min(text.len());
        let part = text.get(step.start..end).unwrap_or_default();
        let found = memmem::find_iter(part, SIGN).map(move |at| step.start + at);
        found.filter(move |&at| is_between(text, at))
    })
}

/// Whether any pair of bytes is of a class. There is no branch for each, so that they are compared by lanes: faster than a search.
#[inline]
fn any(first: &Step, second: &Step, class: impl Fn(u8, u8) -> bool) -> bool {
    let pairs = first.iter().zip(second);
    pairs.fold(0, |any, (&first, &second)| any | u8::from(class(first, second))) != 0
}

/// Whether what stands at `at` has something like a local part before it, and like a domain behind it.
fn is_between(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let behind = text.get(at + SIGN.len()..).unwrap_or_default();
    let label = behind.iter().take_while(|&&byte| is_label(byte)).count();
    let domain = match behind.get(label) {
        Some(b'[') => label == 0,
        Some(b'.' | b'=') => label > 0,
        _ => false,
    };
    domain && before.is_some_and(|&byte| is_label(byte) || matches!(byte, b'"' | b'.' | b'+'))
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_at_between_local_part_and_domain_is_found() {
        let text = b"x=40y.org n=4 =40 a=40.5 b=40[192.0.2.1] c=4096.5 ";
        for moved in 0..2 * STEP_BYTES {
            let text = [&vec![b'='; moved][..], text].concat();
            let found: Vec<_> = ats(&text).map(|at| at - moved).collect();
            assert_eq!(found, [1, 26, 42], "moved by {moved}");
        }
    }

    #[test]
    fn one_sign_is_no_evidence() {
        for text in ["a=40b.org", "a=3 b=C k=c3 =?utf-8?B?Ym9i?= x", "n=12 = "] {
            assert!(!is_evident(text.as_bytes()), "{text}");
        }
        for text in ["a=3Db", "=C3=A4", "x=", "x=\r", "=?utf-8?Q?a?="] {
            assert!(is_evident(text.as_bytes()), "{text}");
        }
    }
}
