//! The directory that takes all output, and the directories below it.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use rustix::io::Errno;

use super::calls::Calls;
use super::{Attempt, FileError};
use crate::settings::Durable;

/// A directory that was opened once, and below which all output stays, whatever becomes of its
/// name.
#[derive(Debug)]
pub struct Root {
    pub(super) path: PathBuf,
    pub(super) dir: Arc<OwnedFd>,
    pub(super) calls: Calls,
    pub(super) durable: Durable,
    /// Held alone while directories are made: who finds one has it on the disk, where that is asked
    /// for.
    making: RwLock<()>,
}

impl Root {
    /// Opens the directory, which is made where it is not there, with those above it. Links in
    /// `path` are followed.
    ///
    /// # Errors
    /// When it cannot be opened for reading or cannot be made.
    pub fn open(path: &Path, durable: Durable) -> Result<Self, FileError> {
        Self::open_by(Calls::default(), path, durable)
    }

    /// The directory `relative` below this one as a root of its own, made where it is not there; no
    /// link is followed.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn below(&self, relative: &Path) -> Result<Self, FileError> {
        let (dir, calls) = (self.directory(relative)?, self.calls.clone());
        let making = RwLock::default();
        Ok(Self { path: self.path.join(relative), dir, calls, durable: self.durable, making })
    }

    pub(super) fn open_by(calls: Calls, path: &Path, durable: Durable) -> Result<Self, FileError> {
        let dir = open_or_make(&calls, path, durable)?;
        Ok(Self::of(calls, path, dir, durable))
    }

    /// Opens the directory, which must be there.
    pub(super) fn open_existing(
        calls: Calls,
        path: &Path,
        durable: Durable,
    ) -> Result<Self, FileError> {
        let error = |cause| FileError::new(path, Attempt::OpenDirectory, cause);
        let dir = calls.open_root(path).map_err(error)?;
        Ok(Self::of(calls, path, dir, durable))
    }

    fn of(calls: Calls, path: &Path, dir: OwnedFd, durable: Durable) -> Self {
        let (path, dir, making) = (path.into(), Arc::new(dir), RwLock::default());
        Self { path, dir, calls, durable, making }
    }

    /// The directory at `relative`, which is made where it is not there, with those above it.
    pub(super) fn directory(&self, relative: &Path) -> Result<Arc<OwnedFd>, FileError> {
        if relative.as_os_str().is_empty() {
            return Ok(Arc::clone(&self.dir));
        }
        let others_may_look = self.making.read();
        match self.calls.open_beneath(&self.dir, relative) {
            Ok(dir) => return Ok(Arc::new(dir)),
            // Not there, or not to be entered: the walk makes it, or says at which part. Or the
            // kernel, or what guards it, does not know the call: the walk does the same, in more
            // calls.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NOSYS | Errno::PERM) => {}
            Err(cause) => {
                let path = self.path.join(relative);
                return Err(FileError::new(&path, Attempt::OpenDirectory, cause));
            }
        }
        drop(others_may_look);
        let _alone = self.making.write();
        self.walk(relative)
    }

    /// Goes down one part at a time, and makes what is not there.
    fn walk(&self, relative: &Path) -> Result<Arc<OwnedFd>, FileError> {
        let mut dir = Arc::clone(&self.dir);
        let mut path = self.path.clone();
        for part in relative.components() {
            let name = Path::new(part.as_os_str());
            path.push(name);
            let child = match self.calls.open_child(&dir, name) {
                Err(Errno::NOENT) => {
                    make(&self.calls, &dir, name, &path, self.durable)?;
                    self.calls.open_child(&dir, name)
                }
                child => child,
            };
            dir = match child {
                Ok(child) => Arc::new(child),
                Err(Errno::NOTDIR | Errno::LOOP) => return Err(FileError::NotDirectory(path)),
                Err(cause) => return Err(FileError::new(&path, Attempt::OpenDirectory, cause)),
            };
        }
        Ok(dir)
    }
}

/// A path below a root, as the directories and the name of the file.
pub(super) fn split(relative: &Path) -> Result<(&Path, &Path), FileError> {
    let normal = |part: Component<'_>| matches!(part, Component::Normal(_));
    match (relative.parent(), relative.file_name()) {
        (Some(parent), Some(name)) if relative.components().all(normal) => {
            Ok((parent, Path::new(name)))
        }
        _ => Err(FileError::NotBeneath(relative.into())),
    }
}

/// Opens a directory by the name that a user gave. Each that is made on the way is synced into the
/// one above it.
fn open_or_make(calls: &Calls, path: &Path, durable: Durable) -> Result<OwnedFd, FileError> {
    let error = |cause| FileError::new(path, Attempt::OpenDirectory, cause);
    let cause = match calls.open_root(path) {
        Ok(dir) => return Ok(dir),
        Err(cause) => cause,
    };
    let (Errno::NOENT, Some(parent), Some(name)) = (cause, path.parent(), path.file_name()) else {
        return Err(error(cause));
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let above = open_or_make(calls, parent, durable)?;
    make(calls, &above, Path::new(name), path, durable)?;
    calls.open_root(path).map_err(error)
}

/// Makes the directory `name` in `dir`, unless another has just done so. `path` is what it is
/// called in errors.
fn make(
    calls: &Calls,
    dir: &OwnedFd,
    name: &Path,
    path: &Path,
    durable: Durable,
) -> Result<(), FileError> {
    match calls.make_directory(dir.as_fd(), name) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(cause) => return Err(FileError::new(path, Attempt::MakeDirectory, cause)),
    }
    match durable {
        Durable::Fast => Ok(()),
        Durable::Synced => calls
            .sync_directory(dir.as_fd())
            .map_err(|cause| FileError::new(path, Attempt::SyncDirectory, cause)),
    }
}
