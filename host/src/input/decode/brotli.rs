//! brotli (RFC 7932): one stream. It has neither a magic number nor a checksum.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Begin, Decoded, Engine, Fault, Feed};

/// What it takes beside its window: the tables of its codes, as they mostly are.
const TABLES_BYTES: u64 = 128 << 10;

pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    written: usize,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        // Strict: a window of 16 MiB at most, as the RFC has it; the "large window" extension goes
        // up to 1 GiB.
        let state = BrotliState::new_strict(alloc(), alloc(), alloc());
        Self { state: Box::new(state), written: 0 }
    }
}

impl Engine for Brotli {
    fn begin(&mut self, _feed: &mut Feed, first: bool) -> Result<Begin, Fault> {
        Ok(if first { Begin::Member } else { Begin::NotOurs })
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        let ended = feed.is_over();
        let held = feed.held();
        let (mut available_in, mut taken) = (held.len(), 0);
        let room = into.len();
        let (mut available_out, mut bytes) = (room, 0);
        let result = BrotliDecompressStream(
            &mut available_in,
            &mut taken,
            held,
            &mut available_out,
            &mut bytes,
            into,
            &mut self.written,
            &mut self.state,
        );
        feed.take(taken);
        match result {
            BrotliResult::ResultSuccess => Ok(Decoded::Last(bytes)),
            BrotliResult::ResultFailure => {
                Ok(Decoded::Failed(bytes, Fault::Corrupt("invalid stream")))
            }
            BrotliResult::NeedsMoreInput if ended && bytes == 0 => Err(Fault::Truncated),
            _ => Ok(Decoded::some(bytes, room)),
        }
    }

    fn held_bytes(&self, decoded: u64) -> u64 {
        let window = u64::try_from(self.state.ringbuffer_size).unwrap_or_default();
        window.min(decoded) + TABLES_BYTES
    }
}
