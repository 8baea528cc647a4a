//! Opens files by name; files of one directory, one after the other, by their last names alone; and
//! the archives of members, each once for its members in a row.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::identity::Identity;
use super::pseudo::Devices;
use super::store::Store;
use super::{Access, Error, Input};
use crate::platform::{self, PLACE};
use crate::settings::limits::AHEAD_FILE_BYTES;
use crate::source::{Archive, Roots};

/// Opens files for one thread. Looking up a deep path costs as much as reading a small file, so a
/// directory is kept open once a few files in a row have come from it.
#[derive(Debug, Default)]
pub struct Opener {
    /// The directory of the last file, as bytes of its path up to and with the last slash.
    last: Vec<u8>,
    in_a_row: usize,
    directory: Option<OwnedFd>,
    /// The archive of the last member.
    archive: Option<(Arc<Archive>, Arc<Store>)>,
    /// Files that were opened before it was their turn.
    expected: VecDeque<(PathBuf, File)>,
    pub(super) devices: Devices,
}

/// Files in a row after which their directory is opened, which costs as much as opening a file.
const ROW: usize = 2;

impl Opener {
    /// Opens the files that come next and asks for their bytes, so that the disk is at several at
    /// once; those that it opened before and that are not among them it closes. If one cannot be
    /// opened, the error comes when it is opened for reading.
    pub fn expect<P: AsRef<Path>>(&mut self, paths: impl Iterator<Item = P>, roots: &Roots) {
        let mut before = std::mem::take(&mut self.expected);
        for path in paths {
            let path = path.as_ref();
            let known = before.iter().position(|(at, _)| at == path);
            if let Some(known) = known.and_then(|at| before.remove(at)) {
                self.expected.push_back(known);
            } else if let Ok(file) = self.open_now(path, roots) {
                // Advice: what cannot be read ahead is read when it is its turn.
                platform::read_ahead(&file, AHEAD_FILE_BYTES);
                self.expected.push_back((path.to_path_buf(), file));
            }
        }
    }

    /// Opens a file for reading. Never waits for the other end of a FIFO.
    pub(super) fn open(&mut self, path: &Path, roots: &Roots) -> io::Result<File> {
        let expected = self.expected.iter().position(|(at, _)| at == path);
        match expected.and_then(|at| self.expected.remove(at)) {
            Some((_, file)) => Ok(file),
            None => self.open_now(path, roots),
        }
    }

    fn open_now(&mut self, path: &Path, roots: &Roots) -> io::Result<File> {
        if roots.are_set() {
            return roots.file(path);
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let bytes = path.as_os_str().as_bytes();
        let end = memchr::memrchr(b'/', bytes).map_or(0, |at| at + 1);
        let (directory, name) = bytes.split_at(end);
        let opened = match self.directory(directory) {
            Some(directory) if !name.is_empty() => openat(directory, name, flags, Mode::empty()),
            _ => openat(CWD, path, flags, Mode::empty()),
        };
        Ok(opened?.into())
    }

    /// Opens the archive of a member, or gives the one that is open; it is the one that was listed,
    /// unchanged.
    pub(super) fn archive(
        &mut self,
        archive: &Arc<Archive>,
        access: &Access,
    ) -> Result<Arc<Store>, Error> {
        if let Some((of, store)) = &self.archive
            && Arc::ptr_eq(of, archive)
        {
            store.check_unchanged()?;
            return Ok(Arc::clone(store));
        }
        let Input { store, .. } = Input::whole(self, &archive.path, &archive.way, access)?;
        let listed = Identity::from(archive.version);
        if let Some(difference) = listed.difference(&store.version().into()) {
            return Err(Error::Changed(difference));
        }
        let store = Arc::new(store);
        self.archive = Some((Arc::clone(archive), Arc::clone(&store)));
        Ok(store)
    }

    /// The directory, if it is worth having open, and can be.
    fn directory(&mut self, path: &[u8]) -> Option<&OwnedFd> {
        if self.last != path {
            self.last.clear();
            self.last.extend_from_slice(path);
            self.in_a_row = 0;
            self.directory = None;
        }
        self.in_a_row += 1;
        if self.in_a_row == ROW && !path.is_empty() {
            let flags = PLACE | OFlags::DIRECTORY;
            // Where it cannot be opened, the file itself says why.
            self.directory = openat(CWD, path, flags, Mode::empty()).ok();
        }
        self.directory.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_expected_is_the_file_that_was_there_then() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["one", "two", "three"].map(|name| dir.path().join(name));
        for path in &paths {
            std::fs::write(path, path.file_name().unwrap().as_bytes()).unwrap();
        }
        let mut opener = Opener::default();
        let read = |opener: &mut Opener, path: &Path| {
            io::read_to_string(opener.open(path, &Roots::default()).unwrap()).unwrap()
        };
        let missing = dir.path().join("none");
        let anywhere = Roots::default();
        let all = paths.iter().map(PathBuf::as_path).chain([missing.as_path()]);
        opener.expect(all, &anywhere);
        for path in &paths {
            std::fs::remove_file(path).unwrap();
            std::fs::write(path, "new").unwrap();
        }
        assert_eq!(read(&mut opener, &paths[1]), "two");
        assert_eq!(read(&mut opener, &paths[1]), "new", "each is given out once");
        opener.expect(paths[2..].iter().map(PathBuf::as_path), &anywhere);
        assert_eq!(read(&mut opener, &paths[0]), "new", "it is no longer expected");
        assert_eq!(read(&mut opener, &paths[2]), "three");
        let error = opener.open(&missing, &anywhere).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn files_are_found_in_their_own_directories() {
        let dir = tempfile::tempdir().unwrap();
        let mut opener = Opener::default();
        let names =
            ["a/one", "a/two", "a/three", "a/four", "b/one", "a/one", "top", "a/one", "a/two"];
        for name in names {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, name).unwrap();
            let mut text = String::new();
            opener.open(&path, &Roots::default()).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, name);
        }
        let error = opener.open(&dir.path().join("c/one"), &Roots::default()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
