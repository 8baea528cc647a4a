//! A field of a JSON text, found without keeping anything of the text.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

/// The way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

const POSITION: &str =
    r"a position stands behind a dot: .a.0, not .a[0]; a name with a bracket has \[ in it";

/// Whether text behind a bracket is what other languages put there: `0]`, `]` or a name in quotes.
fn is_position(text: &str) -> bool {
    let inside = text.split(']').next().filter(|inside| inside.len() < text.len());
    let is_number = |inside: &str| inside.bytes().all(|byte| byte.is_ascii_digit());
    inside.is_some_and(|inside| is_number(inside) || inside.starts_with(['"', '\'']))
}

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// A name in an object.
    pub(crate) name: String,
    /// The place in an array that the name is, too.
    pub(crate) place: Option<usize>,
}

impl Path {
    /// Reads `a.b.0.c`, also with a dot before it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_prefix('.').unwrap_or(text);
        let mut names = vec![String::new()];
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            let (next, begins) = match next {
                '.' => (None, true),
                '\\' => match rest.next() {
                    Some(escaped @ ('.' | '\\' | '[')) => (Some(escaped), false),
                    _ => return Err(r"a backslash stands before a dot, a bracket or a backslash"),
                },
                '[' if is_position(rest.as_str()) => return Err(POSITION),
                other => (Some(other), false),
            };
            if begins {
                names.push(String::new());
            }
            if let Some(name) = names.last_mut() {
                name.extend(next);
            }
        }
        if names.iter().any(String::is_empty) {
            return Err("a name between dots is empty");
        }
        Ok(Self(names.into_iter().map(|name| Step { place: place(&name), name }).collect()))
    }

    /// The steps, the first of which is never missing.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The value that the path leads to; none if there is none.
    ///
    /// # Errors
    /// `text` is not JSON.
    pub(crate) fn find<'a>(
        &self,
        text: &'a str,
    ) -> Result<Option<&'a RawValue>, serde_json::Error> {
        let Some((first, others)) = self.0.split_first() else { return Ok(None) };
        let mut found = first.of(text)?;
        for step in others {
            let Some(value) = found else { return Ok(None) };
            found = step.of(value.get())?;
        }
        Ok(found)
    }
}

/// A position as it is written: `0`, or digits of which the first is none.
fn place(name: &str) -> Option<usize> {
    let written = name == "0" || (!name.starts_with('0') && !name.starts_with('+'));
    written.then(|| name.parse().ok()).flatten()
}

impl Step {
    /// The value that one step leads to from `text`, all of which is read.
    fn of<'a>(&self, text: &'a str) -> Result<Option<&'a RawValue>, serde_json::Error> {
        // Numbers are not read as such: one that no machine can hold is JSON, too.
        if !text.trim_start().starts_with(['{', '[']) {
            return serde_json::from_str(text).map(|IgnoredAny| None);
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let found = deserializer.deserialize_any(self)?;
        deserializer.end()?;
        Ok(found)
    }
}

impl<'de> Visitor<'de> for &Step {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(same) = map.next_key_seed(Name(&self.name))? {
            if same {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut at = 0;
        let mut found = None;
        loop {
            if Some(at) == self.place {
                match array.next_element()? {
                    Some(value) => found = Some(value),
                    None => return Ok(None),
                }
            } else if array.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            at += 1;
        }
    }
}

/// Reads a name, and returns whether it is this one.
struct Name<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// The text that a value is compared by: of a string what it says, of a number or a word how it is
/// written; none of an object or array.
///
/// # Errors
/// A string is half of a surrogate pair, which is no text.
pub(crate) fn with_text<T>(
    value: &RawValue,
    compare: impl FnOnce(&str) -> T,
) -> Result<Option<T>, serde_json::Error> {
    let text = value.get();
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match inside {
        Some(inside) if !inside.contains('\\') => Ok(Some(compare(inside))),
        Some(_) => String::deserialize(value).map(|text| Some(compare(&text))),
        None if text.starts_with(['{', '[']) => Ok(None),
        None => Ok(Some(compare(text))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn found(path: &str, text: &str) -> Option<String> {
        let value = Path::parse(path).unwrap().find(text).unwrap();
        value.map(|value| value.get().to_owned())
    }

    #[test]
    fn paths_lead_through_objects_and_arrays() {
        let text =
            r#" {"a":{"b":[1,{"c.d":"x"},[]]},"0":{"0":7},"e[0]":{"f[x]":8}, "a\u0062":1e999 } "#;
        for (path, expected) in [
            ("a.b.1.c\\.d", Some("\"x\"")),
            ("a.b.0", Some("1")),
            ("a.b.2", Some("[]")),
            ("a.b.2.0", None),
            ("a.b.3", None),
            ("a.b.00", None),
            ("a.b.x", None),
            ("a.b.0.c", None),
            ("0.0", Some("7")),
            ("ab", Some("1e999")),
            ("ab.c", None),
            ("c", None),
            ("e\\[0].f[x]", Some("8")),
        ] {
            assert_eq!(found(path, text), expected.map(str::to_owned), "{path}");
        }
        assert_eq!(found("0", "[5]"), Some("5".into()));
        assert_eq!(found("a", "1e999"), None);
    }

    #[test]
    fn the_last_of_two_counts() {
        assert_eq!(found("a.b", r#"{"a":{"b":1},"a":{"c":2}}"#), None);
        assert_eq!(found("a.b", r#"{"a":1,"a":{"b":2,"b":3}}"#), Some("3".into()));
    }

    #[test]
    fn a_path_that_is_none_is_refused() {
        for path in ["", ".", "a.", "..a", "a..b", "a\\b", "a\\", "a[0]", "a[]", "[\"a\"]"] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-5_i32..5).prop_map(Value::from),
            "[ab\"\\\\\u{e9}]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab01]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn fields_are_those_of_serde_json(value in json(), path in "[ab01](\\.[ab01]){0,3}") {
            let pointer = format!("/{}", path.replace('.', "/"));
            let expected = value.pointer(&pointer);
            let text = value.to_string();
            prop_assert_eq!(found(&path, &text), expected.map(Value::to_string));
        }

        #[test]
        fn what_serde_json_takes_for_json_is_json(text in "[\\[\\]{}:,\" a0-]{0,12}") {
            let found = Path::parse("a").unwrap().find(&text);
            prop_assert_eq!(found.is_ok(), serde_json::from_str::<Value>(&text).is_ok());
        }
    }
}
