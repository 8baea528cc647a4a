//! The ledger among several processes: one that writes and is killed, one that has it, one whose
//! disk is full.
//!
//! The other process is this test binary: a test calls itself with the path of a ledger in its
//! environment, and the one that finds it there writes until somebody or something ends it.

use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use gristmill::ledger::{
    Digest, Entries, Entry, Error, Identity, JobId, Kept, Ledger, Reader, Selection, State,
};

use crate::support::host::Host;
use crate::support::tree::Tree;

/// Where the other process finds what it is to do.
const PATH: &str = "LEDGER_OF_THE_OTHER_PROCESS";
const ROUND: &str = "ROUND_OF_THE_OTHER_PROCESS";

/// The ledger of the other process, when this is it.
fn other() -> Option<PathBuf> {
    env::var_os(PATH).map(PathBuf::from)
}

/// Calls the test of this name once more, as the other process, through `command`.
fn call(mut command: Command, test: &str, path: &Path, round: u64) -> Child {
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn this_binary() -> Command {
    Command::new(env::current_exe().unwrap())
}

/// Sends a message to the test that started this process, in a line of its own: the test harness
/// writes to the same stream.
fn tell(what: &str) {
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("\ntold {what}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

/// The next message of the other process.
fn message(stdout: &mut BufReader<ChildStdout>) -> Option<String> {
    stdout.lines().map_while(Result::ok).find_map(|line| Some(line.strip_prefix("told ")?.into()))
}

fn job(ledger: &Ledger) -> JobId {
    ledger.job(Digest::of(["job"]), "a job").unwrap()
}

/// The entry of a source, with a result of its own that no half of is right.
fn row(source: &str, number: u64) -> (Entry, Kept) {
    let entry = Entry {
        source: source.into(),
        identity: Identity::new("file").with("number", number),
        state: State::Committed,
        at: UNIX_EPOCH + Duration::from_secs(number),
        bytes_in: number,
        bytes_out: 0,
        rejects: 0,
        output: Some(PathBuf::from(format!("{source}.out"))),
    };
    let length = usize::try_from(number).unwrap() * 37 % 9000;
    let result = source.bytes().cycle().take(length).collect();
    (entry, Kept { result: Some(result), ..Kept::default() })
}

fn kept_of(reader: &Reader, job: JobId, source: &[u8]) -> Option<Kept> {
    reader.recall(job, source).unwrap().map(|(_, kept)| kept)
}

#[track_caller]
fn assert_holds(reader: &Reader, job: JobId, source: &str, number: u64) {
    let (entry, kept) = row(source, number);
    assert_eq!(reader.entry(job, source.as_bytes()).unwrap(), Some(entry));
    assert!(kept_of(reader, job, source.as_bytes()) == Some(kept), "{source}");
}

const THREADS: usize = 4;

/// So many rows a thread is ahead of what it knows to be durable.
const WAIT_EACH: u64 = 8;

/// Commits without end from several threads, and prints which rows are durable: `thread number`.
fn commit_for_ever(path: &Path, round: &str) {
    let ledger = Ledger::open(path).unwrap();
    let job = job(&ledger);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let ledger = &ledger;
            scope.spawn(move || {
                for number in 0.. {
                    let (entry, kept) = row(&format!("{round}/{thread}/{number}"), number);
                    ledger.commit(job, entry, kept).unwrap();
                    let (entry, kept) = row(&format!("{round}/{thread}"), number);
                    let ticket = ledger.commit(job, entry, kept).unwrap();
                    if number % WAIT_EACH == WAIT_EACH - 1 {
                        ledger.wait(ticket).unwrap();
                        tell(&format!("{thread} {number}"));
                    }
                }
            });
        }
    });
}

/// Numbers as good as random, the same in each run.
fn scattered(round: u64) -> u64 {
    let digest = Digest::of([round.to_le_bytes()]).to_string();
    u64::from_str_radix(&digest[..15], 16).unwrap()
}

