//! Files that come while a watch runs, however they come.

use std::fs::{self, File};
use std::io::Write;

use super::{Watch, is_there, names, path, states, until};
use crate::support::tree::Tree;

fn begun(tree: &Tree, args: &[&str]) -> Watch {
    let watch = Watch::begin(tree, "upcase", &[&["--out", "out/"], args].concat());
    tree.file("in/first.txt", "first");
    until("it takes the first file", || is_there(tree, "out/first.txt"));
    watch
}

#[test]
fn files_are_taken_however_they_come() {
    let tree = Tree::with(&[("in/.keep", ""), ("elsewhere/d/moved.txt", "moved")]);
    let watch = begun(&tree, &[]);
    tree.file("in/written.txt", "written");
    tree.file("in/saved.tmp", "saved");
    fs::rename(path(&tree, "in/saved.tmp"), path(&tree, "in/saved.txt")).unwrap();
    fs::rename(path(&tree, "elsewhere/d"), path(&tree, "in/d")).unwrap();
    tree.file("linked", "linked");
    fs::hard_link(path(&tree, "linked"), path(&tree, "in/linked.txt")).unwrap();
    for n in 0..50 {
        tree.file(&format!("in/new/{n}/deep/{n}.txt"), "nested");
    }
    until("all are taken", || names(&tree, "out").len() == 55);
    assert_eq!(tree.read("out/d/moved.txt"), b"MOVED");
    assert_eq!(tree.read("out/linked.txt"), b"LINKED");
    watch.end().exits(0).says("55 files done, 0 failed");
}

#[test]
fn a_file_is_taken_when_it_is_closed_and_again_when_it_is_reopened() {
    let tree = Tree::with(&[("in/.keep", "")]);
    let watch = begun(&tree, &[]);
    tree.file("in/a.txt", "one");
    until("it is taken", || is_there(&tree, "out/a.txt"));
    let mut file = File::options().append(true).open(path(&tree, "in/a.txt")).unwrap();
    file.write_all(b" two").unwrap();
    drop(file);
    until("it is taken again", || tree.read("out/a.txt") == b"ONE TWO");
    watch.end().exits(0).says("in/a.txt: has changed, and is processed again");
    assert_eq!(states(&tree, "in/a.txt"), ["committed", "committed"]);
}

#[test]
fn a_file_that_somebody_writes_to_is_not_taken_however_slowly_that_goes() {
    let tree = Tree::with(&[("in/.keep", "")]);
    let watch = begun(&tree, &["--after", "delete", "--settle", "1ms"]);
    let mut file = File::create(path(&tree, "in/slow.txt")).unwrap();
    for n in 0..3 {
        file.write_all(b"part ").unwrap();
        // Longer than a file that nobody has closed has to be at rest.
        std::thread::sleep(std::time::Duration::from_millis(2500));
        tree.file(&format!("in/{n}.txt"), "other");
        until("others are taken", || is_there(&tree, &format!("out/{n}.txt")));
        assert!(!is_there(&tree, "out/slow.txt"));
    }
    drop(file);
    until("it is taken", || is_there(&tree, "out/slow.txt"));
    assert_eq!(tree.read("out/slow.txt"), b"PART PART PART ");
    watch.end().exits(0).says("5 files done");
}

#[test]
fn two_watches_never_write_to_one_file() {
    let tree = Tree::with(&[("in/a.txt", "a"), ("other/b.txt", "b")]);
    let watch = Watch::begin(&tree, "wordcount", &["--out", "rows.jsonl"]);
    until("it has a row", || is_there(&tree, "rows.jsonl") && !tree.read("rows.jsonl").is_empty());
    let mut second = std::process::Command::new(env!("CARGO_BIN_EXE_host"));
    second.args(["watch", "other/", "--ledger", "second", "--once", "--out", "rows.jsonl"]);
    second.arg("--plugin").arg(crate::support::plugins::plugin("wordcount"));
    let ended = second.current_dir(tree.path()).output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{message}");
    assert!(message.contains("another watch writes to it"), "{message}");
    watch.end().exits(0);
}

#[test]
fn a_dry_run_shows_what_is_there_and_does_nothing() {
    let tree = Tree::with(&[("in/a.txt", "a")]);
    let args = ["--out", "out/", "--after", "delete", "--dry-run"];
    let ended = super::command(&tree, &crate::support::plugins::plugin("upcase"), &args)
        .stdout(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert!(ended.status.success());
    assert!(String::from_utf8(ended.stdout).unwrap().contains("in/a.txt"));
    assert!(is_there(&tree, "in/a.txt") && !is_there(&tree, "out") && !is_there(&tree, "ledger"));
}

#[test]
fn a_file_waits_for_its_marker() {
    let tree = Tree::with(&[("in/.keep", ""), ("in/first.txt.done", "")]);
    let watch = begun(&tree, &["--settle-mode", "marker:{name}.done"]);
    tree.file("in/a.txt", "a");
    tree.file("in/b.txt", "b");
    tree.file("in/b.txt.done", "");
    until("the marked one is taken", || is_there(&tree, "out/b.txt"));
    assert_eq!(names(&tree, "out"), ["b.txt", "first.txt"]);
    tree.file("in/a.txt.done", "");
    until("the other one is taken", || is_there(&tree, "out/a.txt"));
    watch.end().exits(0);
}

#[test]
fn a_file_that_is_moved_in_is_taken_at_once_if_asked() {
    let tree = Tree::with(&[("in/.keep", ""), ("a.txt", "a")]);
    // Only by that rule, as the other one takes an hour.
    let watch = Watch::begin(
        &tree,
        "upcase",
        &["--out", "out/", "--settle-mode", "rename", "--settle", "1h"],
    );
    until("it watches", || {
        tree.file("x.txt", "x");
        fs::rename(path(&tree, "x.txt"), path(&tree, "in/x.txt")).unwrap();
        is_there(&tree, "out/x.txt")
    });
    tree.file("in/written.txt", "written");
    fs::rename(path(&tree, "a.txt"), path(&tree, "in/a.txt")).unwrap();
    until("it is taken", || is_there(&tree, "out/a.txt"));
    assert_eq!(names(&tree, "out"), ["a.txt", "x.txt"]);
    watch.end().exits(0);
}

#[test]
fn two_files_never_share_an_output() {
    let tree = Tree::with(&[("in/a/x.txt", "first")]);
    let args = ["--out", "out/", "--name", "{name}", "--retries", "0"];
    super::once(&tree, "upcase", &args).exits(0);
    tree.file("in/b/x.txt", "second");
    let ended = super::once(&tree, "upcase", &args).exits(1);
    ended.says("its output is that of").says("; hint: --name makes other names");
    fs::remove_file(path(&tree, "in/a/x.txt")).unwrap();
    tree.file("in/c/x.txt", "third");
    super::once(&tree, "upcase", &args).exits(1).says("its output is that of");
    assert_eq!(tree.read("out/x.txt"), b"FIRST");
}
