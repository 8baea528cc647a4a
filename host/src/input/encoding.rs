//! Text in other encodings, as UTF-8 on the way in (WHATWG Encoding Standard, by `encoding_rs`; UTF-32, which is not in it, by
//! `utf32`). What is malformed becomes U+FFFD, as that standard has it.
//!
//! A byte order mark counts before whatever was said (section 6.1 of that standard, "BOM sniff"), and is never a part of the text.

use std::str::FromStr;
use std::time::{Duration, Instant};

use encoding_rs::{Decoder, Encoding, UTF_16BE, UTF_16LE};

use super::front::Front;
use super::mark::Mark;
use super::utf32::{self, Utf32};
use super::{Bytes, Error, Framing};
use crate::settings::limits::COPY_BYTES;

/// What becomes of the bytes of a source before they are cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transcoding {
    /// Nothing.
    None,
    /// What [`ByMark`](Self::ByMark) is, for text.
    #[default]
    OfText,
    /// UTF-8, where a byte order mark says what they are; nothing where there is none.
    ByMark,
    /// UTF-8, from this encoding, unless a mark says another.
    From(&'static Encoding),
    /// UTF-8, from UTF-32, unless a mark says another.
    FromUtf32(utf32::Order),
}

/// There is no encoding of that name.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown encoding `{0}`: known are auto, bom, none, utf-32le, utf-32be, and the labels of the WHATWG Encoding Standard, as utf-16le"
)]
pub struct UnknownEncoding(String);

impl FromStr for Transcoding {
    type Err = UnknownEncoding;

    fn from_str(text: &str) -> Result<Self, UnknownEncoding> {
        match text.to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "auto" => Ok(Self::OfText),
            "bom" => Ok(Self::ByMark),
            "utf-32" | "utf-32le" => Ok(Self::FromUtf32(utf32::Order::LittleEndian)),
            "utf-32be" => Ok(Self::FromUtf32(utf32::Order::BigEndian)),
            label => Encoding::for_label_no_replacement(label.as_bytes())
                .map(Self::From)
                .ok_or_else(|| UnknownEncoding(text.to_string())),
        }
    }
}

/// Bytes in UTF-8, and what they were before.
pub struct Text {
    /// The bytes, without their mark.
    pub bytes: Box<dyn Bytes>,
    /// What the source is in, where something was done about it.
    pub encoding: Option<&'static str>,
    /// Of the mark, where the bytes behind it are what they were: offsets in the source are larger by that.
    pub mark_bytes: u64,
}

impl Transcoding {
    /// The same for sources that are framed so. Text is what has records that end with a byte, or as those of csv do: what begins like a
    /// mark elsewhere is data, and a checksum is one of the bytes that the file has.
    #[must_use]
    pub fn over(self, framing: Framing) -> Self {
        match (self, framing) {
            (Self::OfText, Framing::Delimited(_) | Framing::Csv(_)) => Self::ByMark,
            (Self::OfText, _) => Self::None,
            (other, _) => other,
        }
    }

    /// The bytes in UTF-8, without their byte order mark.
    ///
    /// # Errors
    /// When the first of them cannot be read.
    pub fn apply(self, mut bytes: Box<dyn Bytes>) -> Result<Text, Error> {
        if self == Self::None {
            return Ok(Text { bytes, encoding: None, mark_bytes: 0 });
        }
        let mut held = first(&mut *bytes)?;
        let mark = Mark::of(&held);
        held.drain(..mark.map_or(0, Mark::bytes));
        let (decoder, encoding) = match mark {
            Some(mark) => (decoder(mark), Some(mark.word())),
            None => match self {
                Self::None | Self::OfText | Self::ByMark => (None, None),
                Self::From(encoding) => (Some(Conversion::of(encoding)), Some(encoding.name())),
                Self::FromUtf32(order) => {
                    (Some(Conversion::Utf32(Utf32::new(order))), Some(order.word()))
                }
            },
        };
        let mark_bytes = if decoder.is_none() { mark.map_or(0, Mark::bytes) as u64 } else { 0 };
        let bytes: Box<dyn Bytes> = match decoder {
            Some(decoder) => Box::new(Transcoded::new(bytes, decoder, held)),
            None => Box::new(Front::with(held, bytes)),
        };
        Ok(Text { bytes, encoding, mark_bytes })
    }
}

