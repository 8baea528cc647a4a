//! What is there already is left, refused or replaced as the user says; and nothing that is read is ever replaced.

use std::os::unix::fs::symlink;

use super::files;
use crate::support::host::{Ended, Host};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn upcase(tree: &Tree, args: &[&str]) -> Ended {
    Host::run(&plugin("upcase")).within(tree.path()).args(args).ended()
}

fn sources() -> Tree {
    Tree::with(&[("in/a", "a\n"), ("in/b", "b\n"), ("in/sub/c", "c\n")])
}

#[test]
fn an_output_that_is_there_fails_its_source_is_left_or_replaced() {
    for out in ["out/", "out"] {
        let tree = sources();
        tree.file("out/b", "old");
        insta::allow_duplicates! {
            insta::assert_snapshot!(upcase(&tree, &["--out", out, "in/"]), @"
            exit: 1
            --- stdout
            --- stderr
            in/b: out/b: exists already
            hint: --exists skip leaves it, --exists replace overwrites it
            1 of 3 sources failed
            ");
        }
        let told = |name: &str| String::from_utf8(tree.read(&format!("out/{name}"))).unwrap();
        assert_eq!(["a", "b", "sub/c"].map(told), ["A\n", "old", "C\n"]);
        upcase(&tree, &["--out", out, "--exists", "skip", "in/"]).exits(0);
        assert_eq!(told("b"), "old");
        upcase(&tree, &["--out", out, "--exists", "replace", "in/"]).exits(0);
        assert_eq!(told("b"), "B\n");
        assert_eq!(files(tree.path()).len(), 6, "nothing temporary is left");
    }
}

#[test]
fn one_file_that_is_there_ends_the_run_is_left_or_replaced() {
    let tree = sources();
    tree.file("file", "old");
    insta::assert_snapshot!(upcase(&tree, &["--out", "file", "in"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: ./file: exists already
    hint: --exists skip leaves it, --exists replace overwrites it
    ");
    insta::assert_snapshot!(upcase(&tree, &["--out", "file", "--exists", "skip", "in"]), @"
    exit: 0
    --- stdout
    --- stderr
    file is there already, and is left
    ");
    assert_eq!(tree.read("file"), b"old");
    upcase(&tree, &["--out", "file", "--exists", "replace", "in"]).exits(0);
    assert_eq!(tree.read("file"), b"A\nB\nC\n");
}

#[test]
fn a_failed_run_leaves_what_was_there() {
    let tree = sources();
    tree.file("file", "old");
    tree.file("out/bad", "old");
    tree.file("in/bad.gz", &crate::support::pack::gzip(&crate::support::pack::text(9000))[..2000]);
    upcase(&tree, &["--out", "out/", "--exists", "replace", "in/"]).exits(1);
    assert_eq!(tree.read("out/bad"), b"old");
}

#[test]
fn two_sources_of_one_output_are_told_before_anything_runs() {
    let tree = sources();
    let args = ["--out", "out/", "--name", "{name}", "in", "other"];
    tree.file("other/a", "x");
    insta::assert_snapshot!(upcase(&tree, &args), @"
    exit: 2
    --- stdout
    --- stderr
    error: other/a: its output is that of in/a, too: a
    hint: --name makes other names: {dir}, {name}…
    ");
    tree.file("in/b.gz", crate::support::pack::gzip(b"b"));
    insta::assert_snapshot!(upcase(&tree, &["--out", "out/", "in/"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: in/b.gz: its output is that of in/b, too: b
    hint: --name makes other names: {dir}, {name}…
    ");
    assert!(files(&tree.path().join("out")).is_empty());
}

#[test]
fn no_source_is_replaced_by_what_comes_of_it() {
    let tree = sources();
    let before = files(tree.path());
    symlink("in/a", tree.path().join("link")).unwrap();
    symlink("in", tree.path().join("dir")).unwrap();
    let told = [
        upcase(&tree, &["--out", ".", "--exists", "replace", "in"]),
        upcase(&tree, &["--out", "in", "--exists", "replace", "in/"]),
        upcase(&tree, &["--out", "dir/", "--exists", "replace", "in/"]),
        upcase(&tree, &["--out", ".", "--ledger", "done", "in"]),
        upcase(&tree, &["--out", "in/", "--name", "a", "--exists", "replace", "in/b", "in/a"]),
        upcase(&tree, &["--out", "in/a", "--exists", "replace", "in/b", "in/a"]),
        upcase(&tree, &["--out", "in/a", "--exists", "replace", "link"]),
        upcase(&tree, &["--rejects", "in/b", "in"]),
        upcase(&tree, &["--report", "in/sub/c", "in"]),
    ];
    insta::assert_snapshot!(told.map(|ended| format!("{}\n", ended.exits(2))).concat(), @"
    exit: 2
    --- stdout
    --- stderr
    error: --out: ./in/a is a source, and would be overwritten
    hint: name another file or directory, or --name other names
    exit: 2
    --- stdout
    --- stderr
    error: --out: in/a is a source, and would be overwritten
    hint: name another file or directory, or --name other names
    exit: 2
    --- stdout
    --- stderr
    error: --out: dir/a is a source, and would be overwritten
    hint: name another file or directory, or --name other names
    exit: 2
    --- stdout
    --- stderr
    error: --out: ./in/a is a source, and would be overwritten
    hint: name another file or directory, or --name other names
    exit: 2
    --- stdout
    --- stderr
    error: in/a: its output is that of in/b, too: a
    hint: --name makes other names: {dir}, {name}…
    exit: 2
    --- stdout
    --- stderr
    error: --out: in/a is a source, and would be overwritten
    hint: name another file or directory, or --name other names
    exit: 2
    --- stdout
    --- stderr
    error: --out: in/a is a source, and would be overwritten
    hint: name another file or directory, or --name other names
    exit: 2
    --- stdout
    --- stderr
    error: --rejects: in/b is a source, and would be overwritten
    hint: name another file or directory, or --name other names
    exit: 2
    --- stdout
    --- stderr
    error: --report: in/sub/c is a source, and would be overwritten
    hint: name another file or directory, or --name other names
    ");
    let mut after = files(tree.path());
    after.retain(|name, _| name.starts_with("in/"));
    assert_eq!(after, before);
    // Beside them is no matter.
    upcase(&tree, &["--out", "in/", "--name", "{name}.up", "in/"]).exits(0);
    upcase(&tree, &["--out", ".", "--name", "{dir}/{name}.up2", "in"]).exits(0);
}

#[test]
fn a_source_is_not_replaced_by_the_results_of_a_plugin() {
    let tree = sources();
    let host = Host::run(&plugin("wordcount")).within(tree.path());
    host.args(["--out", "in/a", "--exists", "replace", "in"]).ended().exits(2);
    assert_eq!(tree.read("in/a"), b"a\n");
}
