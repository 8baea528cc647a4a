//! Where the bytes of an input lie: any of them can be had at any time, in the version in which
//! they were found.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{Stat, fstat};

use super::holes::Holed;
use super::identity::Identity;
use super::mapped::Mapping;
use super::pipe::Coming;
use super::remote::{Object, SequentialBody};
use super::{Bytes, Error, Purpose};
use crate::settings::Io;
use crate::slices;
use crate::source::Version;

/// What an input is read from.
#[derive(Debug)]
pub(super) enum Store {
    /// A file; what is not a regular one has no offsets, and no second look.
    File {
        /// The open file.
        file: File,
        /// In which version it was found.
        identity: Identity,
        /// Its pages, where it is read by mapping it.
        mapping: Option<Mapping>,
    },
    /// An archive, which others read, too.
    Shared(Arc<Store>),
    /// A member of an archive that is stored without its holes.
    Holed(Arc<Holed>),
    /// An object of a store or a web server: it is only read in the version that was found.
    Object(Arc<Object>),
    /// What a web server gives from its front alone: it has no offsets.
    Front(Arc<Mutex<SequentialBody>>),
}

impl Store {
    /// An open file that was found as `stat`; `io` says how it is read, unless it is a pipe.
    pub(super) fn file(file: File, stat: &Stat, io: Io) -> Result<Self, Error> {
        let identity = Identity::of(stat);
        let mapping = match io {
            Io::Mmap => Some(Mapping::new(&file, identity.bytes).map_err(Error::Open)?),
            Io::Auto | Io::Read => None,
        };
        Ok(Self::File { file, identity, mapping })
    }

    /// Size in bytes when it was opened.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::File { identity, .. } => identity.bytes,
            Self::Shared(store) => store.bytes(),
            Self::Holed(holed) => holed.sparse.bytes,
            Self::Object(object) => object.bytes(),
            Self::Front(_) => 0,
        }
    }

    /// In which version it was opened.
    pub(super) fn version(&self) -> Version {
        match self {
            Self::File { identity, .. } => identity.version(),
            Self::Shared(store) => store.version(),
            Self::Holed(holed) => holed.store.version(),
            Self::Object(object) => object.version(),
            Self::Front(_) => Version { bytes: 0, modified_ns: 0 },
        }
    }

    /// The same bytes, for one who lives longer.
    pub(super) fn share(&self) -> io::Result<Self> {
        match self {
            Self::File { file, identity, .. } => {
                Ok(Self::File { file: file.try_clone()?, identity: *identity, mapping: None })
            }
            Self::Shared(store) => Ok(Self::Shared(Arc::clone(store))),
            Self::Holed(holed) => Ok(Self::Holed(Arc::clone(holed))),
            Self::Object(object) => Ok(Self::Object(Arc::clone(object))),
            Self::Front(front) => Ok(Self::Front(Arc::clone(front))),
        }
    }

    /// The bytes as they come, of what has no offsets.
    pub(super) fn coming(&self) -> io::Result<Box<dyn Coming>> {
        match self {
            Self::File { file, .. } => Ok(Box::new(file.try_clone()?)),
            Self::Front(front) => Ok(Box::new(Arc::clone(front))),
            Self::Shared(store) => store.coming(),
            Self::Holed(_) | Self::Object(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Fills `into` with the bytes at `offset`.
    pub(super) fn read_at(
        &self,
        into: &mut [u8],
        offset: u64,
        purpose: Purpose,
    ) -> Result<(), Error> {
        match self {
            Self::File { mapping: Some(mapping), .. } => mapping
                .read_at(into, offset)
                .map_err(|_torn| Error::Changed("it was truncated".into())),
            Self::File { file, identity, .. } => {
                file.read_exact_at(into, offset).map_err(|error| match error.kind() {
                    ErrorKind::UnexpectedEof => shrunk(identity),
                    _ => Error::Read { offset, error },
                })
            }
            Self::Shared(store) => store.read_at(into, offset, purpose),
            Self::Holed(holed) => holed.read_at(into, offset, purpose),
            Self::Object(object) => object.read_at(into, offset, purpose),
            Self::Front(_) => Err(Error::Read { offset, error: ErrorKind::NotSeekable.into() }),
        }
    }

    /// Reads as many bytes at `offset` as are to be had at once, at most as many as `into` holds.
    fn read_some_at(&self, into: &mut [u8], offset: u64) -> Result<usize, Error> {
        match self {
            Self::File { file, identity, .. } => match file.read_at(into, offset) {
                Ok(0) if !into.is_empty() => Err(shrunk(identity)),
                Ok(got) => Ok(got),
                Err(error) => Err(Error::Read { offset, error }),
            },
            Self::Shared(store) => store.read_some_at(into, offset),
            Self::Holed(holed) => holed.read_at(into, offset, Purpose::Read).map(|()| into.len()),
            Self::Object(object) => object.read_some_at(into, offset, Purpose::Read),
            Self::Front(_) => Err(Error::Read { offset, error: ErrorKind::NotSeekable.into() }),
        }
    }

    /// Checks that it is still what was opened. Called after the last read.
    pub(super) fn check_unchanged(&self) -> Result<(), Error> {
        match self {
            Self::File { file, identity, .. } => {
                let stat = fstat(file)
                    .map_err(|error| Error::Read { offset: identity.bytes, error: error.into() })?;
                match identity.difference(&Identity::of(&stat)) {
                    None => Ok(()),
                    Some(difference) => Err(Error::Changed(difference)),
                }
            }
            Self::Shared(store) => store.check_unchanged(),
            Self::Holed(holed) => holed.store.check_unchanged(),
            // Each answer was looked at when it came.
            Self::Object(_) | Self::Front(_) => Ok(()),
        }
    }
}

fn shrunk(identity: &Identity) -> Error {
    let bytes = identity.bytes;
    Error::Changed(format!("it had {bytes} bytes when it was opened and is shorter now"))
}

/// A stretch of a store, from its front to its end.
pub(super) struct FromFront {
    pub(super) store: Store,
    /// What comes next.
    pub(super) offset: u64,
    /// How much is left.
    pub(super) left: u64,
    /// How much has been read.
    pub(super) stored: u64,
}

impl Bytes for FromFront {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let into = slices::part_mut(into, ..most);
        let got = self.store.read_some_at(into, self.offset)?;
        self.offset += got as u64;
        self.left -= got as u64;
        self.stored += got as u64;
        Ok(got)
    }

    fn stored(&self) -> u64 {
        self.stored
    }
}

impl Read for FromFront {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(Bytes::read(self, into)?)
    }
}
