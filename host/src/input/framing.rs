//! Where one record ends and the next begins: the words of `framing` in the contract.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::csv::Csv;

/// How a source is made of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No records: a cut may be anywhere.
    Bytes,
    /// Records end with this byte; the last one may lack it. `lines` is a line feed.
    Delimited(u8),
    /// Records of this many bytes.
    Fixed(u64),
    /// Records end with a line feed outside quotes (RFC 4180); the last one may lack it.
    Csv(Csv),
    /// Records begin with their length, which does not count itself.
    Prefixed(Prefix),
    /// The source is one record.
    Whole,
}

/// How the length before a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// Four bytes, the most significant first.
    U32Be,
    /// Four bytes, the least significant first.
    U32Le,
}

impl Prefix {
    /// Bytes of a length.
    pub const BYTES: usize = 4;

    /// The length that is written in `bytes`.
    pub fn read(self, bytes: [u8; Self::BYTES]) -> u32 {
        match self {
            Self::U32Be => u32::from_be_bytes(bytes),
            Self::U32Le => u32::from_le_bytes(bytes),
        }
    }
}

/// The host does not know this framing.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error(
    "unknown framing `{0}`: known are bytes, lines, csv, delimited:0xNN, fixed:N, prefixed:u32be, \
     prefixed:u32le, whole"
)]
pub struct FramingError(String);

/// A framing that was said for a plugin would cut the records that it reads.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
#[error("framing `{said}` cuts within the records of `{purpose}`, which the plugin reads")]
pub struct CutsRecords {
    purpose: Framing,
    said: Framing,
}

impl Framing {
    /// What a record is called in messages.
    pub fn record(self) -> &'static str {
        match self {
            Self::Delimited(b'\n') => "line",
            Self::Whole => "source, one record as a whole,",
            _ => "record",
        }
    }

    /// Whether there are records to count, for a header say.
    pub fn has_records(self) -> bool {
        !matches!(self, Self::Bytes | Self::Whole)
    }

    /// Whether what it reads is text in lines.
    pub fn has_lines(self) -> bool {
        matches!(self, Self::Delimited(b'\n') | Self::Csv(_))
    }

    /// What ends a record, where it is one byte: of what is made of such records, too.
    pub fn record_end(self) -> Option<u8> {
        match self {
            Self::Delimited(byte) => Some(byte),
            Self::Csv(_) => Some(b'\n'),
            Self::Bytes | Self::Fixed(_) | Self::Prefixed(_) | Self::Whole => None,
        }
    }

    /// Whether chunks cut by `other` cut no record of this framing, either.
    pub fn is_cut_by(self, other: Self) -> bool {
        match (self, other) {
            // Where csv is cut a line ends, but not the other way round.
            (Self::Bytes, _) | (_, Self::Whole) | (Self::Delimited(b'\n'), Self::Csv(_)) => true,
            (own, other) => own == other,
        }
    }

    /// The same with what settings of a plugin say of it: `delimiter` and `quote` of csv. Without
    /// quotes, its records are lines.
    #[must_use]
    pub fn configured(self, settings: &[(String, String)]) -> Self {
        let Self::Csv(_) = self else { return self };
        let of = |name: &str| {
            settings.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
        };
        match of("quote") {
            Some("none") => Self::Delimited(b'\n'),
            _ => Self::Csv(Csv { delimiter: of("delimiter").and_then(Csv::delimiter) }),
        }
    }

    /// The framing by which sources are cut for what asks for this one, where a user says another:
    /// never a finer one.
    ///
    /// # Errors
    /// When neither cuts only where the other does.
    pub fn or_said(self, said: Self) -> Result<Self, CutsRecords> {
        match (self, said) {
            (Self::Csv(_), Self::Csv(_)) => Ok(self),
            _ if self.is_cut_by(said) => Ok(said),
            _ if said.is_cut_by(self) => Ok(self),
            _ => Err(CutsRecords { purpose: self, said }),
        }
    }

    /// Whether its records are text: those that end with a byte, or as those of csv do.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Delimited(_) | Self::Csv(_))
    }

    /// Whether a record can be found from any place in a source whose bytes are at hand: for csv
    /// that takes counting the quotes before.
    pub fn has_places(self) -> bool {
        !matches!(self, Self::Prefixed(_))
    }

    /// Whether a record can be found from the middle of a source, without reading what comes
    /// before.
    pub fn cuts_anywhere(self) -> bool {
        !matches!(self, Self::Csv(_) | Self::Prefixed(_))
    }
}

impl FromStr for Framing {
    type Err = FramingError;

    fn from_str(text: &str) -> Result<Self, FramingError> {
        let unknown = || FramingError(text.to_string());
        match text.split_once(':') {
            None => match text {
                "bytes" => Ok(Self::Bytes),
                "lines" => Ok(Self::Delimited(b'\n')),
                "csv" => Ok(Self::Csv(Csv::default())),
                "whole" => Ok(Self::Whole),
                _ => Err(unknown()),
            },
            Some(("delimited", byte)) => byte
                .strip_prefix("0x")
                .filter(|digits| digits.len() == 2)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .map(Self::Delimited)
                .ok_or_else(unknown),
            Some(("fixed", bytes)) => match bytes.parse() {
                Ok(bytes) if bytes > 0 => Ok(Self::Fixed(bytes)),
                _ => Err(unknown()),
            },
            Some(("prefixed", "u32be")) => Ok(Self::Prefixed(Prefix::U32Be)),
            Some(("prefixed", "u32le")) => Ok(Self::Prefixed(Prefix::U32Le)),
            Some(_) => Err(unknown()),
        }
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes => f.write_str("bytes"),
            Self::Delimited(b'\n') => f.write_str("lines"),
            Self::Delimited(byte) => write!(f, "delimited:{byte:#04x}"),
            Self::Fixed(bytes) => write!(f, "fixed:{bytes}"),
            Self::Csv(_) => f.write_str("csv"),
            Self::Prefixed(Prefix::U32Be) => f.write_str("prefixed:u32be"),
            Self::Prefixed(Prefix::U32Le) => f.write_str("prefixed:u32le"),
            Self::Whole => f.write_str("whole"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_contract_are_read_and_written() {
        let words = [
            "bytes",
            "lines",
            "csv",
            "delimited:0x1e",
            "fixed:128",
            "prefixed:u32be",
            "prefixed:u32le",
            "whole",
        ];
        for word in words {
            assert_eq!(word.parse::<Framing>().unwrap().to_string(), word);
        }
        assert_eq!("delimited:0x0a".parse(), Ok(Framing::Delimited(b'\n')));
    }

    #[test]
    fn other_words_are_refused_by_name() {
        for word in
            ["", "tsv", "fixed:0", "fixed:-1", "delimited:1e", "delimited:0x", "prefixed:u8"]
        {
            let error = word.parse::<Framing>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("unknown framing `{word}`")));
        }
    }
}
