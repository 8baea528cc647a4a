//! Files that fail: tried again, then set aside with the reason.

use serde_json::Value;

use super::{explained, ledger, names, once, once_with, states};
use crate::support::guest::Guest;
use crate::support::tree::Tree;

const OUT: [&str; 2] = ["--out", "out/"];

/// A plugin that crashes on every file.
pub(super) fn crashing(tree: &Tree) -> std::path::PathBuf {
    Guest { push: "unreachable", world: "transformer", ..Guest::default() }.file(tree)
}

#[test]
fn a_file_that_fails_is_tried_again_and_then_told() {
    let tree = Tree::with(&[("in/a.txt", "a")]);
    let guest = crashing(&tree);
    let args = [&OUT[..], &["--retries", "1"]].concat();
    once_with(&tree, &guest, &args)
        .exits(1)
        .says("in/a.txt: the plugin crashed")
        .says("; tried again in 1s\n")
        .says(" (2 times)\n")
        .says("1 failed");
    assert_eq!(states(&tree, "in/a.txt"), ["failed"]);
    assert_eq!(explained(&tree, "in/a.txt")[0]["attempts"], 2);
    once_with(&tree, &guest, &args).exits(0).says("0 files done, 0 failed");
}

#[test]
fn a_file_that_has_failed_is_moved_with_the_reason_beside_it() {
    let tree = Tree::with(&[("in/d/a.txt", "a")]);
    let args = [&OUT[..], &["--retries", "0", "--on-fail", "move:in/failed"]].concat();
    for code in [1, 0] {
        once_with(&tree, &crashing(&tree), &args).exits(code);
        assert_eq!(names(&tree, "in"), ["failed/d/a.txt", "failed/d/a.txt.error.json"]);
    }
    let reason: Value = serde_json::from_slice(&tree.read("in/failed/d/a.txt.error.json")).unwrap();
    assert_eq!(reason["attempts"], 1);
    assert!(reason["error"].as_str().unwrap().starts_with("trap: "), "{reason}");
}

#[test]
fn one_file_that_fails_keeps_no_other_from_its_output() {
    let tree = Tree::with(&[("in/bad.csv", "a,b\n1,2,3\n"), ("in/good.csv", "a,b\n1,2\n")]);
    let args = ["--out", "out/", "--max-rejects", "0", "--retries", "0"];
    once(&tree, "csv2jsonl", &args).exits(1).says("1 file done, 1 failed");
    assert_eq!(tree.read("out/good.csv.jsonl"), b"{\"a\":\"1\",\"b\":\"2\"}\n");
    assert_eq!(names(&tree, "out"), ["good.csv.jsonl"]);
}

#[test]
fn failed_files_are_tried_again_when_somebody_asks_for_it() {
    let tree = Tree::with(&[("in/a.txt", "a"), ("in/b.txt", "b")]);
    let args = [&OUT[..], &["--retries", "0"]].concat();
    once_with(&tree, &crashing(&tree), &args).exits(1).says("2 failed");
    let (code, message) = ledger(&tree, &["retry", "ledger", "in/a.txt"]);
    assert_eq!(
        (code, message.as_str()),
        (Some(0), "1 file is tried again by the next start of the watch\n")
    );
    assert_eq!(states(&tree, "in/a.txt"), ["queued"]);
    once_with(&tree, &crashing(&tree), &args).exits(1).says("1 failed");
    let (code, message) = ledger(&tree, &["retry", "ledger", "--failed"]);
    assert_eq!((code, message.starts_with("2 files are")), (Some(0), true), "{message}");
    let (code, message) = ledger(&tree, &["retry", "ledger", "in/none.txt"]);
    assert_eq!(
        (code, message.starts_with("in/none.txt: has not failed")),
        (Some(1), true),
        "{message}"
    );
}

#[test]
fn rows_of_files_that_fail_are_not_written() {
    let tree = Tree::with(&[("in/a.txt", "a"), ("in/b.txt.gz", "no gzip"), ("in/c.txt", "c")]);
    std::fs::write(tree.path().join("in/b.txt.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 7])
        .unwrap();
    once(&tree, "wordcount", &["--out", "rows.jsonl", "--retries", "1"]).exits(1);
    let rows = super::rows(&tree, "rows.jsonl");
    assert_eq!(rows, [("in/a.txt".to_string(), 1), ("in/c.txt".to_string(), 1)]);
}

#[test]
fn why_a_file_is_not_done_is_reported() {
    let tree = Tree::with(&[("in/a.txt", "a"), ("in/b.tmp", "b")]);
    once(&tree, "upcase", &OUT).exits(0);
    let explain = |file: &str| ledger(&tree, &["explain", file, "--ledger", "ledger"]);
    let (code, message) = explain("in/a.txt");
    assert_eq!(code, Some(0), "{message}");
    assert!(
        message.contains("in/a.txt: committed\n") && message.contains("out/a.txt\n"),
        "{message}"
    );
    for (file, why) in [
        ("in/b.tmp", "are never taken"),
        ("in/none.txt", "there is no such file"),
        ("in/new.txt", "it has "),
    ] {
        tree.file("in/new.txt", "new");
        let (code, message) = explain(file);
        assert_eq!(code, Some(1), "{message}");
        assert!(message.contains("is not known: ") && message.contains(why), "{message}");
    }
}
