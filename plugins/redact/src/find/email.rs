//! E-mail addresses.

use super::{Look, ansi, ip, local, word};

/// What the label of an internationalised domain begins with (RFC 5890, section 2.3.2.1).
const ACE_PREFIX: &[u8] = b"xn--";

/// Bytes of a domain literal, at most: `[IPv6:`, the longest address, and `]`.
const LITERAL_BYTES_MAX: usize = 64;

/// The address around the `@` at `at`.
pub(super) fn around(text: &[u8], at: usize) -> Look {
    let run = word::start(text, at, local::is_local);
    let run = behind_sequence(text, word::behind_wide_space(text, run, at), at);
    let domain = domain(text, at + 1);
    let address = match domain.end {
        Some(end) => local::start(text, run, at).map(|start| behind_sequence(text, start, at)..end),
        None => None,
    };
    let seen = address.as_ref().map_or(run, |found| found.start)..domain.seen;
    Look { seen, found: address }
}

/// Where a local part that ends at `at` begins, if what was taken for its beginning is the end of a
/// terminal's sequence.
fn behind_sequence(text: &[u8], start: usize, at: usize) -> usize {
    let end = ansi::behind(text, start);
    if end <= at { end } else { start }
}

/// What stands behind an `@`.
struct Domain {
    /// Where it ends, if it is one.
    end: Option<usize>,
    /// The first byte that is no part of it.
    seen: usize,
}

fn domain(text: &[u8], start: usize) -> Domain {
    if text.get(start) == Some(&b'[') {
        let end = literal(text, start);
        return Domain { end, seen: end.unwrap_or(start + 1) };
    }
    let mut domain = labels(text, start);
    if domain.end.is_none() {
        // `sip:bob@192.0.2.1`
        let end = word::end(text, start, |byte| byte.is_ascii_digit() || byte == b'.');
        let end = end - usize::from(end > start && text.get(end - 1) == Some(&b'.'));
        domain.end = text.get(start..end).is_some_and(ip::is_ip4).then_some(end);
    }
    domain
}

/// Where a domain literal ends (RFC 5321, section 4.1.3): `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
fn literal(text: &[u8], start: usize) -> Option<usize> {
    let inside = text.get(start + 1..)?;
    let bytes = inside.iter().take(LITERAL_BYTES_MAX).position(|&byte| byte == b']')?;
    let inside = inside.get(..bytes)?;
    let tag = inside.iter().position(|&byte| byte == b':').and_then(|at| inside.get(..at));
    let tagged = tag.is_some_and(|tag| tag.eq_ignore_ascii_case(b"ipv6"));
    (tagged || ip::is_ip4(inside) || ip::is_ip6(inside)).then_some(start + 1 + bytes + 1)
}

/// Labels with dots between them.
fn labels(text: &[u8], start: usize) -> Domain {
    let mut end = None;
    let mut label_start = start;
    loop {
        let label_end = word::end(text, label_start, is_label);
        let label_end = word::until_wide_space(text, label_start, label_end);
        let label = text.get(label_start..label_end).filter(|label| !label.is_empty());
        let Some(label) = label else { return Domain { end, seen: label_end } };
        if label_start > start
            && let Some(length) = top_level(label)
        {
            end = Some(label_start + length);
        }
        if text.get(label_end) != Some(&b'.') {
            return Domain { end, seen: label_end };
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

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
}
