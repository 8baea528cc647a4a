//! Where records of CSV end: at a line feed outside quotes (RFC 4180, section 2).
//!
//! A quote opens a field only where the field begins (sections 2.5 to 2.7); any other outside
//! quotes is a character like others, so that `5" pipe` costs one record and not all up to the next
//! quote. Within quotes a quote that is written twice stands for one. The walk can begin anywhere,
//! given the state there and the byte before.

use std::ops::ControlFlow;

/// What opens fields besides the beginning of a record where no delimiter is known: those that
/// exports use.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How fields of a CSV source are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Csv {
    /// What stands between fields; `None` if the user has not said which: then it may be a comma, a
    /// semicolon, a tab or a bar.
    pub delimiter: Option<u8>,
}

/// Whether a place is within quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// It is not.
    #[default]
    Outside,
    /// It is.
    Inside,
    /// The byte before is a quote within quotes: it ends them, unless another follows.
    Closing,
}

impl State {
    pub(super) const ALL: [Self; 3] = [Self::Outside, Self::Inside, Self::Closing];

    pub(super) fn index(self) -> u8 {
        match self {
            Self::Outside => 0,
            Self::Inside => 1,
            Self::Closing => 2,
        }
    }

    /// The state of that index.
    pub(super) fn of(index: u8) -> Self {
        match index {
            0 => Self::Outside,
            1 => Self::Inside,
            _ => Self::Closing,
        }
    }
}

/// A walk over the bytes of a source, in any steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    pub(super) state: State,
    /// The byte before the next.
    previous: u8,
}

impl Default for Walk {
    /// From where a record begins.
    fn default() -> Self {
        Self::at(State::Outside, b'\n')
    }
}

impl Walk {
    /// From a place of that state, behind the byte `previous`.
    pub(super) fn at(state: State, previous: u8) -> Self {
        Self { state, previous }
    }

    /// Over bytes whose line feeds do not matter.
    pub(super) fn over(&mut self, csv: Csv, bytes: &[u8]) {
        let mut next = self.enter(bytes);
        for at in memchr::memchr_iter(b'"', bytes) {
            if at >= next {
                next = self.quote(csv, bytes, at);
            }
        }
        self.leave(bytes);
    }

    /// Over bytes, telling `ends` of each line feed outside quotes, until it breaks.
    pub(super) fn records(
        &mut self,
        csv: Csv,
        bytes: &[u8],
        mut ends: impl FnMut(usize) -> ControlFlow<()>,
    ) {
        let mut next = self.enter(bytes);
        for at in memchr::memchr2_iter(b'"', b'\n', bytes) {
            if at < next {
                continue;
            }
            if bytes.get(at) == Some(&b'"') {
                next = self.quote(csv, bytes, at);
            } else if self.state == State::Outside && ends(at).is_break() {
                return;
            }
        }
        self.leave(bytes);
    }

    /// Where the first record ends in `bytes`, if it does: at its line feed.
    pub(super) fn first(&mut self, csv: Csv, bytes: &[u8]) -> Option<usize> {
        let mut found = None;
        self.records(csv, bytes, |at| {
            found = Some(at);
            ControlFlow::Break(())
        });
        found
    }

    /// Says what a quote that was the last byte has been, and where to look on.
    fn enter(&mut self, bytes: &[u8]) -> usize {
        match (self.state, bytes.first()) {
            (State::Closing, Some(b'"')) => {
                self.state = State::Inside;
                1
            }
            (State::Closing, Some(_)) => {
                self.state = State::Outside;
                0
            }
            _ => 0,
        }
    }

    /// The quote at `at`; returns where to look on.
    fn quote(&mut self, csv: Csv, bytes: &[u8], at: usize) -> usize {
        if self.state == State::Inside {
            self.state = match bytes.get(at + 1) {
                Some(b'"') => return at + 2,
                Some(_) => State::Outside,
                None => State::Closing,
            };
            return at + 1;
        }
        let before = at.checked_sub(1).and_then(|before| bytes.get(before)).copied();
        if csv.opens_after(before.unwrap_or(self.previous)) {
            self.state = State::Inside;
        }
        at + 1
    }

