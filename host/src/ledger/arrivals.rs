//! The rows of watches in the database: how they are written, each set of changes in one
//! transaction, and how they are read.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{OptionalExtension, Row, Transaction};

use super::arrival::{After, Arrival, ArrivalId, ArrivalStage, Change, Counts, NewArrival};
use super::entry::{Digest, Identity, JobId};
use super::error::Error;
use super::followed;
use super::put::{self, commit, milliseconds, shortened};
use super::read::Reader;
use super::row::{count, time};
use crate::settings::Order;
use crate::settings::limits::WATCH_STARVED;

/// Makes one change.
pub(super) fn make(transaction: &Transaction<'_>, change: Change) -> rusqlite::Result<()> {
    match change {
        Change::Seen(new) => seen(transaction, &new),
        Change::Begun(id) => {
            let sql = "UPDATE arrival SET stage = 'running', attempts = attempts + 1 WHERE id = ?1";
            transaction.prepare_cached(sql)?.execute([id.0]).map(drop)
        }
        Change::Committed { id, entry, kept, after } => {
            let sql = "UPDATE arrival SET stage = 'committed', done_ms = ?2, why = NULL, after = ?3
                WHERE id = ?1 RETURNING job";
            let done = milliseconds(entry.at);
            let after = after.as_ref().map(After::to_string);
            let job = transaction
                .prepare_cached(sql)?
                .query_row((id.0, done, after), |row| row.get(0).map(JobId))
                .optional()?;
            let Some(job) = job else { return Ok(()) }; // forgotten meanwhile
            commit(transaction, put::Row { job, entry: *entry, kept: *kept })
        }
        Change::Again { id, due, why, counts } => {
            let sql = "UPDATE arrival SET stage = 'queued', due_ms = ?2, why = ?3,
                attempts = attempts - ?4 WHERE id = ?1";
            let back = i64::from(!counts);
            let row = (id.0, milliseconds(due), shortened(&why), back);
            transaction.prepare_cached(sql)?.execute(row).map(drop)
        }
        Change::Ended { id, stage, why, after } => {
            let sql = "UPDATE arrival SET stage = ?2, done_ms = ?3, why = ?4, after = ?5
                WHERE id = ?1";
            let now = milliseconds(SystemTime::now());
            let after = after.as_ref().map(After::to_string);
            let row = (id.0, stage.word(), now, shortened(&why), after);
            transaction.prepare_cached(sql)?.execute(row).map(drop)
        }
        Change::Retried(id) => {
            let sql = "UPDATE arrival SET stage = 'queued', attempts = 0, due_ms = seen_ms,
                done_ms = NULL, why = NULL, after = NULL WHERE id = ?1 AND stage = 'failed'";
            transaction.prepare_cached(sql)?.execute([id.0]).map(drop)
        }
        Change::After(id, after) => {
            let sql = "UPDATE arrival SET after = ?2 WHERE id = ?1";
            transaction.prepare_cached(sql)?.execute((id.0, after.to_string())).map(drop)
        }
        Change::Appended { job, path, bytes } => {
            let sql = "REPLACE INTO appended (job, path, bytes) VALUES (?1, ?2, ?3)";
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            transaction.prepare_cached(sql)?.execute((job.0, path, bytes)).map(drop)
        }
        Change::Followed(file) => followed::put(transaction, &file),
        Change::Unfollowed(job, inode) => followed::remove(transaction, job, inode),
        Change::Founded { job, existing, at } => {
            let sql = "INSERT OR IGNORE INTO watch (job, existing, at_ms) VALUES (?1, ?2, ?3)";
            transaction.prepare_cached(sql)?.execute((job.0, existing, milliseconds(at))).map(drop)
        }
        Change::Recovered { job, attempts_max } => {
            let sql = "UPDATE arrival SET stage = 'failed', done_ms = ?3,
                why = 'crash: the host ended each time while it was processed'
                WHERE job = ?1 AND stage = 'running' AND attempts >= ?2";
            let row = (job.0, attempts_max, milliseconds(SystemTime::now()));
            transaction.prepare_cached(sql)?.execute(row)?;
            let sql = "UPDATE arrival SET stage = 'queued', why = 'the host ended meanwhile'
                WHERE job = ?1 AND stage = 'running'";
            transaction.prepare_cached(sql)?.execute([job.0]).map(drop)
        }
    }
}

