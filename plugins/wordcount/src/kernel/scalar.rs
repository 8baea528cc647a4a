//! The plain loop: for machines without the lanes, and the reference that the lanes are tested
//! against.

/// Line feeds and beginnings of words.
pub(super) fn lines_and_words(data: &[u8]) -> (u64, u64) {
    let (mut lines, mut words) = (0, 0);
    let mut after_space = true;
    for &byte in data {
        let space = matches!(byte, 9..=13 | b' ');
        lines += u64::from(byte == b'\n');
        words += u64::from(after_space && !space);
        after_space = space;
    }
    (lines, words)
}
