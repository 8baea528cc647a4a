//! A part of a job's sources: what one of many machines is given to do.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A source, or neighbouring chunks of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// The source, as the list of a job has it.
    pub source: String,
    /// Which of its chunks; unsaid, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<ChunkRange>,
}

/// Chunks of a source, counted from 0: `4..8` is the fifth to the eighth. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChunkRange(Range<u64>);

impl ChunkRange {
    /// Chunks from the first of these on, up to and without the last; `None` where that is none.
    pub fn new(chunks: Range<u64>) -> Option<Self> {
        (!chunks.is_empty()).then_some(Self(chunks))
    }

    /// The first of them, and the first behind them.
    pub fn range(&self) -> Range<u64> {
        self.0.clone()
    }
}

impl fmt::Display for ChunkRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.0.start, self.0.end)
    }
}

impl FromStr for ChunkRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ends = text.split_once("..");
        let ends = ends.and_then(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?)));
        ends.and_then(|(start, end)| Self::new(start..end))
            .ok_or_else(|| format!("{text:?} is no range of chunks, expected one as 4..8"))
    }
}

impl TryFrom<String> for ChunkRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ChunkRange> for String {
    fn from(chunks: ChunkRange) -> Self {
        chunks.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_written_as_it_is_read() {
        for text in [r#"{"source":"a.log"}"#, r#"{"source":"a.log","chunks":"4..8"}"#] {
            let part: PartSpec = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&part).unwrap(), text);
        }
        let part: PartSpec = serde_json::from_str(r#"{"source":"a","chunks":"4..8"}"#).unwrap();
        assert_eq!(part.chunks.unwrap().range(), 4..8);
    }

    #[test]
    fn a_range_without_a_chunk_is_refused() {
        for text in ["8..4", "4..4", "4", "..", "-1..4", "4..=8", "a..b", ""] {
            let message = text.parse::<ChunkRange>().unwrap_err();
            assert_eq!(message, format!("{text:?} is no range of chunks, expected one as 4..8"));
        }
    }
}
