//! Records that plugins set aside, as JSON lines: where each was, what is wrong with it, and the record itself.

use std::io::{self, Write};

use data_encoding::BASE64;
use serde::Serialize;

/// A record that was set aside.
#[derive(Debug, Clone, Copy)]
pub struct Rejected<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// Where it begins in the source, decompressed.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: &'a str,
    /// The record, or the beginning of a long one.
    pub data: &'a [u8],
    /// How long it is.
    pub bytes: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    offset: u64,
    reason: &'a str,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// Writes a record as one line: as `text` where it is UTF-8, as `base64` (RFC 4648 section 4) where it is not; `cut` where that is not
/// all of it.
///
/// # Errors
/// When `out` fails.
pub fn write_reject(out: &mut dyn Write, rejected: &Rejected<'_>) -> io::Result<()> {
    let Rejected { source, offset, reason, data, bytes } = *rejected;
    let text = std::str::from_utf8(data).ok();
    let base64 = text.is_none().then(|| BASE64.encode(data));
    let cut = (data.len() as u64) < bytes;
    serde_json::to_writer(&mut *out, &Line { source, offset, reason, bytes, text, base64, cut })?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(data: &[u8], bytes: u64) -> String {
        let mut out = Vec::new();
        let reason = "not \"good\"";
        let rejected = Rejected { source: "a", offset: 7, reason, data, bytes };
        write_reject(&mut out, &rejected).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_text_and_other_bytes_are_base64() {
        let head = "{\"source\":\"a\",\"offset\":7,\"reason\":\"not \\\"good\\\"\"";
        assert_eq!(line(b"a\n", 2), format!("{head},\"bytes\":2,\"text\":\"a\\n\"}}\n"));
        assert_eq!(line(b"\xff\0", 2), format!("{head},\"bytes\":2,\"base64\":\"/wA=\"}}\n"));
        assert_eq!(line(b"a", 2), format!("{head},\"bytes\":2,\"text\":\"a\",\"cut\":true}}\n"));
    }
}
