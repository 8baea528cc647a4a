//! The codecs, and what each is known by: the bytes that it begins with, and the ends of names.
//!
//! Brotli, zlib and the old lzma format have no magic number: a name tells them, zlib and lzma also
//! what is in them (`unmarked`). What becomes of a source whose name and bytes do not agree is
//! decided in `recognise`.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

use super::extension::extension;
use super::magic::{
    BZIP2, BZIP2_BLOCK, BZIP2_END, GZIP, LZ4, LZ4_LEGACY, LZIP, SNAPPY, XZ, ZSTD, is_cut_off,
    is_skippable,
};
use super::{deflate as zlib, lzma, unmarked};

/// How a source is compressed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// RFC 1952, with any number of members; BGZF is such a file.
    Gzip,
    /// RFC 8878, with any number of frames.
    Zstd,
    /// The LZ4 frame format 1.6.4, and the legacy frame that the same document describes.
    Lz4,
    /// The format of bzip2 1.0, with any number of streams.
    Bzip2,
    /// The .xz file format 1.2.1, with any number of streams.
    Xz,
    /// RFC 7932.
    Brotli,
    /// The snappy framing format of 2013-10-25.
    Snappy,
    /// The lzip format (draft-diaz-lzip-09), with any number of members.
    Lzip,
    /// The format before .xz, as the LZMA SDK describes it (lzma-specification.txt). It has no
    /// checksum.
    Lzma,
    /// RFC 1950: what `pigz -z` writes, Hadoop's `DefaultCodec`, and web servers as `deflate`.
    Zlib,
    /// RFC 1951, bare: a part of other formats, never a file of its own.
    Deflate,
    /// What PKWARE made of it, with a window of 64 KiB: in zip files only.
    Deflate64,
}

/// A word that is no codec.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "unknown codec `{0}`, expected one of: gzip, zstd, lz4, bzip2, xz, brotli, snappy, lzip, lzma, zlib"
)]
pub struct UnknownCodec(String);

impl Codec {
    /// All that files are compressed with.
    pub const ALL: [Self; 10] = [
        Self::Gzip,
        Self::Zstd,
        Self::Lz4,
        Self::Bzip2,
        Self::Xz,
        Self::Brotli,
        Self::Snappy,
        Self::Lzip,
        Self::Lzma,
        Self::Zlib,
    ];

    /// Bytes of the longest magic.
    pub const MAGIC_BYTES_MAX: usize = 10;

    /// How many leading bytes are made use of to tell.
    pub const DETECT_BYTES: usize = 512;

    /// Whether decoding takes no longer than to write what comes out and read it back. Measured:
    /// gzip takes as long, xz four times.
    pub(in super::super) fn is_fast(self) -> bool {
        match self {
            Self::Gzip
            | Self::Zlib
            | Self::Deflate
            | Self::Deflate64
            | Self::Zstd
            | Self::Lz4
            | Self::Snappy => true,
            Self::Bzip2 | Self::Xz | Self::Brotli | Self::Lzip | Self::Lzma => false,
        }
    }

    /// Whether a source that begins with these bytes, and not with a magic number, can be what its
    /// name says: such as have no magic number, and such as are cut off within it, to be reported
    /// as that.
    pub(in super::super) fn may_begin(self, first_bytes: &[u8]) -> bool {
        match self {
            _ if first_bytes.is_empty() => true,
            Self::Brotli => true,
            Self::Zlib => zlib::may_begin(first_bytes),
            Self::Lzma => lzma::may_begin(first_bytes),
            _ => self.magics().iter().any(|magic| is_cut_off(first_bytes, magic)),
        }
    }

    /// Whether what a source begins with may become that of a codec when more of it is there.
    pub fn is_undecided(first_bytes: &[u8]) -> bool {
        let begun =
            |codec: &Self| codec.magics().iter().any(|magic| is_cut_off(first_bytes, magic));
        let skippable = match first_bytes {
            [0x50..=0x5f, rest @ ..] => b"\x2a\x4d\x18".iter().zip(rest).all(|(a, b)| a == b),
            _ => false,
        };
        let marked = skippable || first_bytes.starts_with(&BZIP2) || Self::ALL.iter().any(begun);
        marked && first_bytes.len() < Self::MAGIC_BYTES_MAX || unmarked::is_undecided(first_bytes)
    }

    /// The codec that the extension stands for.
    pub fn by_name(name: &Path) -> Option<Self> {
        Some(match extension(name)?.to_ascii_lowercase().as_str() {
            "gz" | "tgz" | "bgz" | "taz" => Self::Gzip,
            "zst" | "zstd" | "tzst" => Self::Zstd,
            "lz4" | "tlz4" => Self::Lz4,
            "bz2" | "tbz2" | "tbz" | "tz2" | "tb2" => Self::Bzip2,
            "xz" | "txz" => Self::Xz,
            "br" => Self::Brotli,
            "sz" | "snappy" => Self::Snappy,
            "lz" => Self::Lzip,
            "lzma" | "tlz" => Self::Lzma,
            "zz" | "zlib" | "deflate" => Self::Zlib,
            _ => return None,
        })
    }

