//! Card numbers.

use std::ops::{Range, RangeInclusive};

use super::{Found, word};

/// Digits of a number (ISO/IEC 7812-1 allows up to 19; the shortest in use has 13).
const DIGITS: RangeInclusive<usize> = 13..=19;

/// Fewest digits of a group.
const GROUP_DIGITS_MIN: usize = 3;

/// First two digits that card networks use.
const NETWORKS: RangeInclusive<u8> = 22..=69;

/// Finds the numbers in the run of digits around `at`, and says where the run ends.
pub(super) fn around(text: &[u8], at: usize, found: &mut Found) -> usize {
    let (start, end) = word::numbers(text, at, is_gap);
    let mut next = start;
    while next < end {
        let first = word::end(text, next, |byte| byte.is_ascii_digit());
        match longest(text, next, end) {
            Some(number_end) => {
                found.cards += 1;
                found.places.push(next..number_end);
                next = number_end + 1;
            }
            None => next = first + 1,
        }
    }
    end
}

/// Where the longest number ends that begins with the group at `start`, in a run that ends at `run_end`.
fn longest(text: &[u8], start: usize, run_end: usize) -> Option<usize> {
    if is_fraction(text, start) {
        return None;
    }
    let mut digits = Vec::with_capacity(*DIGITS.end());
    let mut longest = None;
    let mut group_start = start;
    while group_start < run_end {
        let group_end = word::end(text, group_start, |byte| byte.is_ascii_digit());
        let group = text.get(group_start..group_end)?;
        if group.len() < GROUP_DIGITS_MIN || digits.len() + group.len() > *DIGITS.end() {
            break;
        }
        digits.extend(group.iter().map(|byte| byte - b'0'));
        if is_number(&digits) && !has_fraction(text, group_end) {
            longest = Some(group_end);
        }
        group_start = group_end + 1;
    }
    longest
}

/// Whether these are the digits of a card.
fn is_number(digits: &[u8]) -> bool {
    let network = matches!(digits, [tens, ones, ..] if NETWORKS.contains(&(tens * 10 + ones)));
    network && DIGITS.contains(&digits.len()) && luhn(digits)
}

/// Whether the last digit checks the others: every second from the right is doubled, the digits of all are added, and the
/// sum is a multiple of ten (ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, digit) {
            (0, digit) => u32::from(digit),
            (_, digit @ 0..=4) => u32::from(digit) * 2,
            (_, digit) => u32::from(digit) * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether digits at `start` stand behind a decimal point.
fn is_fraction(text: &[u8], start: usize) -> bool {
    let before: Range<usize> = start.saturating_sub(2)..start;
    matches!(text.get(before), Some([digit, b'.']) if digit.is_ascii_digit())
}

/// Whether digits that end at `end` stand before a decimal point.
fn has_fraction(text: &[u8], end: usize) -> bool {
    matches!(text.get(end..), Some([b'.', digit, ..]) if digit.is_ascii_digit())
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'-')
}
