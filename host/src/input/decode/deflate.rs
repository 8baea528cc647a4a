//! Deflate: one stream, bare (RFC 1951), with no header and no checksum, or with those of zlib (RFC
//! 1950).

use flate2::{Decompress, FlushDecompress, Status};

use super::{Begin, Decoded, Engine, Fault, Feed, moved};

/// RFC 1951: a window of 32 KiB, and the tables of the library.
pub(super) const INFLATE_BYTES: u64 = 48 << 10;

/// Whether `first_bytes` are the header of zlib, or the beginning of it (RFC 1950 section 2.2):
/// deflate in CM, a window of at most 32 KiB, and a check of five bits.
pub(super) fn may_begin(first_bytes: &[u8]) -> bool {
    match first_bytes {
        &[method, flags, ..] => {
            let is_deflate = method & 0x0f == 8 && method >> 4 <= 7;
            let has_dictionary = flags & 0x20 != 0;
            let check = u16::from_be_bytes([method, flags]);
            is_deflate && !has_dictionary && check.is_multiple_of(31)
        }
        [method] => method & 0x0f == 8,
        [] => true,
    }
}

pub(super) struct Deflate {
    inflate: Decompress,
    wrapping: Wrapping,
}

/// What stands around the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    None,
    Zlib,
}

impl Deflate {
    pub(super) fn bare() -> Self {
        Self { inflate: Decompress::new(false), wrapping: Wrapping::None }
    }

    pub(super) fn zlib() -> Self {
        Self { inflate: Decompress::new(true), wrapping: Wrapping::Zlib }
    }
}

impl Engine for Deflate {
    fn begin(&mut self, feed: &mut Feed, first: bool) -> Result<Begin, Fault> {
        let zlib = self.wrapping == Wrapping::Zlib;
        if !first || zlib && !may_begin(feed.ahead(2)?) {
            return Ok(Begin::NotOurs);
        }
        self.inflate.reset(zlib);
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
            Err(_) if self.wrapping == Wrapping::Zlib => {
                Decoded::Failed(bytes, Fault::Corrupt("invalid deflate data, or another Adler-32"))
            }
            Err(_) => Decoded::Failed(bytes, Fault::Corrupt("invalid deflate data")),
        })
    }

    fn held_bytes(&self, _decoded: u64) -> u64 {
        INFLATE_BYTES
    }
}
