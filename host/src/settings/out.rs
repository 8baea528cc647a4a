//! The words for how output is written: compressed with what, over what, how surely.
//!
//! Each is written the way a user says it, and reads back from that: `zstd:19`, `replace`, `fast`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

use super::words::words;

/// What to do where an output file is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Exists {
    /// The source fails, the file stays.
    #[default]
    Fail,
    /// The source is skipped, the file stays.
    Skip,
    /// The new file takes its place, at once and whole.
    Replace,
}

words!(Exists { Fail = "fail", Skip = "skip", Replace = "replace" });

/// What results look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns with a header, for people.
    Table,
    /// A JSON object a line.
    Jsonl,
    /// One JSON document.
    Json,
    /// The plugin's own bytes, one result after the other.
    Raw,
}

words!(Format { Table = "table", Jsonl = "jsonl", Json = "json", Raw = "raw" });

/// How the output of a source ends in a file or stream that takes those of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Join {
    /// With the end of a record, which is added where it lacks: so that no record of one becomes
    /// part of one of the next.
    #[default]
    Record,
    /// As it comes.
    None,
}

words!(Join { Record = "record", None = "none" });

/// What an output file survives once it is said to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Durable {
    /// A crash of the machine: bytes and name are on the disk.
    #[default]
    Synced,
    /// A crash of the host only. It saves two waits for the disk a file.
    Fast,
}

words!(Durable { Synced = "synced", Fast = "fast" });

/// How output is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pack {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952, a member for each chunk, at this level.
    Gzip(u8),
    /// RFC 8878, a frame for each chunk, at this level.
    Zstd(u8),
    /// The LZ4 frame format, a frame for each chunk; its encoder has no levels.
    Lz4,
    /// gzip in blocks of less than 64 KiB that say how long they are (SAM specification, section
    /// 4.1), at this level.
    Bgzf(u8),
}

impl Pack {
    /// Levels of gzip and BGZF: those of `gzip`.
    pub const DEFLATE_LEVELS: RangeInclusive<u8> = 1..=9;
    /// Levels of zstd, with those of its `--ultra`: a chunk is small enough for them, as no decoder
    /// needs a larger window than it.
    pub const ZSTD_LEVELS: RangeInclusive<u8> = 1..=22;
    /// What `gzip` and `bgzip` take where nothing is said.
    pub const DEFLATE_LEVEL: u8 = 6;
    /// What `zstd` takes where nothing is said.
    pub const ZSTD_LEVEL: u8 = 3;

    /// What is put behind the name of a file: `.gz`, or nothing.
    pub fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip(_) | Self::Bgzf(_) => ".gz",
            Self::Zstd(_) => ".zst",
            Self::Lz4 => ".lz4",
        }
    }
}

impl fmt::Display for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Gzip(level) => write!(f, "gzip:{level}"),
            Self::Zstd(level) => write!(f, "zstd:{level}"),
            Self::Lz4 => f.write_str("lz4"),
            Self::Bgzf(level) => write!(f, "bgzf:{level}"),
        }
    }
}

/// A word that is no way to compress.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PackError {
    /// There is no such format.
    #[error("unknown compression `{0}`, expected one of: none, gzip, zstd, lz4, bgzf")]
    Unknown(String),
    /// The format has levels, but not this one.
    #[error("{format} has no level `{got}`, expected {min} to {max}")]
    Level {
        /// The format.
        format: String,
        /// What was asked for.
        got: String,
        /// The fastest.
        min: u8,
        /// The smallest.
        max: u8,
    },
    /// The format has no levels.
    #[error("{0} has no levels")]
    NoLevels(String),
}

impl FromStr for Pack {
    type Err = PackError;

    fn from_str(word: &str) -> Result<Self, PackError> {
        let (format, level) = match word.split_once(':') {
            Some((format, level)) => (format, Some(level)),
            None => (word, None),
        };
        let deflate = || read_level(format, level, Self::DEFLATE_LEVEL, &Self::DEFLATE_LEVELS);
        let without = |pack| level.map_or(Ok(pack), |_| Err(PackError::NoLevels(format.into())));
        match format {
            "none" => without(Self::None),
            "lz4" => without(Self::Lz4),
            "gzip" => deflate().map(Self::Gzip),
            "bgzf" => deflate().map(Self::Bgzf),
            "zstd" => {
                read_level(format, level, Self::ZSTD_LEVEL, &Self::ZSTD_LEVELS).map(Self::Zstd)
            }
            other => Err(PackError::Unknown(other.into())),
        }
    }
}

fn read_level(
    format: &str,
    word: Option<&str>,
    default: u8,
    levels: &RangeInclusive<u8>,
) -> Result<u8, PackError> {
    let Some(word) = word else { return Ok(default) };
    let level = word.parse().ok().filter(|level| levels.contains(level));
    level.ok_or_else(|| PackError::Level {
        format: format.into(),
        got: word.into(),
        min: *levels.start(),
        max: *levels.end(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_reads_back_as_it_is_written() {
        for (word, pack) in [
            ("none", Pack::None),
            ("gzip", Pack::Gzip(6)),
            ("gzip:9", Pack::Gzip(9)),
            ("zstd", Pack::Zstd(3)),
            ("zstd:22", Pack::Zstd(22)),
            ("lz4", Pack::Lz4),
            ("bgzf:1", Pack::Bgzf(1)),
        ] {
            assert_eq!(word.parse(), Ok(pack));
            assert_eq!(pack.to_string().parse(), Ok(pack));
        }
    }

    #[test]
    fn an_unknown_compression_is_reported_with_the_known_ones() {
        let message = |word: &str| word.parse::<Pack>().unwrap_err().to_string();
        assert_eq!(
            message("xz"),
            "unknown compression `xz`, expected one of: none, gzip, zstd, lz4, bgzf"
        );
        assert_eq!(message("gzip:0"), "gzip has no level `0`, expected 1 to 9");
        assert_eq!(message("gzip:10"), "gzip has no level `10`, expected 1 to 9");
        assert_eq!(message("bgzf:"), "bgzf has no level ``, expected 1 to 9");
        assert_eq!(message("zstd:-5"), "zstd has no level `-5`, expected 1 to 22");
        assert_eq!(message("zstd:23"), "zstd has no level `23`, expected 1 to 22");
        assert_eq!(message("lz4:1"), "lz4 has no levels");
        assert_eq!(message("none:1"), "none has no levels");
    }
}
