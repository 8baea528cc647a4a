//! What every plugin that reads text needs at the front of a source: a byte order mark is no part of the text, and text in UTF-16
//! or UTF-32, in which nothing would be found, is refused by name. Asked for with [`Manifest::reads_text`](crate::Manifest::reads_text).

use crate::{Chunk, Error, Manifest};

/// U+FEFF in UTF-8 (Unicode 16, section 23.8).
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes of a source that tell its encoding.
const SAMPLE_BYTES: usize = 4096;

/// Fewest pairs of bytes of which a sixteenth is enough, as that many are no accident.
const PAIRS_MANY: usize = 32;

/// The ways out.
const UTF_16_LE: &str = "use --encoding utf-16le";
const UTF_16_BE: &str = "use --encoding utf-16be";
const UTF_32_LE: &str = "convert it first, with iconv -f UTF-32LE -t UTF-8";
const UTF_32_BE: &str = "convert it first, with iconv -f UTF-32BE -t UTF-8";

/// How many bytes at the front of a chunk are no part of the text.
///
/// # Errors
/// The source is in UTF-16 or UTF-32, by what it begins with.
pub(crate) fn front(manifest: &Manifest, chunk: Chunk, data: &[u8]) -> Result<usize, Error> {
    if chunk.offset > 0 || !manifest.reads_text {
        return Ok(0);
    }
    let sample = data.get(..SAMPLE_BYTES).unwrap_or(data);
    match wide(sample) {
        Some(why) => Err(Error::invalid(0, why)),
        None => Ok(mark_bytes(manifest, data)),
    }
}

/// How many bytes a mark at the front of a text takes.
pub(crate) fn mark_bytes(manifest: &Manifest, data: &[u8]) -> usize {
    if manifest.reads_text && data.starts_with(MARK) { MARK.len() } else { 0 }
}

/// What the text is in, by its mark or by where its zero bytes are.
fn wide(sample: &[u8]) -> Option<String> {
    let marked =
        |name: &str, way: &str| Some(format!("begins with the byte order mark of {name}: {way}"));
    match sample {
        [0xff, 0xfe, 0, 0, ..] => return marked("UTF-32", UTF_32_LE),
        [0, 0, 0xfe, 0xff, ..] => return marked("UTF-32", UTF_32_BE),
        [0xff, 0xfe, ..] => return marked("UTF-16", UTF_16_LE),
        [0xfe, 0xff, ..] => return marked("UTF-16", UTF_16_BE),
        _ => {}
    }
    let mut zeros = [0; 4];
    for quad in sample.chunks(4) {
        for (count, &byte) in zeros.iter_mut().zip(quad) {
            *count += usize::from(byte == 0);
        }
    }
    let pairs = sample.len() / 2;
    let enough = if pairs < PAIRS_MANY { (pairs * 5).div_ceil(8).max(2) } else { pairs / 16 };
    let quads = sample.len() / 4;
    let three = "looks like UTF-32 (three of four bytes are zero)";
    let every_other = "looks like UTF-16 (zero bytes at every other place)";
    match zeros {
        [0, b, c, d] if quads > 1 && b * 2 > quads && c >= quads && d >= quads => {
            Some(format!("{three}: {UTF_32_LE}"))
        }
        [a, b, c, 0] if quads > 1 && c * 2 > quads && a >= quads && b >= quads => {
            Some(format!("{three}: {UTF_32_BE}"))
        }
        [0, b, 0, d] if b + d >= enough => Some(format!("{every_other}: {UTF_16_LE}")),
        [a, 0, c, 0] if a + c >= enough => Some(format!("{every_other}: {UTF_16_BE}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn wide_text_is_told_from_where_its_zeros_are() {
        let cyrillic =
            "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} \u{43c}\u{438}\u{440} a@b.org\n".repeat(20);
        for text in ["ab", "bob@example.org\r\n", "\u{e9}t\u{e9} d'hiver", cyrillic.as_str()] {
            let ends =
                |sample: &[u8], way: &str| wide(sample).is_some_and(|why| why.ends_with(way));
            assert!(ends(&utf16(text, u16::to_le_bytes), UTF_16_LE), "{text}");
            assert!(ends(&utf16(text, u16::to_be_bytes), UTF_16_BE), "{text}");
            let marked = "\u{feff}".to_owned() + text;
            assert!(ends(&utf16(&marked, u16::to_le_bytes), UTF_16_LE), "{text}");
            assert!(ends(&utf16(&marked, u16::to_be_bytes), UTF_16_BE), "{text}");
            let wider = |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
                text.chars().flat_map(|letter| bytes(letter.into())).collect()
            };
            assert!(ends(&wider(u32::to_le_bytes), UTF_32_LE), "{text}");
            assert!(ends(&wider(u32::to_be_bytes), UTF_32_BE), "{text}");
        }
    }

    #[test]
    fn other_bytes_are_no_wide_text() {
        for text in [
            &b""[..],
            b"a",
            b"\0",
            b"a\0",
            b"one\0two\0",
            b"plain text",
            b"\0\0\0\0\0\0",
            b"x\0\0\0\x01\0\0",
            b"./one\0./three\0./four.txt\0",
        ] {
            assert_eq!(wide(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_front_of_a_source_is_looked_at() {
        let manifest = Manifest::new("sample", "1.0.0", "").reads_text();
        let at = |offset| Chunk { index: 0, offset, last: true };
        assert_eq!(front(&manifest, at(0), b"\xef\xbb\xbfa"), Ok(3));
        assert_eq!(front(&manifest, at(4), b"\xef\xbb\xbfa"), Ok(0));
        assert_eq!(front(&manifest, at(4), b"a\0b\0"), Ok(0));
        assert!(front(&manifest, at(0), b"a\0b\0").is_err());
        let bytes = Manifest::new("sample", "1.0.0", "");
        assert_eq!(front(&bytes, at(0), b"\xef\xbb\xbfa"), Ok(0));
        assert_eq!(front(&bytes, at(0), b"a\0b\0"), Ok(0));
    }
}
