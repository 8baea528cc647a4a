//! The files that take what comes of followed files, each as long as it is committed.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use crate::ledger::{JobId, Reader};
use crate::settings::Durable;
use crate::settings::limits::FOLLOW_OPEN_MAX;
use crate::watch::append::{Found, Rows};

/// Outputs that are open.
#[derive(Debug)]
pub(super) struct Outputs {
    job: JobId,
    durable: Durable,
    open: HashMap<PathBuf, (Rows, Instant)>,
}

/// Why an output cannot be had.
#[derive(Debug)]
pub(super) enum Unopened {
    /// The ledger does not say how long it is.
    Ledger(crate::ledger::Error),
    /// It cannot be opened.
    Io(io::Error),
}

impl Outputs {
    pub(super) fn new(job: JobId, durable: Durable) -> Self {
        Self { job, durable, open: HashMap::new() }
    }

    /// The output at a path, and what was found there that was not left so.
    pub(super) fn open(
        &mut self,
        path: &Path,
        reader: &Reader,
    ) -> Result<(&mut Rows, Option<String>), Unopened> {
        let mut warning = None;
        if !self.open.contains_key(path) {
            let committed = reader.appended(self.job, path.as_os_str().as_bytes());
            let committed = committed.map_err(Unopened::Ledger)?;
            let (rows, found) = Rows::open(path, committed, self.durable).map_err(Unopened::Io)?;
            warning = match found {
                Found::AsLeft => None,
                Found::Cut(bytes) => {
                    Some(format!("{bytes} bytes that are not committed are cut off"))
                }
                Found::Shorter => {
                    Some("is shorter than it was left: more comes behind that".into())
                }
            };
            self.make_room();
            self.open.insert(path.to_path_buf(), (rows, Instant::now()));
        }
        match self.open.get_mut(path) {
            Some((rows, used)) => {
                *used = Instant::now();
                let changed = rows.renew().map_err(Unopened::Io)?;
                let changed =
                    changed.map(|what| format!("{what}: more comes behind what is there"));
                Ok((rows, warning.or(changed)))
            }
            None => Err(Unopened::Io(io::ErrorKind::NotFound.into())),
        }
    }

    /// One that is open, as it is: what was just written to it is not looked at.
    pub(super) fn opened(&mut self, path: &Path) -> Option<&mut Rows> {
        self.open.get_mut(path).map(|(rows, _)| rows)
    }

    /// Closes the one that was used longest ago, where there are too many.
    fn make_room(&mut self) {
        while self.open.len() >= FOLLOW_OPEN_MAX {
            let oldest = self.open.iter().min_by_key(|(_, (_, used))| *used);
            let Some(path) = oldest.map(|(path, _)| path.clone()) else { return };
            self.open.remove(&path);
        }
    }
}

/// Writes behind what is committed of an output.
#[derive(Debug)]
pub(super) struct Appender(pub(super) Arc<Mutex<Appended>>);

/// What an [`Appender`] has written.
#[derive(Debug)]
pub(super) struct Appended {
    pub(super) file: std::fs::File,
    /// Where it ends.
    pub(super) end: u64,
    /// Why it does not go on.
    pub(super) failed: Option<io::Error>,
}

impl Write for Appender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut out = self.0.lock();
        if let Err(error) = out.file.write_all_at(bytes, out.end) {
            let shown = io::Error::new(error.kind(), error.to_string());
            out.failed = Some(error);
            return Err(shown);
        }
        out.end += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
