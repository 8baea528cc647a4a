//! Transformers that see a source from its first chunk to its last, and say the rest at its end.

use std::collections::BTreeMap;

use super::visible;
use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::pack::{gzip, text};
use crate::support::tree::Tree;

/// Gives back each chunk, and at the end everything once more.
fn twice(scope: u8) -> Guest {
    let finish = "(return (call $bytes (global.get $seen) (global.get $seen_len)))";
    Guest { world: "transformer", scope, finish, ..Guest::default() }
}

#[test]
fn what_it_says_at_the_end_stands_behind_its_last_chunk() {
    let plugins = Tree::new();
    let texts = [text(300_000), text(90_000), Vec::new(), text(150_000)];
    let tree = Tree::with(&[
        ("in/a", texts[0].clone()),
        ("in/b.gz", gzip(&texts[1])),
        ("in/c", texts[2].clone()),
        ("in/d", texts[3].clone()),
    ]);
    let expected: BTreeMap<_, _> = ["a", "b", "c", "d"]
        .map(String::from)
        .into_iter()
        .zip(texts.map(|text| text.repeat(2)))
        .collect();
    // In one output the last record of each ends.
    let ended = |text: &Vec<u8>| match text.last() {
        None | Some(b'\n') => text.clone(),
        Some(_) => [text, &b"\n"[..]].concat(),
    };
    let all: Vec<u8> = expected.values().flat_map(ended).collect();
    let plugin = twice(1).file(&plugins);
    for threads in ["1", "2", "4"] {
        for chunk in ["4KiB", "64KiB", "1MiB"] {
            let message = format!("-j{threads} --chunk-size {chunk}");
            let run = |out: &str| {
                let host = Host::run(&plugin).within(tree.path()).args(["-j", threads]);
                let host = host.args(["--chunk-size", chunk, "--out", out, "in/"]);
                host.args(["--exists", "replace"]).ended().exits(0).stdout
            };
            assert!(run("-") == all, "{message}");
            run("file");
            assert!(tree.read("file") == all, "{message} to a file");
            run("out/");
            assert!(visible(&tree.path().join("out")) == expected, "{message} to a directory");
        }
    }
}

#[test]
fn one_of_chunks_ends_with_each() {
    let (plugins, tree) = (Tree::new(), Tree::with(&[("a", "a\n".repeat(96))]));
    let run = |chunk| {
        let host = Host::run(&twice(0).file(&plugins)).within(tree.path());
        host.args(["-j3", "--chunk-size", chunk, "a"]).ended().exits(0).stdout
    };
    assert_eq!(run("64B"), b"a\n".repeat(192));
    assert_eq!(run("512KiB"), b"a\n".repeat(192));
}

#[test]
fn one_that_fails_at_the_end_gives_no_file_and_is_reported() {
    let (plugins, tree) =
        (Tree::new(), Tree::with(&[("in/a", "a\n"), ("in/b", "!\n"), ("in/c", "c\n")]));
    let finish = "(if (call $seen_marked) (then
        (return (call $invalid (i64.const 0) (global.get $reason) (global.get $reason_len)))))";
    let texts = &[("reason", "it has no end")];
    for scope in [0, 1] {
        let guest = Guest { world: "transformer", scope, finish, texts, ..Guest::default() };
        let run = |out: &str| {
            let host = Host::run(&guest.file(&plugins)).within(tree.path());
            host.args(["--out", out, "--exists", "replace", "in/"]).ended()
        };
        insta::allow_duplicates! {
            insta::assert_snapshot!(run("-"), @"
            exit: 1
            --- stdout
            a
            c
            --- stderr
            in/b: at byte 0: it has no end
            1 of 3 sources failed
            ");
        }
        run("file").exits(1);
        assert_eq!(tree.read("file"), b"a\nc\n");
        run("out/").exits(1);
        assert!(visible(&tree.path().join("out")).keys().eq(["a", "c"]));
    }
}

#[test]
fn one_that_crashes_says_nothing_more_and_the_others_go_on() {
    let (plugins, tree) = (Tree::new(), Tree::with(&[("a", "a\n"), ("b", "!\n"), ("c", "c\n")]));
    let push = "(if (call $marked (local.get $data) (local.get $len)) (then unreachable))";
    for scope in [0, 1] {
        let guest = Guest { world: "transformer", scope, push, ..Guest::default() };
        let host = Host::run(&guest.file(&plugins)).within(tree.path());
        let ended = host.args(["a", "b", "c"]).ended().exits(1);
        assert_eq!(ended.text(), "a\nc\n");
        assert!(ended.stderr.starts_with("b: "), "{ended}");
    }
}
