//! The files of a directory, in no order. Where inputs have to stay beneath a root, each directory
//! is opened from its root, as the files are later.
//!
//! By one thread, and one directory at a time: it is the kernel that says where a name leads, not a
//! path that was looked at before; and what is kept meanwhile is what was found.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, Stat, statat};

use super::globs::Kind;
use super::roots::LastLink;
use super::{
    Directories, Filter, Look, Refusal, Request, Room, Source, TooManySources, Way, bytes,
};

/// The files below `root`, and how many entries are none. What cannot be read is among them with
/// its reason.
///
/// # Errors
/// When they are more than there is room for.
pub(super) fn descend(
    root: &Path,
    filter: &Filter,
    request: &Request,
    within: &Arc<Room>,
) -> Result<(Vec<Source>, u64), TooManySources> {
    let known = Directories::within(within);
    let mut found =
        Found { root, filter, request, known, within, sources: Vec::new(), non_regular: 0 };
    let mut last = LastLink::Followed;
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        match found.list(&directory, last) {
            Ok(below) => directories.extend(below),
            Err(error) => found.add(directory.as_os_str().as_bytes(), Err(error.into())),
        }
        within.check()?;
        last = LastLink::Refused; // what was found to be a directory is no link, unless somebody has swapped them
    }
    Ok((found.sources, found.non_regular))
}

struct Found<'a> {
    root: &'a Path,
    filter: &'a Filter,
    request: &'a Request,
    known: Directories,
    within: &'a Room,
    sources: Vec<Source>,
    non_regular: u64,
}

impl Found<'_> {
    /// Adds the files of a directory, and gives the directories in it.
    fn list(&mut self, directory: &Path, last: LastLink) -> io::Result<Vec<PathBuf>> {
        let mut entries = Dir::new(self.request.roots.directory(directory, last)?)?;
        let mut below = Vec::new();
        let mut whole = directory.join("").into_os_string().into_vec();
        let above = whole.len();
        while let Some(entry) = entries.read() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            whole.truncate(above);
            whole.extend_from_slice(name.to_bytes());
            let path = Path::new(OsStr::from_bytes(&whole));
            match kind(&entries, &entry)? {
                FileType::Directory if self.takes(path, Kind::Directory) => {
                    self.within.add_bytes(path.as_os_str().len() as u64);
                    below.push(path.to_path_buf());
                }
                FileType::Directory => {}
                _ if !self.takes(path, Kind::File) => {}
                FileType::RegularFile => {
                    let listed = match self.request.look {
                        Look::Names => Ok(None),
                        Look::Sizes => look(&entries, &entry).map(|found| Some(bytes(&found))),
                    };
                    self.add(&whole, listed.map_err(Refusal::Io));
                    if self.within.check().is_err() {
                        break; // whoever asked for the list is told
                    }
                }
                _ => self.non_regular += 1,
            }
        }
        Ok(below)
    }

    fn takes(&self, path: &Path, kind: Kind) -> bool {
        self.filter.takes_all() || self.filter.takes_entry(self.root, path, kind)
    }

    fn add(&mut self, path: &[u8], listed: Result<Option<u64>, Refusal>) {
        let path = self.known.path(path);
        let source = Source { path, listed: listed.map_err(Box::new), way: Way::File };
        self.within.add(&source);
        self.sources.push(source);
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
