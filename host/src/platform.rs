//! What Linux has and other systems lack: each such call is made here, or in `jail/`.
//!
//! A caller sees one function with one meaning. Elsewhere the function does the same in another
//! way, does without where it is only advice, or says that it cannot (`ENOSYS`). Knows nothing of
//! plugins, sources or outputs.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
#[cfg(target_os = "linux")]
use rustix::fs::{
    Advice, MemfdFlags, Mode, ResolveFlags, SealFlags, fadvise, fcntl_add_seals, memfd_create,
    openat2,
};
use rustix::io::Errno;

/// The name of the system that this program was built for, as `std` names it.
pub const SYSTEM: &str = std::env::consts::OS;

/// Opens a directory or file only to look at it, or to open others from there.
#[cfg(target_os = "linux")]
pub const PLACE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Opens a directory or file only to look at it, or to open others from there.
#[cfg(not(target_os = "linux"))]
pub const PLACE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// What becomes of links on the way to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// They are followed, but those of `/proc` that lead anywhere.
    Followed,
    /// None is followed.
    Refused,
}

/// Opens what is at `path` below a directory, and never what is outside of it (openat2(2)).
///
/// # Errors
/// Those of the call; `EXDEV` where the path leads out, and `ENOSYS` on a system without the call.
#[cfg(target_os = "linux")]
pub fn open_beneath(
    dir: impl AsFd,
    path: &Path,
    flags: OFlags,
    links: Links,
) -> Result<OwnedFd, Errno> {
    let links = match links {
        Links::Followed => ResolveFlags::NO_MAGICLINKS,
        Links::Refused => ResolveFlags::NO_SYMLINKS,
    };
    openat2(dir, path, flags, Mode::empty(), ResolveFlags::BENEATH | links)
}

/// Says that there is no such call: callers walk, or refuse.
///
/// # Errors
/// Always `ENOSYS`.
#[cfg(not(target_os = "linux"))]
pub fn open_beneath(
    _dir: impl AsFd,
    _path: &Path,
    _flags: OFlags,
    _links: Links,
) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

/// A file that has no name. On Linux it is in memory, shown as `name` in `/proc`, and can be
/// [sealed](seal); elsewhere it is a temporary file.
///
/// # Errors
/// When none can be made.
pub fn nameless_file(name: &str) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        Ok(File::from(memfd_create(name, flags)?))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = name;
        tempfile::tempfile()
    }
}

/// Keeps everybody from changing a [nameless file](nameless_file) from now on.
///
/// # Errors
/// When that cannot be promised, as on all systems but Linux.
pub fn seal(file: &File) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        Ok(fcntl_add_seals(file, seals)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        Err(io::Error::new(io::ErrorKind::Unsupported, "files cannot be sealed on this system"))
    }
}

/// Linux's number for the kind of file system that a file is on (statfs(2)), where it can be had.
pub fn file_system(file: &File) -> Option<u64> {
    #[cfg(target_os = "linux")]
    return rustix::fs::fstatfs(file).ok().and_then(|found| u64::try_from(found.f_type).ok());
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        None
    }
}

/// Asks for the first bytes of a file that is read soon, or for all. It is advice: nothing depends
/// on it.
pub fn read_ahead(file: &File, bytes: Option<NonZeroU64>) {
    #[cfg(target_os = "linux")]
    let _advice = fadvise(file, 0, bytes, Advice::WillNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = (file, bytes);
}

/// Has the kernel end this process with the one that started it. Elsewhere than on Linux an
/// orphan goes on until its bounds end it.
///
/// # Errors
/// When the kernel refuses.
pub fn end_with_parent() -> Result<(), Errno> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

/// A path by which the program that runs here can be started again. On Linux that holds even if its
/// file was moved or removed (`proc(5)`).
///
/// # Errors
/// When the system does not know it.
pub fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    use super::*;

    #[test]
    fn a_nameless_file_holds_what_was_written() {
        let mut file = nameless_file("test").unwrap();
        file.write_all(b"kept").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "kept");
    }

    #[test]
    fn what_is_opened_beneath_is_not_outside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("inside"), "").unwrap();
        let root = File::open(dir.path()).unwrap();
        let open = |path: &str| open_beneath(&root, path.as_ref(), PLACE, Links::Refused);
        if cfg!(target_os = "linux") {
            assert!(open("inside").is_ok());
            assert_eq!(open("../outside").unwrap_err(), Errno::XDEV);
        } else {
            assert_eq!(open("inside").unwrap_err(), Errno::NOSYS);
        }
    }

    #[test]
    fn this_program_is_a_file_that_is_there() {
        assert!(this_program().unwrap().is_file());
    }
}
