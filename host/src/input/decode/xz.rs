//! xz (.xz file format 1.2.1): any number of streams, with padding between and behind them.

use liblzma::stream::{Action, Error, Status, Stream, TELL_UNSUPPORTED_CHECK};

use super::codec::{XZ, is_cut_off};
use super::{Begin, Decoded, Engine, Fault, Feed, moved};

pub(super) struct Xz {
    memory_bytes_max: u64,
    /// Made anew for every stream. `None` before the first.
    stream: Option<Stream>,
}

impl Xz {
    pub(super) fn new(memory_bytes_max: u64) -> Self {
        Self { memory_bytes_max, stream: None }
    }

    fn fault(&self, error: Error) -> Fault {
        match error {
            Error::Data => Fault::Corrupt("invalid block, index or check"),
            Error::Format => Fault::Corrupt("not a stream header"),
            Error::Options => Fault::Unsupported("a filter or an option"),
            Error::UnsupportedCheck => Fault::Unsupported("an integrity check"),
            Error::MemLimit | Error::Mem => Fault::Window { bytes_max: self.memory_bytes_max },
            Error::Program | Error::NoCheck => Fault::Corrupt("the decoder stopped"),
        }
    }
}

impl Engine for Xz {
    fn begin(&mut self, feed: &mut Feed, first: bool) -> Result<Begin, Fault> {
        if !first {
            // Section 2.2: Stream Padding.
            if !feed.skip_zeros()?.is_multiple_of(4) {
                return Err(Fault::Corrupt("stream padding is not a multiple of four bytes"));
            }
            if feed.peek()?.is_empty() {
                return Ok(Begin::End);
            }
        }
        let magic = feed.ahead(XZ.len())?;
        if is_cut_off(magic, &XZ) {
            return Err(Fault::Truncated);
        }
        if !magic.starts_with(&XZ) {
            return Ok(Begin::NotOurs);
        }
        let stream = Stream::new_stream_decoder(self.memory_bytes_max, TELL_UNSUPPORTED_CHECK);
        self.stream = Some(stream.map_err(|error| self.fault(error))?);
        Ok(Begin::Member)
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        let Some(stream) = &mut self.stream else { return Err(Fault::Corrupt("no stream header")) };
        let (taken, written) = (stream.total_in(), stream.total_out());
        let ended = feed.is_over();
        let held = feed.held();
        let status = stream.process(held, into, Action::Run);
        let (now_taken, now_written) = (stream.total_in(), stream.total_out());
        feed.take(moved(taken, now_taken));
        let bytes = moved(written, now_written);
        Ok(match status {
            Ok(Status::StreamEnd) => Decoded::Last(bytes),
            Ok(_) if ended && bytes == 0 => return Err(Fault::Truncated),
            Ok(_) => Decoded::some(bytes, into.len()),
            Err(error) => Decoded::Failed(bytes, self.fault(error)),
        })
    }
}
