//! One file that is being written.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::calls::Calls;
use super::root::{Root, split};
use super::temporary::temporary;
use super::{Attempt, FileError};
use crate::settings::limits::TEMPORARY_TRIES_MAX;
use crate::settings::{Durable, Exists};
use crate::slices;

/// A file that is being written, invisible until it is [committed](Self::commit). Dropped without
/// that, it leaves nothing but a warning in the log where its temporary file could not be removed.
#[derive(Debug)]
pub struct Pending {
    calls: Calls,
    dir: Arc<OwnedFd>,
    /// Locked for as long as it is open.
    file: OwnedFd,
    name: PathBuf,
    /// The name that the file still has; none once it is committed or removed.
    temporary: Option<PathBuf>,
    /// What it is called in errors.
    path: PathBuf,
    exists: Exists,
    durable: Durable,
}

/// What became of the wish to write a file.
#[derive(Debug)]
#[must_use]
pub enum Created {
    /// It can be written.
    Pending(Pending),
    /// It is there already, and that is to be left.
    Skipped,
}

/// What became of a file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// It has its name.
    Visible,
    /// Another came to be there in the meantime, and that is to be left.
    Skipped,
}

impl Pending {
    /// Begins the file at `relative` below `root`. Directories on the way are made; permissions are
    /// what the umask leaves.
    ///
    /// With [`Exists::Replace`] what is there stays until the commit, and is replaced as it is: a
    /// link and not what it leads to. The new file has the owner and permissions of a new file.
    ///
    /// # Errors
    /// When the name leads out of `root` or over a link, when it is there and that is an error, or
    /// when the kernel says no.
    pub fn create(root: &Root, relative: &Path, exists: Exists) -> Result<Created, FileError> {
        let (parent, name) = split(relative)?;
        let path = root.path.join(relative);
        let dir = root.directory(parent)?;
        match (root.calls.look(&dir, name), exists) {
            (Err(Errno::NOENT), _) => {}
            (Err(cause), _) => return Err(FileError::new(&path, Attempt::Look, cause)),
            (Ok(stat), _) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                return Err(FileError::IsDirectory(path));
            }
            (Ok(_), Exists::Fail) => return Err(FileError::Exists(path)),
            (Ok(_), Exists::Skip) => return Ok(Created::Skipped),
            (Ok(_), Exists::Replace) => {}
        }
        let (file, temporary) = begin(&root.calls, &dir, name, &path)?;
        Ok(Created::Pending(Self {
            calls: root.calls.clone(),
            dir,
            file,
            name: name.into(),
            temporary: Some(temporary),
            path,
            exists,
            durable: root.durable,
        }))
    }

    /// Its path, for messages: the root as it was named, and the name below it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of `bytes` at `offset`. Several threads may write at once; what none has written
    /// is zeros.
    ///
    /// # Errors
    /// When not all could be written: the disk is full, say.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), FileError> {
        let (mut rest, mut offset) = (bytes, offset);
        while !rest.is_empty() {
            let error = |cause| self.error(Attempt::Write { offset }, cause);
            match self.calls.write(&self.file, rest, offset).map_err(error)? {
                0 => return Err(error(Errno::IO)),
                written => {
                    rest = slices::part(rest, written..);
                    offset += written as u64;
                }
            }
        }
        Ok(())
    }

    /// Sets the length: what is behind it is cut off.
    ///
    /// # Errors
    /// When the kernel says no.
    pub fn truncate(&self, bytes: u64) -> Result<(), FileError> {
        self.calls.truncate(&self.file, bytes).map_err(|cause| self.error(Attempt::Truncate, cause))
    }

    /// Gives the file its name: from then on it is seen, and all of it. See [`Durable`] for what it
    /// then survives.
    ///
    /// # Errors
    /// When it could not be brought to the disk, when the name was taken in the meantime and that
    /// is an error, or when the kernel says no. Nothing is then seen of the file; only where it has
    /// replaced another, and the disk then failed to take the name, is it there, as the other
    /// cannot be brought back.
    pub fn commit(mut self) -> Result<Committed, FileError> {
        if self.durable == Durable::Synced {
            self.calls.sync(&self.file).map_err(|cause| self.error(Attempt::Sync, cause))?;
        }
        if self.name_it()? == Committed::Skipped {
            return self.discard().map(|()| Committed::Skipped);
        }
        self.temporary = None;
        if self.durable == Durable::Synced {
            self.sync_name()?;
        }
        Ok(Committed::Visible)
    }

    /// Gives it up.
    ///
    /// # Errors
    /// When the temporary file could not be removed.
    pub fn discard(mut self) -> Result<(), FileError> {
        let removed = self.remove_temporary();
        // Not to be tried again.
        self.temporary = None;
        removed
    }

    /// Renames it, or says that the name is taken.
    fn name_it(&self) -> Result<Committed, FileError> {
        let Some(temporary) = &self.temporary else { return Ok(Committed::Visible) };
        let (dir, name) = (&self.dir, self.name.as_path());
        let named = match self.exists {
            Exists::Replace => self.calls.replace(dir, temporary, name),
            Exists::Fail | Exists::Skip => match self.calls.rename(dir, temporary, name) {
                // Network file systems and old kernels: a second name, which is as careful, then
                // without the first.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                    let linked = self.calls.link(dir, temporary, name);
                    linked.inspect(|()| warn_of(self.remove_temporary()))
                }
                renamed => renamed,
            },
        };
        match (named, self.exists) {
            (Ok(()), _) => Ok(Committed::Visible),
            (Err(Errno::EXIST), Exists::Skip) => Ok(Committed::Skipped),
            (Err(Errno::EXIST), Exists::Fail) => Err(FileError::Exists(self.path.clone())),
            (Err(cause), _) => Err(self.error(Attempt::Name, cause)),
        }
    }

    /// Brings the new name to the disk, or takes it back where nothing was replaced: what failed is
    /// not to be seen.
    fn sync_name(&self) -> Result<(), FileError> {
        let synced = self.calls.sync_directory(self.dir.as_fd());
        let error = |cause| self.error(Attempt::SyncDirectory, cause);
        if synced.is_err() && self.exists != Exists::Replace {
            let removed = self.calls.remove(&self.dir, &self.name);
            warn_of(removed.map_err(|cause| self.error(Attempt::Remove, cause)));
        }
        synced.map_err(error)
    }

    fn remove_temporary(&self) -> Result<(), FileError> {
        let Some(temporary) = &self.temporary else { return Ok(()) };
        self.calls.remove(&self.dir, temporary).map_err(|cause| self.error(Attempt::Remove, cause))
    }

    fn error(&self, attempt: Attempt, cause: Errno) -> FileError {
        FileError::new(&self.path, attempt, cause)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        warn_of(self.remove_temporary());
    }
}

