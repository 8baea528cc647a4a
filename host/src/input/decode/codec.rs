//! Which codec a source is compressed with: by the bytes it begins with, then by its name.
//!
//! Where the two disagree the bytes are right: a `.gz` that is plain text is plain text, and a file without an
//! extension that begins like a zstd frame is one. Only brotli has nothing to be known by but its name.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

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
    /// RFC 1951, bare: what is in other formats, and never a file of its own.
    Deflate,
}

/// A word that is no codec.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown codec `{0}`, expected one of: gzip, zstd, lz4, bzip2, xz, brotli, snappy")]
pub struct UnknownCodec(String);

/// RFC 1952 section 2.3.1: ID1, ID2, and CM, which has one value only.
pub(super) const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
/// RFC 8878 section 3.1.1: `Magic_Number`, little-endian.
pub(super) const ZSTD: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
/// LZ4 frame format, "General structure of LZ4 frame format".
pub(super) const LZ4: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
/// LZ4 frame format, "Legacy frame".
pub(super) const LZ4_LEGACY: [u8; 4] = 0x184c_2102_u32.to_le_bytes();
/// The bytes of a bzip2 stream up to its level, which is a digit from 1 to 9.
pub(super) const BZIP2: [u8; 3] = *b"BZh";
/// What follows the level: the digits of pi before a block, those of its square root before the end of a stream.
pub(super) const BZIP2_BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
/// See [`BZIP2_BLOCK`].
pub(super) const BZIP2_END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
/// .xz file format section 2.1.1.1: Header Magic Bytes.
pub(super) const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
/// Snappy framing format section 4.1: Stream identifier, with the header of its chunk.
pub(super) const SNAPPY: [u8; 10] = *b"\xff\x06\x00\x00sNaPpY";

/// Whether four bytes begin a skippable frame, which zstd (RFC 8878 section 3.1.2) and lz4 share.
pub(super) fn is_skippable(magic: [u8; 4]) -> bool {
    u32::from_le_bytes(magic) & 0xffff_fff0 == 0x184d_2a50
}

impl Codec {
    /// All that files are compressed with.
    pub const ALL: [Self; 7] =
        [Self::Gzip, Self::Zstd, Self::Lz4, Self::Bzip2, Self::Xz, Self::Brotli, Self::Snappy];

    /// Bytes of the longest magic.
    pub const MAGIC_BYTES_MAX: usize = 10;

    /// How many leading bytes [`detect`](Self::detect) makes use of.
    pub const DETECT_BYTES: usize = 512;

    /// The codec of a source that begins with `first_bytes`, [`DETECT_BYTES`](Self::DETECT_BYTES) of them or all that
    /// there are, and that is called `name`. `None`: not compressed.
    pub fn detect(first_bytes: &[u8], name: &Path) -> Option<Self> {
        let named = Self::by_name(name);
        if named == Some(Self::Brotli) {
            return Self::by_magic(first_bytes, None).or(named);
        }
        // Too short to tell, but as its name says so far: to be reported as cut off, not read as text.
        let cut_off = |codec: &Self| {
            !first_bytes.is_empty()
                && codec.magics().iter().any(|magic| is_cut_off(first_bytes, magic))
        };
        Self::by_magic(first_bytes, named).or_else(|| named.filter(cut_off))
    }

    /// Whether what a source begins with may become a magic when more of it is there.
    pub fn is_undecided(first_bytes: &[u8]) -> bool {
        let begun =
            |codec: &Self| codec.magics().iter().any(|magic| is_cut_off(first_bytes, magic));
        let skippable = match first_bytes {
            [0x50..=0x5f, rest @ ..] => b"\x2a\x4d\x18".iter().zip(rest).all(|(a, b)| a == b),
            _ => false,
        };
        skippable || first_bytes.starts_with(&BZIP2) || Self::ALL.iter().any(begun)
    }

    /// The codec that a source begins with whose name says nothing.
    pub fn detect_magic(first_bytes: &[u8]) -> Option<Self> {
        Self::by_magic(first_bytes.get(..Self::DETECT_BYTES).unwrap_or(first_bytes), None)
    }

