//! Characters beyond ASCII that are written where ASCII has one: spaces, dashes, wide letters, and
//! what has no width.

use super::Escape;

/// The character at `at`, if it stands for another or for nothing.
pub(super) fn at(text: &[u8], at: usize) -> Option<Escape> {
    let rest = text.get(at..)?;
    let bytes = if rest.first() == Some(&0xc2) { 2 } else { 3 };
    let letter = str::from_utf8(rest.get(..bytes)?).ok()?.chars().next()?;
    Some(match letter {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => {
            Escape::none(bytes)
        }
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => Escape::byte(bytes, b' '),
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => {
            Escape::byte(bytes, b'-')
        }
        '\u{2024}' | '\u{fe52}' => Escape::byte(bytes, b'.'),
        '\u{fe6b}' => Escape::byte(bytes, b'@'),
        // Unicode writes those of ASCII from `!` to `~` once more, in the same order.
        wide @ '\u{ff01}'..='\u{ff5e}' => Escape::scalar(bytes, u32::from(wide) - 0xff01 + 0x21),
        _ => return None,
    })
}
