//! Why an input failed.

use std::io;

use thiserror::Error;

use super::DecodeError;
use crate::source::Refusal;
use crate::stats::Full;

/// Why an input failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// It could not be opened.
    #[error("cannot open: {0}")]
    Open(io::Error),
    /// It is not something to read.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be read.
    #[error("cannot read at byte {offset}: {error}")]
    Read {
        /// Where.
        offset: u64,
        /// Why.
        error: io::Error,
    },
    /// What came of it could not be kept until it was known to be sound.
    #[error("cannot keep it in a temporary file until all of it is checked: {0}")]
    Unkept(io::Error),
    /// It could not be decompressed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It is no text in the encoding that it is in.
    #[error("is not {encoding} at byte {offset}: {} for no character", stand(*.bytes))]
    Malformed {
        /// Name of the encoding.
        encoding: &'static str,
        /// Where, in the source as it is before it is brought into UTF-8.
        offset: u64,
        /// How many bytes from there on.
        bytes: u64,
    },
    /// It is not what it was when it was opened.
    #[error("changed while it was read: {0}")]
    Changed(String),
    /// It takes more memory than the whole run has.
    #[error("reading it takes {} bytes of memory more, with {} of {} of the whole run in use", .0.bytes, .0.charged, .0.bytes_max)]
    Memory(#[from] Full),
    /// A record is longer than allowed.
    #[error("the {record} that begins at byte {offset} is longer than {bytes_max} bytes{}", unclosed(*.quote))]
    RecordTooLong {
        /// What a record is called.
        record: &'static str,
        /// Where it begins.
        offset: u64,
        /// What is allowed.
        bytes_max: u64,
        /// Where the quote is that makes it so long.
        quote: Option<u64>,
    },
    /// The last record is not all there.
    #[error(
        "the record that begins at byte {offset} is cut short: the source ends at byte {bytes}"
    )]
    CutShort {
        /// Where the record begins.
        offset: u64,
        /// Size of the source.
        bytes: u64,
    },
    /// The size is not a whole number of records.
    #[error("{bytes} bytes are not a whole number of {record_bytes}-byte records")]
    Ragged {
        /// Size of the input.
        bytes: u64,
        /// Size of a record.
        record_bytes: u64,
    },
}

fn stand(bytes: u64) -> String {
    if bytes == 1 { "1 byte stands".into() } else { format!("{bytes} bytes stand") }
}

fn unclosed(quote: Option<u64>) -> String {
    let quoted = |at| format!(": the quote at byte {at} opens a field, and none closes it by then");
    quote.map(quoted).unwrap_or_default()
}

/// For readers that know nothing of sources: what happened is within, and can be had back.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Read { error, .. } => error,
            other => Self::other(other),
        }
    }
}
