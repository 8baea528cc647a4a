//! The one error of a plugin: what the contract's `error` says, as a Rust type.

use std::fmt;

/// Why a plugin cannot go on. A record that is bad on its own is no error: see
/// [`reject`](crate::reject).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The data is not what the plugin reads: this source fails, the others go on.
    InvalidData {
        /// Where in the chunk, in bytes.
        offset: u64,
        /// What is wrong: lower case, no full stop.
        reason: String,
    },
    /// Nothing can work, whatever the data: the job ends.
    Fatal(String),
}

impl Error {
    /// The data is not what the plugin reads, `offset` bytes into the chunk.
    pub fn invalid(offset: u64, reason: impl fmt::Display) -> Self {
        Self::InvalidData { offset, reason: reason.to_string() }
    }

    /// Nothing can work, whatever the data.
    pub fn fatal(reason: impl fmt::Display) -> Self {
        Self::Fatal(reason.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidData { offset, reason } => {
                write!(out, "byte {offset} of the chunk: {reason}")
            }
            Self::Fatal(reason) => out.write_str(reason),
        }
    }
}

impl std::error::Error for Error {}
