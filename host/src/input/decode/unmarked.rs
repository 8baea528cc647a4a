//! Codecs without a magic number, known by decoding what a source begins with: zlib (RFC 1950) and
//! the format of .lzma files.
//!
//! Two bytes of zlib are letters of a text, and a header of lzma is 13 bytes that may be anything.
//! So the header has to be one that programs write, some of the bytes none of a text, and what
//! follows has to decode. Measured: of 200,000 sources of random bytes behind a header of zlib one
//! decodes for 510 bytes, none of them for lzma. Brotli has not even a header: its name alone tells
//! it.

use std::path::Path;

use flate2::{Decompress, FlushDecompress, Status};
use liblzma::stream::{Action, Stream};

use super::extension::extension;
use super::lzma::{HEADER_BYTES, may_begin};
use super::{Codec, deflate};

/// Bytes that have to decode, where the end of the data does not come before.
const SURE_BYTES: usize = 128;

/// Bytes that come out at most to see that. Distances in them are no longer, so they take no larger
/// dictionary.
const OUT_BYTES: usize = 4 << 10;

/// The codec of a source that begins with `first_bytes`, [`Codec::DETECT_BYTES`] of them or all
/// that there are.
pub(super) fn by_decoding(first_bytes: &[u8]) -> Option<Codec> {
    let codec = by_header(first_bytes)?;
    let is_one = !is_text(first_bytes) && decodes(codec, first_bytes) == Decodes::Surely;
    is_one.then_some(codec)
}

/// Whether more bytes are needed to decide. A line of text is enough to say no.
pub(super) fn is_undecided(first_bytes: &[u8]) -> bool {
    if first_bytes.len() >= Codec::DETECT_BYTES {
        return false;
    }
    if first_bytes.len() < 2 {
        let may_be_one = || first_bytes == [LZMA_PROPERTIES] || deflate::may_begin(first_bytes);
        return !first_bytes.is_empty() && may_be_one();
    }
    let is_line = || is_text(first_bytes) && first_bytes.contains(&b'\n');
    let is_none = |codec| decodes(codec, first_bytes) == Decodes::Not;
    by_header(first_bytes).is_some_and(|codec| !is_line() && !is_none(codec))
}

/// Whether a file of that name is made of pieces, of which the first may be one of zlib: an image
/// of a disk for macOS.
pub(super) fn is_made_of_pieces(name: &Path) -> bool {
    extension(name).is_some_and(|extension| extension.eq_ignore_ascii_case("dmg"))
}

/// The default properties of programs (lzma-specification.txt): `lc` 3, `lp` 0 and `pb` 2.
const LZMA_PROPERTIES: u8 = 0x5d;

fn by_header(first_bytes: &[u8]) -> Option<Codec> {
    match first_bytes {
        [_, _, ..] if deflate::may_begin(first_bytes) => Some(Codec::Zlib),
        // No dictionary is so small that the two bytes behind the properties are not zero.
        [LZMA_PROPERTIES, rest @ ..] => {
            let zeros = rest.iter().take(2).all(|&byte| byte == 0);
            // The range coder begins with a zero.
            let is_coded = first_bytes.get(HEADER_BYTES).is_none_or(|&byte| byte == 0);
            (zeros && is_coded && may_begin(first_bytes)).then_some(Codec::Lzma)
        }
        _ => None,
    }
}

/// Whether these may be the first bytes of a text.
fn is_text(bytes: &[u8]) -> bool {
    let is_control = |&byte: &u8| byte < b' ' && !matches!(byte, 0x08..=0x0d | 0x1b);
    let is_cut_off = |error: std::str::Utf8Error| error.error_len().is_none();
    !bytes.iter().any(is_control) && std::str::from_utf8(bytes).err().is_none_or(is_cut_off)
}

#[derive(Debug, PartialEq, Eq)]
enum Decodes {
    /// To the end of the data, or for long enough.
    Surely,
    /// As far as it goes.
    SoFar,
    Not,
}

fn decodes(codec: Codec, first_bytes: &[u8]) -> Decodes {
    let mut out = vec![0; OUT_BYTES];
    let ended = match codec {
        Codec::Lzma => lzma(first_bytes, &mut out),
        _ => zlib(first_bytes, &mut out),
    };
    match ended {
        None => Decodes::Not,
        Some(true) => Decodes::Surely,
        Some(false) if first_bytes.len() >= SURE_BYTES => Decodes::Surely,
        Some(false) => Decodes::SoFar,
    }
}

/// Whether it comes to an end, or fills `out`; `None` where it fails.
fn zlib(first_bytes: &[u8], out: &mut [u8]) -> Option<bool> {
    let mut inflate = Decompress::new(true);
    let status = inflate.decompress(first_bytes, out, FlushDecompress::None).ok()?;
    Some(status == Status::StreamEnd || inflate.total_out() == out.len() as u64)
}

/// See [`zlib`].
fn lzma(first_bytes: &[u8], out: &mut [u8]) -> Option<bool> {
    let Some((header, coded)) = first_bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Some(false);
    };
    let mut header = *header;
    let dictionary = u32::try_from(OUT_BYTES).ok()?.to_le_bytes();
    header.iter_mut().skip(1).zip(dictionary).for_each(|(to, from)| *to = from);
    let mut stream = Stream::new_lzma_decoder(u64::MAX).ok()?;
    stream.process(&header, out, Action::Run).ok()?;
    if coded.is_empty() {
        return Some(false);
    }
    let status = stream.process(coded, out, Action::Run).ok()?;
    Some(status == liblzma::stream::Status::StreamEnd || stream.total_out() == out.len() as u64)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zlib_of(plain: &[u8], level: u32) -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn data_is_known_whole_and_by_its_first_bytes() {
        let text: Vec<u8> =
            (0..2000).flat_map(|n: u32| format!("{n} {}\n", n * n).into_bytes()).collect();
        let zeros = vec![0; 100_000];
        for level in [0, 1, 6, 9] {
            for plain in [&b""[..], b"a", b"hello, world\n", &zeros, &text] {
                let packed = zlib_of(plain, level);
                let first = &packed[..packed.len().min(Codec::DETECT_BYTES)];
                assert_eq!(by_decoding(first), Some(Codec::Zlib), "{level}: {}", plain.len());
                for length in 1..first.len().min(SURE_BYTES) {
                    assert!(is_undecided(&first[..length]), "{level}: {length}");
                }
            }
        }
    }

    #[test]
    fn text_that_begins_like_it_is_text() {
        for text in
            [&b"x^2 + y^2 = z^2\n"[..], b"x^", b"x\x01\n", b"]", b"]\0\0", "x\u{9c}".as_bytes()]
        {
            assert_eq!(by_decoding(text), None, "{text:?}");
        }
        let long = b"x^2 + y^2\n".repeat(100);
        assert_eq!(by_decoding(&long[..Codec::DETECT_BYTES]), None);
        assert!(!is_undecided(b"x^2\n"));
        assert!(!is_undecided(b"y"));
        assert!(!is_undecided(b"] = 1"));
    }
}
