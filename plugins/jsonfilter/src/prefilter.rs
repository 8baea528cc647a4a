//! Which lines can be skipped unread: those in which a text does not occur that every line that
//! stays has in it.

use memchr::memchr;
use memchr::memmem::Finder;

/// A text that a line has to hold, unless it has a backslash: then the text may be there in another
/// form.
#[derive(Clone, Debug)]
pub(crate) struct Prefilter(Finder<'static>);

impl Prefilter {
    /// For lines that hold this text as a string of JSON.
    pub(crate) fn string(text: &str) -> Self {
        Self::holding(text, &format!("\"{text}\""))
    }

    /// For lines that hold this text as a string of JSON, or as it is.
    pub(crate) fn bare(text: &str) -> Self {
        Self::holding(text, text)
    }

    fn holding(text: &str, written: &str) -> Self {
        // What JSON writes with a backslash cannot be there as it is: look for the backslash only.
        let escaped = text.chars().any(|c| c < ' ' || matches!(c, '"' | '\\'));
        Self(Finder::new(if escaped { "\\" } else { written }).into_owned())
    }

    /// Where the first byte stands that makes a line worth reading, at `from` or behind it.
    pub(crate) fn candidates(&self) -> Candidates<'_> {
        Candidates { finder: &self.0, text: Next::Unknown, backslash: Next::Unknown }
    }
}

/// Finds the candidates of one chunk, in order, and looks at no byte twice.
pub(crate) struct Candidates<'a> {
    finder: &'a Finder<'static>,
    text: Next,
    backslash: Next,
}

/// What is known of the next occurrence.
#[derive(Clone, Copy)]
enum Next {
    /// Not looked for yet.
    Unknown,
    At(usize),
    None,
}

impl Next {
    fn from(self, from: usize, find: impl FnOnce(usize) -> Option<usize>) -> Self {
        match self {
            Self::At(at) if at >= from => self,
            Self::None => self,
            _ => find(from).map_or(Self::None, |found| Self::At(from + found)),
        }
    }

    fn place(self) -> Option<usize> {
        if let Self::At(at) = self { Some(at) } else { None }
    }
}

impl Candidates<'_> {
    /// The first candidate at `from` or behind it.
    pub(crate) fn next(&mut self, data: &[u8], from: usize) -> Option<usize> {
        let rest = |from: usize| data.get(from..).unwrap_or_default();
        self.text = self.text.from(from, |from| self.finder.find(rest(from)));
        self.backslash = self.backslash.from(from, |from| memchr(b'\\', rest(from)));
        match (self.text.place(), self.backslash.place()) {
            (Some(text), Some(backslash)) => Some(text.min(backslash)),
            (text, backslash) => text.or(backslash),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn candidates_are_all_places_of_either(text in "[ab\\\\\"]{0,60}", wanted in "[ab\"]{1,3}") {
            let plain = !wanted.contains('"');
            let quoted = format!("\"{wanted}\"");
            for (prefilter, written) in
                [(Prefilter::bare(&wanted), &wanted), (Prefilter::string(&wanted), &quoted)]
            {
                let is_candidate = |at: &usize| {
                    let text = &text[*at..];
                    text.starts_with('\\') || (plain && text.starts_with(written))
                };
                let expected: Vec<usize> = (0..text.len()).filter(is_candidate).collect();
                let mut candidates = prefilter.candidates();
                let mut found = Vec::new();
                let mut from = 0;
                while let Some(at) = candidates.next(text.as_bytes(), from) {
                    found.push(at);
                    from = at + 1;
                }
                prop_assert_eq!(found, expected);
            }
        }
    }
}
