//! JSON that a terminal only shows: what it would obey, or turn the direction of text with, is
//! escaped as `\uXXXX`, which is the same JSON (RFC 8259 section 7). JSON itself asks for that only
//! of the characters below U+0020.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::settings::limits::is_only_shown;
use crate::slices;

/// First bytes of the characters that are escaped: U+007F, U+0080 to U+009F, U+2028 to U+202E and
/// U+2066 to U+2069.
const FIRST: [u8; 3] = [0x7f, 0xc2, 0xe2];

/// Writes a value as JSON, on one line.
///
/// # Errors
/// When `out` fails, or the value has a key that is no text.
pub fn write_json(out: impl Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    let formatter = Escaping(CompactFormatter);
    Ok(value.serialize(&mut Serializer::with_formatter(out, formatter))?)
}

/// A value as JSON for people, with an end of line behind it.
///
/// # Errors
/// When the value has a key that is no text.
pub fn pretty_json(value: &impl Serialize) -> io::Result<String> {
    let mut text = Vec::new();
    let formatter = Escaping(PrettyFormatter::new());
    value.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
    text.push(b'\n');
    String::from_utf8(text).map_err(io::Error::other)
}

/// Writes JSON that somebody else has made.
pub(super) fn write_escaped(out: &mut dyn Write, json: &[u8]) -> io::Result<()> {
    if memchr::memchr3(FIRST[0], FIRST[1], FIRST[2], json).is_none() {
        return out.write_all(json);
    }
    for chunk in json.utf8_chunks() {
        fragment(out, chunk.valid())?;
        out.write_all(chunk.invalid())?;
    }
    Ok(())
}

/// Writes text, with what stands within strings of JSON escaped; there is no such character
/// elsewhere.
fn fragment(out: &mut (impl Write + ?Sized), text: &str) -> io::Result<()> {
    let mut written = 0;
    for at in memchr::memchr3_iter(FIRST[0], FIRST[1], FIRST[2], text.as_bytes()) {
        // A second or third byte of a character is none of these.
        let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { continue };
        if is_only_shown(c) {
            continue;
        }
        out.write_all(slices::text(text, written..at).as_bytes())?;
        write!(out, "\\u{:04x}", u32::from(c))?;
        written = at + c.len_utf8();
    }
    out.write_all(slices::text(text, written..).as_bytes())
}

/// A formatter whose strings are escaped.
struct Escaping<F>(F);

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        fragment(out, text)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const OBEYED: &str =
        "a\u{7f}\u{80}\u{9b}2J\u{9f}\u{a0}ä\u{2028}\u{202e}\u{2066}\u{2069}€\u{200f}\u{1b}";

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_the_json_is_the_same() {
        let value = json!({ OBEYED: [OBEYED, 1, null, { "k": true }] });
        let mut line = Vec::new();
        write_json(&mut line, &value).unwrap();
        let line = String::from_utf8(line).unwrap();
        let text = pretty_json(&value).unwrap();
        assert!(line.chars().all(is_only_shown), "{line}");
        assert!(text.chars().all(|c| c == '\n' || is_only_shown(c)), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_eq!(
            text.lines().count(),
            serde_json::to_string_pretty(&value).unwrap().lines().count()
        );
    }

    #[test]
    fn json_of_others_is_escaped_and_bytes_that_are_no_text_stay() {
        let escaped = |json: &[u8]| {
            let mut out = Vec::new();
            write_escaped(&mut out, json).unwrap();
            out
        };
        assert_eq!(escaped("\"\u{9b}2J ä\"".as_bytes()), "\"\\u009b2J ä\"".as_bytes());
        assert_eq!(escaped(b"\"\xff\xc2\x9b\xe2\""), b"\"\xff\\u009b\xe2\"");
        assert_eq!(escaped(b"plain"), b"plain");
    }
}
