//! Opened sources: their bytes at any offset, and where records begin in them.
//!
//! An input is identified when it is opened; bytes that are read later come from that same, unchanged
//! file or object, or the read is an error. Knows nothing of sandboxes or threads: any number of threads may read
//! one input at once.

mod archive;
mod blocked;
mod boundary;
mod csv;
mod cut;
mod decode;
mod encoding;
mod error;
mod framing;
mod front;
mod identity;
mod lines;
mod mapped;
mod mark;
mod open;
mod packed;
mod pieces;
mod pipe;
mod pseudo;
mod quotes;
mod recognise;
mod remote;
mod stitched;
mod store;
mod stream;
mod tape;
mod utf32;
mod verified;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rustix::fs::{FileType, OFlags, Stat, fcntl_getfl, fcntl_setfl, fstat};

use crate::settings::Io;
use crate::source::{Refusal, Roots, Source, Way, check_regular};
use crate::stats::MemoryBudget;

pub use archive::{Expansion, expand};
pub use blocked::Asked;
pub use boundary::Boundary;
pub use csv::Csv;
pub use cut::{Cutter, Scan};
pub use decode::{
    Block, Blocks, Codec, DecodeError, DecodeLimits, Decoder, Stretch, Trickle, UnknownCodec,
    is_said,
};
pub use encoding::{Text, Transcoding, UnknownEncoding};
pub use error::Error;
pub use framing::{CutsRecords, Framing, FramingError, Prefix};
pub use lines::{Lines, line_feeds};
pub use mark::Mark;
pub use open::Opener;
pub use pieces::Pieces;
pub use recognise::{Found, Look};
pub use remote::{expand_prefixes, hint};
pub use stream::{Bytes, Chunk, Stream};
pub use tape::{Member, Members, is_named_tar};
pub use verified::Again;

use blocked::Blocked;
use front::Front;
use packed::{Packed, Unpacked};
use pipe::Pipe;
use quotes::Quotes;
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
    /// Where files may be: none is opened elsewhere. What has another name than that of a file is not held back: standard input,
    /// objects and web pages.
    pub roots: Roots,
    /// What the memory is charged to that sources take.
    pub memory: Arc<MemoryBudget>,
}

/// The bytes of an opened source: of a file, readable at any offset; of a pipe, from its front.
#[derive(Debug)]
pub struct Input {
    store: Store,
    /// The source is this stretch of the store.
    start: u64,
    bytes: u64,
    is_pipe: bool,
    /// For a member that is packed: how.
    packed: Option<Packed>,
    /// For a compressed file that is decoded in pieces: what offsets are offsets in.
    blocked: Option<Blocked>,
    /// For csv that is cut by place: made when the first cut is looked for.
    quotes: OnceLock<Quotes>,
}

impl Input {
    /// Opens a source.
    ///
    /// # Errors
    /// When it cannot be opened or mapped, or is neither a regular file nor to be read as a stream.
    pub fn open(opener: &mut Opener, source: &Source, access: &Access) -> Result<Self, Error> {
        match &source.way {
            Way::Member(member) => archive::open(opener, member, access),
            way => Self::whole(opener, &source.path, way, access),
        }
    }

    /// Opens all of what is called `path`.
    fn whole(opener: &mut Opener, path: &Path, way: &Way, access: &Access) -> Result<Self, Error> {
        let file = match way {
            Way::File | Way::Member(_) | Way::Fifo => opener.open(path, &access.roots),
            Way::StandardInput => io::stdin().as_fd().try_clone_to_owned().map(File::from),
            Way::Object | Way::Prefix => return Self::remote(path, access),
        };
        let mut file = file.map_err(Error::Open)?;
        let stat = fstat(&file).map_err(|error| Error::Open(error.into()))?;
        let regular = check_regular(stat.st_mode);
        let mut is_pseudo = || opener.devices.is_pseudo(&file, &stat);
        let is_pipe = match way {
            Way::File | Way::Member(_) => regular.map(|()| is_pseudo())?,
            Way::Fifo => is_fifo(&file, &stat, regular)?,
            _ if regular.is_err() => true,
            _ if is_pseudo() => true,
            // A file whose front has been read already is as good as a pipe.
            _ => file.stream_position().map_err(Error::Open)? > 0,
        };
        let io = if is_pipe { Io::Read } else { access.io };
        let store = Store::file(file, &stat, io)?;
        let bytes = store.bytes();
        Ok(Self { is_pipe, ..Self::stretch_of(store, 0, bytes) })
    }

