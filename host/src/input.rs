//! Opened sources: their bytes at any offset, and where records begin in them.
//!
//! An input is identified when it is opened; bytes that are read later come from that same,
//! unchanged file or object, or the read is an error. Knows nothing of sandboxes or threads: any
//! number of threads may read one input at once.

mod archive;
mod block_index;
mod block_queue;
mod boundary;
mod conversion;
mod csv;
mod cut;
mod decode;
mod encoding;
mod error;
mod framing;
mod front;
mod fronts;
mod growth;
mod holes;
mod identity;
mod lines;
mod mapped;
mod mark;
mod open;
mod packed;
mod pipe;
mod pseudo;
mod quotes;
mod recognise;
mod remote;
mod sequential_blocks;
mod spool;
mod store;
mod stream;
mod tar_stream;
mod transcoded;
mod utf32;
mod verified;
mod ways;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::settings::Io;
use crate::settings::limits::DECODE_RATIO_FREE_BYTES;
use crate::source::{Globs, Roots};
use crate::stats::MemoryBudget;

pub use crate::remote::allow_private;
pub use archive::member_path;
pub use archive::{Expansion, expand};
pub use block_index::Purpose;
pub use block_queue::BlockQueue;
pub use boundary::Boundary;
pub use csv::Csv;
pub use cut::{Cutter, Scan};
pub use decode::{
    Block, BlockSpan, Blocks, Codec, DecodeError, DecodeLimits, Decoder, Trickle, UnknownCodec,
    is_said,
};
pub use encoding::{Offsets, Text, Transcoding, UnknownEncoding};
pub use error::Error;
pub use framing::{CutsRecords, Framing, FramingError, Prefix};
pub use lines::{LineCount, Lines};
pub use mark::Mark;
pub use open::Opener;
pub use recognise::{Found, Look, archived, is_archive};
pub use remote::{expand_prefixes, hint};
pub use spool::prepare_spools;
pub use stream::{Bytes, Chunk, Stream};
pub use tar_stream::{Member, Members, is_named_tar, is_named_zip};
pub use transcoded::Malformed;
pub use verified::Again;

use block_index::BlockIndex;
use packed::Packed;
use quotes::Quotes;
use store::Store;

/// What is decompressed, and how much may come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoding {
    /// Which sources, with what.
    pub choice: Choice,
    /// Bounds of each.
    pub limits: DecodeLimits,
    /// What becomes of the bytes after that.
    pub transcoding: Transcoding,
    /// Whether archives are looked into.
    pub archives: bool,
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
    /// Set to cancel reads that wait for bytes.
    pub stop: Arc<AtomicBool>,
    /// Where files may be: none is opened elsewhere. What has another name than that of a file is
    /// not held back: standard input, objects and web pages.
    pub roots: Roots,
    /// What the memory is charged to that sources take.
    pub memory: Arc<MemoryBudget>,
    /// Which members of archives are taken, by their names there.
    pub wanted: Arc<Globs>,
    /// What is done about bytes that are no text in their encoding.
    pub malformed: Malformed,
}

/// The bytes of an opened source: of a file, readable at any offset; of a pipe, from its front.
#[derive(Debug)]
pub struct Input {
    store: Store,
    /// The source is this stretch of the store.
    start: u64,
    bytes: u64,
    form: Form,
    /// What a server says that it did to the bytes (RFC 9110 section 8.4), where that is anything.
    coding: Option<Box<str>>,
    /// Whether it is a part of a file that others write to: behind it.
    grows: bool,
    /// For csv that is cut by place: made when the first cut is looked for.
    quotes: OnceLock<Quotes>,
}

/// How the bytes of a source are had.
#[derive(Debug)]
enum Form {
    /// At any offset, as they are stored.
    Plain,
    /// At any offset of what a compressed file is decoded to, in pieces.
    Blocks(BlockIndex),
    /// From the front of a member, which is unpacked.
    Packed(Packed),
    /// When they come: no size, no offsets, no second look.
    Pipe,
}

impl Input {
    /// The `bytes` bytes from `start` on of a store.
    fn stretch_of(store: Store, start: u64, bytes: u64) -> Self {
        let (form, quotes) = (Form::Plain, OnceLock::new());
        Self { store, start, bytes, form, coding: None, grows: false, quotes }
    }

