//! What is opened, by whom, what is left alone, and what happens when the disk is full or what is
//! on it is damaged.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use rusqlite::Connection;

use super::*;

#[test]
fn only_one_has_a_ledger_and_others_may_look() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let ticket = commit(&ledger, job(&ledger), entry("a"));
    ledger.wait(ticket).unwrap();
    let error = Ledger::open(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: the ledger is in use by another process", path.display())
    );
    assert_eq!(all(&path), ["a"]);
    drop(ledger);
    let reader = Reader::open(&path).unwrap();
    assert!(matches!(Ledger::open(&path), Err(Error::InUse { .. })));
    assert_eq!(names(&reader, None, Entries::All), ["a"]);
    drop(reader);
    Ledger::open(&path).unwrap().close().unwrap();
}

#[test]
fn a_ledger_that_nobody_has_is_one_file_and_stays_as_it_is() {
    let (dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    commit(&ledger, job(&ledger), entry("a"));
    let files = ledger.files();
    ledger.close().unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(all(&path), ["a"]);
    assert_eq!(fs::read(&path).unwrap(), before);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, [path]);
    assert_eq!(files[0], fs::canonicalize(&left[0]).unwrap());
}

#[test]
fn names_that_mean_something_to_a_database_are_files() {
    let dir = tempfile::tempdir().unwrap();
    for name in [&b"file:a?mode=memory"[..], b":memory:", b"a b#%41\xff?"] {
        let path = dir.path().join(OsStr::from_bytes(name));
        let ledger = Ledger::open(&path).unwrap();
        commit(&ledger, job(&ledger), entry("a"));
        ledger.flush().unwrap();
        assert_eq!(all(&path), ["a"], "{}", path.display());
        ledger.close().unwrap();
        assert_eq!(all(&path), ["a"], "{}", path.display());
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn the_next_to_open_repairs_what_a_killed_process_left() {
    let (dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    commit(&ledger, job, entry("a"));
    commit(&ledger, job, entry("b"));
    ledger.flush().unwrap();
    // What is on disk now is what a kill would leave.
    let image = |name: &str| {
        let copy = dir.path().join(name);
        for file in ledger.files().iter().filter(|file| file.exists()) {
            let suffix = file.to_str().unwrap().rsplit_once("ledger").unwrap().1;
            fs::copy(file, dir.path().join(format!("{name}{suffix}"))).unwrap();
        }
        copy
    };
    let (read, written) = (image("read"), image("written"));
    assert!(
        fs::metadata(&read).unwrap().len()
            < fs::metadata(dir.path().join("read-wal")).unwrap().len()
    );
    assert_eq!(all(&read), ["a", "b"]);
    assert_eq!(all(&read), ["a", "b"]);
    let ledger = Ledger::open(&written).unwrap();
    assert_eq!(names(&ledger.reader().unwrap(), None, Entries::All), ["a", "b"]);
    ledger.close().unwrap();
    assert_eq!(all(&written), ["a", "b"]);
}

#[test]
fn a_file_that_is_no_ledger_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let database = dir.path().join("database");
    Connection::open(&database).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    let paths = [
        file("short", b"x"),
        file("long", &[b'x'; 10_000]),
        file("like", b"SQLite format 3\0 but no more than that"),
        database,
    ];
    for path in paths {
        let before = fs::read(&path).unwrap();
        let errors = [Ledger::open(&path).unwrap_err(), Reader::open(&path).unwrap_err()];
        for error in errors {
            assert!(matches!(error, Error::NotALedger { .. }), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    assert!(matches!(Ledger::open(dir.path()), Err(Error::NotALedger { .. })));
    assert!(matches!(Reader::open(dir.path()), Err(Error::NotALedger { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
}

#[test]
fn an_empty_file_becomes_a_ledger() {
    let (_dir, path) = place();
    fs::write(&path, "").unwrap();
    assert!(matches!(Reader::open(&path), Err(Error::NotALedger { .. })));
    Ledger::open(&path).unwrap().close().unwrap();
    assert_eq!(all(&path), Vec::<String>::new());
}

#[test]
fn a_ledger_of_a_later_version_is_left_alone() {
    let (_dir, path) = place();
    Ledger::open(&path).unwrap().close().unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    for error in [Ledger::open(&path).unwrap_err(), Reader::open(&path).unwrap_err()] {
        let message = "is a ledger of version 7, this host knows versions up to 5";
        assert_eq!(error.to_string(), format!("{}: {message}", path.display()));
        assert!(error.hint().is_some());
    }
    let version = Connection::open(&path).unwrap();
    let version = version.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    assert_eq!(version.unwrap(), 7);
}

/// A ledger may come from anywhere, and what a name in it stands for is what its schema says.
#[test]
fn a_ledger_whose_schema_is_not_the_hosts_is_damaged() {
    for (what, statements) in [
        (
            "entry",
            "ALTER TABLE entry RENAME TO e; CREATE VIEW entry AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x AS id, x AS job, x AS source FROM r",
        ),
        ("t", "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END"),
        ("more", "CREATE TABLE more (a)"),
        ("i", "CREATE INDEX i ON entry (bytes_in)"),
        ("output", "DROP TABLE output"),
    ] {
        let (_dir, path) = place();
        Ledger::open(&path).unwrap().close().unwrap();
        Connection::open(&path).unwrap().execute_batch(statements).unwrap();
        for error in [Ledger::open(&path).unwrap_err(), Reader::open(&path).unwrap_err()] {
            assert!(matches!(error, Error::Damaged { .. }), "{what}: {error}");
            let message = error.to_string();
            assert!(message.contains("is not as a host makes it"), "{what}: {message}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let (dir, _) = place();
    let below = dir.path().join("none/ledger");
    assert!(matches!(Ledger::open(&below), Err(Error::NoDirectory { .. })));
    assert!(matches!(Reader::open(&below), Err(Error::NoDirectory { .. })));
    let missing = Reader::open(&dir.path().join("ledger")).unwrap_err();
    assert!(matches!(missing, Error::Open { .. }), "{missing}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_full_disk_ends_the_ledger_and_keeps_what_was_durable() {
    let (_dir, path) = place();
    let lock = Lock::exclusive(&path).unwrap();
    let writer = Writer::open(lock.clone()).unwrap();
    writer.bound_pages(50);
    let ledger = Ledger::start(writer, lock).unwrap();
    let job = job(&ledger);
    let mut durable = 0;
    let error = loop {
        let ticket = commit(&ledger, job, entry(format!("{durable:05}{}", "x".repeat(500))));
        match ledger.wait(ticket) {
            Ok(()) => durable += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full { .. }), "{error}");
    assert!(error.hint().is_some());
    for error in [
        ledger.commit(job, entry("more"), Kept::default()).err(),
        ledger.flush().err(),
        ledger.forget(vec![Selection { job: None, entries: Entries::All }]).err(),
        ledger.close().err(),
    ] {
        assert!(matches!(error, Some(Error::Full { .. })), "{error:?}");
    }
    assert!(durable > 50, "{durable}");
    assert_eq!(all(&path).len(), durable);
}

#[test]
fn damage_is_reported() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    for row in 0..1000 {
        commit(&ledger, job, entry(format!("{row:04}{}", "x".repeat(100))));
    }
    ledger.close().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    for page in bytes.chunks_mut(4096).skip(8) {
        page[..64].fill(0xee);
    }
    fs::write(&path, &bytes).unwrap();
    let reader = Reader::open(&path).unwrap();
    match reader.check() {
        Ok(troubles) => assert!(!troubles.is_empty()),
        Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error}"),
    }
    let read = reader.each(&Selection { job: None, entries: Entries::All }, |_, _| {
        ControlFlow::<()>::Continue(())
    });
    assert!(matches!(read, Err(Error::Damaged { .. })), "{read:?}");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = Reader::open(&path).and_then(|reader| reader.jobs()).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

/// The number is in bytes 44 to 47 of the file ("Database File Format", section 1.3.10).
#[test]
fn a_schema_format_that_there_is_not_is_damage() {
    let (_dir, path) = place();
    Ledger::open(&path).unwrap().close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    assert_eq!(bytes[44..48], [0, 0, 0, 4]);
    bytes[47] = 9;
    fs::write(&path, bytes).unwrap();
    let read = Reader::open(&path).and_then(|reader| reader.jobs()).unwrap_err();
    for error in [read, Ledger::open(&path).unwrap_err()] {
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
}
