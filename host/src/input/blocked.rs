//! A compressed file as bytes at any offset: one whose format lets it be decoded in pieces, and says how long they are.
//!
//! A piece is decoded when bytes of it are asked for, and kept while its neighbours are: there is room for one more than there
//! are workers, so a worker that goes from front to back decodes each once. A few bytes at the front of a piece, which is
//! what finding a record boundary asks for, are decoded alone and not kept.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::decode::{Block, Blocks, Codec, DecodeLimits, Decoder};
use super::{Error, Input};

/// Bytes at the front of a piece that are decoded alone.
const FRONT_BYTES: u64 = 16 << 10;

/// The pieces of one source.
#[derive(Debug)]
pub(super) struct Blocked {
    codec: Codec,
    limits: DecodeLimits,
    pieces: Vec<Piece>,
    bytes: u64,
    /// Chunks that the longest piece is cut into; a shorter one has empty ones.
    chunks_per_piece: u64,
    chunk_bytes: u64,
    keep: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Piece {
    block: Block,
    start: u64,
    bytes: u64,
}

#[derive(Debug, Default)]
struct Kept {
    pieces: VecDeque<(usize, Arc<Vec<u8>>)>,
    decoders: Vec<Decoder>,
}

impl Blocked {
    /// The pieces of a compressed file, for `workers` at once; `None` where it has one or they say not how long they are.
    pub(super) fn of(
        input: &Input,
        codec: Codec,
        limits: DecodeLimits,
        chunk_bytes: u64,
        workers: usize,
    ) -> Option<Self> {
        let mut blocks = Blocks::of(input, codec)?;
        let mut pieces = Vec::new();
        let mut start = 0_u64;
        while let Some(block) = blocks.next(input) {
            let bytes = block.decompressed_bytes?;
            pieces.push(Piece { block, start, bytes });
            start = start.checked_add(bytes)?;
        }
        let within = start <= limits.bytes_max && start / input.bytes().max(1) <= limits.ratio_max;
        let longest = pieces.iter().map(|piece| piece.bytes).max()?;
        (pieces.len() > 1 && within).then(|| Self {
            codec,
            limits,
            pieces,
            bytes: start,
            chunks_per_piece: longest.div_ceil(chunk_bytes).max(1),
            chunk_bytes,
            keep: workers + 1,
            kept: Mutex::default(),
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
    pub(super) fn read_at(&self, input: &Input, into: &mut [u8], offset: u64) -> Result<(), Error> {
        let mut offset = offset;
        let mut into = into;
        while !into.is_empty() && offset < self.bytes {
            let at = self.pieces.partition_point(|piece| piece.start <= offset).saturating_sub(1);
            let Some(piece) = self.pieces.get(at) else { break };
            let skip = offset - piece.start;
            let left = usize::try_from(piece.bytes - skip).unwrap_or(usize::MAX);
            let (now, later) = into.split_at_mut(left.min(into.len()));
            self.read_piece(input, (at, piece), now, skip)?;
            offset += now.len() as u64;
            into = later;
        }
        Ok(())
    }

    fn read_piece(
        &self,
        input: &Input,
        (at, piece): (usize, &Piece),
        into: &mut [u8],
        skip: u64,
    ) -> Result<(), Error> {
        let end = skip + into.len() as u64;
        let kept =
            self.lock().pieces.iter().find(|(index, _)| *index == at).map(|(_, b)| Arc::clone(b));
        let bytes = match kept {
            Some(bytes) => bytes,
            None if end <= FRONT_BYTES && end < piece.bytes => {
                Arc::new(self.decode(input, piece, end)?)
            }
            None => {
                let bytes = Arc::new(self.decode(input, piece, piece.bytes)?);
                let mut kept = self.lock();
                kept.pieces.push_back((at, Arc::clone(&bytes)));
                if kept.pieces.len() > self.keep {
                    kept.pieces.pop_front();
                }
                bytes
            }
        };
        let from = usize::try_from(skip).unwrap_or(usize::MAX);
        let bytes = bytes.get(from..).and_then(|rest| rest.get(..into.len())).unwrap_or_default();
        into.copy_from_slice(bytes);
        Ok(())
    }

    /// The first `bytes` bytes of a piece; all of them are checked where all are asked for.
    fn decode(&self, input: &Input, piece: &Piece, bytes: u64) -> Result<Vec<u8>, Error> {
        let Piece { block, .. } = piece;
        let mut packed = vec![0; usize::try_from(block.compressed_bytes).unwrap_or(usize::MAX)];
        input.read_packed_at(&mut packed, block.compressed_offset)?;
        let decoder = self.lock().decoders.pop();
        let mut decoder = decoder
            .unwrap_or_else(|| Decoder::new(self.codec, Box::new(std::io::empty()), self.limits));
        decoder.turn_to_block(block, Box::new(Cursor::new(packed)));
        // Room for one byte more: a piece that is longer than it says is an error, not cut off.
        let most = usize::try_from(bytes).unwrap_or(usize::MAX);
        let more = usize::from(bytes == piece.bytes);
        let mut plain = vec![0; most.saturating_add(more)];
        let got = decoder.read(&mut plain)?;
        if got == most && more > 0 {
            decoder.read(&mut [0])?;
        }
        if got != most {
            let message = format!("a piece has {got} bytes where it says {bytes}");
            return Err(Error::Read { offset: piece.start, error: std::io::Error::other(message) });
        }
        plain.truncate(most);
        self.lock().decoders.push(decoder);
        Ok(plain)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
