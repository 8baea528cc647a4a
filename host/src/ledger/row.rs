//! Rows of the database as plain types, each looked at for whether it says what was written.

use std::ffi::{CStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Row};

use super::entry::{Entry, Identity, Kept, LATEST_MS, Output, State};
use super::error::AlteredRow;
use super::seal::{self, Part, SEALED_COLUMNS};
use crate::settings::limits::{LEDGER_BOUND_BYTES_MAX, LEDGER_KEPT_BYTES_MAX};
use crate::stats::{Charged, Held, MemoryBudget};

/// What follows [`SEALED`] where an entry is read.
pub(super) const DIGEST: &str = "digest";

/// What follows that where what is kept is wanted, too. Of a long value it is the length: in a row
/// there would be a copy of it.
pub(super) fn kept_columns() -> String {
    let [result, saved] = ["result", "saved"].map(|name| {
        format!("iif(length({name}) > {LEDGER_BOUND_BYTES_MAX}, length({name}), {name})")
    });
    format!("id, {result}, {saved}")
}

/// Whether a row says what was written, by the digest behind what it says.
pub(super) fn is_whole(row: &Row<'_>) -> rusqlite::Result<bool> {
    Ok(row.get_ref(SEALED_COLUMNS)? == ValueRef::Blob(&seal::of_row(row)?))
}

fn verify(row: &Row<'_>) -> rusqlite::Result<()> {
    if is_whole(row)? {
        return Ok(());
    }
    let error = AlteredRow(shown(row.get_ref(1)?.as_bytes()?));
    Err(rusqlite::Error::FromSqlConversionFailure(SEALED_COLUMNS, Type::Blob, Box::new(error)))
}

pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    verify(row)?;
    let kind: Option<String> = row.get(3)?;
    let output: Option<Vec<u8>> = row.get(9)?;
    Ok(Entry {
        source: row.get(1)?,
        identity: Identity(row.get(2)?),
        state: match kind {
            None => State::Committed,
            Some(kind) => {
                State::Failed { kind, message: row.get::<_, Option<_>>(4)?.unwrap_or_default() }
            }
        },
        at: time(row.get(5)?),
        bytes_in: count(row, 6)?,
        bytes_out: count(row, 7)?,
        rejects: count(row, 8)?,
        output: output.map(|bytes| OsString::from_vec(bytes).into()),
    })
}

/// The first four columns of an output file.
pub(super) fn output(row: &Row<'_>) -> rusqlite::Result<Output> {
    let path: Vec<u8> = row.get(0)?;
    Ok(Output {
        path: OsString::from_vec(path).into(),
        bytes: count(row, 1)?,
        modified_ns: row.get(2)?,
        digest: row.get(3)?,
    })
}

/// What is kept of a source, with the digests behind it.
pub(super) struct Closed {
    result: Option<Held>,
    saved: Option<Held>,
}

/// What a row has in the [columns](kept_columns) of what is kept, charged to that budget.
pub(super) fn closed(
    connection: &Connection,
    row: &Row<'_>,
    memory: &Arc<MemoryBudget>,
) -> rusqlite::Result<Closed> {
    let id = row.get(SEALED_COLUMNS + 1)?;
    let value = |column: usize, name| {
        if let ValueRef::Integer(_length) = row.get_ref(column)? {
            return long_value(connection, (id, name), memory).map(Some);
        }
        let value = row.get::<_, Option<Vec<u8>>>(column)?;
        Ok(value.map(|value| Held::within(memory, value)))
    };
    Ok(Closed {
        result: value(SEALED_COLUMNS + 2, c"result")?,
        saved: value(SEALED_COLUMNS + 3, c"saved")?,
    })
}

/// A value from its place, as it was when the row was read.
fn long_value(
    connection: &Connection,
    (id, column): (i64, &CStr),
    memory: &Arc<MemoryBudget>,
) -> rusqlite::Result<Held> {
    let value = connection.blob_open(c"main", c"entry", column, id, true)?;
    if value.len() > LEDGER_KEPT_BYTES_MAX + seal::BYTES {
        return Err(rusqlite::Error::BlobSizeError);
    }
    let mut held = Held::within(memory, vec![0; value.len()]);
    value.read_at_exact(&mut held, 0)?;
    Ok(held)
}

impl Closed {
    /// What is kept, if it is what was written with that entry.
    pub(super) fn open(self, entry: &Entry) -> Option<Kept> {
        let open = |part, closed: Option<Held>| {
            let Some((closed, charged)) = closed.map(Held::apart) else {
                return Some((None, Charged::default()));
            };
            Some((Some(seal::open(entry, part, closed)?), charged))
        };
        let (result, of_result) = open(Part::Result, self.result)?;
        let (saved, of_saved) = open(Part::Saved, self.saved)?;
        Some(Kept { result, saved, output: None, charged: [of_result, of_saved] })
    }
}

pub(super) fn shown(source: &[u8]) -> String {
    String::from_utf8_lossy(source).into_owned()
}

pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(super) fn time(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(milliseconds.clamp(0, LATEST_MS).unsigned_abs())
}
