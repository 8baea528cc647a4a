//! Bare deflate (RFC 1951): one stream, with no header and no checksum.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Begin, Decoded, Engine, Fault, Feed, moved};

/// RFC 1951: a window of 32 KiB, and the tables of the library.
pub(super) const INFLATE_BYTES: u64 = 48 << 10;

pub(super) struct Deflate {
    inflate: Decompress,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self { inflate: Decompress::new(false) }
    }
}

impl Engine for Deflate {
    fn begin(&mut self, _feed: &mut Feed, first: bool) -> Result<Begin, Fault> {
        if !first {
            return Ok(Begin::NotOurs);
        }
        self.inflate.reset(false);
        Ok(Begin::Member)
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        let (taken, written) = (self.inflate.total_in(), self.inflate.total_out());
        let held = feed.peek()?;
        let ended = held.is_empty();
        let status = self.inflate.decompress(held, into, FlushDecompress::None);
        feed.take(moved(taken, self.inflate.total_in()));
        let bytes = moved(written, self.inflate.total_out());
        Ok(match status {
            Ok(Status::StreamEnd) => Decoded::Last(bytes),
            Ok(_) if ended && bytes == 0 => return Err(Fault::Truncated),
            Ok(_) => Decoded::Some(bytes),
            Err(_) => Decoded::Failed(bytes, Fault::Corrupt("invalid deflate data")),
        })
    }

    fn held_bytes(&self, _decoded: u64) -> u64 {
        INFLATE_BYTES
    }
}
