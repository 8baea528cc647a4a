//! What becomes of files once they are done.

use super::{names, once, rows};
use crate::support::tree::Tree;

#[test]
fn files_are_removed_only_when_they_are_done() {
    let tree = Tree::with(&[("in/a.txt", "a"), ("in/d/b.txt", "b"), ("in/c.tmp", "c")]);
    once(&tree, "upcase", &["--out", "out/", "--after", "delete"]).exits(0);
    assert_eq!(names(&tree, "in"), ["c.tmp"]);
    assert_eq!(names(&tree, "out"), ["a.txt", "d/b.txt"]);
}

#[test]
fn files_are_moved_with_their_paths_or_as_a_template_says() {
    for (to, expected) in
        [("in/done/", ["a.txt", "d/b.txt"]), ("in/done/{stem}-{name}", ["a-a.txt", "b-b.txt"])]
    {
        let tree = Tree::with(&[("in/a.txt", "a"), ("in/d/b.txt", "b")]);
        let after = format!("move:{to}");
        for _ in 0..2 {
            once(&tree, "wordcount", &["--out", "rows.jsonl", "--after", &after]).exits(0);
            assert_eq!(names(&tree, "in/done"), expected);
            assert_eq!(rows(&tree, "rows.jsonl").len(), 2, "what is moved is not taken again");
        }
    }
}

#[test]
fn what_is_there_already_is_not_replaced_by_what_is_moved() {
    let tree = Tree::with(&[("in/a.txt", "new"), ("done/a.txt", "old")]);
    once(&tree, "upcase", &["--out", "out/", "--after", "move:done/"]).exits(0);
    assert_eq!(names(&tree, "done"), ["a.txt", "a.txt.1"]);
    assert_eq!(tree.read("done/a.txt"), b"old");
}

#[test]
fn a_name_as_long_as_names_can_be_is_removed_too() {
    let tree = Tree::new();
    tree.file(&format!("in/{}", "n".repeat(255)), "a");
    once(&tree, "upcase", &["--out", "out/", "--after", "delete"]).exits(0);
    assert!(names(&tree, "in").is_empty());
}

#[test]
fn a_marker_goes_with_its_file() {
    for (after, left) in [("delete", 0), ("move:done/", 2)] {
        let tree = Tree::with(&[("in/a.txt", "a"), ("in/a.ok", ""), ("in/b.txt", "b")]);
        let args = ["--out", "out/", "--after", after];
        let marked = ["--once", "--settle-mode", "marker:{stem}.ok"];
        let plugin = crate::support::plugins::plugin("upcase");
        let ended = super::command(&tree, &plugin, &args);
        let ended = { ended }.args(marked).output().unwrap();
        assert!(ended.status.success());
        assert_eq!(names(&tree, "in"), ["b.txt"], "{after}");
        assert_eq!(names(&tree, "done").len(), left);
    }
}

#[test]
fn a_file_stays_while_the_delay_lasts() {
    let tree = Tree::with(&[("in/a.txt", "a")]);
    let args = ["--out", "out/", "--after", "delete", "--after-delay", "1h"];
    once(&tree, "upcase", &args).exits(0);
    assert_eq!(names(&tree, "in"), ["a.txt"]);
    once(&tree, "upcase", &["--out", "out/", "--after", "delete"]).exits(0);
    assert!(names(&tree, "in").is_empty());
}
