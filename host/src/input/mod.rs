//! Opened sources: their bytes at any offset, and where records begin in them.
//!
//! An input is identified when it is opened; bytes that are read later come from that same, unchanged
//! file or object, or the read is an error. Knows nothing of sandboxes or threads: any number of threads may read
//! one input at once.

mod blocked;
mod boundary;
mod cut;
mod decode;
mod encoding;
mod error;
mod framing;
mod identity;
mod mapped;
mod open;
mod pipe;
mod remote;
mod store;
mod stream;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use rustix::fs::fstat;

use crate::settings::Io;
use crate::source::{Source, Way, check_regular};

pub use blocked::Asked;
pub use cut::{Cutter, Scan};
pub use decode::{Block, Blocks, Codec, DecodeError, DecodeLimits, Decoder, Stretch, UnknownCodec};
pub use encoding::{Transcoding, UnknownEncoding};
pub use error::Error;
pub use framing::{Framing, FramingError, Prefix};
pub use open::Opener;
pub use remote::{expand, hint};
pub use stream::{Bytes, Chunk, Stream};

use blocked::Blocked;
use pipe::Pipe;
use remote::Opened;
use store::{FromFront, Store};

/// What is decompressed, and how much may come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoding {
    /// Which sources, with what.
    pub choice: Choice,
    /// Bounds of each.
    pub limits: DecodeLimits,
    /// What becomes of the bytes after that.
    pub transcoding: Transcoding,
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

/// How sources are opened.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// How plain files are read.
    pub io: Io,
    /// Set when whoever waits for bytes shall end.
    pub stop: Arc<AtomicBool>,
}

/// The bytes of an opened source: of a file, readable at any offset; of a pipe, from its front.
#[derive(Debug)]
pub struct Input {
    store: Store,
    /// The source is this stretch of the store.
    start: u64,
    bytes: u64,
    is_pipe: bool,
    /// For a compressed file that is decoded in pieces: what offsets are offsets in.
    blocked: Option<Blocked>,
}

impl Input {
    /// Opens a source.
    ///
    /// # Errors
    /// When it cannot be opened or mapped, or is neither a regular file nor to be read as a stream.
    pub fn open(opener: &mut Opener, source: &Source, access: &Access) -> Result<Self, Error> {
        let file = match source.way {
            Way::File => opener.open(&source.path),
            Way::Fifo => File::open(&source.path),
            Way::StandardInput => io::stdin().as_fd().try_clone_to_owned().map(File::from),
            Way::Object | Way::Prefix => return Self::open_remote(source, access),
        };
        let mut file = file.map_err(Error::Open)?;
        let stat = fstat(&file).map_err(|error| Error::Open(error.into()))?;
        let regular = check_regular(stat.st_mode);
        let is_pipe = match source.way {
            Way::File => regular.map(|()| false)?,
            // A file whose front has been read already is as good as a pipe.
            _ => regular.is_err() || file.stream_position().map_err(Error::Open)? > 0,
        };
        let io = if is_pipe { Io::Read } else { access.io };
        let store = Store::file(file, &stat, io)?;
        let bytes = store.bytes();
        Ok(Self { store, start: 0, bytes, is_pipe, blocked: None })
    }

    fn open_remote(source: &Source, access: &Access) -> Result<Self, Error> {
        let (store, is_pipe) = match remote::open(source, &access.stop)? {
            Opened::Object(object) => (Store::Object(Arc::new(object)), false),
            Opened::Front(front) => (Store::Front(Arc::new(Mutex::new(front))), true),
        };
        let bytes = store.bytes();
        Ok(Self { store, start: 0, bytes, is_pipe, blocked: None })
    }

    /// Whether its first bytes are there, or come, when it is opened: to look at them costs nothing.
    pub fn is_remote(&self) -> bool {
        matches!(self.store, Store::Object(_) | Store::Front(_))
    }

    /// Whether the bytes come when they come: no size, no offsets, no second look.
    pub fn is_pipe(&self) -> bool {
        self.is_pipe
    }

    /// From now on reads decompressed bytes, decoded in pieces by `workers` at once, if the file lets itself be read so;
    /// says whether it does.
    pub fn decode_in_pieces(
        &mut self,
        codec: Codec,
        limits: DecodeLimits,
        chunk_bytes: u64,
        workers: usize,
    ) -> bool {
        // To find the pieces of others is to walk over the whole object: it would come twice.
        if self.is_remote() && codec != Codec::Xz {
            return false;
        }
        self.blocked = Blocked::of(self, codec, limits, chunk_bytes, workers);
        self.blocked.is_some()
    }

    /// Whether [`decode_in_pieces`](Self::decode_in_pieces) was said to.
    pub fn is_decoded(&self) -> bool {
        self.blocked.is_some()
    }

    /// Size in bytes when it was opened; decompressed, where it is decoded.
    pub fn bytes(&self) -> u64 {
        self.blocked.as_ref().map_or(self.bytes, Blocked::bytes)
    }

    /// How many neighbouring chunks are best read by one worker.
    pub fn chunks_at_once(&self) -> u64 {
        self.blocked.as_ref().map_or(1, Blocked::chunks_per_piece)
    }

    /// Fills `into` with the bytes at `offset`.
    ///
    /// # Errors
    /// When they cannot be read or are there no more.
    pub fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        self.read_asked(into, offset, Asked::ToGoOn)
    }

    fn read_asked(&self, into: &mut [u8], offset: u64, asked: Asked) -> Result<(), Error> {
        match &self.blocked {
            Some(blocked) => blocked.read_at(self, into, offset, asked),
            None => self.store.read_at(into, self.start + offset, asked),
        }
    }

    /// The same, of the source as it is stored.
    fn read_packed_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        self.store.read_at(into, self.start + offset, Asked::ToGoOn)
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
        let store = self.store.share().map_err(Error::Open)?;
        let plain = FromFront { store, offset: self.start, left: self.bytes };
        Ok(decoded(plain, codec, limits))
    }

    /// The bytes of a pipe called `name`, decompressed where it is to be.
    ///
    /// # Errors
    /// When the pipe cannot be shared, or its first bytes cannot be had.
    pub fn from_pipe(
        &self,
        name: &Path,
        decoding: Decoding,
        access: &Access,
    ) -> Result<Box<dyn Bytes>, Error> {
        let coming = self.store.coming().map_err(Error::Open)?;
        let mut pipe = Pipe::new(coming, Arc::clone(&access.stop));
        let codec = match decoding.choice {
            Choice::Never => None,
            Choice::Always(codec) => Some(codec),
            Choice::Detect => Codec::detect(pipe.first()?, name),
        };
        Ok(decoded(pipe, codec, decoding.limits))
    }

    /// Checks that the file is still the one that was opened, unchanged. Called after the last read.
    ///
    /// # Errors
    /// When its size or times are not what they were.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        if self.is_pipe { Ok(()) } else { self.store.check_unchanged() }
    }
}

fn decoded<Plain: Bytes + Read + 'static>(
    plain: Plain,
    codec: Option<Codec>,
    limits: DecodeLimits,
) -> Box<dyn Bytes> {
    match codec {
        Some(codec) => Box::new(Decoder::new(codec, Box::new(plain), limits)),
        None => Box::new(plain),
    }
}

impl Bytes for Decoder {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        Ok(Self::read(self, into)?)
    }
}
