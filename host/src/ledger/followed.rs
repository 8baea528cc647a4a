//! What a watch keeps of each file that it follows as it grows: how far it is done, and by what the
//! same bytes are known again under another name.

use std::time::SystemTime;

use rusqlite::{Row, Transaction};

use super::entry::{Digest, JobId};
use super::error::Error;
use super::put::{milliseconds, shortened};
use super::read::Reader;
use super::row::{count, time};

/// A file, whatever it is called: its device and its number there. The number of a file that is
/// gone may be given to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Inode {
    /// Of the file system.
    pub device: u64,
    /// Within that.
    pub number: u64,
}

impl Inode {
    /// No file's, for what is known of one that is there no more: its number may be another's.
    pub fn of_none(tail: Digest) -> Self {
        let number = tail.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Self { device: u64::MAX, number }
    }
}

/// What is known of how a file is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowStage {
    /// What is added to it is processed.
    Follows,
    /// All of it is done, and nothing more is expected.
    Ended,
    /// What comes next in it cannot be processed.
    Failed,
}

impl FollowStage {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Follows, "follows"), (Self::Ended, "ended"), (Self::Failed, "failed")];

    /// The word that is kept, and shown.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(stage, _)| *stage == self).map_or("", |(_, word)| word)
    }
}

/// A file that is followed, and how far it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// For which job.
    pub job: JobId,
    /// The file.
    pub inode: Inode,
    /// Its real path, where it was seen last.
    pub path: Vec<u8>,
    /// The real path of its output.
    pub output: Vec<u8>,
    /// How it is followed.
    pub stage: FollowStage,
    /// Bytes from its front whose output is committed.
    pub done_bytes: u64,
    /// Its length when it was looked at last.
    pub seen_bytes: u64,
    /// Bytes that were seen in it, and were gone before they were read.
    pub lost_bytes: u64,
    /// Digest of the first bytes of what is done.
    pub head: Digest,
    /// Digest of the last bytes of what is done.
    pub tail: Digest,
    /// How often what comes next was tried for nothing.
    pub attempts: u32,
    /// When anything was committed of it last.
    pub at: SystemTime,
    /// Why it is not followed any further.
    pub why: Option<String>,
}

/// Puts in what is known of a file, in place of what was.
pub(super) fn put(transaction: &Transaction<'_>, it: &Followed) -> rusqlite::Result<()> {
    let sql = "REPLACE INTO followed (job, device, inode, path, output, stage, done_bytes,
        seen_bytes, lost_bytes, head, tail, attempts, at_ms, why)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let bytes = [it.done_bytes, it.seen_bytes, it.lost_bytes];
    let [done, seen, lost] = bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    transaction
        .prepare_cached(sql)?
        .execute(rusqlite::params![
            it.job.0,
            it.inode.device.cast_signed(),
            it.inode.number.cast_signed(),
            it.path,
            it.output,
            it.stage.word(),
            done,
            seen,
            lost,
            it.head.0,
            it.tail.0,
            it.attempts,
            milliseconds(it.at),
            it.why.as_deref().map(shortened),
        ])
        .map(drop)
}

/// Forgets a file.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    job: JobId,
    inode: Inode,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM followed WHERE job = ?1 AND device = ?2 AND inode = ?3";
    let key = (job.0, inode.device.cast_signed(), inode.number.cast_signed());
    transaction.prepare_cached(sql)?.execute(key).map(drop)
}

const COLUMNS: &str = "job, device, inode, path, output, stage, done_bytes, seen_bytes, lost_bytes,
    head, tail, attempts, at_ms, why";

fn followed(row: &Row<'_>) -> rusqlite::Result<Followed> {
    let stage: String = row.get(5)?;
    let stage = FollowStage::ALL.into_iter().find(|(_, word)| *word == stage);
    let (stage, _) = stage.ok_or(rusqlite::Error::IntegralValueOutOfRange(5, 0))?;
    let number = |index| row.get(index).map(i64::cast_unsigned);
    Ok(Followed {
        job: JobId(row.get(0)?),
        inode: Inode { device: number(1)?, number: number(2)? },
        path: row.get(3)?,
        output: row.get(4)?,
        stage,
        done_bytes: count(row, 6)?,
        seen_bytes: count(row, 7)?,
        lost_bytes: count(row, 8)?,
        head: Digest(row.get(9)?),
        tail: Digest(row.get(10)?),
        attempts: row.get(11)?,
        at: time(row.get(12)?),
        why: row.get(13)?,
    })
}

impl Reader {
    /// All files that a job follows or has followed.
    ///
    /// # Errors
    /// When reading fails, here and below.
    pub fn followed(&self, job: JobId) -> Result<Vec<Followed>, Error> {
        self.all_followed(&format!("SELECT {COLUMNS} FROM followed WHERE job = ?1"), [job.0])
    }

    /// What is known of the file that was last seen at a path, in every job.
    pub fn followed_at(&self, path: &[u8]) -> Result<Vec<Followed>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM followed WHERE path = ?1 ORDER BY at_ms");
        self.all_followed(&sql, [path])
    }

    /// All files that are not followed any further, in every job.
    pub fn failed_followed(&self) -> Result<Vec<Followed>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM followed WHERE stage = 'failed'");
        self.all_followed(&sql, [])
    }

    fn all_followed(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<Followed>, Error> {
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map(parameters, followed)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(&error))
    }
}