fn seen(transaction: &Transaction<'_>, new: &NewArrival) -> rusqlite::Result<()> {
    let NewArrival { job, path, version, bytes, modified_ns, stage, why, is_fresh, seen, after } =
        new;
    let sql = "INSERT OR IGNORE INTO arrival (job, path, version, bytes, modified_ns, stage,
        why, fresh, seen_ms, due_ms, done_ms, after)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11)";
    let seen = milliseconds(*seen);
    let done = (*stage != ArrivalStage::Queued).then_some(seen);
    let bytes = i64::try_from(*bytes).unwrap_or(i64::MAX);
    let (version, stage) = (version.as_str(), stage.word());
    let after = after.as_ref().map(After::to_string);
    let row = (job.0, path, version, bytes, modified_ns, stage, why, is_fresh, seen, done, after);
    transaction.prepare_cached(sql)?.execute(row).map(drop)
}

const COLUMNS: &str = "id, job, path, version, bytes, stage, attempts, seen_ms, due_ms, done_ms,
    why, after";

fn arrival(row: &Row<'_>) -> rusqlite::Result<Arrival> {
    let stage: String = row.get(5)?;
    let stage = ArrivalStage::of(&stage).ok_or(rusqlite::Error::IntegralValueOutOfRange(5, 0))?;
    let after: Option<String> = row.get(11)?;
    let done: Option<i64> = row.get(9)?;
    Ok(Arrival {
        id: ArrivalId(row.get(0)?),
        job: JobId(row.get(1)?),
        path: row.get(2)?,
        version: Identity(row.get(3)?),
        bytes: count(row, 4)?,
        stage,
        attempts: row.get(6)?,
        seen: time(row.get(7)?),
        due: time(row.get(8)?),
        done: done.map(time),
        why: row.get(10)?,
        after: after.as_deref().map(After::of),
    })
}

impl Reader {
    /// The queued files of a job whose time has come, as they are to be taken; those that have
    /// waited too long come before all others.
    ///
    /// # Errors
    /// When reading fails, here and below.
    pub fn queued(
        &self,
        job: JobId,
        order: Order,
        now: SystemTime,
        limit: usize,
    ) -> Result<Vec<Arrival>, Error> {
        let by = match order {
            Order::Arrival => "seen_ms, id",
            Order::Oldest => "modified_ns, id",
            Order::Newest => "modified_ns DESC, id DESC",
            Order::Name => "path, id",
            Order::Largest => "bytes DESC, id",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM arrival WHERE job = ?1 AND stage = 'queued' AND due_ms <= ?2
            ORDER BY seen_ms >= ?3, CASE WHEN seen_ms < ?3 THEN seen_ms END, {by} LIMIT ?4"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let starved = now.checked_sub(WATCH_STARVED).unwrap_or(UNIX_EPOCH);
        self.arrivals(&sql, (job.0, milliseconds(now), milliseconds(starved), limit))
    }

    /// The files of a job whose after-action is pending, and that were done before `until`.
    pub fn after_pending(
        &self,
        job: JobId,
        until: SystemTime,
        limit: usize,
    ) -> Result<Vec<Arrival>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM arrival WHERE job = ?1 AND after = 'pending' AND done_ms <= ?2
            ORDER BY id LIMIT ?3"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.arrivals(&sql, (job.0, milliseconds(until), limit))
    }

