//! Reading a ledger: from the process that writes it, from another one meanwhile, or when no
//! process has it open.
//!
//! A reader sees what is committed in the database, never half of a group of rows. It changes
//! nothing, but for what a process that was killed left to be put in order.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use super::done::{Done, Owners};
use super::entry::{Digest, Entry, JobId, JobSummary, Kept, Needs, Output, Selection};
use super::error::Error;
use super::lock::{self, Found, Lock};
use super::row::{
    Closed, DIGEST, closed, count, entry, is_whole, kept_columns, output, shown, time,
};
use super::schema::{self, Contents};
use super::seal::SEALED;
use super::select::Filter;
use crate::settings::limits::LEDGER_TROUBLES_MAX;
use crate::stats::MemoryBudget;

/// A connection that reads. Each thread has its own.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    /// What is recalled is charged to it.
    memory: Arc<MemoryBudget>,
    // After the connection: to close the file takes the database's own locks from it.
    lock: Lock,
}

/// How a ledger is opened for reading.
enum Way {
    /// Its one writer is in this process.
    Beside,
    /// Another process writes: nothing is touched, not even the locks that it may have lost.
    Live,
    /// Nobody writes, and nothing is left to be put in order: not a file is made.
    Quiet,
    /// A process that wrote was killed: what it left is put in order.
    Left,
}

