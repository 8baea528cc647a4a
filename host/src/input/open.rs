//! Opens files by name; files of one directory, one after the other, by their last names alone.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

/// Opens files for one thread, and keeps the directory of the last one open: looking up a deep path
/// costs as much as reading a small file.
#[derive(Debug, Default)]
pub struct Opener {
    directory: Option<(Vec<u8>, OwnedFd)>,
}

impl Opener {
    /// Opens a file for reading. Never waits for the other end of a FIFO.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let bytes = path.as_os_str().as_bytes();
        let opened = match memchr::memrchr(b'/', bytes).map(|at| bytes.split_at(at + 1)) {
            Some((directory, name)) if !name.is_empty() => {
                openat(self.directory(directory)?, name, flags, Mode::empty())?
            }
            _ => openat(CWD, path, flags, Mode::empty())?,
        };
        Ok(opened.into())
    }

    fn directory(&mut self, path: &[u8]) -> io::Result<&OwnedFd> {
        let directory = match self.directory.take_if(|(kept, _)| kept == path) {
            Some(directory) => directory,
            None => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                (path.to_vec(), openat(CWD, path, flags, Mode::empty())?)
            }
        };
        Ok(&self.directory.insert(directory).1)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn files_are_found_in_their_own_directories() {
        let dir = tempfile::tempdir().unwrap();
        let mut opener = Opener::default();
        for name in ["a/one", "a/two", "b/one", "a/one", "top"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, name).unwrap();
            let mut text = String::new();
            opener.open(&path).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, name);
        }
        assert_eq!(opener.open(&dir.path().join("c/one")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
