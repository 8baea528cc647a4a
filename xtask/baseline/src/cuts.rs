//! Where a file is cut: at the first line end at or after each multiple of the chunk size, so that
//! no line and no word is in two chunks.

/// The length of `data` up to and with its first line end, looking from `from` on.
pub(crate) fn line_end(data: &[u8], from: usize) -> Option<usize> {
    let position = data.get(from..)?.iter().position(|&byte| byte == b'\n')?;
    Some(from + position + 1)
}

/// The cut that belongs to offset `nominal` of `data`: a line starts there, or the data ends.
pub(crate) fn cut(data: &[u8], nominal: usize) -> usize {
    // A nominal cut right behind a line end is a cut already, so look from one byte before.
    let Some(before) = nominal.checked_sub(1) else { return 0 };
    line_end(data, before).unwrap_or(data.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_where_a_line_starts() {
        let data = b"ab\ncd\ne";
        let cuts: Vec<_> = (0..=data.len()).map(|nominal| cut(data, nominal)).collect();
        assert_eq!(cuts, [0, 3, 3, 3, 6, 6, 6, 7]);
    }

    #[test]
    fn the_line_end_is_part_of_the_line() {
        assert_eq!(line_end(b"ab\ncd\n", 0), Some(3));
        assert_eq!(line_end(b"ab\ncd\n", 3), Some(6));
        assert_eq!(line_end(b"ab", 0), None);
        assert_eq!(line_end(b"ab", 9), None);
    }
}
