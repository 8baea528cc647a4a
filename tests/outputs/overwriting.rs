//! What is there already is left, refused or replaced as the user says; and nothing that is read is
//! ever replaced.

use std::os::unix::fs::symlink;

use super::{files, report};
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
        let message = |name: &str| String::from_utf8(tree.read(&format!("out/{name}"))).unwrap();
        assert_eq!(["a", "b", "sub/c"].map(message), ["A\n", "old", "C\n"]);
        upcase(&tree, &["--out", out, "--exists", "skip", "in/"]).exits(0);
        assert_eq!(message("b"), "old");
        upcase(&tree, &["--out", out, "--exists", "replace", "in/"]).exits(0);
        assert_eq!(message("b"), "B\n");
        assert_eq!(files(tree.path()).len(), 6, "nothing temporary is left");
    }
}

/// What a run reports of its sources: those that were read, and those that were not.
fn counted(tree: &Tree, args: &[&str]) -> (u64, u64) {
    upcase(tree, &[&["--report", "report.json", "--out", "out/"], args].concat()).exits(0);
    let report = report(tree);
    (report["files"].as_u64().unwrap(), report["skipped"].as_u64().unwrap())
}

#[test]
fn a_source_whose_output_is_there_and_left_is_not_read() {
    let tree = sources();
    // What is no gzip fails where it is read.
    tree.file("in/bad.gz", "no gzip");
    tree.file("out/bad", "old");
    let skip = ["--exists", "skip", "in/"];
    assert_eq!(counted(&tree, &skip), (3, 1));
    assert_eq!(tree.read("out/bad"), b"old");
    tree.file("in/new", "new\n");
    let ended = upcase(&tree, &["--out", "out/", "--exists", "skip", "in/"]).exits(0);
    assert_eq!(ended.stderr, "4 sources have their output already, and were skipped\n");
    assert_eq!(tree.read("out/new"), b"NEW\n");
    assert_eq!(counted(&tree, &skip), (0, 5));
    // What the ledger knows is counted, too; what is only there is not in it, and each source keeps
    // its own row.
    std::fs::remove_file(tree.path().join("out/b")).unwrap();
    let ledger = [&["--ledger", "done"], &skip[..]].concat();
    assert_eq!(counted(&tree, &ledger), (1, 4));
    let exported = || {
        let export = Host::new().within(tree.path()).args(["ledger", "export", "done"]);
        let rows = export.ended().exits(0).lines();
        rows.iter().map(|row| row["source"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(exported(), ["in/b"]);
    assert_eq!(counted(&tree, &ledger), (0, 5));
    // A directory of that name is no output.
    std::fs::remove_file(tree.path().join("out/a")).unwrap();
    tree.file("out/a/b", "");
    let ended = upcase(&tree, &["--out", "out/", "--exists", "skip", "in/"]).exits(1);
    assert!(ended.stderr.contains("in/a: out/a: "), "{ended}");
}

#[test]
fn an_output_directory_is_made_when_nothing_is_wrong_with_what_goes_there() {
    let tree = sources();
    for args in [
        &["--name", "{nome}", "in"][..],
        &["--framing", "tabs", "in"],
        &["--rejects", "in/a", "in"],
        &["--include", "[", "in"],
    ] {
        upcase(&tree, &[&["--out", "new/out/"], args].concat()).exits(2);
        assert!(!tree.path().join("new").exists(), "{args:?}");
    }
    // The job of a ledger is the same before there is a directory as after.
    let message = |stderr: &str| {
        let ended = upcase(&tree, &["--out", "new/../new/out/", "--ledger", "done", "in"]);
        assert_eq!(ended.exits(0).stderr, stderr);
    };
    std::fs::create_dir(tree.path().join("new")).unwrap();
    message("");
    message("3 sources are done already, and were skipped\n");
}

#[test]
fn of_named_directories_in_one_another_the_innermost_is_left_out_of_names() {
    let tree = sources();
    tree.file("elsewhere/d", "d\n");
    // What a link leads to is a source only where the link is named.
    symlink("../elsewhere", tree.path().join("in/link")).unwrap();
    for inputs in [["in/", "in/link/"], ["in/link/", "in/"]] {
        upcase(&tree, &[&["--out", "out/", "--exists", "replace"][..], &inputs].concat()).exits(0);
        let names: Vec<_> = files(&tree.path().join("out")).into_keys().collect();
        assert_eq!(names, ["a", "b", "d", "sub/c"]);
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
fn two_inputs_of_one_output_are_reported_before_anything_runs() {
    let tree = sources();
    let args = ["--out", "out/", "--name", "{name}", "in", "other"];
    tree.file("other/a", "x");
    insta::assert_snapshot!(upcase(&tree, &args), @"
    exit: 2
    --- stdout
    --- stderr
    error: other/a: its output is that of in/a, too
    hint: --name makes other names: {dir}, {name}, {stored}…
    ");
    assert!(!tree.path().join("out").exists());
    tree.file("in/b.gz", crate::support::pack::gzip(b"b"));
    insta::assert_snapshot!(upcase(&tree, &["--out", "out/", "in/"]), @"
    exit: 0
    --- stdout
    --- stderr
    ");
    assert_eq!(tree.read("out/b.gz"), b"B");
}

/// Beside the file that it is compressed from, and beside another that is compressed from it;
/// whatever the order.
#[test]
fn a_compressed_source_goes_to_its_stored_name_where_the_other_is_taken() {
    let tree = Tree::new();
    tree.file("in/a.log", "plain\n");
    tree.file("in/a.log.gz", crate::support::pack::gzip(b"gzip\n"));
    tree.file("in/b.log.gz", crate::support::pack::gzip(b"gzip\n"));
    tree.file("in/b.log.zst", crate::support::pack::zstd(b"zstd\n"));
    tree.file("in/c.log.gz", crate::support::pack::gzip(b"gzip\n"));
    for sources in
        [&["in/"][..], &["in/a.log.gz", "in/a.log", "in/b.log.zst", "in/b.log.gz", "in/c.log.gz"]]
    {
        let name = if sources.len() > 1 { &["--name", "{name}"][..] } else { &[] };
        let args = [&["--out", "out/", "--exists", "replace"][..], name, sources].concat();
        upcase(&tree, &args).exits(0);
        let names: Vec<_> = files(&tree.path().join("out")).into_keys().collect();
        assert_eq!(names, ["a.log", "a.log.gz", "b.log.gz", "b.log.zst", "c.log"]);
        assert_eq!(tree.read("out/a.log"), b"PLAIN\n");
        assert_eq!(tree.read("out/a.log.gz"), b"GZIP\n");
        assert_eq!(tree.read("out/b.log.zst"), b"ZSTD\n");
    }
    upcase(&tree, &["--out", "all/", "--name", "{stored}", "in"]).exits(0);
    let names: Vec<_> = files(&tree.path().join("all")).into_keys().collect();
    assert_eq!(names, ["a.log", "a.log.gz", "b.log.gz", "b.log.zst", "c.log.gz"]);
}

#[test]
fn no_source_is_replaced_by_what_comes_of_it() {
    let tree = sources();
    let before = files(tree.path());
    symlink("in/a", tree.path().join("link")).unwrap();
    symlink("in", tree.path().join("dir")).unwrap();
    for (named, args) in [
        ("--out: ./in/a", &["--out", ".", "--exists", "replace", "in"][..]),
        ("--out: in/a", &["--out", "in", "--exists", "replace", "in/"]),
        ("--out: dir/a", &["--out", "dir/", "--exists", "replace", "in/"]),
        ("--out: ./in/a", &["--out", ".", "--ledger", "done", "in"]),
        ("--out: in/a", &["--out", "in/a", "--exists", "replace", "in/b", "in/a"]),
        ("--out: in/a", &["--out", "in/a", "--exists", "replace", "link"]),
        ("--rejects: in/b", &["--rejects", "in/b", "in"]),
        ("--report: in/sub/c", &["--report", "in/sub/c", "in"]),
    ] {
        let hint = "name another file or directory, or --name other names";
        let message =
            format!("error: {named} is a source, and would be overwritten\nhint: {hint}\n");
        assert_eq!(upcase(&tree, args).exits(2).stderr, message);
    }
    let args = ["--out", "in/", "--name", "a", "--exists", "replace", "in/b", "in/a"];
    let message = upcase(&tree, &args).exits(2).stderr;
    assert!(message.starts_with("error: in/a: its output is that of in/b, too\n"), "{message}");
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
