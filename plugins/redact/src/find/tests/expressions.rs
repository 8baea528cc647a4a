//! What has to be found, as regular expressions: slow, and independent of the scanner that they
//! check.

use std::net::Ipv6Addr;
use std::ops::Range;

use regex::bytes::Regex;

/// Places of addresses, by the definition: at each `@`, one expression before it and one behind it.
pub(super) fn emails_by_regex(text: &[u8]) -> Vec<Range<usize>> {
    let local = Regex::new(r"(?-u)[A-Za-z0-9_\x80-\xff][A-Za-z0-9_.+%~'\x80-\xff-]*$").unwrap();
    let domain = r"(?-u)^(?:[A-Za-z0-9_\x80-\xff-]+\.)+(?:xn--[A-Za-z0-9_\x80-\xff-]+|[A-Za-z\x80-\xff]{2,})";
    let domain = Regex::new(domain).unwrap();
    let ats = text.iter().enumerate().filter(|(_, byte)| **byte == b'@');
    ats.filter_map(|(at, _)| {
        let start = local.find(&text[..at])?.start();
        let behind = &text[at + 1..];
        let domain = domain.find(behind).map(|domain| domain.end());
        Some(start..at + 1 + domain.or_else(|| ip4_behind_at(behind))?)
    })
    .collect()
}

/// Where the address ends that all digits and dots behind an `@` are, but for a full stop.
fn ip4_behind_at(text: &[u8]) -> Option<usize> {
    let numbers = Regex::new(r"^[0-9.]+").unwrap().find(text)?.as_bytes();
    let numbers = numbers.strip_suffix(b".").unwrap_or(numbers);
    let found = ip4_by_regex(numbers);
    found.first().is_some_and(|found| *found == (0..numbers.len())).then_some(numbers.len())
}

/// All ways to begin with a group, and of those that begin with the same one the longest.
pub(super) fn cards_by_regex(text: &[u8]) -> Vec<Range<usize>> {
    let run = Regex::new(r"[0-9]+(?:[ +-]{1,3}[0-9]+)*").unwrap();
    let card = Regex::new(r"^(?:2[2-9]|[3-6][0-9]|8[12]|8600|9051|9792|9860)[0-9]+$").unwrap();
    let groups = Regex::new(r"^(?:[0-9]{3,}(?:[ +-]{1,3}[0-9]{3,})*|[0-9]{4}(?:[ +-]{1,3}[0-9]{4}){2,}[ +-]{1,3}[0-9]{1,2})$").unwrap();
    let fraction_before = Regex::new(r"[0-9]\.$").unwrap();
    let fraction_behind = Regex::new(r"^\.0*[1-9]").unwrap();
    let is_card = |place: Range<usize>| {
        let digits: Vec<u8> =
            text[place.clone()].iter().copied().filter(u8::is_ascii_digit).collect();
        let bounded = |at: Option<&u8>| !at.is_some_and(u8::is_ascii_digit);
        card.is_match(&digits)
            && (13..=19).contains(&digits.len())
            && groups.is_match(&text[place.clone()])
            && bounded(text[..place.start].last())
            && bounded(text.get(place.end))
            && !fraction_before.is_match(&text[..place.start])
            && !fraction_behind.is_match(&text[place.end..])
            && luhn_by_table(&digits)
    };
    let mut found = dotted_cards_by_regex(text, &card);
    for run in run.find_iter(text) {
        for start in run.range() {
            let end = (start + 1..=run.end()).rev().find(|&end| is_card(start..end));
            found.extend(end.map(|end| start..end));
        }
    }
    found
}

/// All that single dots join, if its groups are those that cards show.
fn dotted_cards_by_regex(text: &[u8], card: &Regex) -> Vec<Range<usize>> {
    let run = Regex::new(r"[0-9]+(?:\.[0-9]+)*").unwrap();
    let groups = [
        r"[0-9]{4}(?:\.[0-9]{4}){3}(?:\.[0-9]{3})?",
        r"[0-9]{4}\.[0-9]{6}\.[0-9]{4,5}",
        r"[0-9]{4}(?:\.[0-9]{4}){2}\.[0-9]",
    ];
    let groups = Regex::new(&format!("^(?:{})$", groups.join("|"))).unwrap();
    let is_card = |run: &Range<usize>| {
        let run = &text[run.clone()];
        let digits: Vec<u8> = run.iter().copied().filter(u8::is_ascii_digit).collect();
        groups.is_match(run) && card.is_match(&digits) && luhn_by_table(&digits)
    };
    run.find_iter(text).map(|run| run.range()).filter(is_card).collect()
}

