//! The pieces of a compressed file, read as the one stream that they are.
//!
//! That pieces begin where they were found to is only advice. While each decodes by itself and
//! follows the one before, they are what comes out; from the first that does not, a decoder goes on
//! from the last whole member, in little memory, and what it says is what becomes of the source, as
//! if there had been no pieces.

use std::io;
use std::sync::Arc;

use super::block_queue::{BlockQueue, Next};
use super::decode::{BlockSpan, Chain, DecodedBlock, Decoder};
use super::{Bytes, Error};
use crate::settings::limits::DECODE_READ_BYTES;
use crate::slices;

impl BlockQueue {
    /// What comes out of all of them, from front to back. Read once.
    pub fn read(self: &Arc<Self>) -> Box<dyn Bytes> {
        Box::new(SequentialBlocks::new(Arc::clone(self)))
    }
}

/// Reads pieces in their order.
pub(super) struct SequentialBlocks {
    pieces: Arc<BlockQueue>,
    chain: Chain,
    /// What is being read, and how far it has been.
    piece: Option<(Box<DecodedBlock>, usize)>,
    /// What goes on where pieces were of no use.
    decoder: Option<Decoder>,
    /// Where that began, in the compressed bytes.
    resumed: u64,
}

impl SequentialBlocks {
    fn new(pieces: Arc<BlockQueue>) -> Self {
        let chain = Chain::new(pieces.limits(), pieces.input().bytes());
        Self { pieces, chain, piece: None, decoder: None, resumed: 0 }
    }

    /// Copies what is left of the piece that is being read.
    fn copy(&mut self, into: &mut [u8]) -> usize {
        let Some((piece, at)) = &mut self.piece else { return 0 };
        let left = slices::part(piece.bytes(), *at..);
        let got = left.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..got), left.get(..got)) {
            into.copy_from_slice(from);
        }
        *at += got;
        if *at == piece.bytes().len()
            && let Some((piece, _)) = self.piece.take()
        {
            self.pieces.give_back(*piece);
        }
        got
    }

    /// Goes on without pieces. What has been read already, since the last whole member, comes out
    /// once more.
    fn go_on_alone(&mut self, read: u64) -> Result<(), Error> {
        self.pieces.close();
        let resume = self.chain.resume();
        self.resumed = resume.compressed;
        let source = BlockSpan::new(Arc::clone(self.pieces.input()), resume.compressed, u64::MAX);
        let (codec, limits) = (self.pieces.codec(), self.pieces.limits());
        let source_bytes = self.pieces.input().bytes();
        let decoder = Decoder::resumed(codec, Box::new(source), limits, resume);
        let mut decoder = decoder.within(source_bytes);
        let mut left = usize::try_from(read - resume.decompressed).unwrap_or(usize::MAX);
        let mut scratch = vec![0; DECODE_READ_BYTES.min(left)];
        while left > 0 {
            let most = left.min(scratch.len());
            let got = decoder.read(slices::part_mut(&mut scratch, ..most))?;
            if got == 0 {
                break;
            }
            left -= got;
        }
        self.decoder = Some(decoder);
        Ok(())
    }
}

impl Bytes for SequentialBlocks {
    fn held_bytes(&self) -> u64 {
        self.decoder.as_ref().map_or(0, Decoder::held_bytes) // pieces are charged by themselves
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                return Ok(decoder.read(into)?);
            }
            let got = self.copy(into);
            if got > 0 || into.is_empty() {
                return Ok(got);
            }
            let read = self.chain.decompressed();
            match self.pieces.next() {
                Next::Block(piece) if self.chain.take(&piece) => {
                    self.piece = Some((piece, 0));
                }
                Next::End if self.chain.is_whole() => return Ok(0),
                Next::Block(_) | Next::Failed | Next::End => self.go_on_alone(read)?,
                Next::Stopped => {
                    let error = io::Error::from(io::ErrorKind::Interrupted);
                    return Err(Error::Read { offset: read, error });
                }
            }
        }
    }

    fn sound(&self) -> u64 {
        let sound = self.chain.sound();
        self.decoder.as_ref().map_or(sound, |decoder| decoder.sound().max(sound))
    }

    fn stored(&self) -> u64 {
        match &self.decoder {
            Some(decoder) => self.resumed + decoder.compressed(),
            None => self.chain.resume().compressed,
        }
    }
}

#[cfg(test)]
mod tests;
