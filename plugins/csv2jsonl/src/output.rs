//! A buffer for output that is made of many short pieces: they are copied in blocks of 16 bytes,
//! which is one load and one store, where a copy of exactly so many bytes is a call.

/// Bytes that are copied at once.
pub(crate) const BLOCK_BYTES: usize = 16;

/// Bytes that are written, at the front of bytes that are not.
#[derive(Debug, Default)]
pub(crate) struct Output {
    buffer: Vec<u8>,
    length: usize,
}

impl Output {
    /// Room for so many bytes, and none written.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self { buffer: vec![0; bytes], length: 0 }
    }

    /// Bytes that are written.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Takes back all but the first so many bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// The bytes that are written.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.buffer.truncate(self.length);
        self.buffer
    }

    /// Appends a block, of which only the first `bytes` count.
    #[inline]
    pub(crate) fn push_block(&mut self, block: &[u8; BLOCK_BYTES], bytes: usize) {
        let length = self.length;
        match self.buffer.get_mut(length..).and_then(<[u8]>::first_chunk_mut) {
            Some(room) => *room = *block,
            None => self.grow(block),
        }
        self.length = length + bytes.min(BLOCK_BYTES);
    }

    /// Appends a piece of any length.
    #[inline]
    pub(crate) fn push(&mut self, piece: &[u8]) {
        let (blocks, rest) = piece.as_chunks();
        for block in blocks {
            self.push_block(block, BLOCK_BYTES);
        }
        self.push_block(&padded(rest), rest.len());
    }

    /// Appends a byte.
    #[inline]
    pub(crate) fn push_byte(&mut self, byte: u8) {
        match self.buffer.get_mut(self.length) {
            Some(room) => *room = byte,
            None => self.grow(&padded(&[byte])),
        }
        self.length += 1;
    }

    /// Doubles the room, and writes a block behind what counts.
    #[cold]
    fn grow(&mut self, block: &[u8; BLOCK_BYTES]) {
        let room =
            (2 * self.buffer.len()).max(self.length + BLOCK_BYTES).next_multiple_of(BLOCK_BYTES);
        self.buffer.truncate(self.length);
        self.buffer.extend_from_slice(block);
        self.buffer.resize(room, 0);
    }
}

/// At most a block, with zeros behind it.
#[inline]
pub(crate) fn padded(piece: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
    block
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_are_joined_whatever_the_room(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
            room in 0_usize..200,
        ) {
            let mut output = Output::with_room(room);
            for piece in &pieces {
                output.push(piece);
                output.push_byte(b',');
                let length = output.len();
                output.push(piece);
                output.truncate(length);
            }
            let expected: Vec<u8> = pieces.iter().flat_map(|piece| [&piece[..], b","].concat()).collect();
            prop_assert_eq!(output.into_bytes(), expected);
        }
    }
}
