//! LZMA outside of .xz files: lzip (draft-diaz-lzip-09), any number of members with a checksum
//! each; and the format that .lzma files are in (lzma-specification.txt), one stream without any.

use liblzma::stream::{Action, Error, Status, Stream};

use super::magic::{LZIP, is_cut_off};
use super::{Begin, Decoded, Engine, Fault, Feed, moved};

/// What the library takes beside its dictionary: probabilities, and buffers on their way in and
/// out.
const LIBRARY_BYTES: u64 = 64 << 10;

/// The header of a .lzma file: properties, the size of the dictionary, and that of what comes out.
pub(super) const HEADER_BYTES: usize = 13;

/// The largest properties, where `lc`, `lp` and `pb` are 8, 4 and 4 (lzma-specification.txt, "LZMA
/// properties").
const PROPERTIES_MAX: u8 = 224;

/// Whether `first_bytes` are the header of a .lzma file, or the beginning of one: `xz` takes it for
/// one where the size of the dictionary is a sum of two neighbouring powers of two, or a power of
/// two, and what comes out has less than 256 GiB (`lzma_alone_decoder`).
pub(super) fn may_begin(first_bytes: &[u8]) -> bool {
    let Some((&properties, rest)) = first_bytes.split_first() else { return true };
    if properties > PROPERTIES_MAX {
        return false;
    }
    let Some((dictionary, rest)) = rest.split_first_chunk() else { return true };
    let dictionary = u32::from_le_bytes(*dictionary);
    let below = dictionary.wrapping_sub(1);
    let rounded = [2, 3, 4, 8, 16].iter().fold(below, |bits, by| bits | bits >> by);
    if rounded.wrapping_add(1) != dictionary && dictionary != u32::MAX {
        return false;
    }
    let Some(bytes) = rest.first_chunk() else { return true };
    let bytes = u64::from_le_bytes(*bytes);
    bytes == u64::MAX || bytes < 1 << 38
}

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Lzip,
    Alone,
}

impl Format {
    /// The size of the dictionary that a header asks for; `None` for one that is cut off.
    fn dictionary_bytes(self, header: &[u8]) -> Option<u64> {
        Some(match self {
            // Section 2.1 of the draft: a power of two, less so many sixteenths of it.
            Self::Lzip => {
                let coded = *header.get(LZIP.len())?;
                let whole = 1_u64 << (coded & 0x1F);
                whole - whole / 16 * u64::from(coded >> 5)
            }
            Self::Alone => u64::from(u32::from_le_bytes(*header.get(1..)?.first_chunk()?)),
        })
    }
}

pub(super) struct Lzma {
    format: Format,
    memory_bytes_max: u64,
    /// As the header of the member at hand has it.
    dictionary_bytes: u64,
    /// Made anew for every member. `None` before the first.
    stream: Option<Stream>,
}

impl Lzma {
    pub(super) fn lzip(memory_bytes_max: u64) -> Self {
        Self { format: Format::Lzip, memory_bytes_max, dictionary_bytes: 0, stream: None }
    }

    pub(super) fn alone(memory_bytes_max: u64) -> Self {
        Self { format: Format::Alone, memory_bytes_max, dictionary_bytes: 0, stream: None }
    }

    fn fault(&self, error: Error) -> Fault {
        match error {
            Error::Format => Fault::Corrupt("not a header"),
            Error::Options => Fault::Unsupported("an option"),
            Error::MemLimit | Error::Mem => Fault::Window { bytes_max: self.memory_bytes_max },
            _ => Fault::Corrupt("invalid data or check"),
        }
    }
}

impl Engine for Lzma {
    fn begin(&mut self, feed: &mut Feed, first: bool) -> Result<Begin, Fault> {
        let is_ours = match self.format {
            Format::Lzip => {
                let magic = feed.ahead(LZIP.len())?;
                if first && is_cut_off(magic, &LZIP) {
                    return Err(Fault::Truncated);
                }
                magic.starts_with(&LZIP)
            }
            Format::Alone => first && may_begin(feed.ahead(HEADER_BYTES)?),
        };
        if !is_ours {
            return Ok(Begin::NotOurs);
        }
        let header = feed.ahead(HEADER_BYTES)?;
        self.dictionary_bytes = self.format.dictionary_bytes(header).unwrap_or_default();
        let stream = match self.format {
            Format::Lzip => Stream::new_lzip_decoder(self.memory_bytes_max, 0),
            Format::Alone => Stream::new_lzma_decoder(self.memory_bytes_max),
        };
        self.stream = Some(stream.map_err(|error| self.fault(error))?);
        Ok(Begin::Member)
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        let Some(stream) = &mut self.stream else { return Err(Fault::Corrupt("no header")) };
        let (taken, written) = (stream.total_in(), stream.total_out());
        let ended = feed.is_over();
        let status = stream.process(feed.held(), into, Action::Run);
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

    #[test]
    fn what_is_held_is_the_dictionary_of_the_header() {
        // As `lzip -s 64MiB` and `-s 7MiB`, and `xz --format=lzma --lzma1=dict=64MiB`, write them.
        let lzip = |coded| Format::Lzip.dictionary_bytes(&[b'L', b'Z', b'I', b'P', 1, coded]);
        assert_eq!([lzip(26), lzip(0x57)], [64, 7].map(|mib| Some(mib << 20)));
        let alone = Format::Alone.dictionary_bytes(b"\x5d\0\0\0\x04\xff");
        assert_eq!((alone, Format::Lzip.dictionary_bytes(b"LZIP")), (Some(64 << 20), None));
    }

    #[test]
    fn a_header_is_one_that_xz_takes() {
        let header = b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0";
        for length in 0..header.len() {
            assert!(may_begin(&header[..length]), "{length}");
        }
        assert!(may_begin(b"\x5d\0\0\x60\0\x10\0\0\0\0\0\0\0"), "of two powers");
        assert!(!may_begin(b"hello, world\n"));
        assert!(!may_begin(b"\x5d\0\0\x70\0\x10\0\0\0\0\0\0\0"), "of three powers");
        assert!(!may_begin(b"\x5d\0\0\x80\0\0\0\0\0\0\0\0\x10"), "too large");
        assert!(!may_begin(b"\xe1\0\0\x80\0"));
    }
}
