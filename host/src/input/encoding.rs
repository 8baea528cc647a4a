//! Text in other encodings, as UTF-8 on the way in (WHATWG Encoding Standard, by `encoding_rs`). What is malformed becomes
//! U+FFFD, as that standard has it.

use std::str::FromStr;
use std::time::{Duration, Instant};

use encoding_rs::{Decoder, Encoding};

use super::{Bytes, Error};
use crate::settings::limits::COPY_BYTES;

/// What becomes of the bytes of a source before they are cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transcoding {
    /// Nothing.
    #[default]
    None,
    /// UTF-8, where a byte order mark says what they are; nothing where there is none.
    ByMark,
    /// UTF-8, from this encoding.
    From(&'static Encoding),
}

/// There is no encoding of that name.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown encoding `{0}`: known are none, auto, and the labels of the WHATWG Encoding Standard, as utf-16le"
)]
pub struct UnknownEncoding(String);

impl FromStr for Transcoding {
    type Err = UnknownEncoding;

    fn from_str(text: &str) -> Result<Self, UnknownEncoding> {
        match text {
            "none" => Ok(Self::None),
            "auto" => Ok(Self::ByMark),
            label => Encoding::for_label_no_replacement(label.as_bytes())
                .map(Self::From)
                .ok_or_else(|| UnknownEncoding(label.to_string())),
        }
    }
}

impl Transcoding {
    /// The bytes in UTF-8, without their byte order mark.
    ///
    /// # Errors
    /// When the first of them cannot be read.
    pub fn apply(self, mut bytes: Box<dyn Bytes>) -> Result<Box<dyn Bytes>, Error> {
        let first = match self {
            Self::None => return Ok(bytes),
            Self::ByMark => first(&mut *bytes)?,
            Self::From(_) => Vec::new(),
        };
        let encoding = match self {
            Self::From(encoding) => encoding,
            _ => match Encoding::for_bom(&first) {
                Some((encoding, _)) => encoding,
                None => return Ok(Box::new(Transcoded::new(bytes, None, first))),
            },
        };
        Ok(Box::new(Transcoded::new(bytes, Some(encoding.new_decoder_with_bom_removal()), first)))
    }
}

/// The marks that are looked for: of UTF-8, of UTF-16 in either order.
const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe"];

/// As many bytes as it takes to tell whether they are a mark, or all that there are; no more are waited for.
fn first(bytes: &mut dyn Bytes) -> Result<Vec<u8>, Error> {
    let mut first = Vec::new();
    while MARKS.iter().any(|mark| first.len() < mark.len() && mark.starts_with(&first)) {
        let mut next = [0; 3];
        let room = next.get_mut(first.len()..).unwrap_or_default();
        let got = bytes.read(room)?;
        if got == 0 {
            break;
        }
        first.extend(room.iter().take(got));
    }
    Ok(first)
}

struct Transcoded {
    bytes: Box<dyn Bytes>,
    /// `None`: the bytes are passed on.
    decoder: Option<Decoder>,
    /// Read, and not yet decoded.
    held: Vec<u8>,
    /// Decoded, and not yet passed on: from `at` on.
    text: Vec<u8>,
    at: usize,
    done: bool,
}

impl Transcoded {
    fn new(bytes: Box<dyn Bytes>, decoder: Option<Decoder>, held: Vec<u8>) -> Self {
        Self { bytes, decoder, held, text: Vec::new(), at: 0, done: false }
    }

    /// Decodes the next bytes; only called when all text has been passed on.
    fn refill(&mut self) -> Result<(), Error> {
        if self.held.is_empty() {
            self.held.resize(COPY_BYTES, 0);
            let got = self.bytes.read(&mut self.held)?;
            self.held.truncate(got);
            self.done = got == 0;
        }
        self.at = 0;
        let Some(decoder) = &mut self.decoder else {
            self.text = std::mem::take(&mut self.held);
            return Ok(());
        };
        let most = decoder.max_utf8_buffer_length(self.held.len()).unwrap_or(usize::MAX);
        self.text.resize(most, 0);
        let (_, _, written, _) = decoder.decode_to_utf8(&self.held, &mut self.text, self.done);
        self.text.truncate(written);
        self.held.clear();
        Ok(())
    }
}

impl Bytes for Transcoded {
    fn held_bytes(&self) -> u64 {
        let buffers = self.held.capacity() + self.text.capacity();
        self.bytes.held_bytes().saturating_add(buffers as u64)
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        while self.at == self.text.len() && !self.done {
            self.refill()?;
        }
        let text = self.text.get(self.at..).unwrap_or_default();
        let got = text.len().min(into.len());
        into.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        self.at += got;
        Ok(got)
    }

    fn stored(&self) -> u64 {
        self.bytes.stored()
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Error> {
        let begun = Instant::now();
        while self.at == self.text.len() && !self.done {
            let left = within.saturating_sub(begun.elapsed());
            if self.held.is_empty() && !self.bytes.is_ready(left)? {
                return Ok(false);
            }
            // Half a character is no text yet.
            self.refill()?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `step` bytes at a time.
    struct Drip(Vec<u8>, usize);

    impl Bytes for Drip {
        fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
            let got = self.0.len().min(self.1).min(into.len());
            for (to, from) in into.iter_mut().zip(self.0.drain(..got)) {
                *to = from;
            }
            Ok(got)
        }

        fn stored(&self) -> u64 {
            0
        }
    }

    fn read(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut texts = (1..8).map(|step| {
            let drip = Box::new(Drip(bytes.to_vec(), step));
            let mut bytes = name.parse::<Transcoding>().unwrap().apply(drip).unwrap();
            let (mut text, mut next) = (Vec::new(), [0; 3]);
            loop {
                let got = bytes.read(&mut next).unwrap();
                if got == 0 {
                    return text;
                }
                text.extend(&next[..got]);
            }
        });
        let text = texts.next().unwrap();
        assert!(texts.all(|other| other == text), "whatever the steps");
        text
    }

    fn utf16le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn named_encodings_become_utf8() {
        assert_eq!(read("utf-16le", &utf16le("a\nä𝄞\n")), "a\nä𝄞\n".as_bytes());
        assert_eq!(read("windows-1252", b"\xe4\x80"), "ä€".as_bytes());
        assert_eq!(read("euc-jp", b"\xb4\xc1\xbb\xfa"), "漢字".as_bytes());
    }

    #[test]
    fn a_mark_says_which_and_no_mark_leaves_all_as_it_is() {
        assert_eq!(read("auto", &utf16le("\u{feff}ab")), b"ab");
        assert_eq!(read("auto", b"\xef\xbb\xbfab"), b"ab");
        assert_eq!(read("auto", b"\xffab\x80"), b"\xffab\x80");
        assert_eq!(read("auto", b"a"), b"a");
        assert_eq!(read("auto", b""), b"");
    }

    #[test]
    fn what_is_cut_off_or_malformed_is_replaced() {
        assert_eq!(read("utf-16le", b"a\0b"), "a\u{fffd}".as_bytes());
        assert!(
            "utf-17"
                .parse::<Transcoding>()
                .unwrap_err()
                .to_string()
                .starts_with("unknown encoding `utf-17`")
        );
    }
}
