//! Characters that are written as others: what JSON, programming languages, URLs and HTML write
//! with an escape, and spaces, dashes and wide letters that stand for those of ASCII.

mod backslash;
mod entity;
mod percent;
mod wide;

/// Which escapes are looked through, besides spaces, dashes and letters of Unicode that stand for
/// those of ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Escapes {
    /// `\u0040`, `\x40`, `\n`
    pub(crate) backslash: bool,
    /// `%40`, `%u0040`
    pub(crate) percent: bool,
    /// `&#64;`, `&commat;`
    pub(crate) entities: bool,
}

/// What an escape stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Escape {
    /// Bytes that it takes.
    pub(crate) bytes: usize,
    /// What it stands for: UTF-8, or a byte of it; nothing for what has no width.
    meaning: [u8; 4],
    meaning_bytes: u8,
}

/// Bytes of the longest escape: `\U00000040`, `&#0000064;`, a surrogate pair.
pub(crate) const BYTES_MAX: usize = 12;

impl Escape {
    fn byte(bytes: usize, byte: u8) -> Self {
        Self { bytes, meaning: [byte, 0, 0, 0], meaning_bytes: 1 }
    }

    fn none(bytes: usize) -> Self {
        Self { bytes, meaning: [0; 4], meaning_bytes: 0 }
    }

    /// A character; what is none (half of a pair, say) is U+FFFD.
    fn scalar(bytes: usize, value: u32) -> Self {
        let mut meaning = [0; 4];
        let letter = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        let meaning_bytes = match letter.encode_utf8(&mut meaning).len() {
            1 => 1,
            2 => 2,
            3 => 3,
            _ => 4,
        };
        Self { bytes, meaning, meaning_bytes }
    }

    /// What it stands for.
    pub(crate) fn meaning(&self) -> &[u8] {
        self.meaning.get(..usize::from(self.meaning_bytes)).unwrap_or_default()
    }
}

impl Escapes {
    /// The escape of a string of JSON that begins at `at`. Letters that stand for others are none
    /// of its escapes.
    #[inline]
    pub(crate) fn in_string(text: &[u8], at: usize) -> Option<Escape> {
        match text.get(at)? {
            b'\\' => backslash::at(text, at),
            _ => None,
        }
    }

    /// The escape that begins at `at`.
    #[inline]
    pub(crate) fn at(self, text: &[u8], at: usize) -> Option<Escape> {
        match text.get(at)? {
            b'\\' if self.backslash => backslash::at(text, at),
            b'%' if self.percent => percent::at(text, at),
            b'&' if self.entities => entity::at(text, at),
            0xc2 | 0xe2 | 0xef => wide::at(text, at),
            _ => None,
        }
    }
}

/// Whether a byte may begin an escape.
#[inline]
pub(crate) fn is_odd(byte: u8) -> bool {
    match byte {
        b'%' | b'&' | b'\\' => true,
        0xc2.. => matches!(byte, 0xc2 | 0xe2 | 0xef),
        _ => false,
    }
}

/// Whether a byte joins the parts of an address or a number: behind a backslash, it is still
/// itself.
#[inline]
pub(crate) fn is_joiner(byte: u8) -> bool {
    matches!(byte, b'.' | b'@' | b'-' | b'_' | b'+' | b':' | b' ')
}

/// The value of some digits.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |value, &digit| {
        value.checked_mul(radix)?.checked_add(char::from(digit).to_digit(radix)?)
    })
}

/// The value of so many hexadecimal digits at `at`.
fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    number(text.get(at..at + digits)?, 16)
}