    /// All that is known of a file, in every job, the earliest first.
    pub fn arrivals_of(&self, path: &[u8]) -> Result<Vec<Arrival>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM arrival WHERE path = ?1 ORDER BY job, id");
        self.arrivals(&sql, [path])
    }

    /// All files that have failed, in every job.
    pub fn failed_arrivals(&self) -> Result<Vec<Arrival>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM arrival WHERE stage = 'failed' ORDER BY job, id");
        self.arrivals(&sql, [])
    }

    /// What identifies a job, and the same for people.
    pub fn described(&self, job: JobId) -> Result<(Digest, String), Error> {
        let read = || {
            let sql = "SELECT digest, description FROM job WHERE id = ?1";
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_row([job.0], |row| Ok((Digest(row.get(0)?), row.get(1)?)))
        };
        read().map_err(|error| self.error(&error))
    }

    /// Shows path, version and stage of each row of a job to `visit`, the earliest first.
    pub fn each_arrival(
        &self,
        job: JobId,
        mut visit: impl FnMut(&[u8], &str, ArrivalStage),
    ) -> Result<(), Error> {
        let mut read = || {
            let sql = "SELECT path, version, stage FROM arrival WHERE job = ?1 ORDER BY id";
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([job.0])?;
            while let Some(row) = rows.next()? {
                let stage =
                    ArrivalStage::of(row.get_ref(2)?.as_str()?).unwrap_or(ArrivalStage::Failed);
                visit(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_str()?, stage);
            }
            Ok(())
        };
        read().map_err(|error| self.error(&error))
    }

    /// How many versions of files are in which stage.
    pub fn counts(&self, job: JobId) -> Result<Counts, Error> {
        let read = || {
            let sql = "SELECT stage, count(*), count(*) FILTER (WHERE after = 'pending')
                FROM arrival WHERE job = ?1 GROUP BY stage";
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query([job.0])?;
            let mut counts = Counts::default();
            while let Some(row) = rows.next()? {
                let word = row.get_ref(0)?.as_str()?;
                let all = ArrivalStage::ALL.iter().zip(&mut counts.stages);
                for (_, to) in all.filter(|((_, own), _)| *own == word) {
                    *to = count(row, 1)?;
                }
                counts.after += count(row, 2)?;
            }
            Ok(counts)
        };
        read().map_err(|error| self.error(&error))
    }

    /// When the next queued file of a job is due, if there is one.
    pub fn next_due(&self, job: JobId) -> Result<Option<SystemTime>, Error> {
        let sql = "SELECT min(due_ms) FROM arrival WHERE job = ?1 AND stage = 'queued'";
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_row([job.0], |row| row.get::<_, Option<i64>>(0))
        };
        Ok(read().map_err(|error| self.error(&error))?.map(time))
    }

    /// What the user chose for files that were there when the watch of a job first began, and when
    /// that was.
    pub fn founded(&self, job: JobId) -> Result<Option<(String, SystemTime)>, Error> {
        let read = || {
            let sql = "SELECT existing, at_ms FROM watch WHERE job = ?1";
            let mut statement = self.connection.prepare(sql)?;
            statement.query_row([job.0], |row| Ok((row.get(0)?, time(row.get(1)?)))).optional()
        };
        read().map_err(|error| self.error(&error))
    }

    /// How long a file of appended rows was when that was last committed.
    pub fn appended(&self, job: JobId, path: &[u8]) -> Result<Option<u64>, Error> {
        let read = || {
            let sql = "SELECT bytes FROM appended WHERE job = ?1 AND path = ?2";
            let mut statement = self.connection.prepare(sql)?;
            statement.query_row((job.0, path), |row| count(row, 0)).optional()
        };
        read().map_err(|error| self.error(&error))
    }

    fn arrivals(&self, sql: &str, with: impl rusqlite::Params) -> Result<Vec<Arrival>, Error> {
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(with, arrival)?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.error(&error))
    }
}
