//! E-mail addresses.

use std::ops::Range;

use super::word;

/// What the label of an internationalised domain begins with (RFC 5890, section 2.3.2.1).
const ACE_PREFIX: &[u8] = b"xn--";

/// The address around the `@` at `at`.
pub(super) fn around(text: &[u8], at: usize) -> Option<Range<usize>> {
    let run = word::start(text, at, is_local);
    let start = word::end(text, run, |byte| !begins_local(byte) && is_local(byte));
    let end = domain_end(text, at + 1)?;
    (start < at).then_some(start..end)
}

/// Where the domain that begins at `start` ends.
fn domain_end(text: &[u8], start: usize) -> Option<usize> {
    let mut found = None;
    let mut label_start = start;
    loop {
        let label_end = word::end(text, label_start, is_label);
        let label = text.get(label_start..label_end).filter(|label| !label.is_empty());
        let Some(label) = label else { return found };
        if label_start > start
            && let Some(length) = top_level(label)
        {
            found = Some(label_start + length);
        }
        if text.get(label_end) != Some(&b'.') {
            return found;
        }
        label_start = label_end + 1;
    }
}

/// How much of a label can end a domain.
fn top_level(label: &[u8]) -> Option<usize> {
    if label.starts_with(ACE_PREFIX) && label.len() > ACE_PREFIX.len() {
        return Some(label.len());
    }
    let letters = word::end(label, 0, |byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    (letters >= 2).then_some(letters)
}

fn begins_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn is_local(byte: u8) -> bool {
    begins_local(byte) || matches!(byte, b'.' | b'+' | b'-' | b'%' | b'~' | b'\'')
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || !byte.is_ascii()
}
