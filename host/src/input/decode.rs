//! Decompression: which codec a source is in, its bytes as a stream, and bounds on what may come
//! out.
//!
//! A [`Decoder`] reads members, frames or streams one after the other, checks every checksum the
//! format has, and ends in a named error on anything else than a whole, well-formed source. Memory
//! is bounded by the format's window (see [`DecodeLimits`]) and one read buffer. Knows nothing of
//! records, threads or sandboxes.

mod blocks;
mod brotli;
mod bzip2;
mod chain;
mod checked;
mod codec;
mod decoder;
mod deflate;
mod error;
mod extension;
mod feed;
mod foreign;
mod gzip;
mod inflate64;
mod limits;
mod lz4;
mod lzma;
mod magic;
mod piece;
mod recognise;
mod snappy;
mod unmarked;
mod xz;
mod zstd;

pub use blocks::{Block, BlockSpan, Blocks};
pub(super) use chain::Chain;
pub use codec::{Codec, UnknownCodec};
pub use decoder::Decoder;
pub use error::DecodeError;
pub use feed::Trickle;
pub use limits::DecodeLimits;
pub(super) use piece::DecodedBlock;
pub use recognise::is_said;
pub(super) use recognise::{detect, detect_nameless};

pub(super) use checked::{Checked, Expected};
pub(super) use codec::shown;
pub(super) use extension::extension;
pub(super) use flate2::Crc;

use error::Fault;
use feed::Feed;

/// One format: turns the compressed bytes of a source into decompressed ones.
///
/// Called by the [`Decoder`] only, in turns: [`begin`](Self::begin) until there is a member, then
/// [`decode`](Self::decode) until it is over. Not called again after a fault.
trait Engine: Send {
    /// Called where a member may begin, with at least one byte there to look at. `first`: at the
    /// start of the source.
    fn begin(&mut self, feed: &mut Feed, first: bool) -> Result<Begin, Fault>;

    /// Decodes more of the member into `into`, which is not empty. What the feed holds is nothing
    /// only after [`Decoded::More`], and at the end of the source.
    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault>;

    /// Bytes of memory that it holds, `decoded` bytes of its source having come out: of a window,
    /// what of it has been written.
    fn held_bytes(&self, decoded: u64) -> u64;

    /// Whether nothing more of the member can come out before more goes in than what is `held`: but
    /// for a start, which may be as good as nothing.
    fn starves(&self, held: &[u8]) -> bool {
        held.is_empty()
    }
}

/// What there is where a member may begin.
enum Begin {
    /// A member, whose beginning was taken as far as the engine cares.
    Member,
    /// Something to be skipped, which was taken: another member may follow.
    Skipped,
    /// Padding up to the end of the source, which was taken.
    End,
    /// Nothing that belongs to the format.
    NotOurs,
}

/// The result of one call: how many bytes, and what follows them.
enum Decoded {
    /// More of the member, and all that what went in so far gives.
    Some(usize),
    /// More of the member, of which there may be still more before anything goes in.
    More(usize),
    /// The end of the member.
    Last(usize),
    /// Nothing that can be decoded.
    Failed(usize, Fault),
}

impl Decoded {
    /// Of a codec that says not whether it was stopped by the end of the room or of what it was
    /// given.
    fn some(bytes: usize, room: usize) -> Self {
        if bytes == room { Self::More(bytes) } else { Self::Some(bytes) }
    }
}

/// How far a codec's running total moved in one call, which fits into the call's buffer.
fn moved(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "../../../tests/support/pack.rs"]
#[expect(dead_code, reason = "most of it is for tests of the whole host")]
mod pack;
#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