    /// All bytes of a store.
    fn all_of(store: Store, form: Form) -> Self {
        let bytes = store.bytes();
        Self { form, ..Self::stretch_of(store, 0, bytes) }
    }

    /// Whether its first bytes are there, or come, when it is opened: to look at them costs
    /// nothing.
    pub fn is_remote(&self) -> bool {
        matches!(self.store, Store::Object(_) | Store::Front(_))
    }

    /// Whether the bytes come when they come: no size, no offsets, no second look.
    pub fn is_pipe(&self) -> bool {
        matches!(self.form, Form::Pipe)
    }

    /// Checks how large it becomes where its holes are not stored.
    ///
    /// # Errors
    /// When that is more than what comes out of a compressed file may be.
    pub fn check_holes(&self, limits: DecodeLimits) -> Result<(), Error> {
        match &self.store {
            Store::Holed(holed) => holes::check(&holed.sparse, holed.stored, limits),
            _ => Ok(()),
        }
    }

    /// Whether it is a part of a file, which was looked at when it was listed.
    pub fn is_member(&self) -> bool {
        matches!(self.store, Store::Shared(_) | Store::Holed(_))
    }

    /// From now on reads decompressed bytes, decoded in pieces by `workers` at once, if the file
    /// lets itself be read so; says whether it does.
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
        let blocked = BlockIndex::of(self, codec, limits, chunk_bytes, workers, memory);
        // A ratio that is too high is refused by the decoder from the front.
        let most = self.bytes.saturating_mul(limits.ratio_max).max(DECODE_RATIO_FREE_BYTES);
        let Some(blocked) = blocked.filter(|blocked| blocked.bytes() <= most) else { return false };
        self.form = Form::Blocks(blocked);
        true
    }

    /// Whether [`decode_in_pieces`](Self::decode_in_pieces) was said to.
    pub fn is_decoded(&self) -> bool {
        self.blocks().is_some()
    }

    /// The pieces of a compressed file that is decoded so.
    fn blocks(&self) -> Option<&BlockIndex> {
        if let Form::Blocks(blocked) = &self.form { Some(blocked) } else { None }
    }

    /// Size in bytes when it was opened; decompressed, where it is decoded.
    pub fn bytes(&self) -> u64 {
        self.blocks().map_or(self.bytes, BlockIndex::bytes)
    }

    /// How many bytes of the file, as it is stored, are behind so many that are read from it: where
    /// it is decoded, its share.
    pub fn stored(&self, bytes: u64) -> u64 {
        let Some(blocked) = self.blocks() else { return bytes };
        let share = u128::from(self.bytes) * u128::from(bytes);
        let share = share.checked_div(u128::from(blocked.bytes())).unwrap_or_default();
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    /// How many neighbouring chunks are best read by one worker.
    pub fn chunks_at_once(&self) -> u64 {
        self.blocks().map_or(1, BlockIndex::chunks_per_piece)
    }

    /// Fills `into` with the bytes at `offset`.
    ///
    /// # Errors
    /// When they cannot be read or are there no more.
    pub fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        self.read_asked(into, offset, Purpose::Read)
    }

    fn read_asked(&self, into: &mut [u8], offset: u64, purpose: Purpose) -> Result<(), Error> {
        match &self.form {
            Form::Blocks(blocked) => blocked.read_at(self, into, offset, purpose),
            _ => self.store.read_at(into, self.start + offset, purpose),
        }
    }

    /// The same, of the source as it is stored.
    fn read_packed_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        self.store.read_at(into, self.start + offset, Purpose::Read)
    }

    /// Which of its offsets are within quotes. Called with one kind of CSV and one chunk size.
    fn quotes(&self, csv: Csv, chunk_bytes: u64) -> &Quotes {
        self.quotes.get_or_init(|| Quotes::new(csv, self.bytes(), chunk_bytes))
    }

    /// From now on begins so many bytes later, or at its end; says how many: offsets in the source
    /// are larger by that.
    pub fn pass(&mut self, bytes: usize) -> u64 {
        let bytes = (bytes as u64).min(self.bytes);
        self.start += bytes;
        self.bytes -= bytes;
        bytes
    }

    /// Checks that the file is still the one that was opened, unchanged. Called after the last
    /// read.
    ///
    /// # Errors
    /// When its size or times are not what they were; of a part of a file that grows, both change.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        if self.is_pipe() || self.grows { Ok(()) } else { self.store.check_unchanged() }
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
