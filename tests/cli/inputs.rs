//! What there is to read: files, directories, lists of names, and what cannot be read.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use serde_json::Value;

use super::{wordcount, words};
use crate::support::host::Host;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

#[test]
fn a_missing_file_fails_and_the_others_do_not() {
    insta::assert_snapshot!(wordcount(&["one.txt", "none.txt", "two.log"]), @r#"
    exit: 1
    --- stdout
    {"source":"one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"none.txt","error":{"kind":"not-found","message":"No such file or directory (os error 2)"}}
    {"source":"two.log","bytes":16,"result":{"lines":0,"words":3,"bytes":16}}
    {"total":{"lines":2,"words":6,"bytes":33},"sources":3,"failed":1,"bytes":33}
    --- stderr
    none.txt: No such file or directory (os error 2)
    1 of 3 sources failed
    "#);
}

#[test]
fn the_first_failures_are_shown_and_all_are_counted() {
    let names: Vec<_> = (0..25).map(|n| format!("none-{n:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let ended = wordcount(&names).exits(1);
    let message: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(message.len(), 20 + 2, "{ended}");
    for (name, line) in names.iter().zip(&message[..20]) {
        assert!(line.starts_with(name), "{ended}");
    }
    assert_eq!(message[20..], ["further failures are not shown", "25 of 25 sources failed"]);
    assert_eq!(ended.lines().last().unwrap()["failed"], 25);
}

#[test]
fn fail_fast_ends_with_the_first_failure() {
    let ended = wordcount(&["--fail-fast", "-j1", "none.txt", "one.txt", "two.log"]);
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"none.txt","error":{"kind":"not-found","message":"No such file or directory (os error 2)"}}
    --- stderr
    none.txt: No such file or directory (os error 2)
    2 of 3 sources were not read to the end
    1 of 3 sources failed
    "#);
}

#[test]
fn a_directory_is_read_with_all_below_it_in_the_order_of_paths() {
    insta::assert_snapshot!(wordcount(&["."]), @r#"
    exit: 0
    --- stdout
    {"source":"./one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"./sub/deep/four.txt","bytes":0,"result":{"lines":0,"words":0,"bytes":0}}
    {"source":"./sub/three.txt","bytes":6,"result":{"lines":1,"words":3,"bytes":6}}
    {"source":"./two.log","bytes":16,"result":{"lines":0,"words":3,"bytes":16}}
    {"total":{"lines":3,"words":9,"bytes":39},"sources":4,"failed":0,"bytes":39}
    --- stderr
    "#);
}

#[test]
fn globs_choose_inside_directories_only() {
    insta::assert_snapshot!(wordcount(&["--per-source", "--include", "*.txt", "two.log", "."]), @r#"
    exit: 0
    --- stdout
    {"source":"two.log","bytes":16,"result":{"lines":0,"words":3,"bytes":16}}
    {"source":"./one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"./sub/deep/four.txt","bytes":0,"result":{"lines":0,"words":0,"bytes":0}}
    {"source":"./sub/three.txt","bytes":6,"result":{"lines":1,"words":3,"bytes":6}}
    {"sources":4,"failed":0,"bytes":39}
    --- stderr
    "#);
    insta::assert_snapshot!(wordcount(&["--per-source", "--exclude", "deep", "--exclude", "*.log", "."]), @r#"
    exit: 0
    --- stdout
    {"source":"./one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"./sub/three.txt","bytes":6,"result":{"lines":1,"words":3,"bytes":6}}
    {"sources":2,"failed":0,"bytes":23}
    --- stderr
    "#);
    let quiet = wordcount(&["--quiet", "--include", "*.nothing", "."]).stderr;
    assert_eq!(quiet, " WARN --include *.nothing matches no file\n");
    insta::assert_snapshot!(wordcount(&["--include", "*.nothing", "."]), @r#"
    exit: 0
    --- stdout
    {"total":{"lines":0,"words":0,"bytes":0},"sources":0,"failed":0,"bytes":0}
    --- stderr
     WARN --include *.nothing matches no file
    "#);
}

#[test]
fn an_empty_directory_has_an_empty_total() {
    let tree = Tree::new();
    let ended = Host::run(&plugin("wordcount")).within(tree.path()).arg(".").ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"total":{"lines":0,"words":0,"bytes":0},"sources":0,"failed":0,"bytes":0}
    --- stderr
    "#);
}

#[test]
fn names_are_read_from_a_file_or_standard_input() {
    let tree = words();
    let host = || Host::run(&plugin("wordcount")).within(tree.path()).arg("--per-source");
    let lines = "two.log\n\nsub/three.txt\n";
    let expected = host().args(["one.txt", "two.log", "sub/three.txt"]).ended().exits(0).stdout;

    tree.file("lines", lines);
    let listed = host().args(["one.txt", "--files-from", "lines"]).ended().exits(0);
    assert_eq!(listed.stdout, expected);
    let piped = host().args(["one.txt", "--files-from", "-"]).stdin(lines).ended().exits(0);
    assert_eq!(piped.stdout, expected);

    let zeros = lines.replace('\n', "\0");
    tree.file("zeros", &zeros);
    let listed = host().args(["one.txt", "-0", "--files-from", "zeros"]).ended().exits(0);
    assert_eq!(listed.stdout, expected);
    let piped = host().args(["one.txt", "-0", "--files-from", "-"]).stdin(zeros).ended().exits(0);
    assert_eq!(piped.stdout, expected);
}

/// A list has names of files only, whether their sizes are looked at or not.
#[test]
fn a_dash_in_a_list_is_a_file() {
    let tree = Tree::with(&[("-", "a file\n"), ("list", "-\n")]);
    for plugin in [plugin("wordcount"), plugin("checksum")] {
        let ended = Host::run(&plugin)
            .within(tree.path())
            .args(["--per-source", "--files-from", "list"])
            .stdin("standard input\n")
            .ended()
            .exits(0);
        assert_eq!(ended.lines()[0]["bytes"], 7, "{ended}");
    }
}

#[test]
fn names_need_not_be_utf_8_nor_of_one_line() {
    let tree = Tree::new();
    let names = [&b"caf\xe9"[..], b"two\nlines"];
    for name in names {
        fs::write(tree.path().join(std::ffi::OsStr::from_bytes(name)), "x\n").unwrap();
    }
    let ended = Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["-0", "--files-from", "-"])
        .stdin(names.join(&0))
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"source":"caf\\xe9","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"source":"two\nlines","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"total":{"lines":2,"words":2,"bytes":4},"sources":2,"failed":0,"bytes":4}
    --- stderr
    "#);
}

/// A FIFO, a socket, a link to a file, one to a directory, one to nothing, and a file.
fn odd_files() -> (Tree, UnixListener) {
    let tree = Tree::with(&[("dir/file", "x\n"), ("elsewhere/file", "y\n")]);
    let fifo = tree.path().join("dir/fifo");
    assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    let socket = UnixListener::bind(tree.path().join("dir/socket")).unwrap();
    symlink("file", tree.path().join("dir/link")).unwrap();
    symlink("../elsewhere", tree.path().join("dir/linked")).unwrap();
    symlink("nowhere", tree.path().join("dir/broken")).unwrap();
    (tree, socket)
}

#[test]
fn what_is_no_regular_file_is_refused_where_it_is_named() {
    let (tree, _socket) = odd_files();
    let ended = Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["dir/fifo", "dir/socket", "/dev/null", "dir/broken", "dir/link", "dir/linked"])
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"dir/fifo","error":{"kind":"not-regular","message":"is a FIFO, not a regular file"}}
    {"source":"dir/socket","error":{"kind":"not-regular","message":"is a socket, not a regular file"}}
    {"source":"/dev/null","error":{"kind":"not-regular","message":"is a character device, not a regular file"}}
    {"source":"dir/broken","error":{"kind":"not-found","message":"No such file or directory (os error 2)"}}
    {"source":"dir/link","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"source":"dir/linked/file","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"total":{"lines":2,"words":2,"bytes":4},"sources":6,"failed":4,"bytes":4}
    --- stderr
    dir/fifo: is a FIFO, not a regular file
    hint: --stream reads FIFOs that are named, to their end
    dir/socket: is a socket, not a regular file
    /dev/null: is a character device, not a regular file
    dir/broken: No such file or directory (os error 2)
    4 of 6 sources failed
    "#);
}

#[test]
fn what_is_no_regular_file_is_skipped_and_counted_in_directories() {
    let (tree, _socket) = odd_files();
    let ended = Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["dir", "--report", "report.json"])
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"source":"dir/file","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"total":{"lines":1,"words":1,"bytes":2},"sources":1,"failed":0,"bytes":2}
    --- stderr
    5 entries that are no regular files were skipped
    "#);
    let report = fs::read(tree.path().join("report.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&report).unwrap()["non_regular"], 5);
}

#[test]
fn what_may_not_be_read_fails_and_the_rest_does_not() {
    let tree = Tree::with(&[("in/closed", "x\n"), ("in/locked/file", "x\n"), ("in/open", "y\n")]);
    fs::copy(plugin("wordcount"), tree.path().join("wordcount.wasm")).unwrap();
    let host = Host::unprivileged(tree.path());
    for closed in ["in/closed", "in/locked"] {
        let mode = fs::Permissions::from_mode(0o000);
        fs::set_permissions(tree.path().join(closed), mode).unwrap();
    }
    let ended = host
        .within(tree.path())
        .args(["run", "--no-cache", "--plugin", "wordcount.wasm", "in"])
        .ended();
    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(tree.path().join("in/locked"), mode).unwrap();
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"in/closed","error":{"kind":"permission-denied","message":"cannot open: Permission denied (os error 13)"}}
    {"source":"in/locked","error":{"kind":"permission-denied","message":"Permission denied (os error 13)"}}
    {"source":"in/open","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"total":{"lines":1,"words":1,"bytes":2},"sources":3,"failed":2,"bytes":2}
    --- stderr
    in/closed: cannot open: Permission denied (os error 13)
    in/locked: Permission denied (os error 13)
    2 of 3 sources failed
    "#);
}
