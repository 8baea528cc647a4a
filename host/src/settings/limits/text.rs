//! What reaches a terminal of the texts that others have written: names of files, words of plugins.

/// Whether a character is one that a terminal only shows. Those that it obeys are not: control
/// characters, breaks of lines, and what turns the order of the characters behind it (embeddings,
/// overrides and isolates of Unicode's UAX #9), by which a line could be made to say something else
/// than it does.
pub fn is_only_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_controls_are_distinguished_from_text() {
        let obeyed =
            "\0\u{7}\t\r\n\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";
        assert!(!obeyed.chars().any(is_only_shown));
        // Marks that a right-to-left text is written with are letters to us, as are joiners.
        assert!("a ä € 😀 \u{200f}\u{200d}\u{fffd}".chars().all(is_only_shown));
    }
}
