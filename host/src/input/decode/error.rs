//! How decoding fails, for its users and, without the offsets, among the codecs.

use std::io;
use std::sync::Arc;

use bytesize::ByteSize;
use thiserror::Error;

use super::Codec;

/// Why decoding stopped. Offsets of decompressed bytes count from the start of the source.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The compressed bytes could not be read.
    #[error("cannot read at byte {compressed}: {error}")]
    Read {
        /// Where, in the compressed bytes.
        compressed: u64,
        /// Why.
        error: Arc<io::Error>,
    },
    /// The source is not in this format at all.
    #[error("not {codec} data: it begins with {got}, expected {expected}")]
    Magic {
        /// What it was read as.
        codec: Codec,
        /// Its first bytes, in hexadecimal.
        got: String,
        /// What they should be, in hexadecimal.
        expected: &'static str,
    },
    /// The source has the name of a compressed file, and other bytes.
    #[error("is named as {codec} data, but begins with {got}, expected {expected}")]
    Misnamed {
        /// What its name says.
        codec: Codec,
        /// Its first bytes, in hexadecimal.
        got: String,
        /// What they should be, in hexadecimal.
        expected: &'static str,
    },
    /// A server says that the source is in a coding which is not read.
    #[error("is encoded as {coding}, which is not read")]
    Encoded {
        /// What the server calls it.
        coding: String,
    },
    /// The source is in a format that is known and not read.
    #[error("is {what}, which is not read")]
    Foreign {
        /// What it is called.
        what: &'static str,
    },
    /// The source ends within a member.
    #[error("the {codec} data is cut off after {decompressed} decompressed bytes")]
    Truncated {
        /// What it was read as.
        codec: Codec,
        /// How far it could be decoded.
        decompressed: u64,
    },
    /// After the last member there is something that is neither a member nor padding.
    #[error(
        "the {codec} data ends at byte {compressed}, after {decompressed} decompressed bytes, and is followed by something else"
    )]
    TrailingGarbage {
        /// What it was read as.
        codec: Codec,
        /// Where the garbage begins, in the compressed bytes.
        compressed: u64,
        /// How far it could be decoded.
        decompressed: u64,
    },
    /// The data breaks the rules of its format.
    #[error("corrupt {codec} data after {decompressed} decompressed bytes: {what}")]
    Corrupt {
        /// What it was read as.
        codec: Codec,
        /// How far it could be decoded.
        decompressed: u64,
        /// Which rule.
        what: &'static str,
    },
    /// What was decoded is not what was encoded.
    #[error(
        "corrupt {codec} data within the first {decompressed} decompressed bytes: the {what} does not match"
    )]
    Checksum {
        /// What it was read as.
        codec: Codec,
        /// Where the checksum was compared.
        decompressed: u64,
        /// Which checksum.
        what: &'static str,
    },
    /// The data uses something that cannot be decoded here.
    #[error(
        "the {codec} data uses {what} after {decompressed} decompressed bytes, which is not supported"
    )]
    Unsupported {
        /// What it was read as.
        codec: Codec,
        /// How far it could be decoded.
        decompressed: u64,
        /// What it uses.
        what: &'static str,
    },
    /// More comes out than allowed.
    #[error("decompressed size exceeds {}", ByteSize(*bytes_max).display().iec())]
    TooLarge {
        /// What is allowed.
        bytes_max: u64,
    },
    /// More comes out for what goes in than allowed.
    #[error(
        "{compressed} bytes of {codec} data became more than {decompressed}, which exceeds {ratio_max} to 1"
    )]
    Ratio {
        /// What it was read as.
        codec: Codec,
        /// What went in.
        compressed: u64,
        /// What came out.
        decompressed: u64,
        /// What is allowed.
        ratio_max: u64,
    },
    /// The data is in more pieces than allowed.
    #[error(
        "more than {members_max} members in the {codec} data, after {decompressed} decompressed bytes"
    )]
    Members {
        /// What it was read as.
        codec: Codec,
        /// How far it could be decoded.
        decompressed: u64,
        /// What is allowed.
        members_max: u64,
    },
    /// Decoding would take more memory than allowed.
    #[error("the {codec} data after {decompressed} decompressed bytes needs more than {} of memory to decode", ByteSize(*bytes_max).display().iec())]
    Window {
        /// What it was read as.
        codec: Codec,
        /// How far it could be decoded.
        decompressed: u64,
        /// What is allowed.
        bytes_max: u64,
    },
}

impl DecodeError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooLarge { .. } => Some("raise ⟦max_decompressed⟧"),
            Self::Ratio { .. } => Some("raise ⟦max_ratio⟧ if the source can be trusted"),
            Self::Members { .. } => Some("raise ⟦max_members⟧"),
            Self::Magic { .. } => Some("⟦decompress⟧ auto finds out how a source is compressed"),
            // Zlib and lzma have no magic number, so the data may be a part of something else.
            Self::TrailingGarbage { codec: Codec::Zlib | Codec::Lzma, .. }
            | Self::Misnamed { .. }
            | Self::Foreign { .. }
            | Self::Encoded { .. } => Some("⟦decompress⟧ none reads the bytes as they are"),
            Self::Window { .. } => Some("compress it again with a smaller window"),
            _ => None,
        }
    }
}

/// Why a codec stopped: the part of a [`DecodeError`] that it knows.
#[derive(Debug)]
pub(super) enum Fault {
    Read(io::Error),
    Truncated,
    Corrupt(&'static str),
    Checksum(&'static str),
    Unsupported(&'static str),
    Window { bytes_max: u64 },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}
