//! Removes what killed runs have left.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Dir, DirEntry, FileType};
use rustix::io::Errno;

use super::root::Root;
use super::temporary::is_temporary_of;
use super::{Attempt, FileError, is_temporary};

/// What a sweep found.
#[derive(Debug, Default)]
pub struct Swept {
    /// Temporary files that were removed: nobody held them.
    pub removed: u64,
    /// Temporary files that others are writing.
    pub in_use: u64,
    /// Files and directories that could not be looked at or removed.
    pub failed: u64,
    /// Why the first of these could not.
    pub first_failure: Option<FileError>,
}

impl Swept {
    fn fail(&mut self, error: FileError) {
        self.failed += 1;
        self.first_failure.get_or_insert(error);
    }

    /// Removes a temporary file in a directory, unless somebody writes it.
    fn take(&mut self, root: &Root, dir: &OwnedFd, (relative, name): (&Path, &Path)) {
        match remove(root, dir, name) {
            Ok(()) => self.removed += 1,
            // Its writer has it, or was done with it a moment ago.
            Err(Errno::WOULDBLOCK | Errno::NOENT) => self.in_use += 1,
            Err(cause) => {
                let path = root.path.join(relative).join(name);
                self.fail(FileError::new(&path, Attempt::Remove, cause));
            }
        }
    }
}

/// Removes temporary files below `root`, in all directories, that are called as ours are and that
/// no process has locked. No link is followed. It lists the whole tree, once a run.
pub fn sweep(root: &Root) -> Swept {
    let mut swept = Swept::default();
    let mut waiting = vec![PathBuf::new()];
    while let Some(relative) = waiting.pop() {
        let swept_directory = sweep_directory(root, &relative, &mut waiting, &mut swept);
        if let Err(cause) = swept_directory {
            swept.fail(FileError::new(&root.path.join(relative), Attempt::List, cause));
        }
    }
    swept
}

/// Removes temporary files of the one file `name` in `root`, as [`sweep`] does. Other files may be
/// anybody's there.
pub(super) fn sweep_of(root: &Root, name: &Path) -> Swept {
    let mut swept = Swept::default();
    let listed = Dir::read_from(&root.dir).and_then(|dir| {
        for entry in dir {
            let entry = entry?;
            let found = OsStr::from_bytes(entry.file_name().to_bytes());
            if is_temporary_of(found.as_bytes(), name)
                && kind(root, &root.dir, &entry) == FileType::RegularFile
            {
                swept.take(root, &root.dir, (Path::new(""), Path::new(found)));
            }
        }
        Ok(())
    });
    if let Err(cause) = listed {
        swept.fail(FileError::new(&root.path, Attempt::List, cause));
    }
    swept
}

fn sweep_directory(
    root: &Root,
    relative: &Path,
    waiting: &mut Vec<PathBuf>,
    swept: &mut Swept,
) -> Result<(), Errno> {
    let Some(dir) = open(root, relative)? else { return Ok(()) };
    for entry in Dir::read_from(&dir)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        match kind(root, &dir, &entry) {
            FileType::Directory if name != "." && name != ".." => waiting.push(relative.join(name)),
            FileType::RegularFile if is_temporary(name.as_bytes()) => {
                swept.take(root, &dir, (relative, Path::new(name)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The directory; `None` where it is gone, or is a link by now.
fn open(root: &Root, relative: &Path) -> Result<Option<Arc<OwnedFd>>, Errno> {
    let mut dir = Arc::clone(&root.dir);
    for part in relative.components() {
        match root.calls.open_child(&dir, Path::new(part.as_os_str())) {
            Ok(child) => dir = Arc::new(child),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            Err(cause) => return Err(cause),
        }
    }
    Ok(Some(dir))
}

/// What an entry is, asked for where the file system does not list it.
fn kind(root: &Root, dir: &OwnedFd, entry: &DirEntry) -> FileType {
    let name = Path::new(OsStr::from_bytes(entry.file_name().to_bytes()));
    match entry.file_type() {
        FileType::Unknown => root
            .calls
            .look(dir, name)
            .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
        listed => listed,
    }
}

/// Removes a temporary file that nobody has locked.
fn remove(root: &Root, dir: &OwnedFd, name: &Path) -> Result<(), Errno> {
    let file = root.calls.open_file(dir, name)?;
    root.calls.lock(&file)?;
    // Its writer may have given it its name and closed it just before: then this name is gone, and
    // is never used again.
    root.calls.remove(dir, name)
}
