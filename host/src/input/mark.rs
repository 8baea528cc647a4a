//! Byte order marks (Unicode Standard, section 23.8).

/// What a text begins with that says what it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `EF BB BF`
    Utf8,
    /// `FF FE`
    Utf16Le,
    /// `FE FF`
    Utf16Be,
    /// `FF FE 00 00`: a text in UTF-16 that begins with a NUL is not one that anybody has.
    Utf32Le,
    /// `00 00 FE FF`
    Utf32Be,
}

impl Mark {
    /// Bytes of the longest.
    pub(super) const BYTES_MAX: usize = 4;

    /// Each that is the beginning of another behind it.
    const ALL: [(Self, &'static [u8]); 5] = [
        (Self::Utf8, b"\xef\xbb\xbf"),
        (Self::Utf32Le, b"\xff\xfe\0\0"),
        (Self::Utf32Be, b"\0\0\xfe\xff"),
        (Self::Utf16Le, b"\xff\xfe"),
        (Self::Utf16Be, b"\xfe\xff"),
    ];

    /// The mark that a source begins with.
    pub fn of(first_bytes: &[u8]) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(_, mark)| first_bytes.starts_with(mark));
        found.map(|(mark, _)| mark)
    }

    /// Whether more has to be there to tell.
    pub(super) fn may_begin(first_bytes: &[u8]) -> bool {
        let is_begun =
            |mark: &[u8]| first_bytes.len() < mark.len() && mark.starts_with(first_bytes);
        Self::ALL.iter().any(|(_, mark)| is_begun(mark))
    }

    /// How long it is.
    pub fn bytes(self) -> usize {
        Self::ALL.iter().find(|(mark, _)| *mark == self).map_or(0, |(_, mark)| mark.len())
    }

    /// The word for what it stands for.
    pub fn word(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8 with a mark",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Utf32Le => "UTF-32LE",
            Self::Utf32Be => "UTF-32BE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_that_fits_is_the_mark() {
        for (mark, bytes) in Mark::ALL {
            assert_eq!(Mark::of(bytes), Some(mark));
            assert_eq!(mark.bytes(), bytes.len());
            assert!((0..bytes.len()).all(|length| Mark::may_begin(&bytes[..length])));
        }
        assert!(Mark::may_begin(b"\xff\xfe") && !Mark::may_begin(b"\xff\xfea"));
        for none in [&b""[..], b"a", b"\xef\xbb", b"\0\0\0\0"] {
            assert_eq!(Mark::of(none), None);
        }
    }
}
