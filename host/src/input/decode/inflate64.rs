//! Deflate64 (APPNOTE.TXT 6.3.10, section 4.4.5, method 9): one stream of a zip file, with no
//! header and no checksum.

use deflate64::InflaterManaged;

use super::{Begin, Decoded, Engine, Fault, Feed};

/// A window of 64 KiB, as much again on its way out, and tables.
const INFLATE64_BYTES: u64 = 320 << 10;

pub(super) struct Deflate64 {
    inflate: Box<InflaterManaged>,
}

impl Deflate64 {
    pub(super) fn new() -> Self {
        Self { inflate: Box::new(InflaterManaged::new()) }
    }
}

impl Engine for Deflate64 {
    fn begin(&mut self, _feed: &mut Feed, first: bool) -> Result<Begin, Fault> {
        if !first {
            return Ok(Begin::NotOurs);
        }
        *self.inflate = InflaterManaged::new();
        Ok(Begin::Member)
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        let held = feed.peek()?;
        let ended = held.is_empty();
        let result = self.inflate.inflate(held, into);
        feed.take(result.bytes_consumed);
        let bytes = result.bytes_written;
        if result.data_error || self.inflate.errored() {
            return Ok(Decoded::Failed(bytes, Fault::Corrupt("invalid deflate64 data")));
        }
        // What it holds back may end in this call, or in one that gives nothing more.
        if self.inflate.finished() && self.inflate.available_output() == 0 {
            return Ok(Decoded::Last(bytes));
        }
        if ended && bytes == 0 {
            return Err(Fault::Truncated);
        }
        Ok(Decoded::some(bytes, into.len()))
    }

    fn held_bytes(&self, _decoded: u64) -> u64 {
        INFLATE64_BYTES
    }
}
