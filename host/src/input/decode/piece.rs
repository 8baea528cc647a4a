//! A piece of a source, decoded by itself, with what it takes to tell whether a decoder from the
//! front would have got there.

use std::io::Read;

use crate::settings::limits::DECODE_PIECE_BYTES_MAX;

use super::{Block, Decoder};
use crate::slices;
use crate::stats::Held;

/// Decoded at once: the step in which a decoder looks at its limits.
const STEP_BYTES: usize = 1 << 20;

/// A decoded piece.
#[derive(Debug)]
pub(in super::super) struct DecodedBlock {
    pub(super) block: Block,
    buffer: Held,
    length: usize,
    /// Members that it has, as they count for the limit.
    pub(super) members: u64,
    /// Whether it ends in padding, behind which nothing is to come.
    pub(super) padded: bool,
}

impl DecodedBlock {
    /// Decodes `block`, whose compressed bytes are what `source` gives, into `buffer`. `None` where
    /// it cannot be decoded by itself, for whatever reason, or more comes out than is held for a
    /// piece.
    pub(in super::super) fn decode(
        decoder: &mut Decoder,
        block: Block,
        source: Box<dyn Read + Send>,
        buffer: Held,
    ) -> Option<Self> {
        decoder.turn_to_block(&block, source);
        let mut piece = Self { block, buffer, length: 0, members: 0, padded: false };
        piece.reserve();
        loop {
            let got = decoder.read(piece.room()).ok()?;
            if got == 0 {
                break;
            }
            piece.length += got;
            if piece.length as u64 > DECODE_PIECE_BYTES_MAX {
                return None;
            }
        }
        (piece.members, piece.padded) = (decoder.members(), decoder.ended_in_padding());
        Some(piece)
    }

    /// Takes no more memory than it needs, where that is known.
    fn reserve(&mut self) {
        let known = self.block.decompressed_bytes.filter(|&bytes| bytes <= DECODE_PIECE_BYTES_MAX);
        if let Some(bytes) = known.and_then(|bytes| usize::try_from(bytes).ok()) {
            let missing = (bytes + STEP_BYTES).saturating_sub(self.buffer.len());
            self.buffer.change(|bytes| bytes.reserve_exact(missing));
        }
    }

    fn room(&mut self) -> &mut [u8] {
        let want = self.length + STEP_BYTES;
        if self.buffer.len() < want {
            self.buffer.change(|bytes| bytes.resize(want, 0));
        }
        slices::part_mut(&mut self.buffer, self.length..want)
    }

    /// What came out of it.
    pub(in super::super) fn bytes(&self) -> &[u8] {
        slices::part(&self.buffer, ..self.length)
    }

    /// The buffer, for another piece.
    pub(in super::super) fn into_buffer(self) -> Held {
        self.buffer
    }
}
