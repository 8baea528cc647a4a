//! Card numbers.

use std::ops::{Range, RangeInclusive};

use super::{Look, word};

/// Digits of a number (ISO/IEC 7812-1 allows up to 19; the shortest in use has 13).
const DIGITS: RangeInclusive<usize> = 13..=19;

/// Fewest digits of a group.
const GROUP_DIGITS_MIN: usize = 3;

/// Digits of the groups that a shorter one may stand behind, and how many of them: 4222 2222 2222
/// 2.
const FOURS: usize = 4;
const FOURS_MIN: usize = 3;

/// Most bytes between two groups: ` - `.
pub(super) const GAP_BYTES_MAX: usize = 3;

/// Bytes of an address of IP version 6 without a part of version 4, at most.
const ADDRESS_BYTES_MAX: usize = 39;

/// First two digits that card networks use.
const NETWORKS: RangeInclusive<u8> = 22..=69;

/// First digits of further ones: `RuPay`, `Uzcard`, `ArCa`, Troy, Humo.
const FURTHER_NETWORKS: [&[u8]; 6] =
    [&[8, 1], &[8, 2], &[8, 6, 0, 0], &[9, 0, 5, 1], &[9, 7, 9, 2], &[9, 8, 6, 0]];

/// Digits of the groups of numbers that may have dots between them, as cards show them: where
/// others stand, dots are those of fractions, versions and addresses.
const DOTTED_GROUPS: [&[usize]; 5] =
    [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 1]];

/// Finds the numbers in the run of digits around `at`.
pub(super) fn around(text: &[u8], at: usize, mut found: impl FnMut(Range<usize>)) -> Look {
    let (start, end) = run(text, at);
    let mut next = start;
    while next < end {
        let first = word::end(text, next, |byte| byte.is_ascii_digit());
        let number = match text.get(first) {
            Some(b'.') => dotted(text, next).or_else(|| longest(text, next, end)),
            _ => longest(text, next, end),
        };
        if let Some(end) = number {
            found(next..end);
        }
        // Also within a number: one of two next to each other may be seen as going on into the
        // other by chance.
        next = word::end(text, first, |byte| is_gap(byte) || byte == b'.');
    }
    Look { seen: start..end, found: None }
}

/// Where the digits around `at`, and the gaps and single dots between them, begin and end. A gap
/// behind a dot belongs to the run, as it does in the scan, which points to each run once: what
/// stands behind `4111. ` is looked at here or never.
fn run(text: &[u8], at: usize) -> (usize, usize) {
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let mut start = word::start(text, at, is_gap);
    if at - start > GAP_BYTES_MAX {
        start = at;
    }
    let mut end = start;
    loop {
        start = word::start(text, start, |byte| byte.is_ascii_digit());
        let gaps = word::start(text, start, is_gap);
        let dot = gaps.checked_sub(1).is_some_and(|at| text.get(at) == Some(&b'.'));
        let gap = gaps - usize::from(dot);
        if start - gap > GAP_BYTES_MAX || gap == start || !gap.checked_sub(1).is_some_and(digit) {
            break;
        }
        start = gap;
    }
    loop {
        end = word::end(text, end, |byte| byte.is_ascii_digit());
        let gap = match text.get(end) {
            Some(b'.') => word::end(text, end + 1, is_gap),
            _ => word::end(text, end, is_gap),
        };
        if gap - end > GAP_BYTES_MAX || gap == end || !digit(gap) {
            return (start, end);
        }
        end = gap;
    }
}

/// Where the number ends that begins at `start` and has dots between its groups: all that dots
/// join, so that it is no part of a name or a version.
fn dotted(text: &[u8], start: usize) -> Option<usize> {
    let (first, end) = word::numbers(text, start);
    let number = text.get(start..end).filter(|_| first == start)?;
    let groups = || number.split(|&byte| byte == b'.').map(<[u8]>::len);
    if !DOTTED_GROUPS.iter().any(|known| groups().eq(known.iter().copied())) {
        return None;
    }
    let digits: Vec<u8> = normal(number).iter().map(|byte| byte - b'0').collect();
    is_number(&digits).then_some(end)
}

/// Where the longest number ends that begins with the group at `start`, in a run that ends at
/// `run_end`.
fn longest(text: &[u8], start: usize, run_end: usize) -> Option<usize> {
    if is_fraction(text, start) {
        return None;
    }
    let mut digits = [0; 19];
    let (mut count, mut fours) = (0, 0);
    let mut longest = None;
    let mut group_start = start;
    while group_start < run_end {
        let group_end = word::end(text, group_start, |byte| byte.is_ascii_digit());
        let group = text.get(group_start..group_end)?;
        let may_be_short = fours >= FOURS_MIN && fours * FOURS == count;
        let Some(room) = digits.get_mut(count..count + group.len()) else { break };
        if group.len() < GROUP_DIGITS_MIN && !may_be_short {
            break;
        }
        room.iter_mut().zip(group).for_each(|(digit, byte)| *digit = byte - b'0');
        count += group.len();
        fours += usize::from(group.len() == FOURS);
        if digits.get(..count).is_some_and(is_number) && !has_fraction(text, group_end) {
            longest = Some(group_end);
        }
        if group.len() < GROUP_DIGITS_MIN {
            break;
        }
        group_start = word::end(text, group_end, is_gap);
    }
    longest
}

/// The digits of a number.
pub(crate) fn normal(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(u8::is_ascii_digit).collect()
}

/// Whether these are the digits of a card.
fn is_number(digits: &[u8]) -> bool {
    let network = matches!(digits, [tens, ones, ..] if NETWORKS.contains(&(tens * 10 + ones)))
        || FURTHER_NETWORKS.iter().any(|first| digits.starts_with(first));
    network && DIGITS.contains(&digits.len()) && luhn(digits)
}

/// Whether the last digit checks the others: every second from the right is doubled, the digits of
/// all are added, and the sum is a multiple of ten (ISO/IEC 7812-1, annex B).
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

/// Whether digits at `start` stand behind a decimal point: the dot behind an address of IP version
/// 6 with `::` is none.
fn is_fraction(text: &[u8], start: usize) -> bool {
    let before: Range<usize> = start.saturating_sub(2)..start;
    if !matches!(text.get(before), Some([digit, b'.']) if digit.is_ascii_digit()) {
        return false;
    }
    let from = start.saturating_sub(1 + ADDRESS_BYTES_MAX);
    let before = text.get(from..start - 1).unwrap_or_default();
    let groups = word::start(before, before.len(), |byte| byte.is_ascii_hexdigit() || byte == b':');
    !before.get(groups..).is_some_and(|groups| groups.windows(2).any(|pair| pair == b"::"))
}

/// Whether digits that end at `end` stand before a decimal point and digits; zeros are no fraction,
/// but what programs write behind a number that they hold as one with a point.
fn has_fraction(text: &[u8], end: usize) -> bool {
    let Some([b'.', behind @ ..]) = text.get(end..) else { return false };
    let digits = behind.iter().take_while(|byte| byte.is_ascii_digit());
    digits.into_iter().any(|&byte| byte != b'0')
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'+')
}
