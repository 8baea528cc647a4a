//! The bytes of a saved table: for each partition the number of its entries, for each entry its
//! count, its length and its word; numbers as LEB128 (WebAssembly 2.0, section 5.2.2). Long words come last, alike.

/// Appends a number.
#[inline]
pub(crate) fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number off the front; none if there is none.
#[inline]
pub(crate) fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Appends a word and its count.
#[inline]
pub(crate) fn write_entry(bytes: &mut Vec<u8>, word: &[u8], count: u64) {
    write(bytes, count);
    write(bytes, word.len() as u64);
    bytes.extend_from_slice(word);
}

/// Takes a word and its count off the front; none if they are not there.
#[inline]
pub(crate) fn read_entry<'a>(bytes: &mut &'a [u8]) -> Option<(&'a [u8], u64)> {
    let count = read(bytes)?;
    let length = usize::try_from(read(bytes)?).ok()?;
    let (word, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some((word, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let numbers = [0, 1, 127, 128, 300, 1 << 48, u64::MAX];
        let mut bytes = Vec::new();
        for number in numbers {
            write(&mut bytes, number);
            write_entry(&mut bytes, b"word", number);
        }
        let mut rest = &bytes[..];
        for number in numbers {
            assert_eq!(read(&mut rest), Some(number));
            assert_eq!(read_entry(&mut rest), Some((&b"word"[..], number)));
        }
        assert_eq!(read(&mut rest), None);
    }

    #[test]
    fn what_is_cut_short_is_no_entry() {
        assert_eq!(read(&mut &[0x80; 12][..]), None);
        assert_eq!(read_entry(&mut &b"\x01\x05abc"[..]), None);
    }
}
