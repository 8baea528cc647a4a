//! What is taken, what is left, and what is refused.

use std::fs;
use std::time::{Duration, SystemTime};

use super::{explained, names, once, path, rows, states};
use crate::support::tree::Tree;

#[test]
fn a_second_start_takes_only_what_is_new() {
    let tree = Tree::with(&[("in/a.txt", "one"), ("in/d/b.txt", "two")]);
    once(&tree, "upcase", &["--out", "out/"]).exits(0).says("2 files done, 0 failed");
    tree.file("in/c.txt", "three");
    once(&tree, "upcase", &["--out", "out/"]).exits(0).says("1 file done, 0 failed");
    assert_eq!(names(&tree, "out"), ["a.txt", "c.txt", "d/b.txt"]);
    assert_eq!(tree.read("out/d/b.txt"), b"TWO");
}

#[test]
fn each_file_has_one_row_however_often_it_is_started() {
    let tree = Tree::with(&[("in/a.txt", "one two"), ("in/b.txt", "one")]);
    let expected = |more: &[(&str, u64)]| {
        let all = [&[("in/a.txt", 2), ("in/b.txt", 1)], more].concat();
        all.into_iter().map(|(name, words)| (name.to_string(), words)).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        once(&tree, "wordcount", &["--out", "rows.jsonl"]).exits(0);
        assert_eq!(rows(&tree, "rows.jsonl"), expected(&[]));
    }
    tree.file("in/0.txt", "1 2 3");
    once(&tree, "wordcount", &["--out", "rows.jsonl"]).exits(0);
    assert_eq!(rows(&tree, "rows.jsonl"), expected(&[("in/0.txt", 3)]));
}

#[test]
fn rows_of_one_start_are_in_the_order_that_is_asked_for() {
    let files = [("in/b", "x".repeat(2)), ("in/a", "x".repeat(3)), ("in/c", "x".to_string())];
    for (order, expected) in [
        ("name", ["in/a", "in/b", "in/c"]),
        ("largest", ["in/a", "in/b", "in/c"]),
        ("newest", ["in/c", "in/a", "in/b"]),
        ("oldest", ["in/b", "in/a", "in/c"]),
    ] {
        let tree = Tree::with(&files);
        for (age, (name, _)) in files.iter().rev().enumerate() {
            let time = SystemTime::now() - Duration::from_secs(60 + 60 * age as u64);
            fs::File::open(path(&tree, name)).unwrap().set_modified(time).unwrap();
        }
        once(&tree, "wordcount", &["--out", "rows.jsonl", "--order", order]).exits(0);
        let names: Vec<_> = rows(&tree, "rows.jsonl").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{order}");
    }
}

#[test]
fn a_directory_is_the_same_by_any_name() {
    let tree = Tree::with(&[("in/a.txt", "one")]);
    once(&tree, "upcase", &["--out", "out/"]).exits(0).says("1 file done");
    std::os::unix::fs::symlink("in", path(&tree, "link")).unwrap();
    let mut other = std::process::Command::new(env!("CARGO_BIN_EXE_host"));
    other.args(["watch", "./link/", "--ledger", "ledger", "--once", "--out", "./out/", "--plugin"]);
    other.arg(crate::support::plugins::plugin("upcase")).current_dir(tree.path());
    let ended = other.output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert!(message.contains("0 files done, 0 failed"), "{message}");
}

#[test]
fn unfinished_files_and_those_that_the_watch_makes_are_not_taken() {
    let tree = Tree::with(&[
        ("in/a.txt", "a"),
        ("in/.b", "b"),
        ("in/c.tmp", "c"),
        ("in/d.part", "d"),
        ("in/e~", "e"),
        ("in/f.crdownload", "f"),
        ("in/.git/g", "g"),
        ("in/h.log", "h"),
    ]);
    for _ in 0..2 {
        once(&tree, "upcase", &["--out", "in/out/", "--exclude", "*.log"]).exits(0);
        assert_eq!(names(&tree, "in/out"), ["a.txt"]);
    }
}

