//! The tables of a ledger, and how a ledger is recognised among other files.
//!
//! The layout has a version. A host opens older ones and brings them up to its own, in one
//! transaction; newer ones it leaves alone.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, config::DbConfig, limits::Limit};

use super::error::Error;
use super::seal;
use crate::settings::limits::{
    LEDGER_BUSY, LEDGER_CACHE_BYTES, LEDGER_KEPT_BYTES_MAX, LEDGER_LOG_PAGES, LEDGER_NAME_BYTES_MAX,
};
use crate::slices;

/// "grst": what says that a database is a ledger (`SQLite`'s file format, section 1.3.18).
const APPLICATION: i64 = 0x6772_7374;

/// What leads from each version to the next, from 0, which is nothing at all.
const STEPS: [&str; 5] = [
    "
    CREATE TABLE job (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        description TEXT NOT NULL
    ) STRICT;
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        job INTEGER NOT NULL REFERENCES job(id),
        source BLOB NOT NULL,
        identity TEXT NOT NULL,
        failure_kind TEXT,
        failure_message TEXT,
        at_ms INTEGER NOT NULL,
        bytes_in INTEGER NOT NULL,
        bytes_out INTEGER NOT NULL,
        rejects INTEGER NOT NULL,
        output BLOB,
        -- Last, so that long ones lie outside what is read when entries are.
        result BLOB,
        saved BLOB,
        UNIQUE (job, source)
    ) STRICT;
",
    "
    CREATE TABLE output (
        -- Absolute; of what an older host has written, a name that is none.
        path BLOB PRIMARY KEY,
        job INTEGER NOT NULL,
        source BLOB NOT NULL,
        bytes INTEGER NOT NULL,
        modified_ns INTEGER,
        digest BLOB,
        UNIQUE (job, source)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO output
        SELECT CAST('job ' || job || ' ' || source AS BLOB), job, source, bytes_out, NULL, NULL
        FROM entry WHERE output IS NOT NULL AND failure_kind IS NULL;
",
    "
    ALTER TABLE entry RENAME TO entry_without_digests;
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        job INTEGER NOT NULL REFERENCES job(id),
        source BLOB NOT NULL,
        identity TEXT NOT NULL,
        failure_kind TEXT,
        failure_message TEXT,
        at_ms INTEGER NOT NULL,
        bytes_in INTEGER NOT NULL,
        bytes_out INTEGER NOT NULL,
        rejects INTEGER NOT NULL,
        output BLOB,
        -- Over all before it, and whether there is what follows. Empty only until a step is done.
        digest BLOB NOT NULL,
        -- Last, so that long ones lie outside what is read when entries are.
        result BLOB,
        saved BLOB,
        UNIQUE (job, source)
    ) STRICT;
    INSERT INTO entry
        SELECT id, job, source, identity, failure_kind, failure_message, at_ms, bytes_in, bytes_out,
            rejects, output, x'', result, saved
        FROM entry_without_digests;
    DROP TABLE entry_without_digests;
