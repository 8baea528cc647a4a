//! `host ledger` shows, exports and forgets what a ledger has.

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use gristmill::ledger::{Digest, Entry, Identity, JobId, Kept, Ledger, State};
use gristmill::settings::limits::LEDGER_SHOWN_MAX;

use crate::support::host::{Ended, Host};
use crate::support::tree::Tree;

fn entry(source: impl AsRef<[u8]>, seconds: u64) -> Entry {
    Entry {
        source: source.as_ref().to_vec(),
        identity: Identity::new("file").with("size", 1200).with("mtime_ns", 7),
        state: State::Committed,
        at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_250 + 1000 * seconds),
        bytes_in: 1200,
        bytes_out: 34,
        rejects: 0,
        output: None,
    }
}

fn commit(ledger: &Ledger, job: JobId, entry: Entry) {
    ledger.commit(job, entry, Kept::default()).unwrap();
}

/// A directory with a ledger of two jobs.
fn done() -> Tree {
    let tree = Tree::new();
    let ledger = Ledger::open(&tree.path().join("done")).unwrap();
    let words = ledger.job(Digest::of(["words"]), "wordcount chars=true").unwrap();
    let upper = ledger.job(Digest::of(["upper"]), "upper").unwrap();
    let state = State::Failed { kind: "trap".into(), message: "the plugin crashed in push".into() };
    commit(&ledger, words, entry("logs/a.gz", 0));
    commit(&ledger, words, entry("logs/b.gz", 1));
    commit(&ledger, words, Entry { state: state.clone(), bytes_out: 0, ..entry("logs/c.gz", 2) });
    commit(&ledger, upper, Entry { state, bytes_out: 0, ..entry("logs/a.gz", 3) });
    let output = Some("out/b.txt".into());
    commit(&ledger, upper, Entry { output, rejects: 5, ..entry(b"b\n\x1b[31m\xff", 4) });
    ledger.close().unwrap();
    tree
}

/// `host ledger ARGS` in that directory.
fn ledger(tree: &Tree, args: &[&str]) -> Ended {
    Host::new().within(tree.path()).arg("ledger").args(args).ended()
}

