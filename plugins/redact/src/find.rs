//! What is there, precisely: a closer look around each place that the scan names.
//!
//! Each kind looks around a place and says how far it has looked, so that no byte is looked at for
//! every place of a long run, and so that who knows of escapes can tell whether one stands next to
//! what was seen.

pub(crate) mod ansi;
pub(crate) mod card;
mod email;
pub(crate) mod ip;
mod local;
mod word;

use std::ops::Range;

use crate::scan::{Bytes, Kind, Kinds, Odd, places};

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Email,
    Card,
    Ip,
    Phone,
    Iban,
    Ssn,
    Token,
    Pattern,
}

/// Something that is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) place: Range<usize>,
    pub(crate) class: Class,
}

/// What one look has seen.
pub(crate) struct Look {
    /// The bytes that decided.
    seen: Range<usize>,
    /// What they hold; what can be several is told otherwise.
    found: Option<Range<usize>>,
}

/// Appends everything in `text` that is of one of the kinds. Calls `near` with each odd byte, and
/// with what each look has seen.
#[inline]
pub(crate) fn find(
    text: &[u8],
    kinds: Kinds,
    hits: &mut Vec<Hit>,
    mut near: impl FnMut(Kind, Range<usize>, Odd),
) -> Bytes {
    let (mut cards_seen, mut ip4_seen, mut ip6_seen) = (0, 0, 0);
    places(text, kinds, |kind, at, odd| {
        let (look, class) = match kind {
            Kind::Odd => return near(kind, at..at, odd),
            Kind::Email => (email::around(text, at), Class::Email),
            Kind::Card if at >= cards_seen => {
                let push = |place| hits.push(Hit { place, class: Class::Card });
                let look = card::around(text, at, push);
                // A run may have gaps behind it, and the next one has its place twelve bytes
                // further on.
                cards_seen = look.seen.end + card::GAP_BYTES_MAX + 1;
                (look, Class::Card)
            }
            Kind::Ip4 if at >= ip4_seen => {
                let look = ip::around_dots(text, at);
                ip4_seen = look.seen.end;
                (look, Class::Ip)
            }
            Kind::Ip6 if at >= ip6_seen => {
                let push = |place| hits.push(Hit { place, class: Class::Ip });
                let look = ip::around_colons(text, at, push);
                ip6_seen = look.seen.end;
                (look, Class::Ip)
            }
            Kind::Card | Kind::Ip4 | Kind::Ip6 => return,
        };
        if let Some(place) = look.found {
            hits.push(Hit { place, class });
        }
        near(kind, look.seen, odd);
    })
}

#[cfg(test)]
mod tests;
