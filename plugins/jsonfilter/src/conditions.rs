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

/// Operators of other languages, before which ours ends: what is left of them begins the value.
const FOREIGN: [char; 4] = ['=', '~', '<', '>'];

/// What is said to somebody who writes a condition as in another language: it would be read as a
/// name or a value that no line has, so that nothing would be found, and nothing said.
fn way_out(path: &str, operator: &str, value: &str) -> Option<&'static str> {
    let compares = matches!(operator, "=" | "!=");
    let is_quoted = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    let is_matched = matches!(operator, "~" | "!~");
    let joined = |word: &str| value.contains(word) || (operator.is_empty() && path.contains(word));
    if path.starts_with(['!', '(', '"', '\'', '$']) || path.starts_with("not ") {
        return Some("it begins with no field, as .a is one; a dot before it makes it a name");
    }
    if joined("||") || (!is_matched && joined(" or .")) {
        return Some(
            "there is no or: .a~^(x|y)$ takes one of several values, and .a~\\|\\| what has two bars",
        );
    }
    // In a class of an expression, && is what two have in common.
    if (!is_matched && joined(" and .")) || (joined("&&") && !(is_matched && value.contains('['))) {
        return Some("conditions have ` && ` between them, with spaces, or are on a line each");
    }
    if compares && value.starts_with(FOREIGN) {
        return Some(
            "operators are = != < <= > >= ~ !~; a value that begins with one is matched: .a~^=5$",
        );
    }
    if compares && (is_quoted('"') || is_quoted('\'')) {
        return Some("values have no quotes: .a=x; one that has them is matched: .a~^\"x\"$");
    }
    None
}

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
        if let Some(way) = way_out(path, operator, value) {
            return Err(way.into());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_other_languages_are_refused_with_a_way_out() {
        for (conditions, way) in [
            (".a==5", "operators are ="),
            (".a == x", "operators are ="),
            (".a =~ x", "operators are ="),
            (".a=>5", "operators are ="),
            (".a=\"x\"", "values have no quotes"),
            (".a!='x'", "values have no quotes"),
            (".a=5 || .b=6", "there is no or"),
            (".a~x || .b=6", "there is no or"),
            (".a=5 or .b=6", "there is no or"),
            (".a||.b", "there is no or"),
            (".a=5&&.b=6", "with spaces"),
            (".a&&.b", "with spaces"),
            (".a~x&&.b~y", "with spaces"),
            (".a=5 and .b=6", "with spaces"),
            ("(.a=5)", "begins with no field"),
            ("!.a", "begins with no field"),
            ("not .a", "begins with no field"),
            ("$.a=5", "begins with no field"),
            (".a[0]=5", "a position stands behind a dot"),
        ] {
            let message = Condition::all(conditions).unwrap_err().to_string();
            assert!(message.contains(way), "{conditions}: {message}");
        }
        // What the ways out say, and what only looks like it.
        let text = concat!(
            r#"{"a":"=5","$b":"\"x\"","c":"a||b","d":"p&q","e[0]":1}"#,
            "\n",
            r#"{"a":"5","$b":"x","c":"a","d":"pp","e":[1]}"#,
            "\n",
        );
        let (first, second) = text.split_at(text.find('\n').unwrap() + 1);
        let kept = |conditions: &str| {
            let all = Condition::all(conditions).unwrap();
            let holds = |line: &&str| all.iter().all(|one| one.holds(line).unwrap());
            text.split_inclusive('\n').filter(holds).collect::<String>()
        };
        for (conditions, expected) in [
            (".a~^=5$", first),
            (".$b~^\"x\"$", first),
            (r".c~\|\|", first),
            (".c~a|x", text),
            (".d~^[a-z&&[^q]]+$", second),
            (".d=p&q", first),
            (r".e\[0]=1", first),
            (".e.0=1", second),
        ] {
            assert_eq!(kept(conditions), expected, "{conditions}");
        }
    }
}