impl Reader {
    /// Opens a ledger to look at it. If no process writes it, none can until the reader is gone.
    ///
    /// # Errors
    /// When there is no ledger that this host can read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        match Lock::shared(path)? {
            Found::Quiet(lock) => Self::open_quiet(lock),
            Found::Live(lock) => match Self::connect(lock, &Way::Live) {
                // It may have ended in between.
                Err(Error::Database { .. }) => match Lock::shared(path)? {
                    Found::Quiet(lock) => Self::open_quiet(lock),
                    Found::Live(_) => Err(Error::InUse { path: path.to_path_buf() }),
                },
                opened => opened,
            },
        }
    }

    /// Opens a ledger that this process writes.
    pub(super) fn beside(lock: Lock) -> Result<Self, Error> {
        Self::connect(lock, &Way::Beside)
    }

    fn open_quiet(lock: Lock) -> Result<Self, Error> {
        let mut left = false;
        for path in lock.companions() {
            left |= !lock::is_empty(&path).map_err(|error| Error::open(&path, error))?;
        }
        Self::connect(lock, if left { &Way::Left } else { &Way::Quiet })
    }

    fn connect(lock: Lock, way: &Way) -> Result<Self, Error> {
        let read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match way {
            Way::Beside => Connection::open_with_flags(&lock.path, read),
            // What follows the name is told in SQLite's "Uniform Resource Identifiers", section
            // 3.3, and in "Write-Ahead Logging", section 5.
            Way::Live => {
                let name = format!("{}?mode=ro&readonly_shm=1", uri(&lock.path));
                Connection::open_with_flags(name, read | OpenFlags::SQLITE_OPEN_URI)
            }
            Way::Quiet => {
                let name = format!("{}?immutable=1", uri(&lock.path));
                Connection::open_with_flags(name, read | OpenFlags::SQLITE_OPEN_URI)
            }
            Way::Left => {
                let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                Connection::open_with_flags(&lock.path, write)
            }
        };
        let failed = |error: &rusqlite::Error| Error::sql(&lock.name, error);
        let connection = opened.map_err(|error| failed(&error))?;
        schema::guard(&connection).map_err(|error| failed(&error))?;
        // An older one is brought up to date by the next that writes, not by one that looks.
        match schema::identify(&connection, &lock.name)? {
            Contents::Nothing => return Err(Error::NotALedger { path: lock.name }),
            Contents::Version(found) if found < schema::version() => {
                return Err(Error::Older { path: lock.name, found });
            }
            Contents::Version(_) => {}
        }
        Ok(Self { connection, memory: Arc::default(), lock })
    }

    /// Charges what is recalled to that budget.
    #[must_use]
    pub fn within(self, memory: &Arc<MemoryBudget>) -> Self {
        Self { memory: Arc::clone(memory), ..self }
    }

    /// The files that belong to the ledger, as [`Ledger::files`](super::Ledger::files) tells them.
    pub fn files(&self) -> Vec<PathBuf> {
        self.lock.files()
    }

    /// The jobs that have entries, the latest last.
    ///
    /// # Errors
    /// When reading fails, here and below.
    pub fn jobs(&self) -> Result<Vec<JobSummary>, Error> {
        let sql =
            "SELECT job.id, job.digest, description, count(*), count(failure_kind), sum(bytes_in),
                sum(bytes_out), sum(rejects), max(at_ms) AS latest
            FROM job JOIN entry ON entry.job = job.id GROUP BY job.id ORDER BY latest, job.id";
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let (all, failed) = (count(row, 3)?, count(row, 4)?);
                Ok(JobSummary {
                    id: JobId(row.get(0)?),
                    digest: Digest(row.get(1)?),
                    description: row.get(2)?,
                    committed: all.saturating_sub(failed),
                    failed,
                    bytes_in: count(row, 5)?,
                    bytes_out: count(row, 6)?,
                    rejects: count(row, 7)?,
                    latest: time(row.get(8)?),
                })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.error(&error))
    }

    /// What is known of a source in a job; nothing, where it never was done.
    pub fn entry(&self, job: JobId, source: &[u8]) -> Result<Option<Entry>, Error> {
        let sql = format!("SELECT {SEALED}, {DIGEST} FROM entry WHERE job = ?1 AND source = ?2");
        let read = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement.query_row((job.0, source), entry).optional()
        };
        read().map_err(|error| self.error(&error))
    }

    /// The output file that is a source's in a job: nothing, where it has none, or another has
    /// taken its place.
    pub fn output(&self, job: JobId, source: &[u8]) -> Result<Option<Output>, Error> {
        let sql =
            "SELECT path, bytes, modified_ns, digest FROM output WHERE job = ?1 AND source = ?2";
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_row((job.0, source), output).optional()
        };
        read().map_err(|error| self.error(&error))
    }

    /// Whose the output file at an absolute path is.
    pub fn owner(&self, path: &Path) -> Result<Option<(JobId, Vec<u8>)>, Error> {
        let sql = "SELECT job, source FROM output WHERE path = ?1";
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let path = path.as_os_str().as_encoded_bytes();
            statement.query_row([path], |row| Ok((JobId(row.get(0)?), row.get(1)?))).optional()
        };
        read().map_err(|error| self.error(&error))
    }

    /// Whose all output files are.
    pub fn owners(&self) -> Result<Owners, Error> {
        let mut owners = Owners::default();
        let _continued: ControlFlow<()> = self.outputs(None, |job, source, output| {
            owners.add(output.path.as_os_str().as_encoded_bytes(), job, source);
            ControlFlow::Continue(())
        })?;
        Ok(owners)
    }

    /// Shows the output files of a job, or of all, with their sources, to `visit` until it breaks.
    /// Holds one at a time.
    pub fn outputs<B>(
        &self,
        job: Option<JobId>,
        mut visit: impl FnMut(JobId, &[u8], Output) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, Error> {
        let sql = "SELECT path, bytes, modified_ns, digest, job, source FROM output
            WHERE job = ?1 OR ?1 IS NULL ORDER BY job, source";
        let mut read = || {
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([job.map(|job| job.0)])?;
            while let Some(row) = rows.next()? {
                let source = row.get_ref(5)?.as_blob()?;
                if let ControlFlow::Break(with) = visit(JobId(row.get(4)?), source, output(row)?) {
                    return Ok(ControlFlow::Break(with));
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        read().map_err(|error| self.error(&error))
    }

    /// What a job has done, to ask about many sources. A source of which less is kept than needed,
    /// or something else than was written, is as one that never was done.
    pub fn done(&self, job: JobId, needs: Needs) -> Result<Done, Error> {
        // In the order of the table: by the index, each row would be looked up.
        let sql = format!(
            "SELECT {SEALED}, {DIGEST} FROM entry NOT INDEXED WHERE job = ?1
            AND (failure_kind IS NOT NULL OR (rejects <= ?2
                AND (result IS NOT NULL OR NOT ?3) AND (saved IS NOT NULL OR NOT ?4)))"
        );
        let rejects_max = i64::try_from(needs.rejects_max).unwrap_or(i64::MAX);
        let read = || {
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query((job.0, rejects_max, needs.result, needs.saved))?;
            let mut done = Done::default();
            while let Some(row) = rows.next()? {
                if !is_whole(row)? {
                    done.add_altered(row.get_ref(1)?.as_bytes()?);
                    continue;
                }
                let (source, identity) = (row.get_ref(1)?, row.get_ref(2)?);
                let (source, identity) = (source.as_blob()?, identity.as_bytes()?);
                if row.get_ref(3)? == ValueRef::Null {
                    done.add_committed(source, identity, count(row, 8)?);
                } else {
                    done.add_failed(source, identity);
                }
            }
            Ok(done)
        };
        read().map_err(|error| self.error(&error))
    }

    /// What is known of a source in a job, with what was kept of its result.
    ///
    /// # Errors
    /// When reading fails, or what is kept is not what was written.
    pub fn recall(&self, job: JobId, source: &[u8]) -> Result<Option<(Entry, Kept)>, Error> {
        let sql = format!(
            "SELECT {SEALED}, {DIGEST}, {} FROM entry WHERE job = ?1 AND source = ?2",
            kept_columns()
        );
        let read = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let row = |row: &Row<'_>| Ok((entry(row)?, self.closed(row)?));
            statement.query_row((job.0, source), row).optional()
        };
        let Some((entry, closed)) = read().map_err(|error| self.error(&error))? else {
            return Ok(None);
        };
        // A damaged index leads to the row of another source, which is whole by itself.
        match closed.open(&entry) {
            Some(kept) if entry.source == source => Ok(Some((entry, kept))),
            _ => Err(Error::Altered { path: self.lock.name.clone(), name: shown(source) }),
        }
    }

    /// Shows the entries of a selection to `visit`, by job and by name, until it breaks. Holds one
    /// at a time.
    pub fn each<B>(
        &self,
        selection: &Selection,
        mut visit: impl FnMut(JobId, Entry) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, Error> {
        let filter = Filter::of(selection);
        let sql = format!(
            "SELECT {SEALED}, {DIGEST} FROM entry WHERE {} ORDER BY job, source",
            filter.sql
        );
        let mut read = || {
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query(filter.parameters().as_slice())?;
            while let Some(row) = rows.next()? {
                if let ControlFlow::Break(with) = visit(JobId(row.get(0)?), entry(row)?) {
                    return Ok(ControlFlow::Break(with));
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        read().map_err(|error| self.error(&error))
    }

    /// Checks the whole database, and returns what is wrong in it: mostly nothing. Reads all of it.
    pub fn check(&self) -> Result<Vec<String>, Error> {
        let read = || {
            let sql = format!("PRAGMA integrity_check({LEDGER_TROUBLES_MAX})");
            let mut statement = self.connection.prepare(&sql)?;
            let faults = statement.query_map([], |row| row.get::<_, String>(0))?;
            let mut faults = faults.collect::<rusqlite::Result<Vec<_>>>()?;
            faults.retain(|line| line != "ok");
            let sql = "SELECT count(*) FROM pragma_foreign_key_check";
            let strays: i64 = self.connection.query_row(sql, [], |row| row.get(0))?;
            if strays > 0 {
                faults.push(format!("{strays} entries of a job that is not there"));
            }
            let sql = format!("SELECT {SEALED}, {DIGEST}, {} FROM entry", kept_columns());
            // Rows of a damaged database cannot be listed.
            let sql = if faults.is_empty() { sql } else { return Ok(faults) };
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let is_whole = is_whole(row)? && self.closed(row)?.open(&entry(row)?).is_some();
                if !is_whole && (faults.len() as u64) < u64::from(LEDGER_TROUBLES_MAX) {
                    faults.push(Error::altered(&shown(row.get_ref(1)?.as_bytes()?)));
                }
            }
            Ok(faults)
        };
        read().map_err(|error| self.error(&error))
    }

    fn closed(&self, row: &Row<'_>) -> rusqlite::Result<Closed> {
        closed(&self.connection, row, &self.memory)
    }

    pub(super) fn error(&self, error: &rusqlite::Error) -> Error {
        Error::sql(&self.lock.name, error)
    }
}

/// An absolute path as a URI (RFC 3986, section 2.3): all but unreserved characters by their
/// numbers.
fn uri(path: &Path) -> String {
    let mut uri = "file:".to_string();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            let _ = write!(uri, "%{byte:02X}"); // to a string, which does not fail
        }
    }
    uri
}