/// For what cannot be returned, as something else is. A later sweep finds what is left.
fn warn_of(removed: Result<(), FileError>) {
    if let Err(error) = removed {
        tracing::warn!("{error}");
    }
}

/// Makes the temporary file, locked.
fn begin(
    calls: &Calls,
    dir: &OwnedFd,
    name: &Path,
    path: &Path,
) -> Result<(OwnedFd, PathBuf), FileError> {
    let mut cause = Errno::EXIST;
    for _ in 0..TEMPORARY_TRIES_MAX {
        let temporary = PathBuf::from(temporary(name));
        let file = match calls.create(dir, &temporary) {
            Ok(file) => file,
            Err(Errno::EXIST) => continue,
            Err(cause) => return Err(FileError::new(path, Attempt::Create, cause)),
        };
        match hold(calls, &file) {
            Ok(Held::Ours) => return Ok((file, temporary)),
            Ok(Held::Swept) => cause = Errno::WOULDBLOCK,
            Err(cause) => {
                let error = FileError::new(path, Attempt::Lock, cause);
                let removed = calls.remove(dir, &temporary);
                warn_of(removed.map_err(|cause| FileError::new(path, Attempt::Remove, cause)));
                return Err(error);
            }
        }
    }
    Err(FileError::new(path, Attempt::Create, cause))
}

enum Held {
    Ours,
    /// A sweep found it between its creation and its lock, and removes it.
    Swept,
}

fn hold(calls: &Calls, file: &OwnedFd) -> Result<Held, Errno> {
    match calls.lock(file) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(Held::Swept),
        // There are no locks, so there is no sweep either.
        Err(Errno::NOSYS | Errno::NOTSUP | Errno::NOLCK) => return Ok(Held::Ours),
        Err(cause) => return Err(cause),
    }
    Ok(if calls.is_named(file)? { Held::Ours } else { Held::Swept })
}
