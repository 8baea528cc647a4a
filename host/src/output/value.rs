//! One result of a plugin, as bytes and as JSON.

use std::io::{self, Write};

use serde_json::value::RawValue;
use thiserror::Error;

use super::escape::{write_escaped, write_json};
use crate::stats::Held;

/// What a plugin's results are, by the media type that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputType {
    /// `application/json`, or a type that ends in `+json`: one document.
    Json,
    /// Anything else: text where it is UTF-8.
    Other,
}

impl OutputType {
    /// Reads a media type (RFC 6838; the suffix is RFC 6839, section 3.1).
    pub fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Self::Json,
            other if other.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }

    /// Checks that a result is of this type.
    ///
    /// # Errors
    /// When it should be JSON and is not.
    pub fn check(self, raw: &[u8]) -> Result<(), ValueError> {
        match self {
            Self::Json => serde_json::from_slice::<&RawValue>(raw).map(drop).map_err(ValueError),
            Self::Other => Ok(()),
        }
    }
}

/// One result.
#[derive(Debug)]
pub struct Value {
    raw: Held,
    output_type: OutputType,
}

/// The plugin says JSON and returns something else.
#[derive(Debug, Error)]
#[error("the plugin returned what is not one JSON document: {0}")]
pub struct ValueError(#[from] serde_json::Error);

impl Value {
    /// Takes a result of the given type, which was [checked](OutputType::check).
    pub fn new(output_type: OutputType, raw: Held) -> Self {
        Self { raw, output_type }
    }

    /// The bytes that the plugin returned.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether they are JSON.
    pub(super) fn is_json(&self) -> bool {
        matches!(self.output_type, OutputType::Json)
    }

    /// Writes them as a JSON text on one line: the document itself, or a string, in which bytes
    /// that are not UTF-8 are replaced. It is made while it is written, as it may be six times as
    /// long.
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.is_json() {
            return write_json(out, &*String::from_utf8_lossy(&self.raw));
        }
        // Line breaks are only ever between tokens (RFC 8259, section 2).
        let mut lines = self.raw.trim_ascii().split(|byte| matches!(byte, b'\n' | b'\r'));
        lines.try_for_each(|line| write_escaped(out, line))
    }

    /// Memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.raw.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn json(output_type: OutputType, raw: &[u8]) -> Vec<u8> {
        let mut json = Vec::new();
        let raw = Held::within(&Arc::default(), raw.to_vec());
        Value::new(output_type, raw).write_json(&mut json).unwrap();
        json
    }

    #[test]
    fn json_is_kept_and_put_on_one_line() {
        let raw = b"{\"a\":\r\n 1.50,\n\"b\":\"x\\n\"}\n";
        assert!(OutputType::Json.check(raw).is_ok());
        assert_eq!(json(OutputType::Json, raw), br#"{"a": 1.50,"b":"x\n"}"#);
    }

    #[test]
    fn what_is_not_json_is_refused_or_a_string() {
        for bad in [&b"{} {}"[..], b"", b"\"\xff\"", b"\x0c1"] {
            assert!(OutputType::Json.check(bad).is_err(), "{bad:?}");
        }
        assert!(OutputType::Other.check(b"").is_ok());
        assert_eq!(json(OutputType::Other, b"a\n\xff"), "\"a\\n\u{fffd}\"".as_bytes());
    }

    #[test]
    fn media_types_are_read_with_parameters_and_suffixes() {
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/geo+json"]
        {
            assert_eq!(OutputType::of(json), OutputType::Json);
        }
        assert_eq!(OutputType::of("text/plain"), OutputType::Other);
    }
}
