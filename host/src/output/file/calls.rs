//! The system calls for output files, a function each: the one place where tests make them fail.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags, Stat, flock, fstat, fsync, ftruncate,
    linkat, mkdirat, openat, renameat, renameat_with, statat, unlinkat,
};
use rustix::io::{Errno, pwrite, retry_on_intr};

use crate::platform::{self, Links};

type Result<T> = std::result::Result<T, Errno>;

/// A system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    OpenRoot,
    OpenBeneath,
    OpenChild,
    MakeDirectory,
    Look,
    Create,
    Lock,
    CheckNamed,
    Write,
    Truncate,
    Sync,
    SyncDirectory,
    Replace,
    Rename,
    Link,
    Remove,
    OpenFile,
}

/// The kernel; in tests with a script of what fails.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    #[cfg(test)]
    pub(super) script: std::sync::Arc<super::tests::Script>,
}

/// Directories are opened for reading: one that is only a place (`O_PATH`) cannot be synced.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

#[cfg_attr(not(test), expect(clippy::unused_self, reason = "it carries the script of tests"))]
impl Calls {
    #[cfg(test)]
    fn before(&self, call: Call) -> Result<()> {
        self.script.before(call)
    }

    #[cfg(not(test))]
    #[expect(clippy::unnecessary_wraps, reason = "a call fails where a test says so")]
    fn before(&self, _: Call) -> Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn at_most<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[..bytes.len().min(self.script.write_bytes_max)]
    }

    #[cfg(not(test))]
    fn at_most<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes
    }

    /// Opens a directory by the name that a user gave, links and all.
    pub(super) fn open_root(&self, path: &Path) -> Result<OwnedFd> {
        self.before(Call::OpenRoot)?;
        retry_on_intr(|| openat(CWD, path, DIRECTORY, Mode::empty()))
    }

    /// Opens a directory below `dir`, over any number of parts, none of them a link.
    pub(super) fn open_beneath(&self, dir: &OwnedFd, path: &Path) -> Result<OwnedFd> {
        self.before(Call::OpenBeneath)?;
        retry_on_intr(|| platform::open_beneath(dir, path, DIRECTORY, Links::Refused))
    }

    /// Opens a directory in `dir` that is no link.
    pub(super) fn open_child(&self, dir: &OwnedFd, name: &Path) -> Result<OwnedFd> {
        self.before(Call::OpenChild)?;
        retry_on_intr(|| openat(dir, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()))
    }

    /// Makes a directory with the permissions that the umask leaves.
    pub(super) fn make_directory(&self, dir: BorrowedFd<'_>, name: &Path) -> Result<()> {
        self.before(Call::MakeDirectory)?;
        mkdirat(dir, name, Mode::from_raw_mode(0o777))
    }

    /// What is there by that name, links not followed.
    pub(super) fn look(&self, dir: &OwnedFd, name: &Path) -> Result<Stat> {
        self.before(Call::Look)?;
        statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Makes a file that was not there, with the permissions that the umask leaves.
    pub(super) fn create(&self, dir: &OwnedFd, name: &Path) -> Result<OwnedFd> {
        self.before(Call::Create)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        retry_on_intr(|| openat(dir, name, flags, Mode::from_raw_mode(0o666)))
    }

    /// Opens a file that is no link to read it, without waiting where it is a FIFO.
    pub(super) fn open_file(&self, dir: &OwnedFd, name: &Path) -> Result<OwnedFd> {
        self.before(Call::OpenFile)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        retry_on_intr(|| openat(dir, name, flags, Mode::empty()))
    }

    /// Opens for writing what is there already, links and all.
    pub(super) fn open_device(&self, path: &Path, append: OFlags) -> Result<OwnedFd> {
        self.before(Call::OpenFile)?;
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC | append;
        retry_on_intr(|| openat(CWD, path, flags, Mode::empty()))
    }

    /// Locks the file against all others, or fails at once.
    pub(super) fn lock(&self, file: &OwnedFd) -> Result<()> {
        self.before(Call::Lock)?;
        retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockExclusive))
    }

    /// Whether the file has a name still.
    pub(super) fn is_named(&self, file: &OwnedFd) -> Result<bool> {
        self.before(Call::CheckNamed)?;
        Ok(fstat(file)?.st_nlink > 0)
    }

    /// Writes some of the bytes there.
    pub(super) fn write(&self, file: &OwnedFd, bytes: &[u8], offset: u64) -> Result<usize> {
        self.before(Call::Write)?;
        retry_on_intr(|| pwrite(file, self.at_most(bytes), offset))
    }

    /// Sets the length of the file.
    pub(super) fn truncate(&self, file: &OwnedFd, bytes: u64) -> Result<()> {
        self.before(Call::Truncate)?;
        retry_on_intr(|| ftruncate(file, bytes))
    }

    /// Waits until the file is on the disk.
    pub(super) fn sync(&self, file: &OwnedFd) -> Result<()> {
        self.before(Call::Sync)?;
        retry_on_intr(|| fsync(file))
    }

    /// Waits until the names in a directory are on the disk.
    pub(super) fn sync_directory(&self, dir: BorrowedFd<'_>) -> Result<()> {
        self.before(Call::SyncDirectory)?;
        retry_on_intr(|| fsync(dir))
    }

    /// Gives a file another name, and whatever had that is gone.
    pub(super) fn replace(&self, dir: &OwnedFd, from: &Path, to: &Path) -> Result<()> {
        self.before(Call::Replace)?;
        renameat(dir, from, dir, to)
    }

    /// Gives a file another name, unless something has that.
    pub(super) fn rename(&self, dir: &OwnedFd, from: &Path, to: &Path) -> Result<()> {
        self.before(Call::Rename)?;
        renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE)
    }

    /// Gives a file a second name, unless something has that.
    pub(super) fn link(&self, dir: &OwnedFd, from: &Path, to: &Path) -> Result<()> {
        self.before(Call::Link)?;
        linkat(dir, from, dir, to, AtFlags::empty())
    }

    /// Removes a name.
    pub(super) fn remove(&self, dir: impl AsFd, name: &Path) -> Result<()> {
        self.before(Call::Remove)?;
        unlinkat(dir, name, AtFlags::empty())
    }
}