#[test]
fn another_version_is_processed_left_or_a_failure_as_asked() {
    for (changed, code, expected, last) in [
        ("again", 0, "TWO AND MORE", "committed"),
        ("ignore", 0, "ONE", "ignored"),
        ("fail", 1, "ONE", "failed"),
    ] {
        let tree = Tree::with(&[("in/a.txt", "one")]);
        let args = ["--out", "out/", "--changed", changed];
        once(&tree, "upcase", &args).exits(0);
        tree.file("in/a.txt", "two and more");
        once(&tree, "upcase", &args).exits(code);
        assert_eq!(tree.read("out/a.txt"), expected.as_bytes(), "{changed}");
        assert_eq!(states(&tree, "in/a.txt"), ["committed", last]);
        let current: Vec<_> =
            explained(&tree, "in/a.txt").iter().map(|it| it["is_current"] == true).collect();
        assert_eq!(current, [false, true]);
    }
}

#[test]
fn rights_and_links_make_no_other_version() {
    let tree = Tree::with(&[("in/a.txt", "one")]);
    once(&tree, "upcase", &["--out", "out/"]).exits(0).says("1 file done");
    let mut rights = fs::metadata(path(&tree, "in/a.txt")).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(path(&tree, "in/a.txt"), rights).unwrap();
    once(&tree, "upcase", &["--out", "out/"]).exits(0).says("0 files done");
}

#[test]
fn files_that_were_there_are_left_if_asked_and_that_stays_so() {
    let tree = Tree::with(&[("in/old.txt", "old")]);
    let skip = ["--out", "out/", "--existing", "skip"];
    once(&tree, "upcase", &skip).exits(0).says("0 files done");
    tree.file("in/new.txt", "new");
    once(&tree, "upcase", &skip).exits(0).says("1 file done");
    assert_eq!(names(&tree, "out"), ["new.txt"]);
    assert_eq!(states(&tree, "in/old.txt"), ["ignored"]);
    once(&tree, "upcase", &["--out", "out/"])
        .exits(2)
        .says("error: --existing process: this watch was begun with skip")
        .says("hint: --existing skip goes on");
}

#[test]
fn files_that_were_there_are_taken_from_a_time_on() {
    let tree = Tree::with(&[("in/old.txt", "old"), ("in/new.txt", "new")]);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::open(path(&tree, "in/old.txt")).unwrap().set_modified(old).unwrap();
    once(&tree, "upcase", &["--out", "out/", "--existing", "since:2020-01-01"]).exits(0);
    assert_eq!(names(&tree, "out"), ["new.txt"]);
}

#[test]
fn what_cannot_be_watched_is_refused_with_the_way_out() {
    let tree = Tree::with(&[("in/a.txt", "a"), ("there.jsonl", "not its own\n")]);
    for (name, args, message) in [
        ("wordcount", &[][..], "--out FILE.jsonl a row for each"),
        ("upcase", &["--out", "a.txt"], "--out DIR/, with a slash at its end"),
        ("wordcount", &["--out", "a.jsonl", "--format", "table"], "rows are appended as JSON"),
        ("wordcount", &["--out", "a.jsonl", "--total"], "a watch does not end"),
        ("wordcount", &["--out", "a.jsonl", "--report", "r"], "a watch does not end"),
        ("wordcount", &["--out", "there.jsonl"], "no rows in it are of this watch"),
        ("wordcount", &["--out", "a.jsonl", "in/a.txt"], "is not a directory"),
        ("wordcount", &["--out", "a.jsonl", "in"], "lies in in/"),
        ("upcase", &["--out", "out/", "--settle-mode", "marker:done"], "marker:{name}.done"),
        ("upcase", &["--out", "out/", "--max-files-per-second", "0"], "would never begin"),
        ("upcase", &["--out", "out/", "--jail"], "a jail is closed once"),
        ("upcase", &["--out", "out/", "--after", "move:in/"], "that the watch writes to"),
        ("upcase", &["--out", "out/", "--after", "move:{year}/"], "a template of {name}"),
    ] {
        let ended = super::command(&tree, &crate::support::plugins::plugin(name), args);
        let ended = { ended }.arg("--once").output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(message), "{message:?} in {said}");
    }
    assert_eq!(tree.read("there.jsonl"), b"not its own\n");
}