    /// The codec that `bytes` begin with. A skippable frame is of zstd or lz4, whichever is
    /// `named`.
    pub(super) fn by_magic(bytes: &[u8], named: Option<Self>) -> Option<Self> {
        if let Some((magic, rest)) = bytes.split_first_chunk::<4>()
            && is_skippable(*magic)
        {
            return Self::behind_skippable(rest, named);
        }
        let begins = |codec: &Self| codec.magics().iter().any(|magic| bytes.starts_with(magic));
        let codec = Self::ALL.into_iter().find(begins)?;
        let fits = match codec {
            Self::Bzip2 => is_bzip2(bytes),
            // RFC 1952 section 2.3.1.2: reserved flags must be zero.
            Self::Gzip => bytes.get(3).is_none_or(|flags| flags & 0xe0 == 0),
            _ => true,
        };
        fits.then_some(codec)
    }

    /// A skippable frame says nothing; what follows it does, where it is still in sight.
    fn behind_skippable(rest: &[u8], named: Option<Self>) -> Option<Self> {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let sure = rest.get(length..).filter(|next| !next.is_empty());
        let guess = named.filter(|codec| *codec == Self::Lz4).unwrap_or(Self::Zstd);
        sure.and_then(|next| Self::by_magic(next, named)).or(Some(guess))
    }

    fn magics(self) -> &'static [&'static [u8]] {
        match self {
            Self::Gzip => &[&GZIP],
            Self::Zstd => &[&ZSTD],
            Self::Lz4 => &[&LZ4, &LZ4_LEGACY],
            Self::Bzip2 => &[&BZIP2],
            Self::Xz => &[&XZ],
            Self::Brotli | Self::Lzma | Self::Zlib | Self::Deflate | Self::Deflate64 => &[],
            Self::Snappy => &[&SNAPPY],
            Self::Lzip => &[&LZIP],
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Brotli => "brotli",
            Self::Snappy => "snappy",
            Self::Lzip => "lzip",
            Self::Lzma => "lzma",
            Self::Zlib => "zlib",
            Self::Deflate => "deflate",
            Self::Deflate64 => "deflate64",
        }
    }

    /// What it begins with, in hexadecimal.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Gzip => "1f 8b",
            Self::Zstd => "28 b5 2f fd",
            Self::Lz4 => "04 22 4d 18",
            Self::Bzip2 => "42 5a 68",
            Self::Xz => "fd 37 7a 58 5a 00",
            Self::Brotli => "a window size",
            Self::Snappy => "ff 06 00 00",
            Self::Lzip => "4c 5a 49 50 01",
            Self::Lzma => "properties and a dictionary size",
            Self::Zlib => "78",
            Self::Deflate | Self::Deflate64 => "a block",
        }
    }
}

/// The first bytes of a source, in hexadecimal.
pub(in super::super) fn shown(first_bytes: &[u8]) -> String {
    let bytes: Vec<String> = first_bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

/// `BZh` begins English words too, so as much as is there of the level and of what follows it has
/// to fit.
fn is_bzip2(bytes: &[u8]) -> bool {
    let level = bytes.get(3);
    let next = bytes.get(4..bytes.len().min(10)).unwrap_or_default();
    level.is_none_or(|level| (b'1'..=b'9').contains(level))
        && (BZIP2_BLOCK.starts_with(next) || BZIP2_END.starts_with(next))
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Codec {
    type Err = UnknownCodec;

    fn from_str(word: &str) -> Result<Self, UnknownCodec> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.word() == word)
            .ok_or_else(|| UnknownCodec(word.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways() {
        for codec in Codec::ALL {
            assert_eq!(codec.to_string().parse(), Ok(codec));
        }
        assert!("rar".parse::<Codec>().unwrap_err().to_string().contains("`rar`"));
    }

    #[test]
    fn what_cannot_become_a_magic_is_decided_at_once() {
        for bytes in
            [&b""[..], b"\x1f", b"B", b"BZh9", b"P", b"P*", b"\x53\x2a\x4d\x18\x01", b"\xff\x06\0"]
        {
            assert!(Codec::is_undecided(bytes), "{bytes:?}");
        }
        for bytes in [&b"a"[..], b"B\n", b"P\n", b"\x1f\x8b\x08", b"\xff\xfe"] {
            assert!(!Codec::is_undecided(bytes), "{bytes:?}");
        }
    }
}
