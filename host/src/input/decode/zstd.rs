//! Zstandard (RFC 8878): any number of frames, skippable ones among them.

use zstd_safe::zstd_sys::ZSTD_ErrorCode as Code;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name, is_error_kind};

use super::codec::{ZSTD, is_cut_off, is_skippable};
use super::{Begin, Decoded, Engine, Fault, Feed};

pub(super) struct Zstd {
    context: DCtx<'static>,
    window_log_max: u32,
}

impl Zstd {
    pub(super) fn new(window_log_max: u32) -> Self {
        let mut context = DCtx::create();
        // Fails only outside of 10 to 31: then the library's own limit, 27, stays.
        let _ = context.set_parameter(DParameter::WindowLogMax(window_log_max));
        Self { context, window_log_max }
    }

    fn fault(&self, code: usize) -> Fault {
        let is = |kind| is_error_kind(code, kind);
        if is(Code::ZSTD_error_frameParameter_windowTooLarge) {
            return Fault::Window { bytes_max: 1 << self.window_log_max };
        }
        if is(Code::ZSTD_error_checksum_wrong) {
            return Fault::Checksum("content checksum of a frame");
        }
        if is(Code::ZSTD_error_dictionary_wrong) {
            return Fault::Unsupported("a dictionary");
        }
        Fault::Corrupt(get_error_name(code))
    }
}

impl Engine for Zstd {
    fn begin(&mut self, feed: &mut Feed, _first: bool) -> Result<Begin, Fault> {
        let magic = feed.ahead(4)?;
        match magic.first_chunk() {
            Some(magic) if *magic == ZSTD => Ok(Begin::Member),
            Some(magic) if is_skippable(*magic) => {
                feed.take(4);
                let length = u32::from_le_bytes(feed.array()?);
                feed.skip(u64::from(length))?;
                Ok(Begin::Skipped)
            }
            None if is_cut_off(magic, &ZSTD) => Err(Fault::Truncated),
            _ => Ok(Begin::NotOurs),
        }
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        let (ended, room) = (feed.is_over(), into.len());
        let mut input = InBuffer::around(feed.held());
        let mut output = OutBuffer::around(into);
        let left = self.context.decompress_stream(&mut output, &mut input);
        let (taken, bytes) = (input.pos(), output.pos());
        feed.take(taken);
        match left.map_err(|code| self.fault(code))? {
            0 => Ok(Decoded::Last(bytes)),
            _ if ended && bytes == 0 => Err(Fault::Truncated),
            _ => Ok(Decoded::some(bytes, room)),
        }
    }
}
