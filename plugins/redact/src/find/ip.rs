//! Addresses of the Internet Protocol, version 4 and version 6.

use std::net::Ipv6Addr;

use super::{Found, word};

/// Bytes of the longest text form of version 6: eight groups of four, the last two as four numbers.
const IP6_BYTES_MAX: usize = 45;

/// Digits of the longest port.
const PORT_DIGITS_MAX: usize = 5;

/// Finds the address in the run of numbers around `at`, and says where the run ends.
pub(super) fn around_dots(text: &[u8], at: usize, found: &mut Found) -> usize {
    let (start, end) = word::numbers(text, at, |byte| byte == b'.');
    if text.get(start..end).is_some_and(is_ip4) {
        found.ips += 1;
        found.places.push(start..end);
    }
    end
}

fn is_ip4(numbers: &[u8]) -> bool {
    let mut parts = 0;
    numbers.split(|&byte| byte == b'.').all(|part| {
        parts += 1;
        is_octet(part)
    }) && parts == 4
}

fn is_octet(part: &[u8]) -> bool {
    let value = part.iter().fold(0, |value: u32, byte| {
        value.saturating_mul(10).saturating_add(u32::from(byte.wrapping_sub(b'0')))
    });
    part.len() <= 3 && value <= 255
}

/// Finds the addresses in the run of words and colons around `at`, and says where it ends.
pub(super) fn around_colons(text: &[u8], at: usize, found: &mut Found) -> usize {
    let start = word::start(text, at, |byte| byte == b':' || is_word(byte));
    let end = word::end(text, at, |byte| byte == b':' || is_word(byte));
    let mut groups_start = start;
    let mut next = start;
    while next < end {
        let word_end = word::end(text, next, is_word);
        if !text.get(next..word_end).is_some_and(is_group) {
            groups(text, groups_start, next, found);
            groups_start = word_end;
        }
        next = word::end(text, word_end, |byte| byte == b':');
    }
    groups(text, groups_start, end, found);
    end
}

/// Finds the address among groups and colons. Where `start` and `end` are not those of all words and colons, there is a
/// word on their other side that is no group.
fn groups(text: &[u8], start: usize, end: usize, found: &mut Found) {
    let before = Neighbour::of(start.checked_sub(1).and_then(|at| text.get(at)));
    let behind = Neighbour::of(text.get(end));
    let Some(groups) = text.get(start..end) else { return };
    let from = start + colons_before(groups, before);
    let to = end - text.get(from..end).map_or(0, |groups| colons_behind(groups, behind));
    let address_end = [numbers_end(text, to), Some(to), port_start(text, from, to)];
    if let Some(to) =
        address_end.into_iter().flatten().find(|&to| text.get(from..to).is_some_and(is_ip6))
    {
        found.ips += 1;
        found.places.push(from..to);
    }
}

/// What stands next to groups.
#[derive(Clone, Copy)]
enum Neighbour {
    /// A word that is no group.
    Word,
    /// Anything else, or nothing.
    Other,
}

impl Neighbour {
    fn of(byte: Option<&u8>) -> Self {
        if byte.is_some_and(|&byte| is_word(byte)) { Self::Word } else { Self::Other }
    }
}

/// Colons that stand before an address: a single one, or two behind a word.
fn colons_before(groups: &[u8], word: Neighbour) -> usize {
    match (groups, word) {
        ([b':', b':', ..], Neighbour::Word) => 2,
        ([b':', b':', ..], Neighbour::Other) => 0,
        ([b':', ..], _) => 1,
        _ => 0,
    }
}

/// Colons that stand behind an address: a single one, or two before a word.
fn colons_behind(groups: &[u8], word: Neighbour) -> usize {
    match (groups, word) {
        ([.., b':', b':'], Neighbour::Word) => 2,
        ([.., b':', b':'], Neighbour::Other) => 0,
        ([.., b':'], _) => 1,
        _ => 0,
    }
}

/// Where numbers with dots before them end that stand behind the last group, if there are any.
fn numbers_end(text: &[u8], to: usize) -> Option<usize> {
    let last = to.checked_sub(1).filter(|&at| text.get(at).is_some_and(u8::is_ascii_digit))?;
    let (_, end) = word::numbers(text, last, |byte| byte == b'.');
    let whole = !text.get(end).is_some_and(|&byte| is_word(byte));
    (whole && end > to).then_some(end)
}

/// Where a last group begins that can be a port, with its colon.
fn port_start(text: &[u8], from: usize, to: usize) -> Option<usize> {
    let digits = word::start(text, to, |byte| byte.is_ascii_digit());
    let colon = digits.checked_sub(1).filter(|&at| at > from && text.get(at) == Some(&b':'))?;
    (1..=PORT_DIGITS_MAX).contains(&(to - digits)).then_some(colon)
}

fn is_ip6(text: &[u8]) -> bool {
    text.len() <= IP6_BYTES_MAX
        && text != b"::"
        && str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// Whether a word is a group of an address; one of no letters stands between two colons.
fn is_group(word: &[u8]) -> bool {
    word.len() <= 4 && word.iter().all(u8::is_ascii_hexdigit)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
