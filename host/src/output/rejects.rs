//! Records that plugins set aside, as JSON lines: where each was, what is wrong with it, and the
//! record itself.

use std::io::{self, Write};

use data_encoding::BASE64;
use serde::Serialize;

use super::escape::write_json;

/// A record that was set aside.
#[derive(Debug, Clone, Copy)]
pub struct Rejected<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// The line that it begins in, from 1, and how many it goes over, where that is known.
    pub line: Option<(u64, u64)>,
    /// Where it begins in the source, decompressed; `None` where a stage before has changed what is
    /// before it.
    pub offset: Option<u64>,
    /// The stage that set it aside, in a chain.
    pub stage: Option<&'a str>,
    /// What is wrong with it.
    pub reason: &'a str,
    /// The record, or the beginning of a long one.
    pub data: &'a [u8],
    /// How long it is.
    pub bytes: u64,
}

#[derive(Serialize)]
struct RejectLine<'a> {
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<u64>,
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'a str>,
    reason: &'a str,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// Writes a record as one line: as `text` where it is UTF-8, as `base64` (RFC 4648 section 4) where
/// it is not; `cut` where that is not all of it.
///
/// # Errors
/// When `out` fails.
pub fn write_reject(out: &mut dyn Write, rejected: &Rejected<'_>) -> io::Result<()> {
    let Rejected { source, line, offset, stage, reason, data, bytes } = *rejected;
    let text = std::str::from_utf8(data).ok();
    let base64 = text.is_none().then(|| BASE64.encode(data));
    let cut = (data.len() as u64) < bytes;
    let (line, lines) = line.unzip();
    let line = RejectLine { source, line, lines, offset, stage, reason, bytes, text, base64, cut };
    write_json(&mut *out, &line)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(data: &[u8], bytes: u64) -> String {
        let mut out = Vec::new();
        let reason = "not \"good\"";
        let (line, offset, stage) = (Some((3, 2)), Some(7), Some("b"));
        let rejected = Rejected { source: "a", line, offset, stage, reason, data, bytes };
        write_reject(&mut out, &rejected).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_text_and_other_bytes_are_base64() {
        let head = "{\"source\":\"a\",\"line\":3,\"lines\":2,\"offset\":7,\"stage\":\"b\",\"reason\":\"not \\\"good\\\"\"";
        assert_eq!(line(b"a\n", 2), format!("{head},\"bytes\":2,\"text\":\"a\\n\"}}\n"));
        assert_eq!(line(b"\xff\0", 2), format!("{head},\"bytes\":2,\"base64\":\"/wA=\"}}\n"));
        assert_eq!(line(b"a", 2), format!("{head},\"bytes\":2,\"text\":\"a\",\"cut\":true}}\n"));
    }
}
