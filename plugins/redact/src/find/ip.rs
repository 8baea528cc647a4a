//! Addresses of the Internet Protocol, version 4 and version 6.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::{Look, ansi, word};
use crate::scan::digits_and_dots;

/// Bytes of the longest text form of version 6: eight groups of four, the last two as four numbers.
const IP6_BYTES_MAX: usize = 45;

/// Digits of the longest port.
const PORT_DIGITS_MAX: usize = 5;

/// Finds the address in the run of numbers around `at`.
pub(super) fn around_dots(text: &[u8], at: usize) -> Look {
    if let Some(place) = quick(text, at) {
        return Look { seen: place.clone(), found: Some(place) };
    }
    let (start, end) = word::numbers(text, at);
    let run = text.get(start..end).unwrap_or_default();
    let found = if is_ip4(run) {
        Some(start..end)
    } else {
        before_port(run).map(|bytes| start..start + bytes)
    };
    Look { seen: start..end, found }
}

/// Bytes before the last number that decide: three numbers with their dots, and two more.
const BEFORE_BYTES: usize = 14;

/// The address whose last number begins at `at`, as nearly all are: found at once, and not byte by
/// byte.
#[inline]
fn quick(text: &[u8], at: usize) -> Option<Range<usize>> {
    let from = at.checked_sub(BEFORE_BYTES)?;
    let (digits, dots) = digits_and_dots(text.get(from..)?.first_chunk()?);
    let others = !u32::from(digits | dots) << (32 - BEFORE_BYTES);
    let first =
        BEFORE_BYTES.checked_sub(others.leading_zeros() as usize).filter(|&first| first > 0)?;
    let dots = u32::from(dots) & ((1 << BEFORE_BYTES) - 1) & !((1 << first) - 1);
    let [one, two] = [dots, dots & dots.wrapping_sub(1)].map(|dots| dots.trailing_zeros() as usize);
    let is_octet = |start: usize, end: usize| is_decimal(text, from + start, from + end);
    let last = BEFORE_BYTES - 1;
    let three = dots.count_ones() == 3
        && is_octet(first, one)
        && is_octet(one + 1, two)
        && is_octet(two + 1, last);
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let digits = 1 + usize::from(digit(at + 1)) + usize::from(digit(at + 1) && digit(at + 2));
    let end = at + digits;
    let goes_on = digit(end) || (text.get(end) == Some(&b'.') && digit(end + 1));
    (three && !goes_on && is_octet(BEFORE_BYTES, BEFORE_BYTES + digits))
        .then_some(from + first..end)
}

/// Whether these digits are a number up to 255.
#[expect(clippy::inline_always, reason = "four calls for each address")]
#[inline(always)]
fn is_decimal(text: &[u8], start: usize, end: usize) -> bool {
    match text.get(start..end) {
        Some([b'2', b'0'..=b'4', _] | [b'2', b'5', b'0'..=b'5'] | [b'0' | b'1', _, _]) => true,
        Some(digits) => matches!(digits.len(), 1 | 2),
        None => false,
    }
}

/// How many bytes of five numbers are an address, with a port behind it: `192.0.2.1.443`, as
/// tcpdump writes it.
fn before_port(numbers: &[u8]) -> Option<usize> {
    let dot = numbers.iter().rposition(|&byte| byte == b'.')?;
    let (address, port) = numbers.split_at(dot);
    let port = str::from_utf8(port.get(1..)?).ok()?;
    (port.len() <= PORT_DIGITS_MAX && port.parse::<u16>().is_ok() && is_ip4(address)).then_some(dot)
}

/// The address as all programs write it; that of version 4 also where it stands in one of version
/// 6.
pub(crate) fn normal(text: &[u8]) -> Vec<u8> {
    let numbers: Vec<u8> = text.split(|&byte| byte == b'.').map(octet).collect();
    if let (true, [a, b, c, d]) = (is_ip4(text), numbers.as_slice()) {
        return std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string().into();
    }
    match str::from_utf8(text).ok().and_then(|text| text.parse::<Ipv6Addr>().ok()) {
        Some(address) => address.to_canonical().to_string().into(),
        None => text.to_ascii_lowercase(),
    }
}

