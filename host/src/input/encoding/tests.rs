//! Encodings without a host, with input in pieces of all sizes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    let (text, error) = message(name, bytes, &Malformed::Fails);
    assert_eq!(error, None);
    text
}

/// What is read, and what ended it.
fn message(name: &str, bytes: &[u8], malformed: &Malformed) -> (Vec<u8>, Option<String>) {
    let mut texts = (1..8).map(|step| {
        let drip = Box::new(Drip(bytes.to_vec(), step));
        let transcoding = name.parse::<Transcoding>().unwrap();
        let mut bytes = transcoding.apply(drip, malformed).unwrap().bytes;
        let (mut text, mut next) = (Vec::new(), [0; 3]);
        loop {
            match bytes.read(&mut next) {
                Ok(0) => return (text, None),
                Ok(got) => text.extend(&next[..got]),
                Err(error) => {
                    let error = error.to_string();
                    assert_eq!(bytes.read(&mut next).unwrap_err().to_string(), error);
                    return (text, Some(error));
                }
            }
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
    for text in [Framing::Delimited(b'\n'), Framing::Delimited(0), Framing::Csv(Csv::default())] {
        assert_eq!(over(text), Transcoding::ByMark);
    }
    for data in [Framing::Bytes, Framing::Fixed(4), Framing::Whole] {
        assert_eq!(over(data), Transcoding::None);
        assert_eq!(Transcoding::ByMark.over(data), Transcoding::ByMark, "it was purpose for");
    }
}

#[test]
fn invalid_text_ends_its_source_after_all_valid_text() {
    let ends = |name: &str, bytes: &[u8], text: &str, error: &str| {
        let (read, message) = message(name, bytes, &Malformed::Fails);
        assert_eq!((read, message.as_deref()), (text.into(), Some(error)), "{name}");
    };
    ends("utf-16le", b"a\0b", "a", "is not UTF-16LE at byte 2: 1 byte stands for no character");
    let lone = "is not UTF-16LE at byte 4: 2 bytes stand for no character";
    ends("utf-16le", b"a\0b\0\0\xd8c\0d\0", "ab", lone);
    ends("auto", b"\xff\xfea\0\0\xd8c\0", "a", lone);
    let low = "is not UTF-16BE at byte 2: 2 bytes stand for no character";
    ends("utf-16be", b"\0a\xdc\0\0c", "a", low);
    let wide = "is not UTF-32LE at byte 4: 4 bytes stand for no character";
    ends("utf-32le", b"a\0\0\0\0\0\x11\0b\0\0\0", "a", wide);
    ends(
        "windows-1253",
        b"a\xaab",
        "a",
        "is not windows-1253 at byte 1: 1 byte stands for no character",
    );
    ends("utf-8", b"a\xffb", "a", "is not UTF-8 at byte 1: 1 byte stands for no character");
}

#[test]
fn invalid_text_is_replaced_and_counted_if_asked() {
    for (name, bytes, text) in [
        ("utf-16le", &b"a\0\0\xd8b"[..], "a\u{fffd}"),
        ("utf-16le", b"\0\xd8\0\xd8\x00\xdc\x00\xdcb\0", "\u{fffd}\u{10000}\u{fffd}b"),
        ("utf-32be", b"\0\0\0a\0\0\xd8\0\0\x11\0\0\0\0\0b\0\0", "a\u{fffd}\u{fffd}b\u{fffd}"),
    ] {
        let count = Arc::new(AtomicU64::new(0));
        let read = message(name, bytes, &Malformed::Replaced(Arc::clone(&count)));
        assert_eq!(read, (text.into(), None), "{name}");
        let replaced = text.matches('\u{fffd}').count() as u64;
        assert_eq!(count.load(Ordering::Relaxed), 7 * replaced, "of each step");
    }
}

#[test]
fn an_unknown_encoding_is_reported_with_the_known_ones() {
    assert!(
        "utf-17"
            .parse::<Transcoding>()
            .unwrap_err()
            .to_string()
            .starts_with("unknown encoding `utf-17`")
    );
}