    fn remote(path: &Path, access: &Access) -> Result<Self, Error> {
        let (store, is_pipe) = match remote::open(path, &access.stop)? {
            Opened::Object(object) => (Store::Object(Arc::new(object)), false),
            Opened::Front(front) => (Store::Front(Arc::new(Mutex::new(front))), true),
        };
        let bytes = store.bytes();
        Ok(Self { is_pipe, ..Self::stretch_of(store, 0, bytes) })
    }

    /// The `bytes` bytes from `start` on of a store.
    fn stretch_of(store: Store, start: u64, bytes: u64) -> Self {
        let quotes = OnceLock::new();
        Self { store, start, bytes, is_pipe: false, packed: None, blocked: None, quotes }
    }

    /// Whether its first bytes are there, or come, when it is opened: to look at them costs nothing.
    pub fn is_remote(&self) -> bool {
        matches!(self.store, Store::Object(_) | Store::Front(_))
    }

    /// Whether the bytes come when they come: no size, no offsets, no second look.
    pub fn is_pipe(&self) -> bool {
        self.is_pipe
    }

    /// Whether its bytes are packed in a way of their archive: they have to be unpacked, from their front.
    pub fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Whether it is a part of a file, which was looked at when it was listed.
    pub fn is_member(&self) -> bool {
        matches!(self.store, Store::Shared(_))
    }

