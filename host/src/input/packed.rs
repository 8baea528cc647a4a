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
pub(super) struct Unpacked {
    bytes: Checked,
    /// What was read to look at it, and not yet given out.
    first: Vec<u8>,
}

impl Unpacked {
    pub(super) fn new(packed: Packed, stretch: FromFront, limits: DecodeLimits) -> Self {
        let decoder = Decoder::new(packed.codec, Box::new(stretch), limits);
        Self { bytes: Checked::new(decoder, packed.expected), first: Vec::new() }
    }

    /// The first bytes: enough to tell what they are compressed with, or all.
    pub(super) fn first(&mut self) -> Result<&[u8], Error> {
        let mut first = vec![0; Codec::DETECT_BYTES];
        let got = self.bytes.read(&mut first)?;
        first.truncate(got);
        self.first = first;
        Ok(&self.first)
    }
}

impl Bytes for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if self.first.is_empty() {
            return Ok(self.bytes.read(into)?);
        }
        let got = self.first.len().min(into.len());
        for (to, from) in into.iter_mut().zip(self.first.drain(..got)) {
            *to = from;
        }
        Ok(got)
    }

    fn stored(&self) -> u64 {
        self.bytes.compressed()
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(Bytes::read(self, into)?)
    }
}
