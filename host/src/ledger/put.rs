//! How a row is put into the database, within a transaction of the caller.

use std::ffi::CStr;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::ToSqlOutput;
use rusqlite::types::ValueRef::{Blob, Integer, Null, Text};
use rusqlite::{Transaction, named_params};

use super::entry::{Entry, JobId, Kept, LATEST_MS, Output, State};
use super::seal::{self, Part};
use crate::settings::limits::{LEDGER_BOUND_BYTES_MAX, LEDGER_MESSAGE_BYTES_MAX};
use crate::slices;

/// An entry in full.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) job: JobId,
    pub(super) entry: Entry,
    pub(super) kept: Kept,
}

/// Puts in an entry, in place of what was known of the source.
pub(super) fn commit(transaction: &Transaction<'_>, row: Row) -> rusqlite::Result<()> {
    let Row { job, entry, kept } = row;
    let Kept { result, saved, output, charged: _written } = kept;
    let result = result.map(|result| seal::close(&entry, Part::Result, result));
    let saved = saved.map(|saved| seal::close(&entry, Part::Saved, saved));
    let (kind, message) = match &entry.state {
        State::Committed => (None, None),
        State::Failed { kind, message } => (Some(kind), Some(shortened(message))),
    };
    let path = entry.output.as_deref().map(|path| path.as_os_str().as_encoded_bytes());
    let (at, bytes_in, bytes_out) =
        (milliseconds(entry.at), count(entry.bytes_in), count(entry.bytes_out));
    let digest = seal::of_values(&[
        Integer(job.0),
        Blob(&entry.source),
        Text(entry.identity.0.as_bytes()),
        kind.map_or(Null, |kind| Text(kind.as_bytes())),
        message.map_or(Null, |message| Text(message.as_bytes())),
        Integer(at),
        Integer(bytes_in),
        Integer(bytes_out),
        Integer(count(entry.rejects)),
        path.map_or(Null, Blob),
        Integer(result.is_none().into()),
        Integer(saved.is_none().into()),
    ]);
    let mut statement = transaction.prepare_cached(
        "INSERT INTO entry (job, source, identity, failure_kind, failure_message, at_ms, bytes_in,
            bytes_out, rejects, output, digest, result, saved)
        VALUES (:job, :source, :identity, :kind, :message, :at, :bytes_in,
            :bytes_out, :rejects, :output, :digest, :result, :saved)
        ON CONFLICT (job, source) DO UPDATE SET identity = excluded.identity,
            failure_kind = excluded.failure_kind, failure_message = excluded.failure_message,
            at_ms = excluded.at_ms, bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out,
            rejects = excluded.rejects, output = excluded.output, digest = excluded.digest,
            result = excluded.result, saved = excluded.saved",
    )?;
    statement.execute(named_params! {
        ":job": job.0,
        ":source": entry.source,
        ":identity": entry.identity.0,
        ":kind": kind,
        ":message": message,
        ":at": at,
        ":bytes_in": bytes_in,
        ":bytes_out": bytes_out,
        ":rejects": count(entry.rejects),
        ":output": path,
        ":digest": digest,
        ":result": result.as_deref().map(bound),
        ":saved": saved.as_deref().map(bound),
    })?;
    drop(statement);
    for (column, kept) in [(c"result", result), (c"saved", saved)] {
        if let Some(kept) = kept.filter(|kept| is_long(kept)) {
            fill(transaction, (job, &entry.source), column, &kept)?;
        }
    }
    own(transaction, job, &entry.source, output.as_ref())
}

/// What a column is given: the value, or room for a long one, which is [filled](fill) then.
fn bound(kept: &[u8]) -> ToSqlOutput<'_> {
    match u64::try_from(kept.len()) {
        Ok(room) if is_long(kept) => ToSqlOutput::ZeroBlob(room),
        _ => ToSqlOutput::Borrowed(Blob(kept)),
    }
}

/// Whether a value is written into its place. To bind one makes a copy of it, and to put it into a
/// row makes another.
fn is_long(kept: &[u8]) -> bool {
    kept.len() > LEDGER_BOUND_BYTES_MAX
}

/// Writes a long value into the room that the row of a source has for it.
fn fill(
    transaction: &Transaction<'_>,
    (job, source): (JobId, &[u8]),
    column: &CStr,
    kept: &[u8],
) -> rusqlite::Result<()> {
    let sql = "SELECT id FROM entry WHERE job = ?1 AND source = ?2";
    let id = transaction.prepare_cached(sql)?.query_row((job.0, source), |row| row.get(0))?;
    let mut room = transaction.blob_open(c"main", c"entry", column, id, false)?;
    room.write_all_at(kept, 0)?;
    room.close()
}

/// The output of a source is the one that it has now, or none. Who had the same path before has
/// none any more.
fn own(
    transaction: &Transaction<'_>,
    job: JobId,
    source: &[u8],
    output: Option<&Output>,
) -> rusqlite::Result<()> {
    let Some(output) = output else {
        let sql = "DELETE FROM output WHERE job = ?1 AND source = ?2";
        transaction.prepare_cached(sql)?.execute((job.0, source))?;
        return Ok(());
    };
    let sql = "REPLACE INTO output (path, job, source, bytes, modified_ns, digest)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    transaction.prepare_cached(sql)?.execute((
        output.path.as_os_str().as_encoded_bytes(),
        job.0,
        source,
        count(output.bytes),
        output.modified_ns,
        output.digest.as_ref().map(|digest| &digest[..]),
    ))?;
    Ok(())
}

/// As much of a message as is kept.
pub(super) fn shortened(message: &str) -> &str {
    let end = message.floor_char_boundary(LEDGER_MESSAGE_BYTES_MAX);
    slices::text(message, ..end)
}

/// What fits into a column; no count is larger.
fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Since 1970, and within what is kept.
pub(super) fn milliseconds(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(LATEST_MS).min(LATEST_MS)
}
