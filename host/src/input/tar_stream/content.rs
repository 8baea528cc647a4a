//! The bytes of a tar archive from its front, and the content of the member that it is at.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::super::archive::block::{BLOCK_BYTES, Block, padded};
use super::super::{Bytes, Error};
use crate::settings::limits::{ARCHIVE_HEADER_BYTES_MAX, COPY_BYTES};
use crate::slices;
use crate::source::{ArchiveError, Refusal};

pub(super) fn lock(tar: &Mutex<Tar>) -> MutexGuard<'_, Tar> {
    tar.lock()
}

/// The bytes of an archive, and how far they have been read.
pub(super) struct Tar {
    pub(super) bytes: Box<dyn Bytes>,
    pub(super) offset: u64,
    /// What is left of the content of the entry that it is at, and the zeros that fill its last
    /// block.
    pub(super) left: u64,
    pub(super) padding: u64,
    /// Stored bytes that have been accounted for, with one member or another.
    pub(super) accounted: u64,
}

impl Tar {
    pub(super) fn enter(&mut self, bytes: u64) -> Result<(), Error> {
        let Some(all) = padded(bytes) else {
            return Err(damaged(self.offset, "a size that is none"));
        };
        self.left = bytes;
        self.padding = all - bytes;
        Ok(())
    }

    /// Reads content.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let into = slices::part_mut(into, ..most);
        let got = self.bytes.read(into)?;
        if got == 0 && !into.is_empty() {
            return Err(self.cut_off());
        }
        self.offset += got as u64;
        self.left -= got as u64;
        Ok(got)
    }

    /// Passes over the rest of an entry.
    pub(super) fn skip(&mut self) -> Result<(), Error> {
        self.left = self.left.saturating_add(std::mem::take(&mut self.padding));
        if self.left > 0 {
            // Mostly what fills a block up.
            let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(COPY_BYTES);
            let mut scratch = vec![0; most];
            while self.left > 0 {
                self.read(&mut scratch)?;
            }
        }
        Ok(())
    }

    /// The next block; none behind the last, where no zeros mark it.
    pub(super) fn block(&mut self) -> Result<Option<Block>, Error> {
        let mut block = [0; BLOCK_BYTES];
        let mut length = 0;
        while let Some(room) = block.get_mut(length..).filter(|room| !room.is_empty()) {
            let got = self.bytes.read(room)?;
            if got == 0 && length == 0 {
                return Ok(None);
            }
            if got == 0 {
                return Err(self.cut_off());
            }
            length += got;
            self.offset += got as u64;
        }
        Ok(Some(block))
    }

    /// A block of content.
    pub(super) fn content(&mut self) -> Result<Block, Error> {
        let mut block = [0; BLOCK_BYTES];
        let mut length = 0;
        while length < BLOCK_BYTES {
            length += self.read(slices::part_mut(&mut block, length..))?;
        }
        Ok(block)
    }

    pub(super) fn header_data(&mut self, bytes: u64) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        if length > ARCHIVE_HEADER_BYTES_MAX {
            return Err(damaged(self.offset, "a header that is longer than any real one"));
        }
        self.enter(bytes)?;
        let mut data = vec![0; length];
        let mut read = 0;
        while self.left > 0 {
            read += self.read(slices::part_mut(&mut data, read..))?;
        }
        Ok(data)
    }

    /// Reads what fills the archive up, so that all that stands behind it is checked, too.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        let mut scratch = vec![0; COPY_BYTES];
        loop {
            let got = self.bytes.read(&mut scratch)?;
            if got == 0 {
                return Ok(());
            }
            let fresh = slices::part(&scratch, ..got);
            if let Some(at) = fresh.iter().position(|&byte| byte != 0) {
                let at = self.offset + at as u64;
                return Err(damaged(at, "something else follows behind its end"));
            }
            self.offset += got as u64;
        }
    }

    fn cut_off(&self) -> Error {
        damaged(self.offset, "it is cut off")
    }
}

pub(super) fn damaged(offset: u64, what: &'static str) -> Error {
    Refusal::from(ArchiveError::Damaged { offset, what: what.into() }).into()
}

/// The content of the member that an archive is at.
pub(super) struct Content {
    pub(super) tar: Arc<Mutex<Tar>>,
    /// What had been accounted for before it.
    pub(super) from: u64,
}

impl Bytes for Content {
    fn held_bytes(&self) -> u64 {
        lock(&self.tar).bytes.held_bytes()
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        lock(&self.tar).read(into)
    }

    fn stored(&self) -> u64 {
        let mut tar = lock(&self.tar);
        tar.accounted = tar.bytes.stored();
        tar.accounted - self.from
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Error> {
        let mut tar = lock(&self.tar);
        Ok(tar.left == 0 || tar.bytes.is_ready(within)?)
    }

    fn left(&self) -> Option<u64> {
        Some(lock(&self.tar).left)
    }
}