",
    "
    CREATE TABLE watch (
        job INTEGER PRIMARY KEY REFERENCES job(id),
        -- What was to be done with files that were there when it was first begun, and when.
        existing TEXT NOT NULL,
        at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE arrival (
        id INTEGER PRIMARY KEY,
        job INTEGER NOT NULL REFERENCES job(id),
        path BLOB NOT NULL,
        version TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        modified_ns INTEGER NOT NULL,
        stage TEXT NOT NULL,
        fresh INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        seen_ms INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        done_ms INTEGER,
        why TEXT,
        after TEXT,
        UNIQUE (path, job, version)
    ) STRICT;
    CREATE INDEX arrival_open ON arrival (job, stage) WHERE stage IN ('queued', 'running');
    CREATE INDEX arrival_after ON arrival (job) WHERE after = 'pending';
    CREATE TABLE appended (
        job INTEGER NOT NULL REFERENCES job(id),
        path BLOB NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (job, path)
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE followed (
        job INTEGER NOT NULL REFERENCES job(id),
        -- As the kernel has them, of 64 bits.
        device INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        path BLOB NOT NULL,
        output BLOB NOT NULL,
        stage TEXT NOT NULL,
        done_bytes INTEGER NOT NULL,
        seen_bytes INTEGER NOT NULL,
        lost_bytes INTEGER NOT NULL,
        -- Digests of the first bytes of what is done, and of the last.
        head BLOB NOT NULL,
        tail BLOB NOT NULL,
        attempts INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        why TEXT,
        PRIMARY KEY (job, device, inode)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE arrival ADD COLUMN content BLOB;
    CREATE INDEX arrival_content ON arrival (job, content) WHERE content IS NOT NULL;
",
];

/// The version that this host writes.
pub(super) fn version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// What is set on every connection: nothing in a file is believed to be more than rows.
pub(super) fn guard(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(LEDGER_BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    let row_bytes_max = 2 * LEDGER_KEPT_BYTES_MAX + 8 * LEDGER_NAME_BYTES_MAX;
    connection
        .set_limit(Limit::SQLITE_LIMIT_LENGTH, i32::try_from(row_bytes_max).unwrap_or(i32::MAX))?;
    Ok(())
}

/// Checks that there is a ledger in the database, or nothing. Changes nothing.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<Contents, Error> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let read = || {
        let things = "SELECT count(*) FROM sqlite_schema";
        let things: i64 = connection.query_row(things, [], |row| row.get(0))?;
        Ok((number("application_id")?, number("user_version")?, things))
    };
    let path = path.to_path_buf();
    let failed = |error| Error::sql(&path, &error);
    match read().map_err(failed)? {
        (0, 0, 0) => Ok(Contents::Nothing),
        (APPLICATION, found, _) if found > version() => {
            Err(Error::Newer { path, found, known: version() })
        }
        (APPLICATION, found, _) if found > 0 => match foreign(connection, found).map_err(failed)? {
            Some(name) => {
                let detail = format!("`{name}` in it is not as a host makes it");
                Err(Error::Damaged { path, detail })
            }
            None => Ok(Contents::Version(found)),
        },
        _ => Err(Error::NotALedger { path }),
    }
}

/// The first table, view, index or trigger that is not as a host of that version makes it: what is
/// read from a ledger, and what happens when it is written, is what its schema says, and a file may
/// come from anywhere.
fn foreign(connection: &Connection, version: i64) -> rusqlite::Result<Option<String>> {
    let mut own = Connection::open_in_memory()?;
    let version = usize::try_from(version).unwrap_or(usize::MAX); // no host's, and refused before
    migrate(&mut own, slices::part(&STEPS, ..version))?;
    let (own, found) = (things(&own)?, things(connection)?);
    let missing = own.difference(&found).chain(found.difference(&own));
    Ok(missing.map(|(_kind, name, _sql)| name.clone()).next())
}

/// Kind, name and definition.
type Thing = (String, String, Option<String>);

fn things(connection: &Connection) -> rusqlite::Result<BTreeSet<Thing>> {
    let mut all = connection.prepare("SELECT type, name, sql FROM sqlite_schema LIMIT 100")?;
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// What is in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// Not even a table.
    Nothing,
    /// A ledger of this version.
    Version(i64),
}

/// Makes a database that was [identified](identify) ready for its one writer, and brings it up to
/// this host's version.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    // What is committed is on disk, and no reader holds up the writer (SQLite, "Write-Ahead
    // Logging").
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        tracing::debug!("the file system has no shared memory for a log: journal mode {mode}");
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", LEDGER_LOG_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", i64::from(LEDGER_LOG_PAGES) * 4096)?;
    // A negative size is one in KiB.
    connection.pragma_update(None, "cache_size", -i64::from(LEDGER_CACHE_BYTES >> 10))?;
    connection.pragma_update(None, "temp_store", "memory")?;
    migrate(connection, &STEPS)?;
    // Nobody has a name for them yet.
    let abandoned =
        "DELETE FROM job WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.job = job.id)
            AND NOT EXISTS (SELECT 1 FROM watch WHERE watch.job = job.id)";
    connection.execute(abandoned, [])?;
    Ok(())
}

/// All that is missing of `steps`, or, when the process dies before the end, none of it.
fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let done: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = slices::part(steps, done as usize..);
    if missing.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    if steps.len() == STEPS.len() {
        seal::close_all(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(
        None,
        "user_version",
        i64::try_from(steps.len()).unwrap_or(i64::MAX),
    )?;
    transaction.commit()
}

/// Makes an empty database what a host of that version made of it.
#[cfg(test)]
pub(super) fn make_version(connection: &mut Connection, version: usize) {
    migrate(connection, &STEPS[..version]).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user_version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn only_what_is_missing_is_added_and_kept_rows_stay() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x); INSERT INTO a VALUES (7)"]).unwrap();
        assert_eq!(user_version(&connection), 1);
        let steps =
            ["no step that was taken is taken again", "ALTER TABLE a ADD COLUMN y DEFAULT 8"];
        for _ in 0..2 {
            migrate(&mut connection, &steps).unwrap();
            assert_eq!(user_version(&connection), 2);
        }
        let row =
            connection.query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?)));
        assert_eq!(row.unwrap(), (7, 8));
    }

    #[test]
    fn a_step_that_fails_takes_none() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)", "CREATE TABLE a (y)"]).unwrap_err();
        assert_eq!(user_version(&connection), 0);
        let path = Path::new("p");
        assert_eq!(identify(&connection, path).unwrap(), Contents::Nothing);
    }
}
