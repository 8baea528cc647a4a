//! What a disk, or somebody with an editor, has changed in a row is never taken for what became of
//! a source.

use rusqlite::Connection;

use super::*;
use crate::ledger::schema;

/// A ledger in which one row, of the source `a`, was changed by a statement.
fn changed(row: Entry, statement: &str) -> (TempDir, PathBuf) {
    let (dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    commit(&ledger, job, row);
    commit(&ledger, job, entry("b"));
    ledger.close().unwrap();
    let connection = Connection::open(&path).unwrap();
    assert_eq!(connection.execute(statement, []).unwrap(), 1, "{statement}");
    (dir, path)
}

#[track_caller]
fn assert_told(path: &Path, what: &str) {
    let reader = Reader::open(path).unwrap();
    let message = format!("{}: what is kept of a is not what was written", path.display());
    let job = reader.jobs().unwrap()[0].id;
    let each = |_, _| ControlFlow::<()>::Continue(());
    for error in [
        reader.entry(job, b"a").unwrap_err(),
        reader.recall(job, b"a").unwrap_err(),
        reader.each(&Selection { job: None, entries: Entries::All }, each).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), message, "{what}");
        assert!(error.hint().is_some());
    }
    assert_eq!(reader.check().unwrap(), ["what is kept of a is not what was written"], "{what}");
    assert!(reader.entry(job, b"b").unwrap().is_some());
    let done = reader.done(job, Needs::NOTHING).unwrap();
    let identity = Identity::new("file").with("size", 7);
    let known = [b"a", b"b"].map(|name| done.look(name, &identity));
    assert_eq!(known, [Known::Nothing, Known::Committed], "{what}");
    assert_eq!(done.altered(), Some((1, &b"a"[..])), "{what}");
}

#[test]
fn a_row_that_was_altered_is_reported() {
    for change in [
        "identity = 'file size=8'",
        "failure_kind = 'trap'",
        "failure_message = 'it crashed'",
        "at_ms = at_ms + 1",
        "bytes_in = 8",
        "bytes_out = 0",
        "rejects = 0",
        "output = x'61'",
        "digest = x''",
        "result = x'7b7d'",
        "saved = x''",
    ] {
        let statement = format!("UPDATE entry SET {change} WHERE source = x'61'");
        let (_dir, path) = changed(entry("a"), &statement);
        assert_told(&path, change);
    }
}

#[test]
fn a_failure_never_becomes_a_result() {
    let statement = "UPDATE entry SET failure_kind = NULL WHERE source = x'61'";
    let (_dir, path) = changed(failed("a"), statement);
    assert_told(&path, statement);
}

#[test]
fn a_changed_row_can_be_forgotten_and_done_again() {
    let (_dir, path) = changed(entry("a"), "UPDATE entry SET rejects = 0 WHERE source = x'61'");
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    let entries = Entries::Of(b"a".to_vec());
    assert_eq!(ledger.forget(vec![Selection { job: Some(job), entries }]).unwrap(), [1]);
    commit(&ledger, job, entry("a"));
    ledger.flush().unwrap();
    assert_eq!(ledger.reader().unwrap().check().unwrap(), [""; 0]);
}

/// A damaged index leads to the row of another source, which is whole by itself. Found by a seeded
/// search.
#[test]
fn a_source_is_never_recalled_under_the_name_of_another() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    for name in ["a", "c"] {
        commit(&ledger, job, entry(name));
    }
    ledger.close().unwrap();
    // The names of an index are in its own page; those of the rows stay as they are.
    let connection = Connection::open(&path).unwrap();
    let page: u32 = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_entry_1'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let page_bytes: u32 =
        connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    drop(connection);
    let (page, page_bytes) = (page as usize, page_bytes as usize);
    let mut bytes = fs::read(&path).unwrap();
    let index = &mut bytes[(page - 1) * page_bytes..page * page_bytes];
    let named = |at: &usize| index[*at] == b'c';
    let cells: Vec<_> = (0..page_bytes).filter(named).collect();
    assert_eq!(cells.len(), 1, "{cells:?}");
    index[cells[0]] = b'b';
    fs::write(&path, bytes).unwrap();
    let message = Reader::open(&path).unwrap().recall(job, b"b").unwrap_err().to_string();
    let expected = format!("{}: what is kept of b is not what was written", path.display());
    assert_eq!(message, expected);
}

#[test]
fn outputs_that_the_first_hosts_knew_are_brought_up_to_date() {
    let (_dir, path) = place();
    let mut older = Connection::open(&path).unwrap();
    schema::make_version(&mut older, 1);
    older
        .execute_batch(
            "INSERT INTO job VALUES (1, zeroblob(32), 'old');
            INSERT INTO entry VALUES (1, 1, x'61FF', 'file size=7', NULL, NULL, 5, 7, 3, 0, x'62', NULL, NULL);",
        )
        .unwrap();
    drop(older);
    Ledger::open(&path).unwrap().close().unwrap();
    let reader = Reader::open(&path).unwrap();
    let output = reader.output(reader.jobs().unwrap()[0].id, b"a\xff").unwrap().unwrap();
    assert_eq!(output.path.as_os_str().as_encoded_bytes(), b"job 1 a\xff");
    assert_eq!(reader.check().unwrap(), [""; 0]);
}

#[test]
fn rows_of_an_older_host_are_sealed_when_a_run_brings_them_up_to_date() {
    let (_dir, path) = place();
    let mut older = Connection::open(&path).unwrap();
    schema::make_version(&mut older, 2);
    older
        .execute_batch(
            "INSERT INTO job VALUES (1, zeroblob(32), 'old');
            INSERT INTO entry VALUES (1, 1, x'61', 'file size=7', NULL, NULL, 5, 7, 3, 0, NULL, NULL, NULL);
            INSERT INTO entry VALUES (2, 1, x'62', 'file size=7', 'trap', 'it crashed', 5, 7, 0, 0, NULL, NULL, NULL);",
        )
        .unwrap();
    drop(older);
    let message = Reader::open(&path).unwrap_err().to_string();
    assert!(
        message.ends_with(
            "is a ledger of version 2, which only a run with ⟦ledger⟧ brings up to date"
        )
    );
    Ledger::open(&path).unwrap().close().unwrap();
    let reader = Reader::open(&path).unwrap();
    assert_eq!(all(&path), ["a", "b"]);
    let done = reader.done(reader.jobs().unwrap()[0].id, Needs::NOTHING).unwrap();
    let identity = Identity::new("file").with("size", 7);
    let known = [b"a", b"b"].map(|name| done.look(name, &identity));
    assert_eq!(known, [Known::Committed, Known::Failed]);
    assert_eq!(reader.check().unwrap(), [""; 0]);
}
