//! bzip2: any number of streams. Block and stream checksums are compared by the crate.

use bzip2::{Decompress, Status};

use super::magic::{BZIP2, is_cut_off};
use super::{Begin, Decoded, Engine, Fault, Feed, moved};

pub(super) struct Bzip2 {
    /// Made anew for every stream, as it cannot be reset. `None` before the first.
    stream: Option<Decompress>,
    /// Bytes of a block, as the header of the stream says.
    block_bytes: u64,
}

impl Bzip2 {
    pub(super) fn new() -> Self {
        Self { stream: None, block_bytes: 0 }
    }
}

impl Engine for Bzip2 {
    fn begin(&mut self, feed: &mut Feed, _first: bool) -> Result<Begin, Fault> {
        let magic = feed.ahead(BZIP2.len())?;
        if is_cut_off(magic, &BZIP2) {
            return Err(Fault::Truncated);
        }
        if !magic.starts_with(&BZIP2) {
            return Ok(Begin::NotOurs);
        }
        // The digit behind the magic: so many times 100,000 bytes.
        let digit = feed.ahead(BZIP2.len() + 1)?.get(BZIP2.len()).map_or(9, |digit| digit & 0xF);
        self.block_bytes = u64::from(digit.min(9)) * 100_000;
        self.stream = Some(Decompress::new(false));
        Ok(Begin::Member)
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        let Some(stream) = &mut self.stream else { return Err(Fault::Corrupt("no stream header")) };
        let (taken, written) = (stream.total_in(), stream.total_out());
        let ended = feed.is_over();
        let held = feed.held();
        let status = stream.decompress(held, into);
        feed.take(moved(taken, stream.total_in()));
        let bytes = moved(written, stream.total_out());
        Ok(match status {
            Ok(Status::StreamEnd) => Decoded::Last(bytes),
            Ok(Status::MemNeeded) => return Err(Fault::Corrupt("no memory for a block")),
            Ok(_) if ended && bytes == 0 => return Err(Fault::Truncated),
            Ok(_) => Decoded::some(bytes, into.len()),
            Err(_) => {
                let fault = Fault::Corrupt("invalid block, or its CRC-32 does not match");
                Decoded::Failed(bytes, fault)
            }
        })
    }

    /// A word for each byte of a block, and the tables of the library.
    fn held_bytes(&self, decoded: u64) -> u64 {
        4 * self.block_bytes.min(decoded) + (64 << 10)
    }
}
