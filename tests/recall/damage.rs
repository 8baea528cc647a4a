//! Rows of the ledger that are not what was written, and results that are too long to be in one.

use std::process::Command;

use rusqlite::Connection;

use super::{SOURCES, assert_read, assert_same, host, remembering, sources};
use crate::support::guest::Guest;
use crate::support::host::{Host, shared_cache};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn edited(tree: &Tree, sql: &str) {
    let connection = Connection::open(tree.path().join("done")).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
}

fn check(tree: &Tree) -> Host {
    Host::new().within(tree.path()).args(["ledger", "check", "done"])
}

#[test]
fn a_changed_row_is_reported_and_its_source_read_again() {
    let tree = sources();
    let chains = ["wordcount", "checksum"];
    remembering(&tree, &chains, &["in/"]).0.exits(0);
    let undisturbed = host(&tree, &chains).arg("in/").ended().exits(0);
    check(&tree).ended().exits(0);
    let other = "FROM entry WHERE source = CAST('in/3/10.txt' AS BLOB)";
    let changes = [
        "saved = zeroblob(length(saved))".to_string(),
        "saved = substr(saved, 1, length(saved) - 1)".into(),
        "saved = x''".into(),
        // Of another source, as it is.
        format!("saved = (SELECT saved {other})"),
        format!("result = (SELECT result {other})"),
        "result = CAST(replace(CAST(result AS TEXT), '1', '2') AS BLOB)".into(),
        "bytes_in = bytes_in + 1".into(),
    ];
    for change in changes {
        edited(
            &tree,
            &format!("UPDATE entry SET {change} WHERE source = CAST('in/3/3.txt' AS BLOB)"),
        );
        let message = check(&tree).ended().exits(1).stderr;
        let line = "what is kept of in/3/3.txt is not what was written";
        assert!(message.starts_with(&format!("done: {line}\n")), "{change}: {message}");
        let (again, report) = remembering(&tree, &chains, &["in/"]);
        assert_same(&again, &undisturbed);
        assert_read(&report, 1, SOURCES - 1);
        assert!(again.stderr.contains(line), "{change}: {again}");
        assert!(again.stderr.contains("was damaged: 1 source was read again\n"), "{again}");
        // What was damaged is replaced.
        check(&tree).ended().exits(0);
        assert_read(&remembering(&tree, &chains, &["in/"]).1, 0, SOURCES);
    }
}

#[test]
fn a_row_that_lost_a_part_is_as_if_there_were_none() {
    let tree = sources();
    remembering(&tree, &["wordcount"], &["in/"]).0.exits(0);
    let undisturbed = host(&tree, &["wordcount"]).arg("in/").ended().exits(0);
    for part in ["saved", "result"] {
        edited(
            &tree,
            &format!("UPDATE entry SET {part} = NULL WHERE source = CAST('in/3/3.txt' AS BLOB)"),
        );
        let (again, report) = remembering(&tree, &["wordcount"], &["in/"]);
        assert_same(&again, &undisturbed);
        assert_read(&report, 1, SOURCES - 1);
    }
}

#[test]
fn a_disk_that_is_full_ends_the_run_and_the_next_one_goes_on() {
    let tree = sources();
    let undisturbed = host(&tree, &["topwords"]).arg("in/").ended().exits(0); // and compiled
    let mut shell = Command::new("bash");
    // No file of more than 160 KiB, and no signal for who tries: writing fails.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 160; exec \"$@\"", "bash"]);
    shell.arg(env!("CARGO_BIN_EXE_host"));
    let host = Host::through(shell).within(tree.path()).args(["run", "--plugin"]);
    let host = host.arg(plugin("topwords")).arg("--cache").arg(shared_cache());
    let ended = host.args(["--ledger", "done", "--out", "all", "in/"]).ended().exits(2);
    assert!(ended.stderr.contains("done: the disk failed the ledger: "), "{ended}");
    // The last rows may be refused when the output is there: then that is whole.
    let out = tree.path().join("all");
    assert!(!out.exists() || tree.read("all") == undisturbed.stdout, "{ended}");
    remembering(&tree, &["topwords"], &["in/", "--out", "all"]).0.exits(0);
    assert!(tree.read("all") == undisturbed.stdout);
    check(&tree).ended().exits(0);
    assert_read(&remembering(&tree, &["topwords"], &["in/"]).1, 0, SOURCES);
}

/// Two states of 40 MiB are more than the ledger keeps of one source: it is not remembered, and
/// that is no failure.
#[test]
fn what_is_too_long_for_the_ledger_is_reported_and_read_again() {
    let tree = Tree::with(&[("a", "a\n"), ("b", "!large\n"), ("c", "c\n")]);
    let guest = Guest {
        save: "(if (call $seen_marked) (then (return (call $bytes (i32.const 0) (i32.const 41943040)))))",
        merge: "(if (i32.gt_u (local.get $len) (i32.const 1000000)) (then (return (call $ok))))",
        pages: 700,
        ..Guest::default()
    };
    let path = guest.file(&tree);
    let chains = [path.to_str().unwrap(), path.to_str().unwrap()];
    let undisturbed = host(&tree, &chains).args(["a", "b", "c"]).ended().exits(0);
    for (read, skipped) in [(3, 0), (1, 2), (1, 2)] {
        let (ended, report) = remembering(&tree, &chains, &["a", "b", "c"]);
        assert_same(&ended, &undisturbed);
        assert_read(&report, read, skipped);
        let message =
            "too long for the ledger: what came of 1 source, which the next run reads again\n";
        assert!(ended.stderr.ends_with(message), "{ended}");
    }
    // Without a total there is no state to keep.
    for (read, skipped) in [(1, 2), (0, 3)] {
        let (ended, report) = remembering(&tree, &chains, &["a", "b", "c", "--per-source"]);
        assert_read(&report, read, skipped);
        assert!(!ended.stderr.contains("too long"), "{ended}");
    }
}
