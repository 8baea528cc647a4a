//! Decoding where the size and the checksum of what comes out stand elsewhere, as they do in a zip
//! file.

use flate2::Crc;

use super::{DecodeError, Decoder};
use crate::slices;

/// What is to come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Expected {
    /// How many bytes.
    pub(in super::super) bytes: u64,
    /// Their CRC-32.
    pub(in super::super) crc32: u32,
}

/// A [`Decoder`] whose bytes are counted and summed up. They are what they should be once
/// [`read`](Self::read) has returned 0; more of them than expected never come out.
pub(in super::super) struct Checked {
    decoder: Decoder,
    expected: Expected,
    crc: Crc,
}

impl Checked {
    /// Checks what comes out of a decoder that has not been read from.
    pub(in super::super) fn new(decoder: Decoder, expected: Expected) -> Self {
        Self { decoder, expected, crc: Crc::new() }
    }

    /// Compressed bytes that have been read.
    pub(in super::super) fn compressed(&self) -> u64 {
        self.decoder.compressed()
    }

    /// Bytes of memory that it holds.
    pub(in super::super) fn held_bytes(&self) -> u64 {
        self.decoder.held_bytes()
    }

    /// As [`Decoder::read`].
    ///
    /// # Errors
    /// As [`Decoder::read`]; and when size or checksum are not as expected.
    pub(in super::super) fn read(&mut self, into: &mut [u8]) -> Result<usize, DecodeError> {
        let got = self.decoder.read(into)?;
        self.crc.update(slices::part(into, ..got));
        let (codec, decompressed) = (self.decoder.codec(), self.decoder.decompressed());
        if decompressed > self.expected.bytes {
            let what = "more comes out than the directory of its archive says";
            return Err(DecodeError::Corrupt { codec, decompressed, what });
        }
        if got > 0 || into.is_empty() {
            return Ok(got);
        }
        if decompressed < self.expected.bytes {
            let what = "less comes out than the directory of its archive says";
            return Err(DecodeError::Corrupt { codec, decompressed, what });
        }
        if self.crc.sum() != self.expected.crc32 {
            let what = "CRC-32 of the member";
            return Err(DecodeError::Checksum { codec, decompressed, what });
        }
        Ok(0)
    }
}
