//! Ledgers that a disk, or somebody with an editor, has changed: they are reported as damage, or
//! read, and what is read is what was written.
//!
//! `SQLite` itself, as Python has it, is asked about the same file.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use gristmill::ledger::{
    Digest, Entries, Entry, Error, Identity, Kept, Ledger, Needs, Output, Reader, Selection, State,
};

use super::MIB;
use crate::support::search::Search;
use crate::support::tree::Tree;

/// Reads names of databases, and says of each what an integrity check finds.
const PYTHON: &str = r#"
import sqlite3, sys
for name in sys.stdin:
    try:
        with sqlite3.connect(f"file:{name.strip()}?immutable=1", uri=True) as c:
            c.execute("PRAGMA cell_size_check = 1")
            found = [row[0] for row in c.execute("PRAGMA integrity_check(10)")]
        c.close()
        print("ok" if found == ["ok"] else "damaged", flush=True)
    except Exception as e:
        print("damaged", flush=True)
"#;

struct Sqlite {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Sqlite {
    fn start() -> Self {
        let mut python = Command::new("python3");
        python.args(["-c", PYTHON]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3: this test compares with it: install it");
        let asks = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, asks, answers }
    }

    fn is_sound(&mut self, path: &Path) -> bool {
        writeln!(self.asks, "{}", path.display()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(matches!(answer.trim(), "ok" | "damaged"), "{answer}");
        answer.trim() == "ok"
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn entry(number: u32) -> (Entry, Kept) {
    let failed = State::Failed { kind: "trap".into(), message: format!("it crashed at {number}") };
    let is_failed = number.is_multiple_of(5);
    let entry = Entry {
        source: format!("directory/of/file-{number:03}.txt").into_bytes(),
        identity: Identity::new("file").with("size", number).with("mtime_ns", 7),
        state: if is_failed { failed } else { State::Committed },
        at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
        bytes_in: u64::from(number) * 1000,
        bytes_out: u64::from(number),
        rejects: u64::from(number % 3),
        output: Some(format!("/out/{number}").into()),
    };
    let output = Output {
        path: format!("/out/{number}").into(),
        bytes: u64::from(number),
        modified_ns: Some(7),
        digest: Some([7; 32]),
    };
    // Some larger than a page, so that they go on in others.
    let result = format!("result of {number} ").repeat(1 + (number as usize % 7) * 100);
    let kept = Kept {
        result: Some(result.into_bytes()),
        saved: number.is_multiple_of(2).then(|| vec![number.to_le_bytes()[0]; 40]),
        output: Some(output),
        ..Kept::default()
    };
    (entry, if is_failed { Kept::default() } else { kept })
}

const ENTRIES: u32 = 40;

/// The bytes of a ledger of two jobs.
fn written() -> Vec<u8> {
    let tree = Tree::new();
    let path = tree.path().join("ledger");
    let ledger = Ledger::open(&path).unwrap();
    for name in ["one", "two"] {
        let job = ledger.job(Digest::of([name]), name).unwrap();
        for (entry, kept) in (0..ENTRIES).map(entry) {
            let output = kept.output.filter(|_| name == "one");
            ledger.commit(job, entry, Kept { output, ..kept }).unwrap();
        }
    }
    ledger.close().unwrap();
    fs::read(path).unwrap()
}

#[test]
fn a_changed_ledger_is_reported_as_damage_or_recalls_what_was_written() {
    let search = Search {
        module: module_path!(),
        test: "a_changed_ledger_is_reported_as_damage_or_recalls_what_was_written",
        cases: 500,
        memory_bytes_max: 128 * MIB,
    };
    let good = written();
    let tree = Tree::new();
    let path = tree.path().join("ledger");
    let mut sqlite = Sqlite::start();
    fs::write(&path, &good).unwrap();
    assert!(sqlite.is_sound(&path));
    search.run(|random| {
        let mut bytes = good.clone();
        // A whole file, or the head of one of its pages.
        let page = 4096 * random.below(bytes.len() / 4096);
        let range = if random.one_in(2) { page..page + 128 } else { 0..bytes.len() };
        random.damage(&mut bytes, range);
        fs::write(&path, &bytes).unwrap();
        let sound = sqlite.is_sound(&path);
        match read(&path) {
            Ok(troubles) => assert!(sound || !troubles.is_empty(), "damage is not told"),
            Err(error) => {
                let message = error.to_string();
                assert!(message.contains("ledger"), "{message}");
                assert!(!matches!(error, Error::Database { .. }), "{message}");
            }
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "a reader changes nothing");
        write(&path);
    });
}

/// Reads all that there is in all ways; what a check finds. A way that fails does not end the
/// others.
fn read(path: &Path) -> Result<Vec<String>, Error> {
    let reader = Reader::open(path)?;
    let mut first = Ok(());
    let mut note = |error: Error| {
        if first.is_ok() {
            first = Err(error);
        }
    };
    let selection = Selection { job: None, entries: Entries::All };
    let mut count = 0;
    let each = reader.each(&selection, |_, _| {
        count += 1;
        if count > 10 * ENTRIES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(count <= 10 * ENTRIES, "more rows than were written");
    each.err().map(&mut note);
    let _owners = reader.owners().map_err(&mut note);
    for job in reader.jobs().map_err(&mut note).unwrap_or_default() {
        let _done = reader.done(job.id, Needs::NOTHING).map_err(&mut note);
        for (entry, kept) in (0..ENTRIES).map(entry) {
            let _output = reader.output(job.id, &entry.source).map_err(&mut note);
            match reader.recall(job.id, &entry.source) {
                Ok(Some((found, recalled))) => same(&entry, &kept, &found, &recalled),
                Ok(None) => {}
                Err(error) => note(error),
            }
        }
    }
    let troubles = reader.check()?;
    first.map(|()| troubles)
}

/// What is recalled is what was kept, of that source in that version.
fn same(written: &Entry, kept: &Kept, found: &Entry, recalled: &Kept) {
    assert_eq!(found.source, written.source);
    if recalled.result.is_some() || recalled.saved.is_some() {
        assert_eq!(found.identity, written.identity);
        assert_eq!((found.bytes_in, found.rejects), (written.bytes_in, written.rejects));
    }
    for (recalled, kept) in [(&recalled.result, &kept.result), (&recalled.saved, &kept.saved)] {
        assert!(recalled.is_none() || recalled == kept, "{recalled:?} for {kept:?}");
    }
}

/// Writes to it, as a run would: that may fail, and ends.
fn write(path: &Path) {
    let Ok(ledger) = Ledger::open(path) else { return };
    let written = ledger.job(Digest::of(["one"]), "one").and_then(|job| {
        let (entry, kept) = entry(7);
        ledger.commit(job, entry, kept)?;
        ledger.flush()
    });
    let closed = ledger.close();
    for error in written.err().into_iter().chain(closed.err()) {
        assert!(error.to_string().contains("ledger"), "{error}");
    }
    for more in ["ledger-wal", "ledger-shm", "ledger-journal"] {
        let _none = fs::remove_file(path.with_file_name(more));
    }
}
