//! What is there, precisely: a closer look around each place that the scan names.
//!
//! Each kind looks around a place and says how far it has looked, so that no byte is looked at for every
//! place of a long run.

mod card;
mod email;
mod ip;
mod word;

use std::ops::Range;

use crate::scan::{Kind, Kinds, places};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Where, in order; none overlap, none is empty.
    pub(crate) places: Vec<Range<usize>>,
    pub(crate) emails: u64,
    pub(crate) cards: u64,
    pub(crate) ips: u64,
}

/// Everything in `text` that is of one of the kinds.
pub(crate) fn find(text: &[u8], kinds: Kinds) -> Found {
    let mut found = Found::default();
    let (mut cards_seen, mut ip4_seen, mut ip6_seen) = (0, 0, 0);
    places(text, kinds, |kind, at| match kind {
        Kind::Email => {
            if let Some(address) = email::around(text, at) {
                found.emails += 1;
                found.places.push(address);
            }
        }
        Kind::Card if at >= cards_seen => cards_seen = card::around(text, at, &mut found),
        Kind::Ip4 if at >= ip4_seen => ip4_seen = ip::around_dots(text, at, &mut found),
        Kind::Ip6 if at >= ip6_seen => ip6_seen = ip::around_colons(text, at, &mut found),
        Kind::Card | Kind::Ip4 | Kind::Ip6 => {}
    });
    unite(&mut found.places);
    found
}

/// Makes one place of those that overlap.
fn unite(places: &mut Vec<Range<usize>>) {
    places.sort_unstable_by_key(|place| (place.start, place.end));
    places.dedup_by(|next, place| {
        let overlap = next.start < place.end;
        if overlap {
            place.end = place.end.max(next.end);
        }
        overlap
    });
}

#[cfg(test)]
mod tests;
