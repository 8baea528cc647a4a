//! Names that DOS wrote (APPNOTE.TXT 6.3.10, appendix D): IBM code page 437.

/// The characters of the upper half.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A name in UTF-8: as it is where it is that, and else by this code page.
pub(super) fn utf8(name: Vec<u8>) -> Vec<u8> {
    if std::str::from_utf8(&name).is_ok() {
        return name;
    }
    let character = |byte: u8| match byte {
        0..0x80 => char::from(byte),
        _ => UPPER.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    name.into_iter().map(character).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_a_character() {
        assert_eq!(UPPER.chars().count(), 128);
        assert_eq!(utf8(b"gr\x94\xe1e".to_vec()), "größe".as_bytes());
        assert_eq!(utf8("größe".into()), "größe".as_bytes());
        assert_eq!(utf8(b"\xff\x80".to_vec()), "\u{a0}Ç".as_bytes());
    }
}
