//! Rows of the database as plain types, each looked at for whether it says what was written.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};

use super::entry::{Entry, Identity, Kept, LATEST_MS, Output, State};
use super::error::AlteredRow;
use super::seal::{self, Part, SEALED_COLUMNS};

/// What follows [`SEALED`] where an entry is read.
pub(super) const DIGEST: &str = "digest";

/// What follows that where what is kept is wanted, too.
pub(super) const KEPT: &str = "result, saved";

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
    result: Option<Vec<u8>>,
    saved: Option<Vec<u8>>,
}

pub(super) fn closed(row: &Row<'_>) -> rusqlite::Result<Closed> {
    Ok(Closed { result: row.get(SEALED_COLUMNS + 1)?, saved: row.get(SEALED_COLUMNS + 2)? })
}

impl Closed {
    /// What is kept, if it is what was written with that entry.
    pub(super) fn open(self, entry: &Entry) -> Option<Kept> {
        let open = |part, closed: Option<Vec<u8>>| match closed {
            Some(closed) => seal::open(entry, part, closed).map(Some),
            None => Some(None),
        };
        Some(Kept {
            result: open(Part::Result, self.result)?,
            saved: open(Part::Saved, self.saved)?,
            ..Kept::default()
        })
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
