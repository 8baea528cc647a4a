//! UTF-32 (Unicode Standard, section 3.10) as UTF-8. A unit that is no character, or not all there, becomes U+FFFD.

/// The order of the bytes of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least significant first.
    LittleEndian,
    /// The most significant first.
    BigEndian,
}

impl Order {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::LittleEndian => "UTF-32LE",
            Self::BigEndian => "UTF-32BE",
        }
    }
}

/// Bytes of a unit.
const UNIT: usize = 4;

/// Makes UTF-8 of bytes that come in pieces.
pub(super) struct Utf32 {
    order: Order,
    /// The beginning of a unit.
    begun: Vec<u8>,
}

impl Utf32 {
    pub(super) fn new(order: Order) -> Self {
        Self { order, begun: Vec::with_capacity(UNIT) }
    }

    /// Appends the text that `bytes` are; `last` where nothing follows them.
    pub(super) fn convert(&mut self, bytes: &[u8], text: &mut Vec<u8>, last: bool) {
        let missing = (UNIT - self.begun.len()).min(bytes.len());
        let (end, rest) = bytes.split_at(if self.begun.is_empty() { 0 } else { missing });
        self.begun.extend_from_slice(end);
        if let Some(unit) = self.begun.first_chunk() {
            push(self.character(*unit), text);
            self.begun.clear();
        }
        let (units, begun) = rest.as_chunks();
        for unit in units {
            push(self.character(*unit), text);
        }
        self.begun.extend_from_slice(begun);
        if last && !self.begun.is_empty() {
            self.begun.clear();
            push(char::REPLACEMENT_CHARACTER, text);
        }
    }

    fn character(&self, unit: [u8; UNIT]) -> char {
        let scalar = match self.order {
            Order::LittleEndian => u32::from_le_bytes(unit),
            Order::BigEndian => u32::from_be_bytes(unit),
        };
        char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

fn push(character: char, text: &mut Vec<u8>) {
    text.extend_from_slice(character.encode_utf8(&mut [0; UNIT]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_character_or_cut_off_is_replaced() {
        let bytes = b"\0\0\0a\0\0\xd8\0\0\x11\0\0\0\0\0b\0\0";
        for step in 1..bytes.len() {
            let (mut utf32, mut text) = (Utf32::new(Order::BigEndian), Vec::new());
            bytes.chunks(step).for_each(|piece| utf32.convert(piece, &mut text, false));
            utf32.convert(b"", &mut text, true);
            assert_eq!(text, "a\u{fffd}\u{fffd}b\u{fffd}".as_bytes(), "{step}");
        }
    }
}
