//! A line as names and values, and a value as a field.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What becomes of objects in objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flatten {
    /// Their names are joined with dots.
    On,
    /// They are JSON.
    Off,
}

/// How fields are written.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    pub(crate) delimiter: u8,
    pub(crate) null: String,
}

/// A name and its value, as it is written.
pub(crate) type Field<'a> = (String, &'a RawValue);

/// Reads a line.
///
/// # Errors
/// Why it is no object.
pub(crate) fn read(line: &[u8], flatten: Flatten) -> Result<Vec<Field<'_>>, String> {
    let text = simdutf8::compat::from_utf8(line)
        .map_err(|error| format!("is not UTF-8 at byte {} of the line", error.valid_up_to()))?;
    let not_json = |error: serde_json::Error| format!("is not JSON: {error}");
    if !text.trim_start().starts_with('{') {
        let IgnoredAny = serde_json::from_str(text).map_err(not_json)?;
        return Err("is no JSON object".into());
    }
    let mut fields = Vec::new();
    collect(text, "", flatten, &mut fields).map_err(not_json)?;
    Ok(fields)
}

/// The first name that two fields of a line have whose paths differ, as in `{"a":{"b":1},"a.b":2}`.
/// A name that one object has twice is one field.
///
/// # Errors
/// Why it is no object.
pub(crate) fn clash(line: &[u8], flatten: Flatten) -> Result<Option<String>, String> {
    if flatten == Flatten::Off {
        return Ok(None);
    }
    let text = str::from_utf8(line).map_err(|error| error.to_string())?;
    let mut paths = HashMap::new();
    clash_in(text, &[], &mut paths).map_err(|error| format!("is not JSON: {error}"))
}

/// Remembers the path of each name in `paths`.
fn clash_in(
    object: &str,
    above: &[String],
    paths: &mut HashMap<String, Vec<String>>,
) -> Result<Option<String>, serde_json::Error> {
    let Fields(own) = serde_json::from_str(object)?;
    for (name, value) in own {
        let path = [above, &[name]].concat();
        if value.get().starts_with('{') && !is_empty_object(value) {
            if let Some(name) = clash_in(value.get(), &path, paths)? {
                return Ok(Some(name));
            }
            continue;
        }
        let name = path.join(".");
        match paths.get(&name) {
            Some(known) if *known != path => return Ok(Some(name)),
            Some(_) => {}
            None => drop(paths.insert(name, path)),
        }
    }
    Ok(None)
}

fn is_empty_object(value: &RawValue) -> bool {
    value.get().strip_prefix('{').is_some_and(|inside| inside.trim_start() == "}")
}

/// Goes as deep as objects are nested, which the parser bounds.
fn collect<'a>(
    object: &'a str,
    above: &str,
    flatten: Flatten,
    fields: &mut Vec<Field<'a>>,
) -> Result<(), serde_json::Error> {
    let Fields(own) = serde_json::from_str(object)?;
    for (name, value) in own {
        let name = if above.is_empty() { name } else { format!("{above}.{name}") };
        let is_object = value.get().starts_with('{') && flatten == Flatten::On;
        let before = fields.len();
        if is_object {
            collect(value.get(), &name, flatten, fields)?;
        }
        // An object of nothing is a value, too.
        if fields.len() == before {
            fields.push((name, value));
        }
    }
    Ok(())
}

/// The fields of an object, in their order.
struct Fields<'a>(Vec<Field<'a>>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

impl Style {
    /// Appends a value as a field.
    ///
    /// # Errors
    /// A string is half of a surrogate pair, which is no text.
    pub(crate) fn push(
        &self,
        value: &RawValue,
        out: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let text = value.get();
        match text.as_bytes() {
            b"null" => out.extend_from_slice(self.null.as_bytes()),
            [b'"', ..] => self.push_text(&String::deserialize(value)?, out),
            _ => self.push_text(text, out),
        }
        Ok(())
    }

    /// Appends a text, in quotes where it would be read as something else without.
    pub(crate) fn push_text(&self, text: &str, out: &mut Vec<u8>) {
        let needs = |byte: u8| byte == self.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
        let quoted = text == self.null
            || text.is_empty()
            || text.bytes().any(needs)
            || text.starts_with([' ', '\u{feff}'])
            || text.ends_with(' ');
        if !quoted {
            return out.extend_from_slice(text.as_bytes());
        }
        out.push(b'"');
        for byte in text.bytes() {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}
