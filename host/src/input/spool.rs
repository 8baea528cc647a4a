//! Temporary files, which have no names: what comes but once is kept there until it is known to be
//! sound.
//!
//! A process that goes into a jail can make none from then on, so it has some made before: those
//! are used again and again. Each holds [`SPOOLED_BYTES_MAX`] at most.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use parking_lot::Mutex;

use super::Error;
use crate::settings::limits::SPOOLED_BYTES_MAX;

/// Made ahead, empty, and not in use.
static READY: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// Makes so many files ahead.
///
/// # Errors
/// When there can be no more; those before are there.
pub fn prepare_spools(count: usize) -> io::Result<()> {
    for _ in 0..count {
        give(tempfile::tempfile()?);
    }
    Ok(())
}

fn give(file: File) {
    READY.lock().push(file);
}

/// A temporary file, which is written, and then read from its front.
pub(super) struct Spool {
    /// None once it has been taken out.
    file: Option<File>,
    bytes: u64,
    /// Whether it was made ahead.
    is_ready: bool,
}

impl Spool {
    pub(super) fn new() -> Result<Self, Error> {
        let ready = READY.lock().pop();
        let is_ready = ready.is_some();
        let file = ready.map_or_else(tempfile::tempfile, Ok).map_err(Error::Unkept)?;
        Ok(Self { file: Some(file), bytes: 0, is_ready })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        if self.bytes > SPOOLED_BYTES_MAX {
            return Err(Error::Unkept(io::ErrorKind::FileTooLarge.into()));
        }
        self.file()?.write_all(bytes).map_err(Error::Unkept)
    }

    /// Goes back to its front.
    pub(super) fn rewind(&mut self) -> Result<(), Error> {
        self.file()?.seek(SeekFrom::Start(0)).map_err(Error::Unkept)?;
        Ok(())
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        self.file()?.read(into).map_err(Error::Unkept)
    }

    /// The file, for somebody who keeps it.
    pub(super) fn into_file(mut self) -> Result<File, Error> {
        self.file.take().ok_or_else(gone)
    }

    fn file(&mut self) -> Result<&mut File, Error> {
        self.file.as_mut().ok_or_else(gone)
    }
}

fn gone() -> Error {
    Error::Unkept(io::ErrorKind::NotFound.into())
}

impl Drop for Spool {
    fn drop(&mut self) {
        let Some(mut file) = self.file.take().filter(|_| self.is_ready) else { return };
        // A spool that cannot be emptied is dropped; the next reader reports that there is none.
        if file.set_len(0).and_then(|()| file.rewind()).is_ok() {
            give(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_made_ahead_is_used_again_and_empty() {
        prepare_spools(1).unwrap();
        for text in ["a longer one", "short"] {
            let mut spool = Spool::new().unwrap();
            spool.write(text.as_bytes()).unwrap();
            spool.rewind().unwrap();
            let mut all = Vec::new();
            spool.file().unwrap().read_to_end(&mut all).unwrap();
            assert_eq!(all, text.as_bytes());
            assert!(spool.is_ready);
        }
        let mut file = Spool::new().unwrap().into_file().unwrap();
        assert_eq!(io::copy(&mut file, &mut io::sink()).unwrap(), 0);
        assert!(!Spool::new().unwrap().is_ready, "it is somebody's now");
    }
}
