//! What runs leave that were killed, or refused: nothing that stays.

use std::fs;
use std::io::Write;
use std::process::Child;

use super::files;
use crate::support::host::Host;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// A run into one file that has read some of its input, and waits for more.
fn waiting(tree: &Tree, out: &str) -> Child {
    let host = Host::run(&plugin("upcase")).within(tree.path());
    let mut child = host.args(["--exists", "replace", "--out", out, "-"]).start();
    // More than a pipe holds: when all of it is written, the run has begun to read.
    child.stdin.as_mut().unwrap().write_all(&vec![b'\n'; 1 << 20]).unwrap();
    child
}

fn parts(tree: &Tree) -> Vec<String> {
    let names = files(tree.path()).into_keys();
    names.filter(|name| name.contains(".gristmill-")).collect()
}

fn into_file(tree: &Tree, out: &str) {
    let host = Host::run(&plugin("upcase")).within(tree.path()).stdin("b\n");
    let ended = host.args(["--exists", "replace", "--out", out, "-"]).ended().exits(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_next_run_into_a_file_removes_what_a_killed_one_has_left() {
    let tree = Tree::new();
    for out in ["out.txt", "other.txt"] {
        let mut killed = waiting(&tree, out);
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    assert_eq!(parts(&tree).len(), 2);
    into_file(&tree, "out.txt");
    assert_eq!(tree.read("out.txt"), b"B\n");
    // That of another output is not looked at.
    let left = parts(&tree);
    assert!(left.len() == 1 && left[0].contains(".other.txt."), "{left:?}");
    into_file(&tree, "other.txt");
    assert_eq!(parts(&tree), [""; 0]);
}

#[test]
fn what_another_run_is_writing_stays() {
    let tree = Tree::new();
    let mut other = waiting(&tree, "out.txt");
    let before = parts(&tree);
    assert_eq!(before.len(), 1);
    into_file(&tree, "out.txt");
    assert_eq!(parts(&tree), before);
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    assert_eq!(tree.read("out.txt").len(), 1 << 20);
    assert_eq!(parts(&tree), [""; 0]);
}

#[test]
fn a_run_that_is_refused_makes_nothing() {
    let tree = Tree::with(&[("in/a.txt", "a\n"), ("full.jsonl", "{}\n"), ("in/sub/b", "b\n")]);
    let before = files(tree.path());
    let directories = || fs::read_dir(tree.path()).unwrap().count();
    let count = directories();
    let refusals: [&[&str]; 6] = [
        &["--report", "none/r.json"],
        &["--report", "in"],
        &["--rejects", "none/r.jsonl"],
        &["--rejects", "in/sub"],
        &["--rejects", "new/a.txt"],
        &["--report", "new/sub/b"],
    ];
    for more in refusals {
        let host = Host::run(&plugin("redact")).within(tree.path());
        let host = host.args(["--out", "new/", "--ledger", "new.ledger", "in/"]).args(more);
        let ended = host.ended().exits(2);
        assert!(files(tree.path()) == before && directories() == count, "{more:?}: {ended}");
    }
    let host = Host::run(&plugin("redact")).within(tree.path());
    let message = host.args(["--out", "new/", "--rejects", "full.jsonl", "in/"]).ended().exits(2);
    assert!(message.stderr.contains("full.jsonl: exists already"), "{message}");
    assert!(files(tree.path()) == before && directories() == count, "{message}");
    // A ledger that was there stays.
    let host = || Host::run(&plugin("redact")).within(tree.path()).args(["--ledger", "l", "in/"]);
    host().args(["--out", "new/"]).ended().exits(0);
    tree.file("in/new.txt", "c\n");
    host().args(["--out", "new/", "--rejects", "new/new.txt"]).ended().exits(2);
    let again = host().args(["--out", "new/"]).ended().exits(0);
    assert_eq!(again.stderr, "2 sources are done already, and were skipped\n");
}
