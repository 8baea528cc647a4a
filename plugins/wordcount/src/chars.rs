//! UTF-8 characters, where each maximal part of a sequence that is none counts as one.

use std::str::from_utf8;

use gristmill_sdk::records;

/// How many characters `data` would have if all that is not UTF-8 were replaced.
pub(crate) fn chars(mut data: &[u8]) -> u64 {
    let mut total = 0;
    loop {
        let error = match from_utf8(data) {
            Ok(text) => return total + text.chars().count() as u64,
            Err(error) => error,
        };
        let (valid, rest) = data.split_at(error.valid_up_to());
        let replaced = error.error_len().unwrap_or(rest.len());
        total += starts(valid) + 1;
        data = rest.split_at(replaced).1;
    }
}

/// The longest line in characters, its line feed not counted. Only a line of more bytes than the
/// longest one so far has characters needs to be counted.
pub(crate) fn longest(data: &[u8], so_far: u64) -> u64 {
    records::lines(data).fold(so_far, |longest, line| {
        if line.len() as u64 > longest { longest.max(chars(line)) } else { longest }
    })
}

/// Characters of valid UTF-8: the bytes that do not continue one.
fn starts(valid: &[u8]) -> u64 {
    valid.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lossy_chars(data: &[u8]) -> u64 {
        String::from_utf8_lossy(data).chars().count() as u64
    }

    #[test]
    fn replacements_are_those_of_the_standard() {
        // Unicode 16, section 3.9, tables 3-8 to 3-11, and a sequence cut short at the end.
        let cases: [(&[u8], u64); 5] = [
            (b"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9),
            (b"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", 9),
            (b"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9),
            (b"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 5),
            (b"\xc3\xa9\xe2\x82", 2),
        ];
        for (data, expected) in cases {
            assert_eq!(chars(data), expected);
            assert_eq!(lossy_chars(data), expected);
        }
    }

    #[test]
    fn the_longest_line_is_in_characters() {
        assert_eq!(longest(b"", 0), 0);
        assert_eq!(longest("abc\nééé\néééé".as_bytes(), 0), 4);
        assert_eq!(longest(b"abc\n\n", 0), 3);
        assert_eq!(longest(b"abc\n\n", 7), 7);
    }

    proptest! {
        #[test]
        fn characters_are_those_of_lossy_text(
            data in prop::collection::vec(prop_oneof![Just(0xe2), Just(0x82), Just(0xac), 0..=u8::MAX], 0..300),
        ) {
            prop_assert_eq!(chars(&data), lossy_chars(&data));
            let text = String::from_utf8_lossy(&data);
            let lengths = text.split('\n').map(|line| line.chars().count() as u64);
            prop_assert_eq!(longest(&data, 0), lengths.max().unwrap_or_default());
        }
    }
}
