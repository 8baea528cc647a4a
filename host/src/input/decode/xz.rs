//! xz (.xz file format 1.2.1): any number of streams, with padding between and behind them.

use liblzma::stream::{Action, Error, Status, Stream, TELL_UNSUPPORTED_CHECK};

use super::magic::{XZ, is_cut_off};
use super::{Begin, Decoded, Engine, Fault, Feed, moved};

pub(super) struct Xz {
    memory_bytes_max: u64,
    /// Made anew for every stream. `None` before the first.
    stream: Option<Stream>,
    /// Bytes of its dictionary, as the header of the first block says.
    dictionary_bytes: u64,
}

/// Section 2.1.1: the header of a stream.
const STREAM_HEADER_BYTES: usize = 12;
/// Section 5.3.1: the id of the filter LZMA2, and the size of its properties.
const LZMA2: [u8; 2] = [0x21, 0x01];
/// What the library takes beside it: probabilities, and buffers on their way in and out.
const LIBRARY_BYTES: u64 = 64 << 10;

/// The dictionary of the first block of a stream, which `held` begins with: LZMA2 is the last of
/// its filters. `None` where the header of that block is not there.
fn dictionary_bytes(held: &[u8]) -> Option<u64> {
    let block = held.get(STREAM_HEADER_BYTES..)?;
    // Section 3.1.1: its size in words, but one; 0 begins an index.
    let words = block.first().map(|&words| usize::from(words))?;
    if words == 0 {
        return Some(0);
    }
    let header = block.get(2..(words + 1) * 4)?;
    let at = header.windows(LZMA2.len()).position(|pair| pair == LZMA2)?;
    // Section 5.3.1: two or three times a power of two.
    Some(match u64::from(header.get(at + LZMA2.len())? & 0x3F) {
        40.. => u64::from(u32::MAX),
        bits => (2 | (bits & 1)) << (bits / 2 + 11),
    })
}

impl Xz {
    pub(super) fn new(memory_bytes_max: u64) -> Self {
        Self { memory_bytes_max, stream: None, dictionary_bytes: 0 }
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
        // No more is waited for than is there.
        self.dictionary_bytes = dictionary_bytes(feed.held()).unwrap_or(self.memory_bytes_max);
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

    fn held_bytes(&self, decoded: u64) -> u64 {
        self.dictionary_bytes.min(decoded) + LIBRARY_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::decode::pack;

    #[test]
    fn the_dictionary_is_that_of_the_preset() {
        let packed = pack::xz(b"some text", 100);
        assert_eq!(dictionary_bytes(&packed), Some(1 << 20)); // `xz -1`
        assert_eq!(dictionary_bytes(&packed[..13]), None);
        assert_eq!(dictionary_bytes(&pack::xz(b"", 100)), Some(0));
    }
}
