//! What is found by regular expressions: the kinds that the scan does not know, the user's own, and what is left alone. None is
//! compiled that is not asked for.

pub(crate) mod iban;
pub(crate) mod phone;
mod ssn;
mod token;

use std::ops::Range;

use gristmill_sdk::Error;
use matching::Expression;

use crate::find::{Class, Hit};

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
}

/// What of a match is meant, if anything.
type Check = fn(&[u8], Range<usize>) -> Option<Range<usize>>;

impl Expressions {
    /// Looks for one of the kinds that are found by expressions.
    pub(crate) fn add(&mut self, class: Class) -> Result<(), Error> {
        let (expression, check): (&str, Check) = match class {
            Class::Phone => (phone::EXPRESSION, phone::check),
            Class::Iban => (iban::EXPRESSION, iban::check),
            Class::Ssn => (ssn::EXPRESSION, ssn::check),
            Class::Token => (token::EXPRESSION, token::check),
            Class::Email | Class::Card | Class::Ip | Class::Pattern => return Ok(()),
        };
        let expression = Expression::ascii(expression).map_err(Error::fatal)?;
        self.finders.push(Finder { class, expression, check });
        Ok(())
    }

    /// Looks for what a setting asks for: an expression a line.
    pub(crate) fn add_patterns(&mut self, text: &str) -> Result<(), Error> {
        let check = |_: &[u8], found: Range<usize>| (!found.is_empty()).then_some(found);
        for expression in expressions("pattern", text)? {
            self.finders.push(Finder { class: Class::Pattern, expression, check });
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
        for Finder { class, expression, check } in &self.finders {
            let mut next = 0;
            while let Some(found) = expression.find(text, next) {
                let (start, end) = (found.start, found.end);
                match check(text, found) {
                    Some(place) => {
                        next = end.max(place.end).max(start + 1);
                        hits.push(Hit { place, class: *class });
                    }
                    None => next = start + 1,
                }
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

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
