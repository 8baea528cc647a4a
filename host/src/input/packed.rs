//! Members that are packed in a way of their archive, unpacked from their front; what comes out may be compressed once more.

use std::io::{self, Read};

use super::decode::{Checked, Expected};
use super::store::FromFront;
use super::{Bytes, Codec, DecodeLimits, Decoder, Error};

/// How a member is packed, and what has to come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) codec: Codec,
    pub(super) expected: Expected,
}

/// What comes out of a member.
pub(super) struct Unpacked(Checked);

impl Unpacked {
    pub(super) fn new(packed: Packed, stretch: FromFront, limits: DecodeLimits) -> Self {
        let decoder = Decoder::new(packed.codec, Box::new(stretch), limits);
        Self(Checked::new(decoder, packed.expected))
    }
}

impl Bytes for Unpacked {
    fn held_bytes(&self) -> u64 {
        self.0.held_bytes()
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        Ok(self.0.read(into)?)
    }

    fn sound(&self) -> u64 {
        0
    }

    fn stored(&self) -> u64 {
        self.0.compressed()
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(Bytes::read(self, into)?)
    }
}
