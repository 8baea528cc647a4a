//! What is found by regular expressions: the kinds that the scan does not know, the user's own, and
//! what is left alone. None is compiled that is not asked for.

pub(crate) mod iban;
pub(crate) mod phone;
mod ssn;
mod token;

use std::ops::Range;

use gristmill_sdk::Error;
use matching::Expression;

use crate::find::{Class, Hit, ansi};

/// What is looked for by expressions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expressions {
    finders: Vec<Finder>,
    allowed: Vec<Expression>,
}

#[derive(Clone, Debug)]
struct Finder {
    class: Class,
    expression: Expression,
    check: Check,
    search: Search,
}

/// Where the search goes on behind something that was found.
#[derive(Clone, Copy, Debug)]
enum Search {
    /// Behind it.
    Apart,
    /// Within it: what begins there may go on beyond it. For expressions whose matches are short,
    /// or else the search would take the square of a line's length.
    Overlapping,
}

/// What of a match is meant, if anything.
type Check = fn(&[u8], Range<usize>) -> Option<Range<usize>>;

impl Expressions {
    /// Looks for one of the kinds that are found by expressions.
    pub(crate) fn add(&mut self, class: Class) -> Result<(), Error> {
        let (expression, check, search): (&str, Check, Search) = match class {
            Class::Phone => (phone::EXPRESSION, phone::check, Search::Overlapping),
            Class::Iban => (iban::EXPRESSION, iban::check, Search::Overlapping),
            Class::Ssn => (ssn::EXPRESSION, ssn::check, Search::Overlapping),
            Class::Token => (token::EXPRESSION, token::check, Search::Apart),
            Class::Email | Class::Card | Class::Ip | Class::Pattern => return Ok(()),
        };
        let expression = Expression::ascii(expression).map_err(Error::fatal)?;
        self.finders.push(Finder { class, expression, check, search });
        Ok(())
    }

    /// Looks for what a setting asks for: an expression a line.
    pub(crate) fn add_patterns(&mut self, text: &str) -> Result<(), Error> {
        let check = |_: &[u8], found: Range<usize>| (!found.is_empty()).then_some(found);
        for expression in expressions("pattern", text)? {
            let (class, search) = (Class::Pattern, Search::Apart);
            self.finders.push(Finder { class, expression, check, search });
        }
        Ok(())
    }

    /// Leaves alone what a setting names: an expression a line.
    pub(crate) fn allow(&mut self, text: &str) -> Result<(), Error> {
        self.allowed = expressions("allow", text)?;
        Ok(())
    }

    /// Whether there are kinds that the scan does not know.
    pub(crate) fn finds_more(&self) -> bool {
        !self.finders.is_empty()
    }

    /// Whether nothing is looked for or left alone by expressions.
    pub(crate) fn are_none(&self) -> bool {
        self.finders.is_empty() && self.allowed.is_empty()
    }

    /// Whether something is left alone.
    pub(crate) fn allows(&self, found: &[u8]) -> bool {
        self.allowed.iter().any(|allowed| allowed.find(found, 0).is_some())
    }

    /// Appends all that is found.
    pub(crate) fn find(&self, text: &[u8], hits: &mut Vec<Hit>) {
        for Finder { class, expression, check, search } in &self.finders {
            let mut next = 0;
            while let Some(found) = expression.find(text, next) {
                next = found.start + 1;
                let Some(place) = check(text, found) else { continue };
                if matches!(search, Search::Apart) {
                    next = next.max(place.end);
                }
                hits.push(Hit { place, class: *class });
            }
        }
    }
}

fn expressions(setting: &str, text: &str) -> Result<Vec<Expression>, Error> {
    let lines = text.lines().filter(|line| !line.is_empty());
    let expression = |line: &str| {
        Expression::new(line).map_err(|why| {
            Error::fatal(format_args!("setting `{setting}` cannot be `{line}`: {why}"))
        })
    };
    lines.map(expression).collect()
}

fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or_default()
}

fn behind(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or_default()
}

/// Whether what begins at `start` goes on from a word: what follows a terminal's sequence does not.
fn is_in_word(text: &[u8], start: usize) -> bool {
    is_word(before(text, start)) && !ansi::ends_at(text, start)
}

/// An underscore is none: it separates what is part of a name, as in `key_078-05-1120_v2`.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}
