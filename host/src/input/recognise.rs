//! What is seen of a source when its first bytes are looked at.

use std::path::Path;

use super::archive::tar;
use super::decode::{detect, detect_nameless};
use super::{Codec, Error, Mark, is_named_tar};

/// What a source turned out to be that nothing said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is compressed.
    Codec(Codec),
    /// It is text that begins with a mark.
    Mark(Mark),
}

/// The codec of a source called `name`, by its first [`Codec::DETECT_BYTES`] bytes or all that there are. An archive under the name
/// of a compressed one is read as what it is.
///
/// # Errors
/// When name and bytes do not agree, or the format is not read.
pub(super) fn codec(first_bytes: &[u8], name: &Path) -> Result<Option<Codec>, Error> {
    let is_plain_tar = || first_bytes.first_chunk().is_some_and(tar::begins);
    match detect(first_bytes, name) {
        Err(_) if is_named_tar(name) && is_plain_tar() => Ok(None),
        detected => Ok(detected?),
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// A codec.
    pub codec: bool,
    /// A byte order mark.
    pub mark: bool,
}

impl Look {
    /// Nothing.
    pub const NONE: Self = Self { codec: false, mark: false };

    /// What a source of whose name nothing was known begins with.
    ///
    /// # Errors
    /// When it is in a format that is not read.
    pub fn at(self, bytes: &[u8]) -> Result<Option<Found>, Error> {
        let codec = if self.codec { detect_nameless(bytes)? } else { None };
        let mark = || if self.mark { Mark::of(bytes) } else { None };
        Ok(codec.map(Found::Codec).or_else(|| mark().map(Found::Mark)))
    }
}