#[test]
fn a_kill_at_any_instant_loses_nothing_that_was_durable() {
    if let Some(path) = other() {
        return commit_for_ever(&path, &env::var(ROUND).unwrap());
    }
    let tree = Tree::new();
    let path = tree.path().join("ledger");
    for round in 0..50 {
        let test = "ledger::a_kill_at_any_instant_loses_nothing_that_was_durable";
        let mut child = call(this_binary(), test, &path, round);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut durable = [None; THREADS];
        let mut note = |message: String| {
            let (thread, number) = message.split_once(' ').unwrap();
            durable[thread.parse::<usize>().unwrap()] = Some(number.parse::<u64>().unwrap());
        };
        for _ in 0..scattered(round) % 100 {
            note(message(&mut stdout).expect("it goes on until it is killed"));
        }
        // Some way into what comes next, so that no step is the one that a kill comes after.
        let until = Instant::now() + Duration::from_micros(scattered(round) / 100 % 3000);
        while Instant::now() < until {}
        child.kill().unwrap();
        child.wait().unwrap();
        std::iter::from_fn(|| message(&mut stdout)).for_each(&mut note);
        // The first to open it repairs it: a reader, or the next writer.
        if round % 2 == 0 {
            assert_kept(&path, round, durable);
        } else {
            Ledger::open(&path).unwrap().close().unwrap();
            assert_kept(&path, round, durable);
        }
    }
}

/// Every row that was durable is there, every row is whole, and what is lost are the last ones.
fn assert_kept(path: &Path, round: u64, durable: [Option<u64>; THREADS]) {
    let reader = match Reader::open(path) {
        // It was killed before it had made a ledger of the file, or the file.
        Err(Error::NotALedger { .. } | Error::Open { .. })
            if round == 0 && durable == [None; THREADS] =>
        {
            return;
        }
        opened => opened.unwrap(),
    };
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
    let Some(job) = reader.jobs().unwrap().pop() else {
        return assert_eq!(durable, [None; THREADS]);
    };
    for (thread, durable) in durable.into_iter().enumerate() {
        let name = |number| format!("{round}/{thread}/{number}");
        let is_there =
            |number: &u64| reader.entry(job.id, name(*number).as_bytes()).unwrap().is_some();
        let there = (0..u64::MAX).take_while(is_there).count() as u64;
        assert!(durable.is_none_or(|durable| durable < there), "{durable:?} of {there}");
        (0..there).for_each(|number| assert_holds(&reader, job.id, &name(number), number));
        assert!(
            (there..there + 2 * WAIT_EACH).all(|number| !is_there(&number)),
            "a row after one that is lost"
        );
        // The row that is written over and over belongs to the last of the others, or to the one
        // before.
        let latest = format!("{round}/{thread}");
        let Some(entry) = reader.entry(job.id, latest.as_bytes()).unwrap() else {
            assert!(there <= 1 && durable.is_none(), "{durable:?} of {there}");
            continue;
        };
        assert!(entry.bytes_in + 1 == there || entry.bytes_in + 2 == there, "{entry:?} {there}");
        assert!(durable.is_none_or(|durable| durable <= entry.bytes_in));
        assert_holds(&reader, job.id, &latest, entry.bytes_in);
    }
}

