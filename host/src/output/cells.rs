//! What the cells of a table show of one result: of each key's value as much as is ever shown, read
//! where it stands. A document of so many values that they would take far more memory than its text
//! is not taken apart.

use std::fmt;

use serde::Deserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::settings::limits::CELL_BYTES_MAX;
use crate::slices;

/// Bytes of JSON that hold more than a cell shows: of a text, each byte takes six at most
/// (`\u0000`), and one character four.
const BEGINNING_BYTES: usize = 6 * (CELL_BYTES_MAX + 4);

/// Bytes of the longest character in a text (`\ud83d\ude00`).
const CHARACTER_BYTES: usize = 12;

/// What a cell is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) is_number: bool,
}

impl Cell {
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_number: false }
    }

    fn read(value: &RawValue) -> Self {
        let json = value.get();
        let is_number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let text = if json.len() <= BEGINNING_BYTES {
            serde_json::from_str(json).map_or_else(|_| json.into(), text)
        } else {
            beginning(json)
        };
        Self { text, is_number }
    }
}

/// Calls `found` with every key of an object, in order, and its cell; with no key and one cell if
/// the value is no object.
///
/// # Errors
/// When a key is no text, though it is JSON.
pub(super) fn each(
    json: &[u8],
    mut found: impl FnMut(Option<String>, Cell),
) -> Result<(), serde_json::Error> {
    let whole: &RawValue = serde_json::from_slice(json)?;
    if whole.get().starts_with('{') {
        let found = &mut |key, cell| found(Some(key), cell);
        return serde_json::Deserializer::from_str(whole.get()).deserialize_map(Keys { found });
    }
    found(None, Cell::read(whole));
    Ok(())
}

/// Whether it is a list of objects, as that of words with their counts is.
pub(super) fn are_records(json: &[u8]) -> bool {
    let mut are = true;
    let is_list = each_record(json, |record| {
        are &= record.starts_with(b"{");
        are
    });
    is_list && are
}

/// Calls `found` with the elements of a list until it returns false. Returns false if the value is
/// no list, or the walk ended early.
pub(super) fn each_record(json: &[u8], mut found: impl FnMut(&[u8]) -> bool) -> bool {
    let found = &mut |element: &RawValue| found(element.get().as_bytes());
    serde_json::Deserializer::from_slice(json).deserialize_seq(Elements { found }).is_ok()
}

struct Elements<'f> {
    found: &'f mut dyn FnMut(&RawValue) -> bool,
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            if !(self.found)(element) {
                return Err(de::Error::custom("told enough"));
            }
        }
        Ok(())
    }
}

struct Keys<'f> {
    found: &'f mut dyn FnMut(String, Cell),
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            (self.found)(key, Cell::read(value));
        }
        Ok(())
    }
}

fn text(value: Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// The beginning of what a long value shows, which is more than a cell does.
fn beginning(json: &str) -> String {
    let head = |bytes: usize| slices::text(json, ..json.floor_char_boundary(bytes));
    // A text is cut between two characters, of which one may be written as two escapes.
    let cut = |bytes| serde_json::from_str(&format!("{}\"", head(bytes))).ok();
    let text = (BEGINNING_BYTES - CHARACTER_BYTES..=BEGINNING_BYTES).rev().find_map(cut);
    match text {
        Some(text) if json.starts_with('"') => text,
        _ => head(BEGINNING_BYTES).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(json: &str) -> Vec<(Option<String>, String, bool)> {
        let mut cells = Vec::new();
        each(json.as_bytes(), |key, Cell { text, is_number }| cells.push((key, text, is_number)))
            .unwrap();
        cells
    }

    #[test]
    fn cells_are_what_the_values_say() {
        let of = |key: &str, text: &str, is_number| (Some(key.into()), text.into(), is_number);
        let json = r#" {"a": -1.50, "b\n": "x\ny", "c": null, "d": [1, {"e": 2}], "a": true} "#;
        let expected = [
            of("a", "-1.5", true),
            of("b\n", "x\ny", false),
            of("c", "", false),
            of("d", r#"[1,{"e":2}]"#, false),
            of("a", "true", false),
        ];
        assert_eq!(cells(json), expected);
        assert_eq!(cells(" 12 "), [(None, "12".into(), true)]);
    }

    #[test]
    fn of_a_long_value_the_beginning_is_read() {
        for (character, json) in
            [("a", "a"), ("ä", "ä"), ("\0", r"\u0000"), ("\u{1f600}", r"\ud83d\ude00")]
        {
            for shift in 0..CHARACTER_BYTES {
                let before = "x".repeat(shift);
                let long = format!("\"{before}{}\"", json.repeat(BEGINNING_BYTES));
                let text = &cells(&long)[0].1;
                let all = format!("{before}{}", character.repeat(BEGINNING_BYTES));
                assert!(all.starts_with(&**text) && text.len() > CELL_BYTES_MAX, "{json} {shift}");
            }
        }
        let list = format!("[{}1]", "1,".repeat(BEGINNING_BYTES));
        assert_eq!(cells(&list)[0].1, list[..BEGINNING_BYTES]);
    }
}