fn luhn_by_table(digits: &[u8]) -> bool {
    const DOUBLED: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let odd = digits.len() % 2;
    let value = |(place, digit): (usize, &u8)| {
        let digit = digit - b'0';
        if place % 2 == odd { DOUBLED[usize::from(digit)] } else { u32::from(digit) }
    };
    digits.iter().enumerate().map(value).sum::<u32>() % 10 == 0
}

pub(super) fn ip4_by_regex(text: &[u8]) -> Vec<Range<usize>> {
    let run = Regex::new(r"[0-9]+(?:\.[0-9]+)*").unwrap();
    let octet = "(?:0[0-9]{0,2}|1[0-9]{0,2}|2(?:[0-4][0-9]?|5[0-5]?|[6-9])?|[3-9][0-9]?)";
    let address = format!(r"^({octet}(?:\.{octet}){{3}})(?:\.([0-9]{{1,5}}))?$");
    let address = Regex::new(&address).unwrap();
    let found = |run: Range<usize>| {
        let found = address.captures(&text[run.clone()])?;
        let port = found.get(2).map(|port| str::from_utf8(port.as_bytes()).unwrap());
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
        is_port.then(|| run.start..run.start + found[1].len())
    };
    run.find_iter(text).filter_map(|run| found(run.range())).collect()
}

pub(super) fn ip6_by_regex(text: &[u8]) -> Vec<Range<usize>> {
    // An underscore is no part of a word, and next to one there is a digit.
    let as_written = text;
    let text = &text.iter().map(|&byte| if byte == b'_' { b' ' } else { byte }).collect::<Vec<_>>();
    let is_meant = |place: &Range<usize>| {
        let around =
            &as_written[place.start.saturating_sub(1)..as_written.len().min(place.end + 1)];
        !(around.starts_with(b"_") || around.ends_with(b"_"))
            || as_written[place.clone()].iter().any(u8::is_ascii_digit)
    };
    let run = Regex::new(r"(?-u)(?:\b[0-9A-Fa-f]{1,4}\b|:)+").unwrap();
    let word_before = Regex::new(r"(?-u)\w$").unwrap();
    let word_behind = Regex::new(r"(?-u)^\w").unwrap();
    let numbers = Regex::new(r"(?-u)^(?:\.[0-9]+)+").unwrap();
    let port = Regex::new(r":[0-9]{1,5}$").unwrap();
    let parses = |place: &Range<usize>| {
        let text = str::from_utf8(&text[place.clone()]).unwrap();
        text != "::" && text.parse::<Ipv6Addr>().is_ok()
    };
    let mut found = Vec::new();
    for run in run.find_iter(text) {
        let (mut start, mut end) = (run.start(), run.end());
        let bytes = run.as_bytes();
        if !bytes.starts_with(b"::") {
            start += usize::from(bytes.starts_with(b":"));
        } else if word_before.is_match(&text[..start]) {
            start += 2;
        }
        if start < end && !text[start..end].ends_with(b"::") {
            end -= usize::from(text[start..end].ends_with(b":"));
        } else if start < end && word_behind.is_match(&text[end..]) {
            end -= 2;
        }
        let group_before = end > start && text[end - 1].is_ascii_digit();
        let long = numbers.find(&text[end..]).map(|numbers| start..end + numbers.end());
        let long = long.filter(|long| group_before && !word_behind.is_match(&text[long.end..]));
        let short = port.find(&text[start..end]).map(|port| start..start + port.start());
        found.extend(
            [long, Some(start..end), short].into_iter().flatten().find(parses).filter(is_meant),
        );
    }
    found
}
