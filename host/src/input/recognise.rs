//! What is seen of a source when its first bytes are looked at.

use std::path::Path;

use super::archive::{BLOCK_BYTES, begins, is_zip, may_become_zip};
use super::decode::{detect, detect_nameless};
use super::front::Front;
use super::{Bytes, Codec, DecodeError, Error, Mark, is_named_tar};
use crate::source::{ArchiveError, Refusal};

/// What a source turned out to be that nothing said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is compressed.
    Codec(Codec),
    /// It is text that begins with a mark.
    Mark(Mark),
}

/// The codec of a source called `name`, by its first [`Codec::DETECT_BYTES`] bytes or all that
/// there are. An archive under the name of a compressed one is read as what it is.
///
/// # Errors
/// When name and bytes do not agree, or the format is not read.
pub(super) fn codec(first_bytes: &[u8], name: &Path) -> Result<Option<Codec>, Error> {
    let is_plain_tar = || first_bytes.first_chunk().is_some_and(begins);
    match detect(first_bytes, name) {
        Err(_) if is_named_tar(name) && is_plain_tar() => Ok(None),
        detected => Ok(detected?),
    }
}

/// The same of what a server says that it is encoded in (RFC 9110 section 8.4.1): its bytes tell of
/// gzip and zstd. A file that is called as the coding is, such as `a.br`, is in it once.
///
/// # Errors
/// When that coding is not read, and as [`codec`].
pub(super) fn coding(
    coding: &str,
    first_bytes: &[u8],
    name: &Path,
) -> Result<Option<Codec>, Error> {
    match coding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" | "aws-chunked" | "gzip" | "x-gzip" | "zstd" => codec(first_bytes, name),
        "br" => Ok(Some(Codec::Brotli)),
        // Meant is zlib; some servers leave out its header (section 8.4.1.2).
        "deflate" if Codec::Zlib.may_begin(first_bytes) => Ok(Some(Codec::Zlib)),
        "deflate" => Ok(Some(Codec::Deflate)),
        other => Err(DecodeError::Encoded { coding: other.chars().take(40).collect() }.into()),
    }
}

/// Whether what comes from its front is an archive of that kind, which `tar` is known by: a header
/// of it, or what may become one when more of it is there. Such as nobody writes by hand: a name,
/// zeros, and a mode in octal digits.
pub(super) fn may_be_tar(first_bytes: &[u8]) -> bool {
    const NAME_BYTES: usize = 100;
    if let Some(block) = first_bytes.first_chunk() {
        return begins(block);
    }
    let (name, mode) = first_bytes.split_at(first_bytes.len().min(NAME_BYTES));
    let end = name.iter().position(|&byte| byte == 0);
    let is_name = match end {
        Some(0) => false,
        Some(end) => name.iter().skip(end).all(|&byte| byte == 0),
        None => name.len() == NAME_BYTES && !name.contains(&b'\n'),
    };
    let is_mode = |byte: &u8| matches!(byte, 0 | b' ' | b'0'..=b'7');
    is_name && mode.iter().take(8).all(is_mode)
}

/// Whether bytes of which no name says anything are those of a tar archive; and the bytes again.
///
/// # Errors
/// When they are those of a zip file, or the first of them cannot be read.
pub fn archived(bytes: Box<dyn Bytes>) -> Result<(bool, Box<dyn Bytes>), Error> {
    let is_decided = |first: &[u8]| {
        let may_be = may_become_zip(first) || may_be_tar(first);
        first.len() >= BLOCK_BYTES || !first.is_empty() && !may_be
    };
    let front = Front::until(bytes, BLOCK_BYTES, is_decided)?;
    if is_zip(front.first()) {
        return Err(Refusal::from(ArchiveError::FromFront).into());
    }
    let is_tar = front.first().first_chunk().is_some_and(begins);
    Ok((is_tar, Box::new(front)))
}

/// Whether a file that begins so is an archive, be it called something else: one of tar by its
/// header, one of zip by that of a member.
pub fn is_archive(first_bytes: &[u8]) -> bool {
    const USTAR: std::ops::Range<usize> = 257..262;
    let may_be = first_bytes.get(USTAR) == Some(b"ustar");
    is_zip(first_bytes) || may_be && first_bytes.first_chunk().is_some_and(begins)
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
