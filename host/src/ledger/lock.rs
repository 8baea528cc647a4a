//! Who has a ledger's file: one that writes, or any number that read.
//!
//! The lock is `flock(2)`'s, on the file itself: it ends with the process, however that ends, and
//! leaves nothing behind. The database's own locks are not enough, as they are lost when the
//! process opens and closes the file once more, as it does when the ledger is among the files that
//! it is run over.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;

/// What a database begins with (`SQLite`'s file format, section 1.3.1).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A file that no other process writes while this is held.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    /// Its name, as it was given.
    pub(super) name: PathBuf,
    /// Where the file really is. Absolute, as the database takes some other names for something
    /// else.
    pub(super) path: PathBuf,
    _held: Arc<Held>,
}

/// Gives the lock back when dropped, even where a child process that was just begun still has a
/// copy of the handle.
#[derive(Debug)]
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // Where this fails, closing the file does it.
        let _ = self.0.unlock();
    }
}

/// What a reader finds.
pub(super) enum Found {
    /// Nobody writes, or will.
    Quiet(Lock),
    /// Somebody writes.
    Live(Lock),
}

impl Lock {
    /// Takes the file for writing; makes it where it is missing.
    pub(super) fn exclusive(path: &Path) -> Result<Self, Error> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::NotALedger { path: path.to_path_buf() });
        }
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let file = opened.map_err(|error| Error::open(path, error))?;
        if !taken(path, file.try_lock())? {
            return Err(Error::InUse { path: path.to_path_buf() });
        }
        Self::new(path, file)
    }

    /// Takes the file for reading, whether somebody writes or not.
    pub(super) fn shared(path: &Path) -> Result<Found, Error> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::NotALedger { path: path.to_path_buf() });
        }
        let file = File::open(path).map_err(|error| Error::open(path, error))?;
        let quiet = taken(path, file.try_lock_shared())?;
        let lock = Self::new(path, file)?;
        Ok(if quiet { Found::Quiet(lock) } else { Found::Live(lock) })
    }

    fn new(path: &Path, file: File) -> Result<Self, Error> {
        // The database takes a file of less than a header for an empty one.
        let mut begins = [0; MAGIC.len()];
        let read = file.read_at(&mut begins, 0).map_err(|error| Error::open(path, error))?;
        if read > 0 && &begins != MAGIC {
            return Err(Error::NotALedger { path: path.to_path_buf() });
        }
        let name = path.to_path_buf();
        let path = fs::canonicalize(path).map_err(|error| Error::open(path, error))?;
        Ok(Self { name, path, _held: Arc::new(Held(file)) })
    }

    /// The file, and those beside it.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.path.clone()];
        files.extend(self.companions());
        files
    }

    /// The files beside it that belong to it while it is in use, and after a crash.
    pub(super) fn companions(&self) -> [PathBuf; 3] {
        ["-wal", "-shm", "-journal"].map(|suffix| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            path.into()
        })
    }
}

fn taken(path: &Path, tried: Result<(), TryLockError>) -> Result<bool, Error> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::open(path, error)),
    }
}

/// Whether there is anything in a file that may be missing.
pub(super) fn is_empty(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}
