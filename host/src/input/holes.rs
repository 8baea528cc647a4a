//! The bytes of sparse files, whose holes archives do not store: zeros come where nothing is
//! stored. In any order, where what is stored can be had so; and from the front.

use std::sync::Arc;
use std::time::Duration;

use super::store::Store;
use super::{Bytes, DecodeError, DecodeLimits, Error, Purpose};
use crate::settings::limits::DECODE_RATIO_FREE_BYTES;
use crate::slices;
use crate::source::{ArchiveError, Part, Refusal, Sparse};

/// Checks how large a file becomes that is stored as so many bytes: what is not stored costs no
/// space, and takes time.
///
/// # Errors
/// When it is more than what comes out of a compressed file may be.
pub(super) fn check(sparse: &Sparse, stored: u64, limits: DecodeLimits) -> Result<(), Error> {
    let DecodeLimits { bytes_max, ratio_max, .. } = limits;
    let bytes = sparse.bytes;
    if bytes > bytes_max {
        return Err(DecodeError::TooLarge { bytes_max }.into());
    }
    if bytes > stored.saturating_mul(ratio_max).max(DECODE_RATIO_FREE_BYTES) {
        return Err(Refusal::from(ArchiveError::Holes { bytes, stored, ratio_max }).into());
    }
    Ok(())
}

/// A sparse file in an archive whose bytes can be had in any order.
#[derive(Debug)]
pub(super) struct Holed {
    pub(super) store: Arc<Store>,
    /// Where what is stored begins, and how much that is.
    pub(super) start: u64,
    pub(super) stored: u64,
    pub(super) sparse: Arc<Sparse>,
}

impl Holed {
    /// Fills `into` with the bytes at `offset`.
    pub(super) fn read_at(
        &self,
        mut into: &mut [u8],
        mut offset: u64,
        purpose: Purpose,
    ) -> Result<(), Error> {
        while !into.is_empty() {
            let error = std::io::ErrorKind::UnexpectedEof.into();
            let part = self.sparse.at(offset).ok_or(Error::Read { offset, error })?;
            let (part_bytes, from) = match part {
                Part::Hole(bytes) => (bytes, None),
                Part::Stored { stored_offset, bytes } => (bytes, Some(self.start + stored_offset)),
            };
            let length = usize::try_from(part_bytes).unwrap_or(usize::MAX).min(into.len());
            let (now, rest) = into.split_at_mut(length);
            match from {
                Some(from) => self.store.read_at(now, from, purpose)?,
                None => now.fill(0),
            }
            into = rest;
            offset += length as u64;
        }
        Ok(())
    }
}

/// A sparse file whose stored bytes come one after the other.
pub(super) struct Filled {
    stored: Box<dyn Bytes>,
    sparse: Sparse,
    offset: u64,
}

impl Filled {
    pub(super) fn new(stored: Box<dyn Bytes>, sparse: Sparse) -> Self {
        Self { stored, sparse, offset: 0 }
    }
}

impl Bytes for Filled {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let Some(part) = self.sparse.at(self.offset) else { return Ok(0) };
        let (Part::Hole(bytes) | Part::Stored { bytes, .. }) = part;
        let most = usize::try_from(bytes).unwrap_or(usize::MAX).min(into.len());
        let into = slices::part_mut(into, ..most);
        let got = if matches!(part, Part::Hole(_)) {
            into.fill(0);
            most
        } else {
            self.stored.read(into)?
        };
        self.offset += got as u64;
        Ok(got)
    }

    fn stored(&self) -> u64 {
        self.stored.stored()
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Error> {
        match self.sparse.at(self.offset) {
            Some(Part::Stored { .. }) => self.stored.is_ready(within),
            Some(Part::Hole(_)) | None => Ok(true),
        }
    }

    fn left(&self) -> Option<u64> {
        Some(self.sparse.bytes - self.offset)
    }

    fn held_bytes(&self) -> u64 {
        let map = self.sparse.stretches.capacity() * size_of::<crate::source::DataExtent>();
        self.stored.held_bytes().saturating_add(map as u64)
    }
}
