//! Opened sources: their bytes at any offset, and where records begin in them.
//!
//! An input is identified when it is opened; bytes that are read later come from that same, unchanged
//! file, or the read is an error. Knows nothing of sandboxes or threads: any number of threads may read
//! one input at once.

mod boundary;
mod cut;
mod decode;
mod framing;
mod identity;
mod mapped;
mod open;
mod stream;

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::fstat;
use thiserror::Error;

use crate::settings::Io;
use crate::source::{Refusal, check_regular};

pub use cut::Cutter;
pub use decode::{Codec, DecodeError, DecodeLimits, Decoder, UnknownCodec};
pub use framing::{Framing, FramingError, Prefix};
pub use open::Opener;
pub use stream::{Bytes, Piece, Stream};

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
    /// It could not be decompressed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
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
    /// The first records, which the plugin asks for, are too long.
    #[error("the first {records} records are longer than the first chunk of {bytes} bytes")]
    HeaderTooLong {
        /// How many are wanted.
        records: u32,
        /// Size of the first chunk.
        bytes: usize,
    },
    /// The last record is not all there.
    #[error("the record that begins at byte {offset} is cut short: the source ends at byte {bytes}")]
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

/// What is decompressed, and how much may come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoding {
    /// Which sources, with what.
    pub choice: Choice,
    /// Bounds of each.
    pub limits: DecodeLimits,
}

/// Which sources are decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// Those whose first bytes, or failing that names, say so.
    #[default]
    Detect,
    /// None.
    Never,
    /// All, with this.
    Always(Codec),
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
            ErrorKind::UnexpectedEof => shrunk(&self.identity),
            _ => Error::Read { offset, error },
        })
    }

    /// What the file, which is called `name`, is compressed with, by its first bytes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn codec(&self, name: &Path) -> Result<Option<Codec>, Error> {
        let mut first = [0; Codec::DETECT_BYTES];
        let length = usize::try_from(self.bytes()).unwrap_or(usize::MAX).min(first.len());
        let first = first.get_mut(..length).unwrap_or_default();
        self.read_at(first, 0)?;
        Ok(Codec::detect(first, name))
    }

    /// The bytes from front to back, decompressed where there is a codec.
    ///
    /// # Errors
    /// When the file cannot be shared between readers.
    pub fn from_front(
        &self,
        codec: Option<Codec>,
        limits: DecodeLimits,
    ) -> Result<Box<dyn Bytes>, Error> {
        let file = self.file.try_clone().map_err(Error::Open)?;
        let plain = FromFront { file, identity: self.identity, offset: 0 };
        Ok(match codec {
            Some(codec) => Box::new(Decoder::new(codec, Box::new(plain), limits)),
            None => Box::new(plain),
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

/// A plain file from its front, up to the size that it had when it was opened.
struct FromFront {
    file: File,
    identity: Identity,
    offset: u64,
}

impl Bytes for FromFront {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let left = usize::try_from(self.identity.bytes - self.offset).unwrap_or(usize::MAX);
        let most = left.min(into.len());
        let into = into.get_mut(..most).unwrap_or_default();
        let offset = self.offset;
        let got = self.file.read_at(into, offset).map_err(|error| Error::Read { offset, error })?;
        if got == 0 && left > 0 {
            return Err(shrunk(&self.identity));
        }
        self.offset += got as u64;
        Ok(got)
    }
}

impl Read for FromFront {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Bytes::read(self, into).map_err(|error| match error {
            Error::Read { error, .. } => error,
            other => io::Error::other(other),
        })
    }
}

impl Bytes for Decoder {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        Ok(Self::read(self, into)?)
    }
}

fn shrunk(identity: &Identity) -> Error {
    let bytes = identity.bytes;
    Error::Changed(format!("it had {bytes} bytes when it was opened and is shorter now"))
}
