//! A compressed file as bytes at any offset: one whose format lets it be decoded in pieces, and
//! says how long they are.
//!
//! A piece is decoded when bytes of it are asked for, and kept for a while: there is room for two a
//! worker, the one that it is at and the one that the last record of that runs into, so a worker
//! that goes from front to back decodes each once. Who only looks at the front of a piece, which
//! somebody else is at, decodes no more than that. Buffers and decoders are reused.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::decode::{Block, Blocks, Codec, DecodeLimits, Decoder};
use super::{Error, Input};
use crate::settings::limits::{DECODE_PIECE_BYTES_MAX, DECODE_RATIO_FREE_BYTES};
use crate::slices;
use crate::stats::{Charge, Held, MemoryBudget};

/// Who asks for the bytes of a piece, and so whether they are asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Who goes on to read the rest.
    Read,
    /// Who looks where a record ends that began before.
    Peek,
}

/// The pieces of one source.
#[derive(Debug)]
pub(super) struct BlockIndex {
    codec: Codec,
    limits: DecodeLimits,
    pieces: Vec<CachedBlock>,
    bytes: u64,
    /// Chunks that the longest piece is cut into; a shorter one has empty ones.
    chunks_per_piece: u64,
    chunk_bytes: u64,
    keep: usize,
    kept: Mutex<Kept>,
    memory: Arc<MemoryBudget>,
}

#[derive(Debug)]
struct CachedBlock {
    block: Block,
    start: u64,
    bytes: u64,
}

/// Whether so many bytes may come out of so many.
fn is_within(limits: DecodeLimits, bytes: u64, packed: u64) -> bool {
    bytes <= DECODE_RATIO_FREE_BYTES || bytes <= packed.saturating_mul(limits.ratio_max)
}

/// A buffer that is given back when its reader is done with it.
struct Shared(Arc<Held>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// What is left of a piece to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    More,
    Done,
}

#[derive(Debug)]
struct Kept {
    /// The first is the first to go.
    pieces: VecDeque<(usize, Arc<Held>)>,
    decoders: Vec<(Decoder, Charge)>,
    buffers: Vec<Held>,
}

impl Kept {
    fn put(&mut self, piece: (usize, Arc<Held>), after: After) {
        match after {
            After::Done => self.pieces.push_front(piece),
            After::More => self.pieces.push_back(piece),
        }
    }
}

impl BlockIndex {
    /// The pieces of a compressed file, for `workers` at once. `None` where it has one, where they
    /// say not how long they are, or where a limit is near: read from its front, such a file meets
    /// it at the right place, in little memory.
    pub(super) fn of(
        input: &Input,
        codec: Codec,
        limits: DecodeLimits,
        chunk_bytes: u64,
        workers: usize,
        memory: &Arc<MemoryBudget>,
    ) -> Option<Self> {
        let mut blocks = Blocks::of(input, codec)?;
        let mut pieces = Vec::new();
        let (mut start, mut members) = (0_u64, 0_u64);
        while let Some(block) = blocks.next(input) {
            let bytes = block.decompressed_bytes?;
            let packed_so_far = block.compressed_offset.saturating_add(block.compressed_bytes);
            let end = start.checked_add(bytes)?;
            members = members.checked_add(block.members)?;
            let fine = bytes <= DECODE_PIECE_BYTES_MAX
                && end <= limits.bytes_max
                && members <= limits.members_max
                && is_within(limits, bytes, block.compressed_bytes)
                && is_within(limits, end, packed_so_far);
            if !fine {
                return None;
            }
            pieces.push(CachedBlock { block, start, bytes });
            start = end;
        }
        let longest = pieces.iter().map(|piece| piece.bytes).max()?;
        (pieces.len() > 1).then(|| Self {
            codec,
            limits,
            pieces,
            bytes: start,
            chunks_per_piece: longest.div_ceil(chunk_bytes).max(1),
            chunk_bytes,
            keep: 2 * workers,
            kept: Mutex::new(Kept {
                pieces: VecDeque::new(),
                decoders: Vec::new(),
                buffers: Vec::new(),
            }),
            memory: Arc::clone(memory),
        })
    }

    /// Decompressed size.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Chunks that are decoded together.
    pub(super) fn chunks_per_piece(&self) -> u64 {
        self.chunks_per_piece
    }

    pub(super) fn chunks(&self) -> u64 {
        self.chunks_per_piece.saturating_mul(self.pieces.len() as u64)
    }

    /// Where a chunk nominally begins.
    pub(super) fn nominal(&self, index: u64) -> u64 {
        let (piece, chunk) = (index / self.chunks_per_piece, index % self.chunks_per_piece);
        let piece = usize::try_from(piece).ok().and_then(|at| self.pieces.get(at));
        piece.map_or(self.bytes, |piece| {
            piece.start + self.chunk_bytes.saturating_mul(chunk).min(piece.bytes)
        })
    }

