//! Which lines have to be read without their escapes: those in which an escape stands for a byte
//! that could make a match, and those in which one stands within or next to what a look has seen.

use std::ops::Range;

use crate::escapes::{BYTES_MAX, Escape, Escapes, is_joiner, is_odd};
use crate::scan::{Before, Kind, Odd, Strictness};

/// Collects a place in each such line.
pub(crate) struct Watch<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) escapes: Escapes,
    pub(crate) strictness: Strictness,
    /// In no order, and often several of one line.
    pub(crate) flagged: Vec<usize>,
}

impl Watch<'_> {
    /// Takes in what the search has come across.
    #[inline]
    pub(crate) fn near(&mut self, kind: Kind, seen: Range<usize>, odd: Odd) {
        let at = seen.start;
        let flagged = match kind {
            Kind::Odd => self.makes(at),
            Kind::Email => self.is_near(kind, &seen, odd) || self.is_inside(&seen, odd),
            _ => self.is_near(kind, &seen, odd),
        };
        if flagged {
            self.flagged.push(at);
        }
    }

    #[inline]
    fn is_near(&self, kind: Kind, seen: &Range<usize>, odd: Odd) -> bool {
        odd.before(seen.start) != Before::Known(0) && self.is_any_before(kind, seen.start, odd)
            || self.is_behind(kind, seen.end)
    }

    fn is_any_before(&self, kind: Kind, start: usize, odd: Odd) -> bool {
        match odd.before(start) {
            Before::Known(0) => false,
            Before::Known(bits) => (start.saturating_sub(BYTES_MAX)..start)
                .any(|at| bits >> (16 + at - start) & 1 == 1 && self.is_before(kind, start, at)),
            Before::Unknown => (start.saturating_sub(BYTES_MAX)..start)
                .any(|escape| self.is_before(kind, start, escape)),
        }
    }

    fn is_inside(&self, seen: &Range<usize>, odd: Odd) -> bool {
        let unknown = odd.before(seen.start) == Before::Unknown;
        (odd.any() || unknown)
            && seen.clone().any(|at| {
                self.text.get(at).is_some_and(|&byte| is_odd(byte))
                    && self.escapes.at(self.text, at).is_some()
            })
    }

    /// Whether an escape stands at `escape` that goes into what begins at `start`, or ends right
    /// before it and matters.
    fn is_before(&self, kind: Kind, start: usize, escape: usize) -> bool {
        self.escapes.at(self.text, escape).is_some_and(|it| {
            let end = escape + it.bytes;
            let empty = kind == Kind::Email && self.text.get(start) == Some(&b'@');
            end > start || (end == start && (empty || !ends_all(kind, it)))
        })
    }

    #[inline]
    fn is_behind(&self, kind: Kind, end: usize) -> bool {
        self.text.get(end).is_some_and(|&byte| is_odd(byte))
            && self.escapes.at(self.text, end).is_some_and(|escape| !ends_all(kind, escape))
    }

    /// Whether there is an escape at `at` that makes something that nothing else points to.
    #[inline]
    fn makes(&self, at: usize) -> bool {
        match self.text.get(at..at + 2) {
            Some(br"\u") if self.strictness == Strictness::Needed && self.is_letter(at + 2) => {
                false
            }
            Some(br"\\") if self.strictness == Strictness::Needed => self.makes_escape(at + 2),
            _ => self.escapes.at(self.text, at).is_some_and(|it| self.is_maker(at, it)),
        }
    }

    /// Whether the digits at `at` say a letter beyond ASCII, from U+00C0 to U+0FFF, as most do.
    fn is_letter(&self, at: usize) -> bool {
        match self.text.get(at..at + 3) {
            Some([b'0', b'0', ones]) => matches!(ones, b'c'..=b'f' | b'C'..=b'F'),
            Some([b'0', hundreds, _]) => hundreds.is_ascii_hexdigit(),
            _ => false,
        }
    }

    /// Whether what stands behind a backslash that is escaped makes an escape of it, so far as it
    /// is not escaped, too.
    fn makes_escape(&self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        let (digits, rest) = match rest {
            [b'u' | b'x', b'{', ..] => return true,
            [b'u', rest @ ..] => (4, rest),
            [b'U', rest @ ..] => (8, rest),
            [b'x', rest @ ..] => (2, rest),
            [b'0'..=b'7', ..] => (3, rest),
            [joiner, ..] if is_joiner(*joiner) => return true,
            _ => return false,
        };
        let digits = rest.iter().take(digits);
        digits.clone().take_while(|byte| !is_odd(**byte)).all(u8::is_ascii_hexdigit)
    }

    fn is_maker(&self, at: usize, escape: Escape) -> bool {
        if self.strictness == Strictness::All {
            return true;
        }
        let end = at + escape.bytes;
        let behind = self.text.get(end).copied().unwrap_or_default();
        let before =
            at.checked_sub(1).and_then(|at| self.text.get(at)).copied().unwrap_or_default();
        let in_number = is_numeric(before) && (is_numeric(behind) || is_odd(behind));
        let meaning = match self.escapes.at(escape.meaning(), 0) {
            Some(wide) => wide,
            None => escape,
        };
        match meaning.meaning() {
            [] => is_part(before) && (is_part(behind) || is_odd(behind)),
            [b' ' | b'+' | b'-' | 0xc2 | 0xe2] => in_number,
            [b'@' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | 0xef] => true,
            // A terminal's sequence is no part of what stands next to it.
            [27] => matches!(behind, b'[') || is_odd(behind),
            b":" => self.in_groups(before, end),
            b"%" => behind.is_ascii_hexdigit() || behind == b'u',
            b"\\" => self.makes_escape(end),
            b"&" => matches!(behind, b'#' | b'c' | b'p' | b'n'),
            _ => false,
        }
    }

    /// Whether a colon that ends at `end` can be one of an address.
    fn in_groups(&self, before: u8, end: usize) -> bool {
        let colon = |escape: Escape| escape.meaning() == b":";
        match self.text.get(end) {
            Some(b':') => true,
            Some(&byte) if is_odd(byte) => self.escapes.at(self.text, end).is_some_and(colon),
            Some(byte) => {
                byte.is_ascii_hexdigit() && (before == b':' || before.is_ascii_hexdigit())
            }
            None => false,
        }
    }
}

/// What stands in addresses and numbers.
fn is_part(byte: u8) -> bool {
    is_numeric(byte) || byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'@')
}

fn is_numeric(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b' ' | b'-' | b'+')
}

/// Whether an escape stands for what ends a match of a kind, so that it is as good as what is not
/// looked at.
fn ends_all(kind: Kind, escape: Escape) -> bool {
    match escape.meaning() {
        [b' '] => kind != Kind::Card,
        [b'<' | b'/'] => kind != Kind::Email,
        [0..=31 | b'"' | b'\'' | b'>' | b'(' | b')' | b',' | b';'] => true,
        _ => false,
    }
}