#[test]
fn the_jobs_are_shown_the_latest_last() {
    let tree = done();
    insta::assert_snapshot!(ledger(&tree, &["show", "done"]), @"
    exit: 0
    --- stdout
    job           committed  failed  bytes in  bytes out  rejects  latest                description
    14ab69233aa1          2       1      3600         68        0  2023-11-14T22:13:22Z  wordcount chars=true
    cb39516b1b5b          1       1      2400         34        5  2023-11-14T22:13:24Z  upper
    --- stderr
    ");
    insta::assert_snapshot!(ledger(&tree, &["show", "done", "--format", "json"]), @r#"
    exit: 0
    --- stdout
    [
    {"job":"14ab69233aa118c6acf754d6fb00f09b2d170c248835175a76a1dbcf2bebe766","description":"wordcount chars=true","committed":2,"failed":1,"bytes_in":3600,"bytes_out":68,"rejects":0,"latest":"2023-11-14T22:13:22.250Z"},
    {"job":"cb39516b1b5bd94a5f47aa5bc34471bda281cea3cfa1fbc4a00856784e28990c","description":"upper","committed":1,"failed":1,"bytes_in":2400,"bytes_out":34,"rejects":5,"latest":"2023-11-14T22:13:24.250Z"}
    ]
    --- stderr
    "#);
}

#[test]
fn the_sources_of_a_job_are_shown() {
    let tree = done();
    let digest = Digest::of(["words"]).to_string();
    insta::assert_snapshot!(ledger(&tree, &["show", "done", "--job", &digest[..4]]), @"
    exit: 0
    --- stdout
    job           state      bytes in  bytes out  rejects  done                  source     output or failure
    14ab69233aa1  committed      1200         34        0  2023-11-14T22:13:20Z  logs/a.gz
    14ab69233aa1  committed      1200         34        0  2023-11-14T22:13:21Z  logs/b.gz
    14ab69233aa1  failed         1200          0        0  2023-11-14T22:13:22Z  logs/c.gz  trap: the plugin crashed in push
    --- stderr
    ");
    let upper = Digest::of(["upper"]).to_string().to_uppercase();
    insta::assert_snapshot!(ledger(&tree, &["show", "done", "--job", &upper]), @"
    exit: 0
    --- stdout
    job           state      bytes in  bytes out  rejects  done                  source       output or failure
    cb39516b1b5b  committed      1200         34        5  2023-11-14T22:13:24Z  b  [31m\\xff  out/b.txt
    cb39516b1b5b  failed         1200          0        0  2023-11-14T22:13:23Z  logs/a.gz    trap: the plugin crashed in push
    --- stderr
    ");
    let json = ledger(&tree, &["show", "done", "--job", &upper, "--format", "json"]);
    insta::assert_snapshot!(json, @r#"
    exit: 0
    --- stdout
    [
    {"job":"cb39516b1b5bd94a5f47aa5bc34471bda281cea3cfa1fbc4a00856784e28990c","source":"b\n\u001b[31m\\xff","identity":"file size=1200 mtime_ns=7","state":"committed","at":"2023-11-14T22:13:24.250Z","bytes_in":1200,"bytes_out":34,"rejects":5,"output":"out/b.txt"},
    {"job":"cb39516b1b5bd94a5f47aa5bc34471bda281cea3cfa1fbc4a00856784e28990c","source":"logs/a.gz","identity":"file size=1200 mtime_ns=7","state":"failed","error":{"kind":"trap","message":"the plugin crashed in push"},"at":"2023-11-14T22:13:23.250Z","bytes_in":1200,"bytes_out":0,"rejects":0}
    ]
    --- stderr
    "#);
}

#[test]
fn failures_are_shown_of_one_job_or_of_all() {
    let tree = done();
    insta::assert_snapshot!(ledger(&tree, &["show", "done", "--failed"]), @"
    exit: 0
    --- stdout
    job           state   bytes in  bytes out  rejects  done                  source     output or failure
    14ab69233aa1  failed      1200          0        0  2023-11-14T22:13:22Z  logs/c.gz  trap: the plugin crashed in push
    cb39516b1b5b  failed      1200          0        0  2023-11-14T22:13:23Z  logs/a.gz  trap: the plugin crashed in push
    --- stderr
    ");
    let digest = Digest::of(["words"]).to_string();
    let one = ledger(&tree, &["show", "done", "--failed", "--job", &digest, "-f", "json"]);
    insta::assert_snapshot!(one, @r#"
    exit: 0
    --- stdout
    [
    {"job":"14ab69233aa118c6acf754d6fb00f09b2d170c248835175a76a1dbcf2bebe766","source":"logs/c.gz","identity":"file size=1200 mtime_ns=7","state":"failed","error":{"kind":"trap","message":"the plugin crashed in push"},"at":"2023-11-14T22:13:22.250Z","bytes_in":1200,"bytes_out":0,"rejects":0}
    ]
    --- stderr
    "#);
}

#[test]
fn entries_are_exported_as_json_lines() {
    let tree = done();
    let all = ledger(&tree, &["export", "done"]).exits(0);
    assert_eq!(all.lines().len(), 5);
    let digest = Digest::of(["words"]).to_string();
    insta::assert_snapshot!(ledger(&tree, &["export", "done", "--job", &digest]), @r#"
    exit: 0
    --- stdout
    {"job":"14ab69233aa118c6acf754d6fb00f09b2d170c248835175a76a1dbcf2bebe766","source":"logs/a.gz","identity":"file size=1200 mtime_ns=7","state":"committed","at":"2023-11-14T22:13:20.250Z","bytes_in":1200,"bytes_out":34,"rejects":0}
    {"job":"14ab69233aa118c6acf754d6fb00f09b2d170c248835175a76a1dbcf2bebe766","source":"logs/b.gz","identity":"file size=1200 mtime_ns=7","state":"committed","at":"2023-11-14T22:13:21.250Z","bytes_in":1200,"bytes_out":34,"rejects":0}
    {"job":"14ab69233aa118c6acf754d6fb00f09b2d170c248835175a76a1dbcf2bebe766","source":"logs/c.gz","identity":"file size=1200 mtime_ns=7","state":"failed","error":{"kind":"trap","message":"the plugin crashed in push"},"at":"2023-11-14T22:13:22.250Z","bytes_in":1200,"bytes_out":0,"rejects":0}
    --- stderr
    "#);
}

#[test]
fn an_empty_ledger_has_nothing_to_show() {
    let tree = Tree::new();
    Ledger::open(&tree.path().join("done")).unwrap().close().unwrap();
    let message = [
        ledger(&tree, &["show", "done"]),
        ledger(&tree, &["show", "done", "--failed"]),
        ledger(&tree, &["show", "done", "--format", "json"]),
        ledger(&tree, &["export", "done"]),
        ledger(&tree, &["check", "done"]),
    ];
    insta::assert_snapshot!(message.map(|ended| ended.to_string()).join("\n"), @"
    exit: 0
    --- stdout
    job  committed  failed  bytes in  bytes out  rejects  latest  description
    --- stderr
    exit: 0
    --- stdout
    job  state  bytes in  bytes out  rejects  done  source  output or failure
    --- stderr
    exit: 0
    --- stdout
    []
    --- stderr
    exit: 0
    --- stdout
    --- stderr
    exit: 0
    --- stdout
    --- stderr
    ");
}

#[test]
fn a_long_table_says_where_the_rest_is() {
    let tree = Tree::new();
    let written = Ledger::open(&tree.path().join("done")).unwrap();
    let job = written.job(Digest::of(["job"]), "job").unwrap();
    for row in 0..=LEDGER_SHOWN_MAX {
        commit(&written, job, entry(row.to_string(), row));
    }
    written.close().unwrap();
    let digest = Digest::of(["job"]).to_string();
    let message = ledger(&tree, &["show", "done", "--job", &digest]).exits(0);
    assert_eq!(message.text().lines().count() as u64, 1 + LEDGER_SHOWN_MAX);
    insta::assert_snapshot!(message.stderr, @"only the first 10000 are shown: `host ledger export` has all");
    assert_eq!(ledger(&tree, &["export", "done"]).lines().len() as u64, LEDGER_SHOWN_MAX + 1);
}

#[test]
fn what_is_forgotten_is_counted_and_what_is_not_there_is_named() {
    let tree = done();
    let digest = Digest::of(["words"]).to_string();
    let message = [
        ledger(&tree, &["forget", "done", "logs/a.gz", "--job", &digest]).exits(0),
        ledger(&tree, &["forget", "done", "logs/a.gz", "logs/b.gz", "none"]).exits(1),
        ledger(&tree, &["forget", "done", "--failed"]).exits(0),
        ledger(&tree, &["forget", "done", "--all", "--job", &digest]).exits(2),
        ledger(&tree, &["forget", "done", "--all"]).exits(0),
        ledger(&tree, &["forget", "done", "--all"]).exits(0),
    ];
    insta::assert_snapshot!(message.map(|ended| ended.stderr).concat(), @"
    1 entry is forgotten
    none: is not in the ledger
    2 entries are forgotten
    1 entry is forgotten
    error: --job 14ab69233aa118c6acf754d6fb00f09b2d170c248835175a76a1dbcf2bebe766: no job begins so
    hint: `host ledger show` without --job lists the jobs
    1 entry is forgotten
    0 entries are forgotten
    ");
}

#[test]
fn what_to_forget_has_to_be_said() {
    let tree = done();
    insta::assert_snapshot!(ledger(&tree, &["forget", "done"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      <SOURCE|--failed|--all>

    Usage: host ledger forget [--job <DIGEST>] <LEDGER> <SOURCE...|--failed|--all>

    For more information, try '--help'.
    ");
    ledger(&tree, &["forget", "done", "--all", "--failed"]).exits(2);
    ledger(&tree, &["forget", "done", "--all", "logs/a.gz"]).exits(2);
    assert_eq!(ledger(&tree, &["export", "done"]).lines().len(), 5);
}

#[test]
fn an_ambiguous_job_is_reported() {
    let tree = done();
    let message = [
        ledger(&tree, &["show", "done", "--job", "xyz"]).exits(2),
        ledger(&tree, &["export", "done", "--job", ""]).exits(2),
        ledger(&tree, &["forget", "done", "--all", "--job", ""]).exits(2),
    ];
    insta::assert_snapshot!(message.map(|ended| ended.stderr).concat(), @"
    error: --job xyz: no job begins so
    hint: `host ledger show` without --job lists the jobs
    error: --job : 2 jobs begin so
    hint: give more of the digest
    error: --job : 2 jobs begin so
    hint: give more of the digest
    ");
}

#[test]
fn a_file_that_is_no_ledger_is_reported_and_none_is_made() {
    let tree = done();
    tree.file("text", "no ledger");
    for command in [&["show"][..], &["export"], &["check"], &["forget", "--all"]] {
        for name in ["text", "missing", "none/done", "."] {
            let args: Vec<_> = command.iter().copied().chain([name]).collect();
            ledger(&tree, &args).exits(2);
        }
    }
    let message = ["text", "missing", "none/done", "."].map(|name| ledger(&tree, &["show", name]));
    insta::assert_snapshot!(message.map(|ended| ended.stderr).concat(), @"
    error: text: is not a ledger
    hint: name a file that a host made, or one that is not there yet
    error: missing: No such file or directory (os error 2)
    error: none/done: the directory of the ledger does not exist
    hint: make the directory first
    error: .: is not a ledger
    hint: name a file that a host made, or one that is not there yet
    ");
    assert_eq!(tree.read("text"), b"no ledger");
    assert_eq!(fs::read_dir(tree.path()).unwrap().count(), 2);
}

#[test]
fn damage_is_reported() {
    let tree = done();
    insta::assert_snapshot!(ledger(&tree, &["check", "done"]), @"
    exit: 0
    --- stdout
    --- stderr
    ");
    let mut bytes = tree.read("done");
    // All but the schema: the tables, and their indexes.
    bytes[4096..].fill(0xee);
    tree.file("done", bytes);
    let message = ledger(&tree, &["check", "done"]).exits(1);
    assert!(message.stderr.starts_with("done: "), "{message}");
    assert!(
        message.stderr.ends_with("hint: remove the file to do everything again\n"),
        "{message}"
    );
    insta::assert_snapshot!(ledger(&tree, &["export", "done"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: done: the ledger is damaged: database disk image is malformed
    hint: `host ledger check` tells how far; remove the file to do everything again
    ");
}
