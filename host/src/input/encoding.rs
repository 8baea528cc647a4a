//! Text in other encodings, as UTF-8 on the way in (WHATWG Encoding Standard, by `encoding_rs`;
//! UTF-32, which is not in it, by `utf32`). Where the bytes are no text in their encoding, the
//! source fails, or U+FFFD takes their place, as that standard has it.
//!
//! A byte order mark counts before whatever was said (section 6.1 of that standard, "BOM sniff"),
//! and is never a part of the text.

use std::str::FromStr;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::front::Front;
use super::mark::Mark;
use super::transcoded::{Conversion, Malformed, Transcoded};
use super::utf32::{self, Utf32};
use super::{Bytes, Error, Framing};

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
    /// What offsets in them are in the source.
    pub offsets: Offsets,
}

/// What offsets in a text are in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offsets {
    /// Larger by that many bytes: those of the mark, if there is one.
    Behind(u64),
    /// Others: the source is in another encoding.
    OfText,
}

impl Transcoding {
    /// The same for sources that are framed so. What begins like a mark in what is no text is data,
    /// and a checksum is one of the bytes that the file has.
    #[must_use]
    pub fn over(self, framing: Framing) -> Self {
        match (self, framing) {
            (Self::OfText, framing) if framing.is_text() => Self::ByMark,
            (Self::OfText, _) => Self::None,
            (other, _) => other,
        }
    }

    /// The bytes in UTF-8, without their byte order mark. Those that are UTF-8 already are not
    /// looked at.
    ///
    /// # Errors
    /// When the first of them cannot be read.
    pub fn apply(self, mut bytes: Box<dyn Bytes>, malformed: &Malformed) -> Result<Text, Error> {
        if self == Self::None {
            return Ok(Text { bytes, encoding: None, offsets: Offsets::Behind(0) });
        }
        let mut held = first(&mut *bytes)?;
        let mark = Mark::of(&held);
        let passed = mark.map_or(0, Mark::bytes);
        held.drain(..passed);
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
        let offsets = match decoder {
            Some(_) => Offsets::OfText,
            None => Offsets::Behind(passed as u64),
        };
        let bytes: Box<dyn Bytes> = match decoder {
            Some(decoder) => {
                Box::new(Transcoded::new(bytes, decoder, malformed.clone(), (passed, held)))
            }
            None => Box::new(Front::with(held, bytes)),
        };
        Ok(Text { bytes, encoding, offsets })
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

/// As many bytes as it takes to tell whether they are a mark, or all that there are; no more are
/// waited for.
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

#[cfg(test)]
mod tests;
