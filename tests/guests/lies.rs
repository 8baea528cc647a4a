//! What a guest returns is not believed: pointers, handles, texts, its manifest.

use serde_json::json;

use super::{assert_one_failed, refused, run};
use crate::support::guest::{Guest, crashing};
use crate::support::host::Host;
use crate::support::tree::Tree;

#[test]
fn results_that_are_not_in_memory_fail_their_source() {
    let cases = [
        "(return (call $bytes (i32.const -16) (i32.const 64)))",
        "(return (call $bytes (i32.const 16) (i32.const -1)))",
        "(return (i32.const -8))",
        "(return (i32.const 3))", // not aligned
        "(i32.store8 (i32.const 1024) (i32.const 9)) (return (i32.const 1024))", // no such case
    ];
    let mut messages = Vec::new();
    for result in cases {
        for (place, guest) in crashing(result) {
            if !matches!(place, "save" | "finish") {
                continue;
            }
            let ended = run(&guest, &[]).exits(1);
            let lines = ended.lines();
            assert_eq!(lines[1]["error"]["kind"], "trap", "{ended}");
            assert_eq!(lines[3]["total"], "one\nthree\n", "{ended}");
            messages.push(lines[1]["error"]["message"].as_str().unwrap().to_string());
        }
    }
    insta::assert_snapshot!(messages.join("\n"), @"
    the plugin crashed in save: list pointer/length out of bounds of memory
    the plugin crashed in finish: list pointer/length out of bounds of memory
    the plugin crashed in save: list pointer/length out of bounds of memory
    the plugin crashed in finish: list pointer/length out of bounds of memory
    the plugin crashed in save: pointer out of bounds of memory
    the plugin crashed in finish: pointer out of bounds of memory
    the plugin crashed in save: return pointer not aligned
    the plugin crashed in finish: return pointer not aligned
    the plugin crashed in save: invalid expected discriminant
    the plugin crashed in finish: invalid expected discriminant
    ");
}

#[test]
fn a_list_that_the_guest_places_outside_its_memory_is_not_written() {
    let guest = Guest {
        constructor: "(global.set $broken (i32.eq (local.get $name_len) (i32.const 3)))",
        realloc: "(if (global.get $broken) (then (return (i32.const -2))))",
        items: "(global $broken (mut i32) (i32.const 0))",
        ..Guest::default()
    };
    let message = "the plugin crashed in push: realloc return: beyond end of memory";
    assert_one_failed(run(&guest, &[]), "trap", message);
}

#[test]
fn an_accumulator_that_does_not_exist_fails_its_source() {
    let guest = Guest {
        constructor: "(if (i32.eq (local.get $name_len) (i32.const 3)) (then (return (i32.const 42))))",
        ..Guest::default()
    };
    let message = "the plugin crashed in its constructor: unknown handle index 42";
    assert_one_failed(run(&guest, &[]), "trap", message);
}

#[test]
fn a_framing_that_the_host_does_not_know_starts_nothing() {
    let message = refused(&Guest { framing: "parquet", ..Guest::default() }.module());
    assert!(
        message.contains("error: unknown framing `parquet`: known are bytes, lines, "),
        "{message}"
    );
}

#[test]
fn a_manifest_is_checked_before_it_is_believed() {
    let cases = [
        ("header", Guest { framing: "bytes", header_records: 1, ..Guest::default() }),
        ("scope", Guest { scope: 7, ..Guest::default() }),
        ("order", Guest { order: 2, ..Guest::default() }),
        ("address", Guest { describe: "(return (i32.const -4))", ..Guest::default() }),
        (
            "name",
            Guest { describe: "(i32.store (i32.const 512) (i32.const -1))", ..Guest::default() },
        ),
        (
            "no text",
            Guest {
                describe: "(i32.store (i32.const 512) (i32.const 2000)) (i32.store8 (i32.const 2000) (i32.const 255))",
                ..Guest::default()
            },
        ),
    ];
    let message = cases.map(|(what, guest)| format!("{what}: {}\n", refused(&guest.module())));
    insta::assert_snapshot!(message.concat(), @"
    header: exit: 2
    --- stdout
    --- stderr
    error: header-records is 1, but framing `bytes` has no records
    scope: exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in describe: unexpected discriminant: 7
    order: exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in describe: unexpected discriminant: 2
    address: exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in describe: pointer out of bounds of memory
    name: exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in describe: string pointer/length out of bounds of memory
    no text: exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0
    ");
}

/// A thousand settings, each with the same megabyte of text for a name: a gigabyte for the host to
/// copy.
#[test]
fn a_guest_cannot_make_the_host_copy_more_than_the_guest_may_have() {
    let guest = Guest {
        pages: 64,
        describe: "(i32.store (i32.const 560) (i32.const 131072))
            (i32.store (i32.const 564) (i32.const 1000))
            (loop $more
              (i32.store offset=131072 (i32.mul (local.get $at) (i32.const 28)) (i32.const 2097152))
              (i32.store offset=131076 (i32.mul (local.get $at) (i32.const 28)) (i32.const 1048576))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br_if $more (i32.lt_u (local.get $at) (i32.const 1000))))",
        ..Guest::default()
    };
    insta::assert_snapshot!(run(&guest, &[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin returned too much from describe, more than 1 MiB
    hint: what a plugin says of itself is for people to read
    ");
}

#[test]
fn a_plugin_that_says_json_and_returns_something_else_fails_its_sources() {
    let (plugins, sources) = (Tree::new(), Tree::with(&[("good", "[1,\n2]\n"), ("not", "[1,\n")]));
    let guest = Guest { output_type: "application/json", ..Guest::default() };
    let plugin = guest.file(&plugins);
    let ended =
        Host::run(&plugin).within(sources.path()).args(["--per-source", "good", "not"]).ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"good","bytes":7,"result":[1,2]}
    {"source":"not","error":{"kind":"output","message":"the plugin returned what is not one JSON document: EOF while parsing a value at line 2 column 0"}}
    {"sources":2,"failed":1,"bytes":7}
    --- stderr
    not: the plugin returned what is not one JSON document: EOF while parsing a value at line 2 column 0
    1 of 2 sources failed
    "#);
    // Nor does it count in the total, and it is a failure like any other.
    let both = Host::run(&plugin).within(sources.path()).args(["good", "not"]).ended().exits(1);
    let total = json!({"total": [1, 2], "sources": 2, "failed": 1, "bytes": 7});
    assert_eq!(both.lines()[2], total, "{both}");
    let first = Host::run(&plugin).within(sources.path()).args(["--fail-fast", "-j1", "not"]);
    let ended = first.arg("good").ended().exits(1);
    assert_eq!(ended.lines().len(), 1, "{ended}");
    assert!(
        ended.stderr.ends_with("1 of 2 sources was not read to the end\n1 of 2 sources failed\n"),
        "{ended}"
    );
}
