//! The one thread that writes to a ledger, and what it is asked to write: each group of rows in one
//! transaction.

use std::path::Path;
use std::sync::mpsc::Sender;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::arrival::Change;
use super::arrivals;
use super::entry::{Digest, JobId, Selection};
use super::error::Error;
use super::lock::Lock;
use super::put::{Row, commit};
use super::queue::Queue;
use super::schema;
use super::select::Filter;

/// What the writer is asked for. Answers are sent before they are durable: the caller waits for
/// that, too.
#[derive(Debug)]
pub(super) enum Work {
    /// Put in an entry, in place of what was known of the source.
    Commit(Box<Row>),
    /// Tell the name of a job, which is new or not.
    Job { digest: Digest, description: String, answer_to: Sender<JobId> },
    /// Change what watches know.
    Arrivals(Vec<Change>),
    /// Remove entries, and answer with their number.
    Forget { selection: Selection, answer_to: Sender<u64> },
}

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    // After the connection: to close the file takes the database's own locks from it.
    lock: Lock,
}

impl Writer {
    /// Opens the database in a locked file, or makes one in an empty file.
    pub(super) fn open(lock: Lock) -> Result<Self, Error> {
        let failed = |error: &rusqlite::Error| Error::sql(&lock.name, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&lock.path, flags);
        let mut connection = opened.map_err(|error| failed(&error))?;
        schema::guard(&connection).map_err(|error| failed(&error))?;
        schema::identify(&connection, &lock.name)?;
        schema::prepare(&mut connection).map_err(|error| failed(&error))?;
        Ok(Self { connection, lock })
    }

    /// Writes what comes until the queue is closed, or writing fails. The queue learns of both.
    pub(super) fn run(mut self, queue: &Queue<Work>) {
        let ending = Ending { queue, path: &self.lock.name };
        while let Some((group, last)) = queue.take() {
            match write(&mut self.connection, group) {
                Ok(()) => queue.settle(last),
                Err(error) => return queue.fail(Error::sql(ending.path, &error)),
            }
        }
    }

    #[cfg(test)]
    pub(super) fn bound_pages(&self, pages: i64) {
        self.connection.pragma_update(None, "max_page_count", pages).unwrap();
    }
}

/// When the thread ends, for any reason, its waiters get an error.
struct Ending<'a> {
    queue: &'a Queue<Work>,
    path: &'a Path,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.queue.is_drained() {
            self.queue.fail(Error::Ended { path: self.path.to_path_buf() });
        }
    }
}

fn write(connection: &mut Connection, group: Vec<Work>) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for work in group {
        // The caller may be gone: then the answer is dropped.
        match work {
            Work::Commit(row) => commit(&transaction, *row)?,
            Work::Arrivals(changes) => {
                changes.into_iter().try_for_each(|change| arrivals::make(&transaction, change))?;
            }
            Work::Job { digest, description, answer_to } => {
                let _ = answer_to.send(job(&transaction, digest, &description)?);
            }
            Work::Forget { selection, answer_to } => {
                let _ = answer_to.send(forget(&transaction, &selection)?);
            }
        }
    }
    transaction.commit()
}

fn job(
    transaction: &Transaction<'_>,
    digest: Digest,
    description: &str,
) -> rusqlite::Result<JobId> {
    let sql = "INSERT INTO job (digest, description) VALUES (?1, ?2)
        ON CONFLICT (digest) DO UPDATE SET description = excluded.description RETURNING id";
    transaction.query_row(sql, (&digest.0[..], description), |row| row.get(0)).map(JobId)
}

fn forget(transaction: &Transaction<'_>, selection: &Selection) -> rusqlite::Result<u64> {
    let filter = Filter::of(selection);
    let sql = format!("DELETE FROM entry WHERE {}", filter.sql);
    let removed = transaction.prepare_cached(&sql)?.execute(filter.parameters().as_slice())?;
    let filter = Filter::of_arrivals(selection);
    let sql = format!("DELETE FROM arrival WHERE {}", filter.sql);
    let unseen = transaction.prepare_cached(&sql)?.execute(filter.parameters().as_slice())?;
    let removed = removed.max(unseen);
    let sql = "DELETE FROM output WHERE NOT EXISTS
        (SELECT 1 FROM entry WHERE entry.job = output.job AND entry.source = output.source)";
    transaction.prepare_cached(sql)?.execute([])?;
    Ok(removed as u64)
}
