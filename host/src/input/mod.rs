//! Opened sources: their bytes at any offset, and where records begin in them.
//!
//! An input is identified when it is opened; bytes that are read later come from that same, unchanged
//! file, or the read is an error. Knows nothing of sandboxes or threads: any number of threads may read
//! one input at once.

mod cut;
mod framing;
mod identity;
mod mapped;
mod open;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::fstat;
use thiserror::Error;

use crate::settings::Io;
use crate::source::{Refusal, check_regular};

pub use cut::Cutter;
pub use framing::{Framing, FramingError};
pub use open::Opener;

use identity::Identity;
use mapped::Mapping;

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
    /// It is not what it was when it was opened.
    #[error("changed while it was read: {0}")]
    Changed(String),
    /// A record is longer than allowed.
    #[error("the {record} that begins at byte {offset} is longer than {bytes_max} bytes")]
    RecordTooLong {
        /// What a record is called.
        record: &'static str,
        /// Where it begins.
        offset: u64,
        /// What is allowed.
        bytes_max: u64,
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

/// The bytes of an opened source, readable at any offset.
#[derive(Debug)]
pub struct Input {
    file: File,
    identity: Identity,
    mapping: Option<Mapping>,
}

impl Input {
    /// Opens a regular file.
    ///
    /// # Errors
    /// When it cannot be opened or mapped, or is not a regular file.
    pub fn open(opener: &mut Opener, path: &Path, io: Io) -> Result<Self, Error> {
        let file = opener.open(path).map_err(Error::Open)?;
        let stat = fstat(&file).map_err(|error| Error::Open(error.into()))?;
        check_regular(stat.st_mode)?;
        let identity = Identity::of(&stat);
        let mapping = match io {
            Io::Mmap => Some(Mapping::new(&file, identity.bytes).map_err(Error::Open)?),
            Io::Auto | Io::Read => None,
        };
        Ok(Self { file, identity, mapping })
    }

    /// Size in bytes when it was opened.
    pub fn bytes(&self) -> u64 {
        self.identity.bytes
    }

    /// Fills `into` with the bytes at `offset`.
    ///
    /// # Errors
    /// When they cannot be read or are there no more.
    pub fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        if let Some(mapping) = &self.mapping {
            return mapping
                .read_at(into, offset)
                .map_err(|_torn| Error::Changed("it was truncated".into()));
        }
        self.file.read_exact_at(into, offset).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Error::Changed(format!(
                "it had {} bytes when it was opened and is shorter now",
                self.identity.bytes
            )),
            _ => Error::Read { offset, error },
        })
    }

    /// Checks that the file is still the one that was opened, unchanged. Called after the last read.
    ///
    /// # Errors
    /// When its size or times are not what they were.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        let stat = fstat(&self.file)
            .map_err(|error| Error::Read { offset: self.identity.bytes, error: error.into() })?;
        match self.identity.difference(&Identity::of(&stat)) {
            None => Ok(()),
            Some(difference) => Err(Error::Changed(difference)),
        }
    }
}
