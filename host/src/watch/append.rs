//! One file that takes the rows of all files, each once: its length is committed with what the rows
//! are of, and what a crash left behind that is cut off.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::settings::Durable;

/// The file, and how much of it is committed.
#[derive(Debug)]
pub(super) struct Rows {
    path: PathBuf,
    file: File,
    committed: u64,
    /// How far anything was written that is not committed.
    end: u64,
    durable: Durable,
}

/// What was found where rows go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// What was committed, and no more.
    AsLeft,
    /// So many bytes more, which are gone now.
    Cut(u64),
    /// Less than was committed: somebody else has cut or replaced it. New rows come behind what is
    /// there.
    Shorter,
}

impl Rows {
    /// Opens or makes the file at `path`, of which so much was committed, if anything ever was.
    pub(super) fn open(
        path: &Path,
        committed: Option<u64>,
        durable: Durable,
    ) -> io::Result<(Self, Found)> {
        if let Some(directory) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            fs::create_dir_all(directory)?;
        }
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let found = file.metadata()?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another watch writes to it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if !found.is_file() {
            return Err(io::Error::other("is not a regular file"));
        }
        if is_new && durable == Durable::Synced {
            let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        let bytes = found.len();
        let (committed, how) = match committed {
            None if bytes > 0 => {
                let message = "exists already, and no rows in it are of this watch";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
            None => (0, Found::AsLeft),
            Some(committed) if committed > bytes => (bytes, Found::Shorter),
            Some(committed) if committed == bytes => (committed, Found::AsLeft),
            Some(committed) => {
                file.set_len(committed)?;
                (committed, Found::Cut(bytes - committed))
            }
        };
        let path = path.to_path_buf();
        Ok((Self { path, file, committed, end: committed, durable }, how))
    }

    /// Looks whether the file is as it was left: somebody else may have moved, cut or written to
    /// it. What is there then stays, and rows come behind it. Tells what was found, if it was
    /// anything else.
    pub(super) fn renew(&mut self) -> io::Result<Option<&'static str>> {
        let own = self.file.metadata()?;
        let is_own = |now: &fs::Metadata| (now.dev(), now.ino()) == (own.dev(), own.ino());
        let warning = match fs::metadata(&self.path) {
            Ok(now) if is_own(&now) && now.len() == self.committed => return Ok(None),
            // What a try has left that failed: the next one writes over it.
            Ok(now) if is_own(&now) && (self.committed..=self.end).contains(&now.len()) => {
                return Ok(None);
            }
            Ok(now) if is_own(&now) => {
                let is_less = now.len() < self.committed;
                (self.committed, self.end) = (now.len(), now.len());
                return Ok(Some(if is_less { "was cut" } else { "was written to by others" }));
            }
            Ok(_) => "is another file",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "was removed or moved",
            Err(error) => return Err(error),
        };
        // Behind what is there, if anything is.
        let found = fs::metadata(&self.path).map_or(0, |now| now.len());
        (*self, _) = Self::open(&self.path, Some(found), self.durable)?;
        Ok(Some(warning))
    }

    /// Puts rows behind what is committed, and returns how long that makes it.
    pub(super) fn put(&mut self, rows: &[u8]) -> io::Result<u64> {
        let end = self.committed + rows.len() as u64;
        self.end = self.end.max(end);
        self.file.write_all_at(rows, self.committed)?;
        self.finish(end)
    }

    /// The file, and where the next row goes: for who writes more than fits into memory, and
    /// [finishes](Self::finish) then.
    pub(super) fn writer(&self) -> io::Result<(File, u64)> {
        Ok((self.file.try_clone()?, self.committed))
    }

    /// Something was written up to there, which is not committed.
    pub(super) fn tried(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// Rows up to there are whole: cuts off what an earlier try has left behind them.
    pub(super) fn finish(&mut self, end: u64) -> io::Result<u64> {
        self.end = self.end.max(end);
        self.file.set_len(end)?;
        if self.durable == Durable::Synced {
            self.file.sync_data()?;
        }
        Ok(end)
    }

    /// All up to there is committed.
    pub(super) fn settle(&mut self, end: u64) {
        (self.committed, self.end) = (end, end);
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_committed_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/rows.jsonl");
        let open = |committed| Rows::open(&path, committed, Durable::Synced);
        let (mut rows, found) = open(None).unwrap();
        assert_eq!(found, Found::AsLeft);
        assert_eq!(rows.put(b"1\n").unwrap(), 2);
        rows.settle(2);
        rows.put(b"2 is longer\n").unwrap();
        drop(rows);
        let (mut rows, found) = open(Some(2)).unwrap();
        assert_eq!(found, Found::Cut(12));
        rows.put(b"3\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n3\n");
        assert!(open(Some(4)).is_err(), "another has it");
        drop(rows);
        assert_eq!(open(Some(4)).unwrap().1, Found::AsLeft);
        assert_eq!(open(Some(5)).unwrap().1, Found::Shorter);
        assert_eq!(open(None).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn what_a_try_has_left_that_failed_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let (mut rows, _) = Rows::open(&path, None, Durable::Fast).unwrap();
        let end = rows.put(b"1\n").unwrap();
        rows.settle(end);
        rows.put(b"never committed\n").unwrap();
        rows.file.set_len(7).unwrap(); // as much as the disk took
        assert_eq!(rows.renew().unwrap(), None);
        let end = rows.put(b"2\n").unwrap();
        rows.settle(end);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n");
        assert_eq!(rows.renew().unwrap(), None);
    }

    #[test]
    fn rows_go_on_behind_what_somebody_else_has_done() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let (mut rows, _) = Rows::open(&path, None, Durable::Fast).unwrap();
        let mut put = |bytes: &[u8]| {
            let warning = rows.renew().unwrap();
            let end = rows.put(bytes).unwrap();
            rows.settle(end);
            warning
        };
        assert_eq!(put(b"1\n"), None);
        fs::write(&path, b"1\nmine\n").unwrap();
        assert_eq!(put(b"2\n"), Some("was written to by others"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\nmine\n2\n");
        fs::write(&path, b"").unwrap();
        assert_eq!(put(b"3\n"), Some("was cut"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "3\n");
        fs::rename(&path, dir.path().join("rows.1")).unwrap();
        assert_eq!(put(b"4\n"), Some("was removed or moved"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "4\n");
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"another\n").unwrap();
        assert_eq!(put(b"5\n"), Some("is another file"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "another\n5\n");
    }
}
