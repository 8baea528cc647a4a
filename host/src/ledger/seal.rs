//! Each entry has a digest over all that its row says, and what is kept of a result ends in one
//! over it and over the entry that it belongs to: bytes that a disk or an editor has changed are
//! never taken for the end of a source, nor for a result. It does not stop an attacker: there is no
//! secret in it.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::entry::Entry;

/// Sets these digests apart from all others that are made of the same bytes.
const CONTEXT: &str = "gristmill 2026 ledger kept";

/// The same for those of rows.
const ROW_CONTEXT: &str = "gristmill 2026 ledger row";

/// What the digest of a row is over: all columns before it, and whether anything is kept.
pub(super) const SEALED: &str = "job, source, identity, failure_kind, failure_message, at_ms, bytes_in, bytes_out, rejects, output, result IS NULL, saved IS NULL";

/// How many columns that are.
pub(super) const SEALED_COLUMNS: usize = 12;

/// The digest of a row whose first columns are [`SEALED`].
pub(super) fn of_row(row: &Row<'_>) -> rusqlite::Result<[u8; BYTES]> {
    let mut values = [ValueRef::Null; SEALED_COLUMNS];
    for (column, value) in values.iter_mut().enumerate() {
        *value = row.get_ref(column)?;
    }
    Ok(of_values(&values))
}

/// The digest of the row that has these values in [`SEALED`].
pub(super) fn of_values(values: &[ValueRef<'_>; SEALED_COLUMNS]) -> [u8; BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(ROW_CONTEXT);
    for value in values {
        let number;
        let (kind, bytes) = match *value {
            ValueRef::Null => (0, &[][..]),
            ValueRef::Integer(value) => {
                number = value.to_le_bytes();
                (1, &number[..])
            }
            ValueRef::Real(value) => {
                number = value.to_le_bytes();
                (2, &number[..])
            }
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(bytes) => (4, bytes),
        };
        hasher.update(&[kind]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Gives a digest to each row that an older host has written.
pub(super) fn close_all(connection: &Connection) -> rusqlite::Result<()> {
    let sql = format!("SELECT {SEALED}, id FROM entry WHERE digest = x''");
    let mut open = connection.prepare(&sql)?;
    let mut close = connection.prepare("UPDATE entry SET digest = ?1 WHERE id = ?2")?;
    let mut rows = open.query([])?;
    while let Some(row) = rows.next()? {
        close.execute((of_row(row)?, row.get::<_, i64>(SEALED_COLUMNS)?))?;
    }
    Ok(())
}

/// Half a digest: chance lets one change in 10^38 pass.
pub(super) const BYTES: usize = 16;

/// What is kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Result,
    Saved,
}

/// Puts the digest behind what is kept.
pub(super) fn close(entry: &Entry, part: Part, mut kept: Vec<u8>) -> Vec<u8> {
    let digest = digest(entry, part, &kept);
    kept.reserve_exact(BYTES); // not twice as much
    kept.extend(digest);
    kept
}

/// What is kept, without its digest; nothing where that is of something else.
pub(super) fn open(entry: &Entry, part: Part, mut closed: Vec<u8>) -> Option<Vec<u8>> {
    let (kept, found) = closed.split_last_chunk::<BYTES>()?;
    if digest(entry, part, kept) != *found {
        return None;
    }
    let length = kept.len();
    closed.truncate(length);
    Some(closed)
}

/// Over all of the entry that is shown again with a result.
fn digest(entry: &Entry, part: Part, kept: &[u8]) -> [u8; BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    for named in [&entry.source[..], entry.identity.as_str().as_bytes()] {
        hasher.update(&(named.len() as u64).to_le_bytes());
        hasher.update(named);
    }
    hasher.update(&entry.bytes_in.to_le_bytes());
    hasher.update(&entry.rejects.to_le_bytes());
    hasher.update(match part {
        Part::Result => b"result",
        Part::Saved => b"saved",
    });
    hasher.update(kept);
    hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::ledger::{Identity, State};

    fn entry() -> Entry {
        Entry {
            source: b"a".to_vec(),
            identity: Identity::new("file").with("size", 7),
            state: State::Committed,
            at: UNIX_EPOCH,
            bytes_in: 7,
            bytes_out: 4,
            rejects: 0,
            output: None,
        }
    }

    #[test]
    fn what_was_closed_opens_with_its_entry_alone() {
        let closed = close(&entry(), Part::Result, b"kept".to_vec());
        assert_eq!(open(&entry(), Part::Result, closed.clone()), Some(b"kept".to_vec()));
        assert_eq!(open(&entry(), Part::Saved, closed.clone()), None);
        let others = [
            Entry { source: b"b".to_vec(), ..entry() },
            Entry { identity: Identity::new("file").with("size", 8), ..entry() },
            Entry { bytes_in: 8, ..entry() },
            Entry { rejects: 1, ..entry() },
        ];
        for other in others {
            assert_eq!(open(&other, Part::Result, closed.clone()), None, "{other:?}");
        }
    }

    #[test]
    fn a_changed_byte_or_length_does_not_open() {
        let closed = close(&entry(), Part::Saved, b"kept".to_vec());
        for at in 0..closed.len() {
            let mut changed = closed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&entry(), Part::Saved, changed), None, "byte {at}");
            assert_eq!(open(&entry(), Part::Saved, closed[..at].to_vec()), None, "{at} bytes");
        }
        assert_eq!(open(&entry(), Part::Saved, [&closed[..], b"\0"].concat()), None);
    }
}
