//! What every plugin that reads text needs at the front of a source: a byte order mark is no part
//! of the text, and text in UTF-16 or UTF-32, in which nothing would be found, is refused by name.
//! Asked for with [`Manifest::reads_text`](crate::Manifest::reads_text).

use crate::manifest::Reads;
use crate::{Chunk, Error};

/// U+FEFF in UTF-8 (Unicode 16, section 23.8).
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes of a source that tell its encoding.
const SAMPLE_BYTES: usize = 4096;

/// Fewest pairs of bytes of which a sixteenth is enough, as that many are no accident; of fewer it
/// is a quarter.
const PAIRS_MANY: usize = 32;

/// The ways out.
const UTF_16_LE: &str = "use --encoding utf-16le";
const UTF_16_BE: &str = "use --encoding utf-16be";
const UTF_32_LE: &str = "use --encoding utf-32le";
const UTF_32_BE: &str = "use --encoding utf-32be";

/// How many bytes at the front of a chunk are no part of the text.
///
/// # Errors
/// The source is in UTF-16 or UTF-32, by what it begins with.
pub(crate) fn front(reads: Reads, chunk: Chunk, data: &[u8]) -> Result<usize, Error> {
    if chunk.offset > 0 || reads == Reads::Bytes {
        return Ok(0);
    }
    match wide(sample(data)) {
        Some(why) => Err(Error::invalid(0, why)),
        None => Ok(mark_bytes(reads, data)),
    }
}

/// The bytes of a source that are looked at, by its first chunk: those of its first line, which is
/// all that the first chunk is known to hold. So the error of a source depends neither on the size
/// of chunks nor on how its bytes arrive.
fn sample(data: &[u8]) -> &[u8] {
    let line = data.iter().take(SAMPLE_BYTES).position(|&byte| byte == b'\n');
    let end = line.map_or(SAMPLE_BYTES, |at| at + 1);
    data.get(..end).unwrap_or(data)
}

/// How many bytes a mark at the front of a text takes.
pub(crate) fn mark_bytes(reads: Reads, data: &[u8]) -> usize {
    if reads == Reads::Text && data.starts_with(MARK) { MARK.len() } else { 0 }
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
    // Nearly every text: the guesses below are about zeros, and looking for one is fast.
    if !sample.contains(&0) {
        return None;
    }
    let (quads, pairs) = (sample.as_chunks::<4>().0, sample.as_chunks::<2>().0);
    let wide_by = |turned: fn(&[u8; 4]) -> [u8; 4]| {
        let narrow =
            quads.iter().map(turned).filter(|[byte, rest @ ..]| is_text(*byte) && *rest == [0; 3]);
        let planes = |[_, _, plane, high]: [u8; 4]| plane <= 16 && high == 0;
        quads.len() > 1 && narrow.count() * 2 > quads.len() && quads.iter().map(turned).all(planes)
    };
    let three = "looks like UTF-32 (three of four bytes are zero)";
    if wide_by(|quad| *quad) {
        return Some(format!("{three}: {UTF_32_LE}"));
    }
    if wide_by(|[a, b, c, d]| [*d, *c, *b, *a]) {
        return Some(format!("{three}: {UTF_32_BE}"));
    }
    // Two letters of ASCII are one sign of Chinese, which a short line of text that is mostly
    // narrow has not.
    let are_letters = |pair: &[u8; 2]| pair.iter().all(|byte| (0x20..=0x7e).contains(byte));
    let letters = pairs.iter().filter(|pair| are_letters(pair)).count();
    let (enough, letters_max) = match pairs.len() {
        count if count < PAIRS_MANY => ((count / 4).max(2), 0),
        count => (count / 16, count / 2),
    };
    let is_short = pairs.len() < PAIRS_MANY;
    // Binary data has zeros at both places, or bytes beside them that are no text.
    let every_other = |pair: fn(&[u8; 2]) -> [u8; 2]| {
        let narrow = || pairs.iter().map(pair).filter(|[_, high]| *high == 0);
        letters <= letters_max
            && narrow().count() >= enough
            && narrow().all(|[low, _]| is_text(low))
            && !(is_short && pairs.iter().map(pair).any(|[low, _]| low == 0))
    };
    let looks = "looks like UTF-16 (zero bytes at every other place)";
    if every_other(|pair| *pair) {
        return Some(format!("{looks}: {UTF_16_LE}"));
    }
    every_other(|[high, low]| [*low, *high]).then(|| format!("{looks}: {UTF_16_BE}"))
}

/// Whether text has this byte in it: no control character but those that part lines, columns and
/// pages.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 12 | 27 | 0x20..=0x7e | 0xa0..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manifest;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn wide_text_is_recognised_by_its_zeros() {
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
            b"\x30\0\x06\0\x09\0\x2a\0",
        ] {
            assert_eq!(wide(text), None, "{text:?}");
        }
    }

    /// Chunks of text end where lines do: the shortest first one holds the first line.
    #[test]
    fn the_rest_of_a_first_chunk_says_nothing() {
        let at = Chunk { index: 0, offset: 0, last: false };
        let manifest = Manifest::new("sample", "1.0.0", "").reads_text();
        let lines: [&[u8]; 6] = [
            b"id\0a\0b\0c\0\n",
            b"id\n",
            b"\n",
            b"\0id\0a\0b\n",
            &utf16("id,name\n", u16::to_be_bytes),
            &utf16("\u{43f}\u{440}\u{438}, \u{432}\u{435}\u{442}, a b\n", u16::to_le_bytes),
        ];
        for (first, is_wide) in lines.into_iter().zip([false, false, false, false, true, true]) {
            for rest in [&b""[..], b"a\0b\0c\0", b"\0a\0b\0c", b"plain text\n", b"\n\n"] {
                let text = [first, &rest.repeat(900)].concat();
                let short = first.iter().position(|&byte| byte == b'\n').unwrap() + 1;
                for chunk in [&text[..short], &text[..text.len().min(64)], &text] {
                    assert_eq!(front(manifest.reads, at, chunk).is_err(), is_wide, "{chunk:?}");
                }
            }
        }
    }

    #[test]
    fn only_the_front_of_a_source_is_looked_at() {
        let manifest = Manifest::new("sample", "1.0.0", "").reads_text();
        let at = |offset| Chunk { index: 0, offset, last: true };
        assert_eq!(front(manifest.reads, at(0), b"\xef\xbb\xbfa"), Ok(3));
        assert_eq!(front(manifest.reads, at(4), b"\xef\xbb\xbfa"), Ok(0));
        assert_eq!(front(manifest.reads, at(4), b"a\0b\0"), Ok(0));
        assert!(front(manifest.reads, at(0), b"a\0b\0").is_err());
        let all = Manifest::new("sample", "1.0.0", "").reads_all_of_text();
        assert_eq!(front(all.reads, at(0), b"\xef\xbb\xbfa"), Ok(0));
        assert!(front(all.reads, at(0), b"a\0b\0").is_err());
        let bytes = Manifest::new("sample", "1.0.0", "");
        assert_eq!(front(bytes.reads, at(0), b"\xef\xbb\xbfa"), Ok(0));
        assert_eq!(front(bytes.reads, at(0), b"a\0b\0"), Ok(0));
    }
}
