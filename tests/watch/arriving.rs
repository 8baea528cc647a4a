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
    super::once(&tree, "upcase", &args).exits(1).says("its output is that of");
    fs::remove_file(path(&tree, "in/a/x.txt")).unwrap();
    tree.file("in/c/x.txt", "third");
    super::once(&tree, "upcase", &args).exits(1).says("its output is that of");
    assert_eq!(tree.read("out/x.txt"), b"FIRST");
}
