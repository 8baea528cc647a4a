//! Where a host may cut a source, in the contract's words.

use std::fmt;

/// What a record is: a chunk never splits one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// There are no records: cut anywhere.
    #[default]
    Bytes,
    /// Records end with a line feed; the last one may lack it.
    Lines,
    /// Records of CSV as in RFC 4180: a line end within quotes does not end one, and a quote opens
    /// a field at its start only.
    Csv,
    /// Records end with this byte; the last one may lack it.
    Delimited(u8),
    /// Records of this many bytes each.
    Fixed(u32),
    /// Each record is preceded by its length.
    Prefixed(Prefix),
    /// The whole source is one record, in one chunk: it has to fit into memory.
    Whole,
}

/// How the length before a record is written. It does not count itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// Four bytes, the most significant first.
    U32Be,
    /// Four bytes, the least significant first.
    U32Le,
}

impl fmt::Display for Framing {
    /// The contract's word, `delimited:0x1e` say.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes => out.write_str("bytes"),
            Self::Lines => out.write_str("lines"),
            Self::Csv => out.write_str("csv"),
            Self::Delimited(byte) => write!(out, "delimited:{byte:#04x}"),
            Self::Fixed(bytes) => write!(out, "fixed:{bytes}"),
            Self::Prefixed(prefix) => write!(out, "prefixed:{prefix}"),
            Self::Whole => out.write_str("whole"),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::U32Be => "u32be",
            Self::U32Le => "u32le",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framings_print_the_words_of_the_contract() {
        let words = [
            (Framing::Bytes, "bytes"),
            (Framing::Lines, "lines"),
            (Framing::Csv, "csv"),
            (Framing::Delimited(0x1e), "delimited:0x1e"),
            (Framing::Delimited(0), "delimited:0x00"),
            (Framing::Fixed(128), "fixed:128"),
            (Framing::Prefixed(Prefix::U32Be), "prefixed:u32be"),
            (Framing::Whole, "whole"),
        ];
        for (framing, word) in words {
            assert_eq!(framing.to_string(), word);
        }
    }
}
