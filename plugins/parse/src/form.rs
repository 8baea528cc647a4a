//! A form of lines: expressions with named groups, and what their values are.

use regex::{CaptureLocations, Regex};

/// What a value becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A number, where it is written as JSON writes one.
    Number,
}

/// An expression and its groups that have names.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    regex: Regex,
    groups: Vec<Group>,
    /// A text that means nothing.
    nothing: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Group {
    number: usize,
    /// What stands before its value: `"name":`.
    before: String,
    kind: Kind,
}

impl Form {
    /// Of an expression; `kind` says what the values of a name become.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn new(
        expression: &str,
        nothing: Option<&'static str>,
        kind: impl Fn(&str) -> Kind,
    ) -> Result<Self, String> {
        let regex = Regex::new(expression).map_err(|error| error.to_string())?;
        let mut groups = Vec::new();
        for (number, name) in regex.capture_names().enumerate() {
            let Some(name) = name else { continue };
            let before = serde_json::to_string(name).map_err(|error| error.to_string())? + ":";
            groups.push(Group { number, before, kind: kind(name) });
        }
        if groups.is_empty() {
            return Err("it has no group with a name, as in (?<name>…)".into());
        }
        Ok(Self { regex, groups, nothing })
    }

    pub(crate) fn places(&self) -> CaptureLocations {
        self.regex.capture_locations()
    }

    /// Appends the object that a line stands for, and returns whether there is one.
    pub(crate) fn push(
        &self,
        line: &str,
        places: &mut CaptureLocations,
        out: &mut Vec<u8>,
    ) -> bool {
        if self.regex.captures_read(places, line).is_none() {
            return false;
        }
        for (at, group) in self.groups.iter().enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            out.extend_from_slice(group.before.as_bytes());
            let found = places.get(group.number).and_then(|(start, end)| line.get(start..end));
            match found {
                Some(text) if self.nothing != Some(text) => push_value(text, group.kind, out),
                _ => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b"}\n");
        true
    }
}

/// Appends a value.
pub(crate) fn push_value(text: &str, kind: Kind, out: &mut Vec<u8>) {
    if kind == Kind::Number && is_number(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_string(text, out);
    }
}

/// Appends a string of JSON.
pub(crate) fn push_string(text: &str, out: &mut Vec<u8>) {
    // A string always has a form, and memory takes it.
    out.extend(serde_json::to_vec(text).unwrap_or_default());
}

/// Whether this is a number as JSON writes it, and nothing else.
fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}
