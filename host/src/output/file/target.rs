//! One file or device that a user names for all output.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, OFlags, statat};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

use super::calls::Calls;
use super::root::Root;
use super::sweep::sweep_of;
use super::{Attempt, Created, FileError, Pending};
use crate::settings::{Durable, Exists};

/// Where the output goes that a user names one file for.
#[derive(Debug)]
#[must_use]
pub enum Target {
    /// A file that is seen when it is whole.
    File(Pending),
    /// A terminal, pipe or device, written to as bytes come: what is in it cannot be taken back.
    Device(File),
    /// A file that is there already and is to be left.
    Skipped,
}

/// What [`Target::open`] would come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// A file that is seen when it is whole.
    File,
    /// A terminal, pipe or device.
    Device,
    /// A file that is there already and is to be left.
    Skipped,
}

impl Target {
    /// Looks at `path` as [`open`](Self::open) would, and neither makes nor opens anything.
    ///
    /// # Errors
    /// When it is a directory, when it is there and that is an error, or when its directory is not
    /// there.
    pub fn plan(path: &Path, exists: Exists) -> Result<Looked, FileError> {
        if standard(path).is_some() {
            return Ok(Looked::Device);
        }
        match kind(path)? {
            Some(FileType::Directory) => return Err(FileError::IsDirectory(path.into())),
            None | Some(FileType::RegularFile) if !is_of_system(path) => {}
            _ => return Ok(Looked::Device),
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        if kind(parent)? != Some(FileType::Directory) {
            return Err(FileError::new(parent, Attempt::OpenDirectory, Errno::NOENT));
        }
        // As it is made, links are not followed: one that leads nowhere is there.
        match (statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW), exists) {
            (Ok(_), Exists::Fail) => {
                Err(FileError::Exists(parent.join(path.file_name().unwrap_or_default())))
            }
            (Ok(_), Exists::Skip) => Ok(Looked::Skipped),
            _ => Ok(Looked::File),
        }
    }

    /// Opens `path`. What is there and is no regular file is written to as it is: `/dev/null`, a
    /// FIFO, which waits for its reader. So is everything in `/dev` and `/proc`: `/dev/stdout` is
    /// the standard output that the host has, whatever that is. The directory of a file must be
    /// there.
    ///
    /// # Errors
    /// When it is a directory, when it is there and that is an error, or when it cannot be opened.
    pub fn open(path: &Path, exists: Exists, durable: Durable) -> Result<Self, FileError> {
        Self::open_by(Calls::default(), path, exists, durable)
    }

    pub(super) fn open_by(
        calls: Calls,
        path: &Path,
        exists: Exists,
        durable: Durable,
    ) -> Result<Self, FileError> {
        if let Some(standard) = standard(path) {
            let error = |cause| FileError::new(path, Attempt::Open, cause);
            return Ok(Self::Device(standard.map_err(error)?.into()));
        }
        match kind(path)? {
            Some(FileType::Directory) => Err(FileError::IsDirectory(path.into())),
            None | Some(FileType::RegularFile) if !is_of_system(path) => {
                file(calls, path, exists, durable)
            }
            kind => {
                // A file behind `/proc/self/fd` is open elsewhere, too: what that wrote stays.
                let is_file = kind == Some(FileType::RegularFile);
                let append = if is_file { OFlags::APPEND } else { OFlags::empty() };
                let opened = calls.open_device(path, append);
                let error = |cause| FileError::new(path, Attempt::Open, cause);
                Ok(Self::Device(opened.map_err(error)?.into()))
            }
        }
    }
}

fn file(calls: Calls, path: &Path, exists: Exists, durable: Durable) -> Result<Target, FileError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(FileError::IsDirectory(path.into()));
    };
    if path.as_os_str().as_bytes().ends_with(b"/") {
        return Err(FileError::IsDirectory(path.into()));
    }
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let root = Root::open_existing(calls, parent, durable)?;
    if let Some(error) = sweep_of(&root, Path::new(name)).first_failure {
        tracing::warn!("{error}");
    }
    Ok(match Pending::create(&root, Path::new(name), exists)? {
        Created::Pending(pending) => Target::File(pending),
        Created::Skipped => Target::Skipped,
    })
}

/// Our own standard output or error, by one of the names that it has: opened anew, a file would be
/// written from its beginning.
fn standard(path: &Path) -> Option<Result<OwnedFd, Errno>> {
    match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => {
            Some(fcntl_dupfd_cloexec(io::stdout().as_fd(), 3))
        }
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => {
            Some(fcntl_dupfd_cloexec(io::stderr().as_fd(), 3))
        }
        _ => None,
    }
}

fn is_of_system(path: &Path) -> bool {
    // Shared memory is a place for files like others.
    (path.starts_with("/dev") && !path.starts_with("/dev/shm")) || path.starts_with("/proc")
}

/// What is there, links followed; `None` where nothing is.
fn kind(path: &Path) -> Result<Option<FileType>, FileError> {
    match statat(CWD, path, AtFlags::empty()) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(cause) => Err(FileError::new(path, Attempt::Look, cause)),
    }
}