fn octet(part: &[u8]) -> u8 {
    part.iter()
        .fold(0, |value: u8, byte| value.wrapping_mul(10).wrapping_add(byte.wrapping_sub(b'0')))
}

/// Whether these are four numbers up to 255.
pub(super) fn is_ip4(numbers: &[u8]) -> bool {
    let (mut dots, mut digits, mut value) = (0, 0, 0_u32);
    for &byte in numbers {
        match byte {
            b'0'..=b'9' if digits < 3 => {
                digits += 1;
                value = value * 10 + u32::from(byte - b'0');
            }
            b'.' if dots < 3 && digits > 0 && value <= 255 => {
                dots += 1;
                (digits, value) = (0, 0);
            }
            _ => return false,
        }
    }
    dots == 3 && digits > 0 && value <= 255
}

/// Finds the addresses in the run of words and colons around `at`.
pub(super) fn around_colons(text: &[u8], at: usize, mut found: impl FnMut(Range<usize>)) -> Look {
    let start = word::start(text, at, |byte| byte == b':' || is_word(byte));
    let end = word::end(text, at, |byte| byte == b':' || is_word(byte));
    let sequence_end = ansi::behind(text, start);
    let start = if sequence_end <= end { sequence_end } else { start };
    let mut groups_start = start;
    let mut next = start;
    while next < end {
        let word_end = word::end(text, next, is_word);
        if !text.get(next..word_end).is_some_and(is_group) {
            groups(text, groups_start, next).into_iter().for_each(&mut found);
            groups_start = word_end;
        }
        next = word::end(text, word_end, |byte| byte == b':');
    }
    groups(text, groups_start, end).into_iter().for_each(&mut found);
    Look { seen: start..end, found: None }
}

/// Finds the address among groups and colons. Where `start` and `end` are not those of all words
/// and colons, there is a word on their other side that is no group.
fn groups(text: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    let before = match Neighbour::of(start.checked_sub(1).and_then(|at| text.get(at))) {
        Neighbour::Word if ansi::ends_at(text, start) => Neighbour::Other,
        before => before,
    };
    let behind = Neighbour::of(text.get(end));
    let groups = text.get(start..end)?;
    let from = start + colons_before(groups, before);
    let to = end - text.get(from..end).map_or(0, |groups| colons_behind(groups, behind));
    let address_end = [numbers_end(text, to), Some(to), port_start(text, from, to)];
    let to =
        address_end.into_iter().flatten().find(|&to| text.get(from..to).is_some_and(is_ip6))?;
    (!is_path(text, from, to)).then_some(from..to)
}

/// Whether this is a part of a name as `tokio_fd::add`: next to an underscore, and without a digit.
fn is_path(text: &[u8], from: usize, to: usize) -> bool {
    let in_name = from.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'_')
        || text.get(to) == Some(&b'_');
    in_name && !text.get(from..to).is_some_and(|address| address.iter().any(u8::is_ascii_digit))
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
    let (_, end) = word::numbers(text, last);
    let whole = !text.get(end).is_some_and(|&byte| is_word(byte));
    (whole && end > to).then_some(end)
}

/// Where a last group begins that can be a port, with its colon.
fn port_start(text: &[u8], from: usize, to: usize) -> Option<usize> {
    let digits = word::start(text, to, |byte| byte.is_ascii_digit());
    let colon = digits.checked_sub(1).filter(|&at| at > from && text.get(at) == Some(&b':'))?;
    (1..=PORT_DIGITS_MAX).contains(&(to - digits)).then_some(colon)
}

/// Whether this is an address of version 6.
pub(super) fn is_ip6(text: &[u8]) -> bool {
    text.len() <= IP6_BYTES_MAX
        && text != b"::"
        && str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// Whether a word is a group of an address; one of no letters stands between two colons.
fn is_group(word: &[u8]) -> bool {
    word.len() <= 4 && word.iter().all(u8::is_ascii_hexdigit)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}
