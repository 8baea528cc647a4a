//! The ledger within one process; what takes several is in tests/ledger.rs.

mod files;
mod rows;
mod sealed;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;

/// A directory, and the path of a ledger in it that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger");
    (dir, path)
}

fn job(ledger: &Ledger) -> JobId {
    ledger.job(Digest::of(["job"]), "a job").unwrap()
}

fn entry(source: impl AsRef<[u8]>) -> Entry {
    Entry {
        source: source.as_ref().to_vec(),
        identity: Identity::new("file").with("size", 7),
        state: State::Committed,
        at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
        bytes_in: 7,
        bytes_out: 3,
        rejects: 1,
        output: None,
    }
}

fn failed(source: &str) -> Entry {
    let state = State::Failed { kind: "trap".into(), message: "it crashed".into() };
    Entry { state, ..entry(source) }
}

fn commit(ledger: &Ledger, job: JobId, entry: Entry) -> Ticket {
    ledger.commit(job, entry, Kept::default()).unwrap()
}

fn kept_of(reader: &Reader, job: JobId, source: &[u8]) -> Option<Kept> {
    reader.recall(job, source).unwrap().map(|(_, kept)| kept)
}

/// The names of all entries that are selected.
fn names(reader: &Reader, job: Option<JobId>, entries: Entries) -> Vec<String> {
    let mut names = Vec::new();
    let ended = reader.each(&Selection { job, entries }, |_, entry| {
        names.push(String::from_utf8_lossy(&entry.source).into_owned());
        ControlFlow::<()>::Continue(())
    });
    assert!(ended.unwrap().is_continue());
    names
}

fn all(path: &Path) -> Vec<String> {
    names(&Reader::open(path).unwrap(), None, Entries::All)
}
