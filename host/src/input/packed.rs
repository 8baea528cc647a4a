//! Members that have to be read from their front: packed in a way of their archive, or with a
//! checksum to be compared. What comes out may be compressed once more.

use std::io::{self, Read};

use super::decode::{Checked, Crc, Expected};
use super::store::FromFront;
use super::{Bytes, Codec, DecodeLimits, Decoder, Error};
use crate::slices;
use crate::source::{ArchiveError, Refusal};

/// How a member is packed, and what has to come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    /// With what; `None` where it is stored as it is.
    pub(super) codec: Option<Codec>,
    pub(super) expected: Expected,
}

/// What comes out of a member.
pub(super) enum Unpacked {
    Decoded(Box<Checked>),
    AsItIs(Summed),
}

/// Bytes whose checksum is compared at their end.
pub(super) struct Summed {
    stretch: FromFront,
    crc: Crc,
    expected: Expected,
}

impl Unpacked {
    pub(super) fn new(packed: Packed, stretch: FromFront, limits: DecodeLimits) -> Self {
        let expected = packed.expected;
        match packed.codec {
            Some(codec) => {
                let bytes = stretch.left;
                let decoder = Decoder::new(codec, Box::new(stretch), limits).within(bytes);
                Self::Decoded(Box::new(Checked::new(decoder, expected)))
            }
            None => Self::AsItIs(Summed { stretch, crc: Crc::new(), expected }),
        }
    }
}

impl Summed {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let got = Bytes::read(&mut self.stretch, into)?;
        self.crc.update(slices::part(into, ..got));
        if got == 0 && !into.is_empty() && self.crc.sum() != self.expected.crc32 {
            return Err(Error::Refused(Refusal::from(ArchiveError::Checksum)));
        }
        Ok(got)
    }
}

impl Bytes for Unpacked {
    fn held_bytes(&self) -> u64 {
        match self {
            Self::Decoded(checked) => checked.held_bytes(),
            Self::AsItIs(_) => 0,
        }
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Decoded(checked) => Ok(checked.read(into)?),
            Self::AsItIs(summed) => summed.read(into),
        }
    }

    fn sound(&self) -> u64 {
        0
    }

    fn stored(&self) -> u64 {
        match self {
            Self::Decoded(checked) => checked.compressed(),
            Self::AsItIs(summed) => summed.stretch.stored(),
        }
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(Bytes::read(self, into)?)
    }
}
