//! UTF-32 (Unicode Standard, section 3.10) as UTF-8. A unit that is no character, or not all there,
//! is no text.

use super::conversion::{Misfit, Step};

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

    pub(super) fn word(&self) -> &'static str {
        self.order.word()
    }

    /// Appends the text that `bytes` are, up to the first that are none; `last` where nothing
    /// follows them.
    pub(super) fn convert(&mut self, bytes: &[u8], text: &mut Vec<u8>, last: bool) -> Step {
        let mut taken = 0;
        while let Some(left) = bytes.get(taken..).filter(|left| !left.is_empty()) {
            let missing = (UNIT - self.begun.len()).min(left.len());
            self.begun.extend(left.iter().take(missing));
            taken += missing;
            let Some(unit) = self.begun.first_chunk() else { break };
            let character = self.character(*unit);
            self.begun.clear();
            let Some(character) = character else { return Self::stopped(taken, UNIT) };
            text.extend_from_slice(character.encode_utf8(&mut [0; UNIT]).as_bytes());
        }
        if last && !self.begun.is_empty() {
            let missing = self.begun.len();
            self.begun.clear();
            return Self::stopped(taken, missing);
        }
        Step { taken, fault: None }
    }

    fn stopped(taken: usize, bytes: usize) -> Step {
        let bytes = bytes as u64;
        Step { taken, fault: Some(Misfit { bytes, behind: bytes }) }
    }

    fn character(&self, unit: [u8; UNIT]) -> Option<char> {
        char::from_u32(match self.order {
            Order::LittleEndian => u32::from_le_bytes(unit),
            Order::BigEndian => u32::from_be_bytes(unit),
        })
    }
}