/// What undoes the encoding that a mark stands for; UTF-8 is left as it is, malformed or not.
fn decoder(mark: Mark) -> Option<Conversion> {
    Some(match mark {
        Mark::Utf8 => return None,
        Mark::Utf16Le => Conversion::of(UTF_16LE),
        Mark::Utf16Be => Conversion::of(UTF_16BE),
        Mark::Utf32Le => Conversion::Utf32(Utf32::new(utf32::Order::LittleEndian)),
        Mark::Utf32Be => Conversion::Utf32(Utf32::new(utf32::Order::BigEndian)),
    })
}

/// As many bytes as it takes to tell whether they are a mark, or all that there are; no more are waited for.
fn first(bytes: &mut dyn Bytes) -> Result<Vec<u8>, Error> {
    let mut first = Vec::new();
    while Mark::may_begin(&first) {
        let mut next = [0; Mark::BYTES_MAX];
        let room = next.get_mut(first.len()..).unwrap_or_default();
        let got = bytes.read(room)?;
        if got == 0 {
            break;
        }
        first.extend(room.iter().take(got));
    }
    Ok(first)
}

/// What makes UTF-8 of bytes.
enum Conversion {
    Whatwg(Box<Decoder>),
    Utf32(Utf32),
}

impl Conversion {
    fn of(encoding: &'static Encoding) -> Self {
        Self::Whatwg(Box::new(encoding.new_decoder_without_bom_handling()))
    }

    /// Appends the text that `bytes` are; `last` where nothing follows them.
    fn convert(&mut self, bytes: &[u8], text: &mut Vec<u8>, last: bool) {
        match self {
            Self::Whatwg(decoder) => {
                let most = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(usize::MAX);
                text.resize(most, 0);
                let (_, _, written, _) = decoder.decode_to_utf8(bytes, text, last);
                text.truncate(written);
            }
            Self::Utf32(utf32) => utf32.convert(bytes, text, last),
        }
    }
}

struct Transcoded {
    bytes: Box<dyn Bytes>,
    decoder: Conversion,
    /// Read, and not yet decoded.
    held: Vec<u8>,
    /// Decoded, and not yet passed on: from `at` on.
    text: Vec<u8>,
    at: usize,
    done: bool,
}

impl Transcoded {
    fn new(bytes: Box<dyn Bytes>, decoder: Conversion, held: Vec<u8>) -> Self {
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
        self.text.clear();
        self.decoder.convert(&self.held, &mut self.text, self.done);
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
    use crate::input::Csv;

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
            let mut bytes = name.parse::<Transcoding>().unwrap().apply(drip).unwrap().bytes;
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
    fn a_mark_counts_before_a_label() {
        let big: Vec<u8> = "\u{feff}ab".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for label in ["utf-16", "utf-16le", "utf-16be", "windows-1252", "utf-32", "auto"] {
            assert_eq!(read(label, &big), b"ab", "{label}");
            assert_eq!(read(label, &utf16le("\u{feff}ab")), b"ab", "{label}");
        }
        assert_eq!(read("none", &big), big);
    }

    #[test]
    fn utf_32_is_never_taken_for_utf_16() {
        let text = "a b\n\u{1f600}";
        let little: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let big: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        for label in ["auto", "utf-16", "utf-8"] {
            let marked = [b"\xff\xfe\0\0", &little[..]].concat();
            assert_eq!(read(label, &marked), text.as_bytes(), "{label}");
            let marked = [b"\0\0\xfe\xff", &big[..]].concat();
            assert_eq!(read(label, &marked), text.as_bytes(), "{label}");
        }
        assert_eq!(read("utf-32", &little), text.as_bytes());
        assert_eq!(read("UTF-32BE", &big), text.as_bytes());
    }

    #[test]
    fn marks_are_looked_for_in_text_only() {
        let over = |framing| Transcoding::OfText.over(framing);
        for text in [Framing::Delimited(b'\n'), Framing::Delimited(0), Framing::Csv(Csv::default())]
        {
            assert_eq!(over(text), Transcoding::ByMark);
        }
        for data in [Framing::Bytes, Framing::Fixed(4), Framing::Whole] {
            assert_eq!(over(data), Transcoding::None);
            assert_eq!(Transcoding::ByMark.over(data), Transcoding::ByMark, "it was asked for");
        }
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