    fn leave(&mut self, bytes: &[u8]) {
        self.previous = bytes.last().copied().unwrap_or(self.previous);
    }
}

impl Csv {
    /// A delimiter as settings say it; `None` where that is no single byte.
    pub fn delimiter(word: &str) -> Option<u8> {
        match (word, word.as_bytes()) {
            ("tab" | "\\t", _) => Some(b'\t'),
            (_, [byte]) => Some(*byte),
            _ => None,
        }
    }

    /// Whether a field begins behind this byte, outside quotes.
    fn opens_after(self, before: u8) -> bool {
        matches!(before, b'\n' | b'\r')
            || self.delimiter.map_or_else(|| DELIMITERS.contains(&before), |own| own == before)
    }

    /// Length of the first record in `bytes`, which begin with one, if all of it is there.
    pub(super) fn first_record(self, bytes: &[u8]) -> Option<usize> {
        Walk::default().first(self, bytes).map(|at| at + 1)
    }

    /// Where the field opens that is still within quotes at the end of `bytes`, which begin with a
    /// record.
    pub(super) fn open_quote(self, bytes: &[u8]) -> Option<usize> {
        let mut walk = Walk::default();
        let (mut next, mut opened) = (0, None);
        for at in memchr::memchr_iter(b'"', bytes) {
            if at < next {
                continue;
            }
            let before = walk.state;
            next = walk.quote(self, bytes, at);
            if before == State::Outside && walk.state == State::Inside {
                opened = Some(at);
            }
        }
        opened.filter(|_| walk.state == State::Inside)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMA: Csv = Csv { delimiter: Some(b',') };

    /// A byte at a time, as the rules are written: where line feeds end records.
    fn slowly(csv: Csv, bytes: &[u8]) -> (Vec<usize>, State) {
        let (mut ends, mut state, mut previous) = (Vec::new(), State::Outside, b'\n');
        for (at, &byte) in bytes.iter().enumerate() {
            state = match (state, byte) {
                (State::Inside, b'"') => State::Closing,
                (State::Inside, _) | (State::Closing, b'"') => State::Inside,
                (State::Outside, b'"') if csv.opens_after(previous) => State::Inside,
                _ => State::Outside,
            };
            if byte == b'\n' && state == State::Outside {
                ends.push(at);
            }
            previous = byte;
        }
        (ends, state)
    }

    fn ends(csv: Csv, walk: &mut Walk, bytes: &[u8], from: usize) -> Vec<usize> {
        let mut found = Vec::new();
        walk.records(csv, bytes, |at| {
            found.push(from + at);
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn a_quote_opens_a_field_only_at_its_beginning() {
        let first = |text: &str| COMMA.first_record(text.as_bytes());
        assert_eq!(first("1,5\" pipe\n2,7\" pipe\n"), Some(10));
        assert_eq!(first("1,\"a\nb\"\n"), Some(8));
        assert_eq!(first("\"a\"\"\n\"\nb"), Some(7));
        assert_eq!(first("a;\"b\nc\"\n"), Some(5));
        assert_eq!(Csv::default().first_record(b"a;\"b\nc\"\n"), Some(8));
        assert_eq!(first("\"a\" \"b\nc\"\n"), Some(7), "behind quotes there is no second field");
        assert_eq!(first("\"a\nb"), None);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found() {
        assert_eq!(COMMA.open_quote(b"1,5\" p\n2,\"x\n3,y\n"), Some(9));
        assert_eq!(COMMA.open_quote(b"1,\"x\"\n"), None);
    }

    proptest! {
        #[test]
        fn steps_find_what_a_byte_at_a_time_finds(
            text in "[a,\"\"\n]{0,60}",
            cuts in prop::collection::vec(0usize..60, 0..5),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let (expected, state) = slowly(COMMA, bytes);
            let (mut walk, mut over) = (Walk::default(), Walk::default());
            let (mut found, mut from) = (Vec::new(), 0);
            for cut in cuts {
                found.extend(ends(COMMA, &mut walk, &bytes[from..cut], from));
                over.over(COMMA, &bytes[from..cut]);
                from = cut;
            }
            prop_assert_eq!(found, expected);
            prop_assert_eq!(walk.state, state);
            prop_assert_eq!(over.state, state);
        }
    }
}
