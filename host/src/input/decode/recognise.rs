//! What a source is, by the bytes it begins with and by its name: they have to agree.
//!
//! - Bytes that are of a codec count, whatever the name: its magic number says so, and its
//!   checksums are going to. A `.gz` that is zstd is read as zstd, as `bsdtar` and browsers read
//!   it.
//! - So do bytes of a codec without a magic number, where they decode and are no text; under a name
//!   that says nothing.
//! - A name that promises a codec, and bytes that are of none, are a failure: a damaged file, or
//!   one that never was one, and in neither case text.
//! - A known format that is not supported is refused by its name.

use std::path::Path;

use super::codec::shown;
use super::{Codec, DecodeError, foreign, unmarked};

/// The codec of a source that begins with `first_bytes`, [`Codec::DETECT_BYTES`] of them or all
/// that there are, and that is called `name`. `None`: not compressed.
///
/// # Errors
/// When name and bytes do not agree, or the format is known and not read.
pub(in super::super) fn detect(
    first_bytes: &[u8],
    name: &Path,
) -> Result<Option<Codec>, DecodeError> {
    let named = Codec::by_name(name);
    if let Some(codec) = Codec::by_magic(first_bytes, named) {
        return Ok(Some(codec));
    }
    let is_foreign = foreign::by_magic(first_bytes).or_else(|| match named {
        Some(_) => None,
        None => foreign::by_name(name),
    });
    if let Some(what) = is_foreign {
        return Err(DecodeError::Foreign { what });
    }
    match named {
        None if unmarked::is_made_of_pieces(name) => Ok(None),
        None => Ok(unmarked::by_decoding(first_bytes)),
        Some(codec) if codec.may_begin(first_bytes) => Ok(Some(codec)),
        Some(Codec::Snappy | Codec::Lz4) if foreign::is_hadoop_block(first_bytes) => {
            Err(DecodeError::Foreign { what: "data in the block format of Hadoop" })
        }
        Some(codec) => Err(DecodeError::Misnamed {
            codec,
            got: shown(first_bytes),
            expected: codec.expected(),
        }),
    }
}

/// The codec of a source that begins with `first_bytes`, or more of it, and whose name [says
/// nothing](is_said).
///
/// # Errors
/// When the format is known and not read.
pub(in super::super) fn detect_nameless(first_bytes: &[u8]) -> Result<Option<Codec>, DecodeError> {
    let first_bytes = first_bytes.get(..Codec::DETECT_BYTES).unwrap_or(first_bytes);
    match (Codec::by_magic(first_bytes, None), foreign::by_magic(first_bytes)) {
        (None, Some(what)) => Err(DecodeError::Foreign { what }),
        (codec, _) => Ok(codec.or_else(|| unmarked::by_decoding(first_bytes))),
    }
}

/// Whether a name says that a source is compressed, in a format that is not read, or no more than
/// its bytes may.
pub fn is_said(name: &Path) -> bool {
    Codec::by_name(name).is_some()
        || foreign::by_name(name).is_some()
        || unmarked::is_made_of_pieces(name)
}

#[cfg(test)]
mod tests {
    use super::super::magic::{LZ4, ZSTD};
    use super::*;

    fn recognised(bytes: &[u8], name: &str) -> String {
        match detect(bytes, Path::new(name)) {
            Ok(None) => "plain".into(),
            Ok(Some(codec)) => codec.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn bytes_of_a_codec_count_whatever_the_name() {
        assert_eq!(recognised(b"\x1f\x8b\x08\0\0\0", "a.txt"), "gzip");
        assert_eq!(recognised(b"\x28\xb5\x2f\xfd\0", "a.gz"), "zstd");
        assert_eq!(recognised(b"\x04\x22\x4d\x18", "a"), "lz4");
        assert_eq!(recognised(b"\x02\x21\x4c\x18", "a"), "lz4");
        assert_eq!(recognised(b"\xfd7zXZ\0\0\x04", "a"), "xz");
        assert_eq!(recognised(b"\xff\x06\0\0sNaPpY\0", "a"), "snappy");
        assert_eq!(recognised(b"LZIP\x01\x0c", "a"), "lzip");
        assert_eq!(recognised(b"BZh91AY&SY", "a"), "bzip2");
        assert_eq!(recognised(b"BZh9\x17\x72\x45\x38\x50\x90\0\0", "a"), "bzip2");
        assert_eq!(recognised(b"\x1f\x8b\x08\0", "a.br"), "gzip");
        assert_eq!(recognised(b"\x1f\x8b\x08\0", "a.7z"), "gzip");
        assert_eq!(recognised(b"BZh1hello", "a"), "plain");
        assert_eq!(recognised(b"\x1f", "a"), "plain");
        assert_eq!(recognised(b"", "a"), "plain");
    }

    #[test]
    fn a_name_that_the_bytes_do_not_bear_out_is_a_failure() {
        let misnamed = "is named as gzip data, but begins with 70 6c 61 69, expected 1f 8b";
        assert_eq!(recognised(b"plain text\n", "a.gz"), misnamed);
        for (name, bytes) in [
            ("a.gz", &b"\x1e\x8b\x08\0"[..]),
            ("a.gz", b"\x1f\x8b\x08\xe0\0\0"),
            ("a.tgz", b"\0\0\0\0"),
            ("a.zst", b"\n\x28\xb5\x2f\xfd"),
            ("a.bz2", b"BZhang wrote this"),
            ("a.zz", b"hello"),
            ("a.lzma", b"hello, world\n"),
        ] {
            assert!(recognised(bytes, name).starts_with("is named as "), "{name}: {bytes:?}");
        }
    }

    #[test]
    fn what_may_be_what_its_name_says_is_decoded_to_see() {
        assert_eq!(recognised(b"\x0b\x02\x80", "a.br"), "brotli");
        assert_eq!(recognised(b"\x0b\x02\x80", "a"), "plain");
        assert_eq!(recognised(b"\x78\x9c\x03", "a.zz"), "zlib");
        assert_eq!(recognised(b"\x5d\0\0\x80\0\xff\xff\xff", "a.lzma"), "lzma");
        assert_eq!(recognised(b"\x1f", "a.gz"), "gzip", "cut off");
        assert_eq!(recognised(b"BZ", "a.BZ2"), "bzip2");
        for name in ["a.gz", "a.zst", "a.lz4", "a.bz2", "a.xz", "a.br", "a.sz", "a.lz", "a.zz"] {
            assert_ne!(recognised(b"", name), "plain", "{name}");
        }
    }

    #[test]
    fn formats_that_are_not_supported_are_named() {
        assert_eq!(recognised(b"\x1f\x9d\x90", "a"), "is compress (.Z) data, which is not read");
        assert_eq!(recognised(b"anything", "a.rar"), "is a RAR archive, which is not read");
        let hadoop = "is data in the block format of Hadoop, which is not read";
        assert_eq!(recognised(b"\0\0\0\x06\0\0\0\x08\x06\x14hello\n", "a.snappy"), hadoop);
    }

    #[test]
    fn a_skippable_frame_is_looked_behind() {
        let skip = b"\x50\x2a\x4d\x18\x02\0\0\0xx";
        assert_eq!(recognised(&[skip, &LZ4[..]].concat(), "a.zst"), "lz4");
        assert_eq!(recognised(&[skip, &ZSTD[..]].concat(), "a.lz4"), "zstd");
        assert_eq!(recognised(&[skip, skip, &ZSTD[..]].concat(), "a.lz4"), "zstd");
        assert_eq!(recognised(skip, "a.lz4"), "lz4");
        assert_eq!(recognised(skip, "a"), "zstd");
    }
}
