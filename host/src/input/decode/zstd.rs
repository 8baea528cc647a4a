//! Zstandard (RFC 8878): any number of frames, skippable ones among them.

use zstd_safe::zstd_sys::ZSTD_ErrorCode as Code;
use zstd_safe::{
    DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name, is_error_kind,
};

use super::magic::{ZSTD, is_cut_off, is_skippable};
use super::{Begin, Decoded, Engine, Fault, Feed};

pub(super) struct Zstd {
    context: DCtx<'static>,
    window_log_max: u32,
    step: Step,
}

/// What the library is given in one call. Where a call fails it does not say what it wrote before,
/// so a call that may fail is to write nothing before it does: then an error is reported at the
/// same place for any size of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// All that is there: of a frame that was not begun, and that is read again in parts if this
    /// fails.
    Frame,
    /// The rest of a block, of its header or of what else comes next: so many bytes.
    Part(usize),
    /// Nothing: there was no room for all of the last block.
    Flush,
}

/// RFC 8878 section 3.1.1.2: the header of a block. The library asks for it together with the block
/// before it.
const BLOCK_HEADER_BYTES: usize = 3;

/// RFC 8878 section 3.1.1: the least that a frame begins with.
const FRAME_HEADER_BYTES_MIN: usize = 6;

/// What a context takes beside its window: tables, and blocks on their way in and out.
const CONTEXT_BYTES: u64 = 416 << 10;

impl Zstd {
    pub(super) fn new(window_log_max: u32) -> Self {
        let mut context = DCtx::create();
        // Fails only outside of 10 to 31: then the library's own limit, 27, stays.
        let _ = context.set_parameter(DParameter::WindowLogMax(window_log_max));
        Self { context, window_log_max, step: Step::Frame }
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
            Some(magic) if *magic == ZSTD => {
                self.step = Step::Frame;
                Ok(Begin::Member)
            }
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
        let held = feed.held();
        let given = match self.step {
            Step::Frame => held,
            Step::Part(bytes) => held.get(..bytes).unwrap_or(held),
            Step::Flush => &[],
        };
        let mut input = InBuffer::around(given);
        let mut output = OutBuffer::around(into);
        let left = self.context.decompress_stream(&mut output, &mut input);
        let (taken, bytes) = (input.pos(), output.pos());
        let left = match left {
            Err(_) if self.step == Step::Frame => {
                self.context.reset(ResetDirective::SessionOnly).map_err(|code| self.fault(code))?;
                self.step = Step::Part(FRAME_HEADER_BYTES_MIN);
                return Ok(Decoded::More(0));
            }
            left => left.map_err(|code| self.fault(code))?,
        };
        feed.take(taken);
        if left == 0 {
            return Ok(Decoded::Last(bytes));
        }
        if ended && bytes == 0 {
            return Err(Fault::Truncated);
        }
        let next = if left > BLOCK_HEADER_BYTES { left - BLOCK_HEADER_BYTES } else { left };
        self.step = if bytes == room { Step::Flush } else { Step::Part(next) };
        Ok(Decoded::some(bytes, room))
    }

    fn held_bytes(&self, decoded: u64) -> u64 {
        (self.context.sizeof() as u64).min(decoded.saturating_add(CONTEXT_BYTES))
    }
}