#[test]
fn a_ledger_that_a_process_writes_can_be_looked_at_but_not_written() {
    if let Some(path) = other() {
        return commit_for_ever(&path, "0");
    }
    let tree = Tree::new();
    let path = tree.path().join("ledger");
    let test = "ledger::a_ledger_that_a_process_writes_can_be_looked_at_but_not_written";
    let mut child = call(this_binary(), test, &path, 0);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..20 {
        let durable = message(&mut stdout).unwrap();
        let (thread, number) = durable.split_once(' ').unwrap();
        let reader = Reader::open(&path).unwrap();
        let job = reader.jobs().unwrap().pop().unwrap();
        let source = format!("0/{thread}/{number}");
        assert_holds(&reader, job.id, &source, number.parse().unwrap());
        // What is read is of one moment, whatever is written meanwhile.
        let mut rows = 0;
        let selection = Selection { job: None, entries: Entries::All };
        let ended = reader.each(&selection, |_, entry| {
            rows += 1;
            assert_eq!(entry.identity, row("", entry.bytes_in).0.identity);
            ControlFlow::<()>::Continue(())
        });
        assert!(ended.unwrap().is_continue() && rows > 0);
    }
    assert!(matches!(Ledger::open(&path), Err(Error::InUse { .. })));
    let host = |args: &[&str]| Host::new().within(tree.path()).arg("ledger").args(args).ended();
    insta::assert_snapshot!(host(&["forget", "ledger", "--all"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: ledger: the ledger is in use by another process
    hint: wait for that process to end, or name another file
    ");
    let message = host(&["export", "ledger"]).exits(0).lines();
    assert!(message.iter().any(|entry| entry["source"] == "0/0/7"), "{}", message.len());
    host(&["check", "ledger"]).exits(0);
    // It goes on as if nobody had looked, and the file is free once it is gone.
    for _ in 0..20 {
        self::message(&mut stdout).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    host(&["forget", "ledger", "--all"]).exits(0);
}

#[test]
fn a_process_that_reads_its_own_ledger_does_not_lose_it() {
    if let Some(path) = other() {
        let ledger = Ledger::open(&path).unwrap();
        // As a run over the directory of its ledger does; to close a file takes the process's locks
        // from it.
        for file in ledger.files().iter().filter(|file| file.exists()) {
            File::open(file).unwrap().read_to_end(&mut Vec::new()).unwrap();
        }
        drop(ledger);
        return commit_reading(&path);
    }
    let tree = Tree::new();
    let path = tree.path().join("ledger");
    let test = "ledger::a_process_that_reads_its_own_ledger_does_not_lose_it";
    let mut child = call(this_binary(), test, &path, 0);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut last = 0;
    for _ in 0..20 {
        last = message(&mut stdout).unwrap().parse().unwrap();
        assert!(matches!(Ledger::open(&path), Err(Error::InUse { .. })));
        let reader = Reader::open(&path).unwrap();
        let job = reader.jobs().unwrap().pop().unwrap();
        assert_holds(&reader, job.id, &last.to_string(), last);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
    let job = reader.jobs().unwrap().pop().unwrap();
    (0..=last).for_each(|number| assert_holds(&reader, job.id, &number.to_string(), number));
}

/// Commits without end, and reads the ledger's own files between.
fn commit_reading(path: &Path) {
    let ledger = Ledger::open(path).unwrap();
    let job = job(&ledger);
    for number in 0.. {
        let (entry, kept) = row(&number.to_string(), number);
        ledger.wait(ledger.commit(job, entry, kept).unwrap()).unwrap();
        for file in ledger.files().iter().filter(|file| file.exists()) {
            File::open(file).unwrap().read_to_end(&mut Vec::new()).unwrap();
        }
        tell(&number.to_string());
    }
}

#[test]
fn a_disk_that_is_full_ends_it_with_an_error_and_keeps_what_was_durable() {
    if let Some(path) = other() {
        let ledger = Ledger::open(&path).unwrap();
        let job = job(&ledger);
        for number in 0.. {
            let (entry, kept) = row(&number.to_string(), number);
            let written = ledger.commit(job, entry, kept).and_then(|ticket| ledger.wait(ticket));
            match written {
                Ok(()) => tell(&number.to_string()),
                Err(error) => return tell(&format!("{error}\ntold {:?}", ledger.close().err())),
            }
        }
    }
    let tree = Tree::new();
    let path = tree.path().join("ledger");
    let test = "ledger::a_disk_that_is_full_ends_it_with_an_error_and_keeps_what_was_durable";
    let mut command = Command::new("bash");
    // No file of more than 1 MiB, and no signal for who tries: writing fails.
    let limited = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\"";
    command.args(["-c", limited]).arg(env::current_exe().unwrap());
    let mut child = call(command, test, &path, 0);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut message: Vec<String> = std::iter::from_fn(|| message(&mut stdout)).collect();
    assert!(child.wait().unwrap().success());
    let closed = message.pop().unwrap();
    assert!(closed.starts_with("Some("), "{closed}");
    let error = message.pop().unwrap();
    let named = format!("{}: ", path.display());
    assert!(error.starts_with(&named), "{error}");
    insta::assert_snapshot!(error[named.len()..], @"the disk failed the ledger: disk I/O error");
    assert!(message.len() > 50, "{}", message.len());
    Ledger::open(&path).unwrap().close().unwrap();
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
    let job = reader.jobs().unwrap().pop().unwrap();
    assert_eq!(job.committed, message.len() as u64);
    for number in message {
        assert_holds(&reader, job.id, &number, number.parse().unwrap());
    }
}
