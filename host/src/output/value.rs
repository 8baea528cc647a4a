//! One result of a plugin, as bytes and as JSON.

use serde_json::value::RawValue;
use thiserror::Error;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    raw: Vec<u8>,
    /// The JSON form, where that is not `raw` itself.
    json: Option<String>,
}

/// The plugin says JSON and returns something else.
#[derive(Debug, Error)]
#[error("the plugin returned what is not one JSON document: {0}")]
pub struct ValueError(#[from] serde_json::Error);

impl Value {
    /// Takes a result of the given type, which was [checked](OutputType::check). Bytes that are not UTF-8 are replaced in the
    /// JSON form.
    pub fn new(output_type: OutputType, raw: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&raw);
        let json = match output_type {
            OutputType::Json => {
                let document = text.trim_ascii();
                let same = document.len() == raw.len() && !document.contains(LINE_BREAKS);
                (!same).then(|| on_one_line(document))
            }
            OutputType::Other => Some(serde_json::Value::from(text).to_string()),
        };
        Self { raw, json }
    }

    /// The bytes that the plugin returned.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The same as a JSON text on one line: the document itself, or a string.
    pub fn json(&self) -> &[u8] {
        self.json.as_ref().map_or(&self.raw, |json| json.as_bytes())
    }

    /// Memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.raw.len() + self.json.as_ref().map_or(0, String::len)
    }
}

const LINE_BREAKS: [char; 2] = ['\n', '\r'];

/// A valid JSON text without its line breaks, which are only ever between tokens (RFC 8259, section 2).
fn on_one_line(json: &str) -> String {
    json.replace(LINE_BREAKS, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_kept_and_put_on_one_line() {
        let raw = b"{\"a\":\r\n 1.50,\n\"b\":\"x\\n\"}\n";
        assert!(OutputType::Json.check(raw).is_ok());
        assert_eq!(Value::new(OutputType::Json, raw.to_vec()).json(), br#"{"a": 1.50,"b":"x\n"}"#);
    }

    #[test]
    fn what_is_not_json_is_refused_or_a_string() {
        for bad in [&b"{} {}"[..], b"", b"\"\xff\"", b"\x0c1"] {
            assert!(OutputType::Json.check(bad).is_err(), "{bad:?}");
        }
        assert!(OutputType::Other.check(b"").is_ok());
        let text = Value::new(OutputType::Other, b"a\n\xff".to_vec());
        assert_eq!(text.json(), "\"a\\n\u{fffd}\"".as_bytes());
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
