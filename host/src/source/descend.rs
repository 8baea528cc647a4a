//! The files of a directory that has to stay beneath a root, in no order: each directory is opened from its root, as the files are later.
//!
//! By one thread, and one directory at a time: it is the kernel that says where a name leads, not a path that was looked at before.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, Stat, statat};

use super::globs::Kind;
use super::roots::LastLink;
use super::walk::Filter;
use super::{Look, Refusal, Request, Source, Way, bytes};

/// The files below `root`, and how many entries are none. What cannot be read is among them with its reason.
pub(super) fn descend(root: &Path, filter: &Filter, request: &Request) -> (Vec<Source>, u64) {
    let mut found = Found { root, filter, request, sources: Vec::new(), skipped: 0 };
    let mut last = LastLink::Followed;
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        match found.list(&directory, last) {
            Ok(below) => directories.extend(below),
            Err(error) => found.add(directory, Err(error.into())),
        }
        last = LastLink::Refused; // what was found to be a directory is no link, unless somebody has swapped them
    }
    (found.sources, found.skipped)
}

struct Found<'a> {
    root: &'a Path,
    filter: &'a Filter,
    request: &'a Request,
    sources: Vec<Source>,
    skipped: u64,
}

impl Found<'_> {
    /// Adds the files of a directory, and gives the directories in it.
    fn list(&mut self, directory: &Path, last: LastLink) -> io::Result<Vec<PathBuf>> {
        let mut entries = Dir::new(self.request.roots.directory(directory, last)?)?;
        let mut below = Vec::new();
        while let Some(entry) = entries.read() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let path = directory.join(OsStr::from_bytes(name.to_bytes()));
            match kind(&entries, &entry)? {
                FileType::Directory
                    if self.filter.takes_entry(self.root, &path, Kind::Directory) =>
                {
                    below.push(path);
                }
                FileType::Directory => {}
                _ if !self.filter.takes_entry(self.root, &path, Kind::File) => {}
                FileType::RegularFile => {
                    let listed = match self.request.look {
                        Look::Names => Ok(None),
                        Look::Sizes => look(&entries, &entry).map(|found| Some(bytes(&found))),
                    };
                    self.add(path, listed.map_err(Refusal::Io));
                }
                _ => self.skipped += 1,
            }
        }
        Ok(below)
    }

    fn add(&mut self, path: PathBuf, listed: Result<Option<u64>, Refusal>) {
        self.sources.push(Source { path, listed, way: Way::File });
    }
}

/// What an entry is; not each file system says so in its directories.
fn kind(entries: &Dir, entry: &DirEntry) -> io::Result<FileType> {
    match entry.file_type() {
        FileType::Unknown => Ok(FileType::from_raw_mode(look(entries, entry)?.st_mode)),
        kind => Ok(kind),
    }
}

fn look(entries: &Dir, entry: &DirEntry) -> io::Result<Stat> {
    Ok(statat(entries.fd()?, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?)
}