    /// The codec that the extension stands for.
    pub fn by_name(name: &Path) -> Option<Self> {
        let extension = name.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "gz" | "tgz" | "bgz" => Self::Gzip,
            "zst" | "zstd" | "tzst" => Self::Zstd,
            "lz4" | "tlz4" => Self::Lz4,
            "bz2" | "tbz2" | "tbz" => Self::Bzip2,
            "xz" | "txz" => Self::Xz,
            "br" => Self::Brotli,
            "sz" | "snappy" => Self::Snappy,
            _ => return None,
        })
    }

    fn by_magic(bytes: &[u8], named: Option<Self>) -> Option<Self> {
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
            Self::Brotli | Self::Deflate => &[],
            Self::Snappy => &[&SNAPPY],
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
            Self::Deflate => "deflate",
        }
    }
}

/// Whether `bytes` are the beginning of `magic`, and not all of it.
pub(super) fn is_cut_off(bytes: &[u8], magic: &[u8]) -> bool {
    bytes.len() < magic.len() && magic.starts_with(bytes)
}

/// `BZh` begins English words too, so as much as is there of the level and of what follows it has to fit.
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

    fn detect(bytes: &[u8], name: &str) -> Option<Codec> {
        Codec::detect(bytes, Path::new(name))
    }

    #[test]
    fn words_go_both_ways() {
        for codec in Codec::ALL {
            assert_eq!(codec.to_string().parse(), Ok(codec));
        }
        assert!("rar".parse::<Codec>().unwrap_err().to_string().contains("`rar`"));
    }

    #[test]
    fn bytes_settle_it_and_not_the_name() {
        assert_eq!(detect(b"plain text\n", "a.gz"), None);
        assert_eq!(detect(b"", "a.gz"), None);
        assert_eq!(detect(b"\x1f\x8b\x08\0\0\0", "a.txt"), Some(Codec::Gzip));
        assert_eq!(detect(b"\x1f\x8b\x08\xe0\0\0", "a.gz"), None, "reserved flags");
        assert_eq!(detect(b"\x28\xb5\x2f\xfd\0", "a.gz"), Some(Codec::Zstd));
        assert_eq!(detect(b"\x04\x22\x4d\x18", "a"), Some(Codec::Lz4));
        assert_eq!(detect(b"\x02\x21\x4c\x18", "a"), Some(Codec::Lz4));
        assert_eq!(detect(b"\xfd7zXZ\0\0\x04", "a"), Some(Codec::Xz));
        assert_eq!(detect(b"\xff\x06\0\0sNaPpY\0", "a"), Some(Codec::Snappy));
        assert_eq!(detect(b"BZh91AY&SY", "a"), Some(Codec::Bzip2));
        assert_eq!(detect(b"BZh9\x17\x72\x45\x38\x50\x90\0\0", "a"), Some(Codec::Bzip2));
        assert_eq!(detect(b"BZhang wrote this", "a.bz2"), None);
        assert_eq!(detect(b"BZh1hello", "a"), None);
    }

    #[test]
    fn a_name_counts_where_bytes_say_nothing() {
        assert_eq!(detect(b"\x0b\x02\x80", "a.br"), Some(Codec::Brotli));
        assert_eq!(detect(b"\x0b\x02\x80", "a"), None);
        assert_eq!(detect(b"\x1f\x8b\x08\0", "a.br"), Some(Codec::Gzip));
        assert_eq!(detect(b"\x1f", "a.gz"), Some(Codec::Gzip), "cut off");
        assert_eq!(detect(b"\x1f", "a"), None);
        assert_eq!(detect(b"BZ", "a.BZ2"), Some(Codec::Bzip2));
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

    #[test]
    fn a_skippable_frame_is_looked_behind() {
        let skip = b"\x50\x2a\x4d\x18\x02\0\0\0xx";
        assert_eq!(detect(&[skip, &LZ4[..]].concat(), "a.zst"), Some(Codec::Lz4));
        assert_eq!(detect(&[skip, &ZSTD[..]].concat(), "a.lz4"), Some(Codec::Zstd));
        assert_eq!(detect(&[skip, skip, &ZSTD[..]].concat(), "a.lz4"), Some(Codec::Zstd));
        assert_eq!(detect(skip, "a.lz4"), Some(Codec::Lz4));
        assert_eq!(detect(skip, "a"), Some(Codec::Zstd));
    }
}
