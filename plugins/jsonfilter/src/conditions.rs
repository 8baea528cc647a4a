//! What is asked of a line: conditions on its fields, all of which have to hold.

use std::cmp::Ordering;

use gristmill_sdk::Error;
use regex::Regex;

use crate::field::{Path, with_text};
use crate::number::Number;

/// A field and what it has to be.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) path: Path,
    pub(crate) wanted: Wanted,
}

/// What a value has to be.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Anything,
    Equal(String),
    Different(String),
    Match(Regex),
    NoMatch(Regex),
    /// A number, on one of these sides of another.
    Number(Number, &'static [Ordering]),
}

/// Operators, the longer ones first.
const OPERATORS: [&str; 8] = ["!=", "!~", "<=", ">=", "=", "~", "<", ">"];

impl Condition {
    /// Reads `.a.b`, `.a=x`, `.a>=5` and so on, one a line or with ` && ` between them.
    pub(crate) fn all(text: &str) -> Result<Vec<Self>, Error> {
        let refused = |part: &str, why: &dyn std::fmt::Display| {
            Error::fatal(format_args!("setting `where` cannot be `{part}`: {why}"))
        };
        let parts = text.lines().flat_map(|line| line.split(" && ")).map(str::trim);
        let parts = parts.filter(|part| !part.is_empty());
        parts.map(|part| Self::parse(part).map_err(|why| refused(part, &why))).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let at = |operator: &'static str| text.find(operator).map(|at| (at, operator));
        // The first, and of two that begin there the longer one.
        let first = OPERATORS.into_iter().filter_map(at);
        let first = first.min_by_key(|(at, operator)| (*at, 2 - operator.len()));
        let (path, operator, value) = match first {
            None => (text, "", ""),
            Some((at, operator)) => {
                let (path, rest) = text.split_at(at);
                (path.trim(), operator, rest.get(operator.len()..).unwrap_or_default().trim())
            }
        };
        let regex = || Regex::new(value).map_err(|error| error.to_string());
        let number = |sides| {
            let number = Number::parse(value).ok_or_else(|| format!("`{value}` is no number"))?;
            Ok::<_, String>(Wanted::Number(number, sides))
        };
        let wanted = match operator {
            "" => Wanted::Anything,
            "=" => Wanted::Equal(value.into()),
            "!=" => Wanted::Different(value.into()),
            "~" => Wanted::Match(regex()?),
            "!~" => Wanted::NoMatch(regex()?),
            "<" => number(&[Ordering::Less])?,
            "<=" => number(&[Ordering::Less, Ordering::Equal])?,
            ">" => number(&[Ordering::Greater])?,
            _ => number(&[Ordering::Greater, Ordering::Equal])?,
        };
        Ok(Self { path: Path::parse(path)?, wanted })
    }

    /// Whether a line is so.
    ///
    /// # Errors
    /// It is not JSON.
    pub(crate) fn holds(&self, line: &str) -> Result<bool, serde_json::Error> {
        let missing = matches!(self.wanted, Wanted::Different(_) | Wanted::NoMatch(_));
        let Some(value) = self.path.find(line)? else { return Ok(missing) };
        let found = match &self.wanted {
            Wanted::Anything => Some(true),
            Wanted::Equal(wanted) => with_text(value, |text| text == wanted)?,
            Wanted::Different(wanted) => with_text(value, |text| text != wanted)?,
            Wanted::Match(regex) => with_text(value, |text| regex.is_match(text))?,
            Wanted::NoMatch(regex) => with_text(value, |text| !regex.is_match(text))?,
            Wanted::Number(number, sides) => with_text(value, |text| {
                number.compared(text).is_some_and(|side| sides.contains(&side))
            })?,
        };
        Ok(found.unwrap_or(missing))
    }
}