    /// From now on reads decompressed bytes, decoded in pieces by `workers` at once, if the file lets itself be read so;
    /// says whether it does.
    pub fn decode_in_pieces(
        &mut self,
        codec: Codec,
        limits: DecodeLimits,
        chunk_bytes: u64,
        workers: usize,
        memory: &Arc<MemoryBudget>,
    ) -> bool {
        // To find the pieces of others is to walk over the whole object: it would come twice.
        if self.is_remote() && codec != Codec::Xz {
            return false;
        }
        self.blocked = Blocked::of(self, codec, limits, chunk_bytes, workers, memory);
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

    /// How many bytes of the file, as it is stored, are behind so many that are read from it: where it is decoded, its share.
    pub fn stored(&self, bytes: u64) -> u64 {
        let Some(blocked) = &self.blocked else { return bytes };
        let share = u128::from(self.bytes) * u128::from(bytes);
        let share = share.checked_div(u128::from(blocked.bytes())).unwrap_or_default();
        u64::try_from(share).unwrap_or(u64::MAX)
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

    /// Which of its offsets are within quotes. Called with one kind of CSV and one chunk size.
    fn quotes(&self, csv: Csv, chunk_bytes: u64) -> &Quotes {
        self.quotes.get_or_init(|| Quotes::new(csv, self.bytes(), chunk_bytes))
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
        recognise::codec(first, name)
    }

    /// The mark that it begins with.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub fn mark(&self) -> Result<Option<Mark>, Error> {
        let mut first = [0; Mark::BYTES_MAX];
        let length = usize::try_from(self.bytes()).unwrap_or(usize::MAX).min(first.len());
        let first = first.get_mut(..length).unwrap_or_default();
        self.read_at(first, 0)?;
        Ok(Mark::of(first))
    }

    /// From now on begins so many bytes later.
    pub fn pass(&mut self, bytes: usize) {
        let bytes = (bytes as u64).min(self.bytes);
        self.start += bytes;
        self.bytes -= bytes;
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
        Ok(decoded(self.stretch()?, codec, limits))
    }

    /// The same once more, for somebody who has to read them twice. `None` where they come but once, or for a price.
    ///
    /// # Errors
    /// When the file cannot be shared between readers.
    pub fn again(&self, codec: Codec, limits: DecodeLimits) -> Result<Option<Again>, Error> {
        if self.is_pipe || self.is_remote() {
            return Ok(None);
        }
        Ok(Some(Again { stretch: self.stretch()?, codec, limits }))
    }

    fn stretch(&self) -> Result<FromFront, Error> {
        let store = self.store.share().map_err(Error::Open)?;
        Ok(FromFront { store, offset: self.start, left: self.bytes, stored: 0 })
    }

    /// The bytes of a member that [is packed](Self::is_packed) and is called `name`, decompressed where that is to be.
    ///
    /// # Errors
    /// When its archive cannot be shared between readers, or its first bytes cannot be had.
    pub fn from_packed(&self, name: &Path, decoding: Decoding) -> Result<Box<dyn Bytes>, Error> {
        let Some(packed) = self.packed else {
            return self.from_front(None, decoding.limits);
        };
        let plain = Unpacked::new(packed, self.stretch()?, decoding.limits);
        Ok(match decoding.choice {
            Choice::Never => Box::new(plain),
            Choice::Always(codec) => decoded(plain, Some(codec), decoding.limits),
            Choice::Detect => {
                let front = Front::of(Box::new(plain), Codec::DETECT_BYTES)?;
                let codec = recognise::codec(front.first(), name)?;
                decoded(front, codec, decoding.limits)
            }
        })
    }

    /// The pieces of a compressed file, to be decoded by `workers` at once. `None` where it has none to be read from front
    /// to back.
    ///
    /// # Errors
    /// When the file cannot be shared between readers.
    pub fn pieces(
        &self,
        codec: Codec,
        limits: DecodeLimits,
        workers: usize,
        access: &Access,
    ) -> Result<Option<Arc<Pieces>>, Error> {
        let store = self.store.share().map_err(Error::Open)?;
        let packed = Self::stretch_of(store, self.start, self.bytes);
        Ok(Pieces::of(packed, codec, limits, workers, access).map(Arc::new))
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
        let pipe = Pipe::new(coming, Arc::clone(&access.stop));
        let decoded = |codec, bytes| Box::new(Decoder::trickle(codec, bytes, decoding.limits));
        Ok(match decoding.choice {
            Choice::Never => Box::new(pipe),
            Choice::Always(codec) => decoded(codec, Box::new(pipe)),
            Choice::Detect => {
                let is_decided = |first: &[u8]| {
                    first.len() >= Codec::MAGIC_BYTES_MAX || !Codec::is_undecided(first)
                };
                let front = Front::until(Box::new(pipe), Codec::DETECT_BYTES, is_decided)?;
                match recognise::codec(front.first(), name)? {
                    Some(codec) => decoded(codec, Box::new(front)),
                    None => Box::new(front),
                }
            }
        })
    }

    /// Checks that the file is still the one that was opened, unchanged. Called after the last read.
    ///
    /// # Errors
    /// When its size or times are not what they were.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        if self.is_pipe { Ok(()) } else { self.store.check_unchanged() }
    }
}

/// Whether it is a FIFO, which from then on is waited for: by who asks first whether there is something to read.
fn is_fifo(file: &File, stat: &Stat, regular: Result<(), Refusal>) -> Result<bool, Error> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
        return Ok(regular.map(|()| false)?);
    }
    let waiting = fcntl_getfl(file).and_then(|now| fcntl_setfl(file, now - OFlags::NONBLOCK));
    waiting.map(|()| true).map_err(|error| Error::Open(error.into()))
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
    fn held_bytes(&self) -> u64 {
        Self::held_bytes(self)
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        Ok(self.read_some(into)?)
    }

    fn stored(&self) -> u64 {
        self.compressed()
    }

    fn sound(&self) -> u64 {
        Self::sound(self)
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Error> {
        Ok(Self::is_ready(self, within)?)
    }
}