    /// Fills `into` with the decompressed bytes at `offset`; what is past the end is left as it is.
    pub(super) fn read_at(
        &self,
        input: &Input,
        into: &mut [u8],
        offset: u64,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let (mut offset, mut into, mut purpose) = (offset, into, purpose);
        while !into.is_empty() && offset < self.bytes {
            let at = self.pieces.partition_point(|piece| piece.start <= offset).saturating_sub(1);
            let Some(piece) = self.pieces.get(at) else { break };
            let skip = offset - piece.start;
            let left = usize::try_from(piece.bytes - skip).unwrap_or(usize::MAX);
            let (now, later) = into.split_at_mut(left.min(into.len()));
            self.read_piece(input, at, now, skip, purpose)?;
            offset += now.len() as u64;
            into = later;
            // What runs over into the next piece is the end of a record: somebody else may be at
            // the rest of it.
            purpose = Purpose::Peek;
        }
        Ok(())
    }

    fn read_piece(
        &self,
        input: &Input,
        at: usize,
        into: &mut [u8],
        skip: u64,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let Some(piece) = self.pieces.get(at) else { return Ok(()) };
        let end = skip + into.len() as u64;
        let after = if end == piece.bytes { After::Done } else { After::More };
        let kept = self.kept(at, after);
        let whole = kept.is_none() && purpose == Purpose::Read;
        let end = if whole { piece.bytes } else { end };
        let bytes = match kept {
            Some(bytes) => bytes,
            None => Arc::new(self.decode(input, piece, end)?),
        };
        let from = usize::try_from(skip).unwrap_or(usize::MAX);
        let asked_for = slices::within(&bytes, from..from.saturating_add(into.len()));
        let offset = piece.start + skip;
        into.copy_from_slice(
            asked_for.map_err(|error| Error::Read { offset, error: error.into() })?,
        );
        if whole {
            self.keep(at, bytes, after);
        }
        Ok(())
    }

    /// The first `bytes` bytes of a piece; all of them are checked where all are asked for.
    fn decode(&self, input: &Input, piece: &CachedBlock, bytes: u64) -> Result<Held, Error> {
        let CachedBlock { block, .. } = piece;
        let (decoder, mut packed, mut plain) = self.take();
        packed.change(|packed| {
            packed.resize(usize::try_from(block.compressed_bytes).unwrap_or(usize::MAX), 0);
        });
        input.read_packed_at(&mut packed, block.compressed_offset)?;
        let fresh = || Decoder::new(self.codec, Box::new(std::io::empty()), self.limits);
        let fresh = || (fresh().within(input.bytes), self.memory.hold(0));
        let (mut decoder, mut held) = decoder.unwrap_or_else(fresh);
        let packed = Arc::new(packed);
        decoder.turn_to_block(block, Box::new(Cursor::new(Shared(Arc::clone(&packed)))));
        plain.change(|plain| plain.resize(usize::try_from(bytes).unwrap_or(usize::MAX), 0));
        held.set(decoder.held_bytes());
        let got = decoder.read(&mut plain)?;
        // A piece that is longer than it says is an error, not cut off.
        let more = if bytes == piece.bytes { decoder.read(&mut [0])? } else { 0 };
        if got < plain.len() || more > 0 {
            let message = format!("a piece does not have the {bytes} bytes that it says");
            return Err(Error::Read { offset: piece.start, error: std::io::Error::other(message) });
        }
        held.set(decoder.held_bytes());
        decoder.turn_to(Box::new(std::io::empty()));
        let mut kept = self.lock();
        kept.decoders.push((decoder, held));
        kept.buffers.extend(Arc::into_inner(packed));
        Ok(plain)
    }

    fn take(&self) -> (Option<(Decoder, Charge)>, Held, Held) {
        let mut kept = self.lock();
        let mut buffer = || kept.buffers.pop().unwrap_or_else(|| Held::buffer(&self.memory));
        let (packed, plain) = (buffer(), buffer());
        (kept.decoders.pop(), packed, plain)
    }

    /// A piece that is kept.
    fn kept(&self, at: usize, after: After) -> Option<Arc<Held>> {
        let mut kept = self.lock();
        let place = kept.pieces.iter().position(|(index, _)| *index == at)?;
        let found = kept.pieces.remove(place)?;
        let bytes = Arc::clone(&found.1);
        kept.put(found, after);
        Some(bytes)
    }

    fn keep(&self, at: usize, bytes: Arc<Held>, after: After) {
        let mut kept = self.lock();
        kept.put((at, bytes), after);
        if kept.pieces.len() > self.keep
            && let Some((_, oldest)) = kept.pieces.pop_front()
        {
            kept.buffers.extend(Arc::into_inner(oldest));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock()
    }
}
