//! Hostile and odd guests. Invariant 3: a trap, timeout or limit fails that source and drops that instance, never the
//! process; invariant 5: a plugin reaches bytes, log, counters and rejects, and is refused by name when it
//! imports more; invariant 7: what a guest does to a source is told.

use serde_json::{Value, json};

use crate::support::guest::{CONTRACT, Guest, crashing};
use crate::support::host::{Ended, Host};
use crate::support::tree::Tree;

/// Three sources; guests do their worst at the second, which begins with `!`.
const FILES: [(&str, &str); 3] = [("a", "one\n"), ("bad", "!two\n"), ("c", "three\n")];

/// Runs a plugin file over the three sources.
fn run_file(bytes: &[u8], args: &[&str]) -> Ended {
    let (plugins, sources) = (Tree::new(), Tree::with(&FILES));
    let plugin = plugins.file("guest.wasm", bytes);
    let host = Host::run(&plugin).within(sources.path()).env("GRISTMILL_THREADS", "2");
    host.args(args).args(FILES.map(|(name, _)| name)).ended()
}

fn run(guest: &Guest, args: &[&str]) -> Ended {
    run_file(&guest.module(), args)
}

/// Checks that the second source failed, with this kind, and the others did not.
#[track_caller]
fn assert_one_failed(ended: Ended, kind: &str, message: &str) {
    let ended = ended.exits(1);
    let error = json!({"kind": kind, "message": message});
    let expected = vec![
        json!({"source": "a", "bytes": 4, "result": "one\n"}),
        json!({"source": "bad", "error": error}),
        json!({"source": "c", "bytes": 6, "result": "three\n"}),
        json!({"total": "one\nthree\n", "sources": 3, "failed": 1, "bytes": 10}),
    ];
    assert_eq!(ended.lines(), expected, "{ended}");
}

#[test]
fn a_guest_of_the_tests_gives_back_what_it_is_given() {
    let echo = Guest::default();
    insta::assert_snapshot!(run_file(&echo.module(), &[]), @r#"
    exit: 0
    --- stdout
    {"source":"a","bytes":4,"result":"one\n"}
    {"source":"bad","bytes":5,"result":"!two\n"}
    {"source":"c","bytes":6,"result":"three\n"}
    {"total":"one\n!two\nthree\n","sources":3,"failed":0,"bytes":15}
    --- stderr
    "#);
    assert_eq!(run_file(&echo.module(), &[]).stdout, run_file(&echo.component(), &[]).stdout);
}

#[test]
fn a_trap_fails_its_source_and_no_other() {
    for (place, guest) in crashing("unreachable") {
        let message = format!(
            "the plugin crashed in {place}: uncaught exception, failed assertion or out of memory"
        );
        assert_one_failed(run(&guest, &[]), "trap", &message);
        assert_one_failed(run_file(&guest.component(), &[]), "trap", &message);
    }
}

#[test]
fn an_endless_loop_fails_its_source_and_no_other() {
    for (place, guest) in crashing("(loop $forever (br $forever))") {
        let message = format!("the plugin did not return from {place} within 100ms");
        assert_one_failed(run(&guest, &["--timeout", "100ms"]), "timeout", &message);
    }
}

#[test]
fn a_memory_eater_fails_its_source_and_no_other() {
    let eat = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable";
    for (place, guest) in crashing(eat) {
        let message = format!("the plugin ran out of memory in {place}: it asked for 2 MiB");
        assert_one_failed(run(&guest, &["--memory", "1MiB"]), "memory", &message);
    }
}

#[test]
fn endless_recursion_fails_its_source_and_no_other() {
    for (place, mut guest) in crashing("(call $again)") {
        guest.items = "(func $again (call $again))";
        let message = format!("the plugin crashed in {place}: wasm trap: call stack exhausted");
        assert_one_failed(run(&guest, &[]), "trap", &message);
    }
}

#[test]
fn other_crashes_say_what_they_were() {
    let cases = [
        ("(drop (i32.load8_u (i32.const -1)))", "wasm trap: out of bounds memory access"),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "wasm trap: integer divide by zero"),
        ("(call_indirect (i32.const 0))", "wasm trap: uninitialized element"),
    ];
    for (crash, text) in cases {
        for (place, mut guest) in crashing(crash) {
            guest.items = "(table 1 funcref)";
            assert_one_failed(
                run(&guest, &[]),
                "trap",
                &format!("the plugin crashed in {place}: {text}"),
            );
        }
    }
}

#[test]
fn what_a_plugin_logs_as_an_error_before_it_crashes_is_the_message() {
    let crash = "(call $log (i32.const 3) (global.get $panic) (global.get $panic_len)) unreachable";
    for (place, mut guest) in crashing(crash) {
        guest.texts = &[("panic", "panicked at src/lib.rs:1:2: no such month")];
        let message =
            format!("the plugin crashed in {place}: panicked at src/lib.rs:1:2: no such month");
        assert_one_failed(run(&guest, &[]), "trap", &message);
    }
}

#[test]
fn a_crash_in_merge_fails_the_total_and_no_source() {
    let guest = Guest {
        merge: "(if (call $marked (local.get $data) (local.get $len)) (then unreachable))",
        ..Guest::default()
    };
    insta::assert_snapshot!(run(&guest, &[]), @r#"
    exit: 1
    --- stdout
    {"source":"a","bytes":4,"result":"one\n"}
    {"source":"bad","bytes":5,"result":"!two\n"}
    {"source":"c","bytes":6,"result":"three\n"}
    {"total":null,"error":{"kind":"trap","message":"the plugin crashed in merge: uncaught exception, failed assertion or out of memory"},"sources":3,"failed":0,"bytes":15}
    --- stderr
    total: the plugin crashed in merge: uncaught exception, failed assertion or out of memory
    "#);
}

#[test]
fn a_crash_before_any_data_starts_nothing() {
    let trap = "unreachable";
    let described = Guest { describe: trap, ..Guest::default() };
    insta::assert_snapshot!(run(&described, &[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in describe: uncaught exception, failed assertion or out of memory
    ");
    let configured = Guest { configure: trap, ..Guest::default() };
    insta::assert_snapshot!(run(&configured, &[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in configure: uncaught exception, failed assertion or out of memory
    ");
    let started = Guest { items: "(func $crash unreachable) (start $crash)", ..Guest::default() };
    insta::assert_snapshot!(run(&started, &[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in its start: uncaught exception, failed assertion or out of memory
    ");
    let endless =
        Guest { items: "(func $f (loop $forever (br $forever))) (start $f)", ..Guest::default() };
    insta::assert_snapshot!(run(&endless, &["--timeout", "100ms"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin did not return from its start within 100ms
    hint: raise --timeout, or look for an endless loop
    ");
}

#[test]
fn a_plugin_that_begins_with_more_memory_than_allowed_starts_nothing() {
    let guest = Guest { pages: 1000, ..Guest::default() };
    insta::assert_snapshot!(run(&guest, &["--memory", "8MiB"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin ran out of memory in its start: it asked for 63 MiB
    hint: raise --memory
    ");
}

#[test]
fn a_record_that_does_not_fit_into_the_sandbox_fails_its_source() {
    let (plugins, sources) = (Tree::new(), Tree::with(&[("small", "x\n")]));
    sources.file("wide", vec![b'x'; 3 << 20]);
    let plugin = Guest::default().file(&plugins);
    let ended = Host::run(&plugin)
        .within(sources.path())
        .args(["--memory", "2MiB", "--total", "wide", "small"])
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"wide","error":{"kind":"memory","message":"the plugin ran out of memory in push: it asked for 4 MiB"}}
    {"total":"x\n","sources":2,"failed":1,"bytes":2}
    --- stderr
    wide: the plugin ran out of memory in push: it asked for 4 MiB
    hint: raise --memory
    1 of 2 sources failed
    "#);
}

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
fn a_flood_of_resources_fails_its_source_and_no_other() {
    let flood = "(loop $more (drop (call $new (i32.const 1))) (br $more))";
    for (place, guest) in crashing(flood) {
        let message = format!(
            "the plugin crashed in {place}: cannot allocate another handle: store handle limit exceeded"
        );
        assert_one_failed(run(&guest, &[]), "trap", &message);
    }
}

#[test]
fn a_framing_that_the_host_does_not_know_starts_nothing() {
    let told = refused(&Guest { framing: "parquet", ..Guest::default() }.module());
    assert!(told.contains("error: unknown framing `parquet`: known are bytes, lines, "), "{told}");
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
    let told = cases.map(|(what, guest)| format!("{what}: {}\n", refused(&guest.module())));
    insta::assert_snapshot!(told.concat(), @"
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

/// A thousand settings, each with the same megabyte of text for a name: a gigabyte for the host to copy.
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
    error: [plugins]/guest.wasm: the plugin returned too much from describe
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
}

#[test]
fn header_records_are_given_to_every_accumulator() {
    let guest = Guest {
        header_records: 2,
        constructor: "(call $append (local.get $header) (local.get $header_len))",
        ..Guest::default()
    };
    let (plugins, sources) =
        (Tree::new(), Tree::with(&[("a", "h\ni\nj\n"), ("b", "h"), ("c", "")]));
    let plugin = guest.file(&plugins);
    let ended = Host::run(&plugin)
        .within(sources.path())
        .args(["--per-source", "--format", "jsonl", "a", "b", "c"])
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"source":"a","bytes":6,"result":"h\ni\nh\ni\nj\n"}
    {"source":"b","bytes":1,"result":"hh"}
    {"source":"c","bytes":0,"result":""}
    {"sources":3,"failed":0,"bytes":7}
    --- stderr
    "#);
}

#[test]
fn invalid_data_is_told_with_its_offset_in_the_source() {
    let (plugins, sources) = (Tree::new(), Tree::new());
    let plugin = Guest::picky().file(&plugins);
    let text = "0123456789\n".repeat(1000);
    sources.file("late", [&text[..7777], "!", &text[7777..], "!"].concat());
    sources.file("first", "!");
    sources.file("good", &text);
    for chunk_size in ["64B", "1KiB", "1MiB"] {
        let ended = Host::run(&plugin)
            .within(sources.path())
            .args(["--threads", "2", "--chunk-size", chunk_size, "late", "first", "good"])
            .ended()
            .exits(1);
        let lines = ended.lines();
        let error = |message: &str| json!({"kind": "invalid-data", "message": message});
        assert_eq!(lines[0]["error"], error("at byte 7777: no such month"), "{ended}");
        assert_eq!(lines[1]["error"], error("at byte 0: no such month"), "{ended}");
        assert_eq!(lines[2]["result"], Value::String(text.clone()));
    }
}

#[test]
fn fatal_ends_the_job() {
    let guest = Guest {
        push: "(if (call $marked (local.get $data) (local.get $len))
            (then (return (call $fatal (global.get $reason) (global.get $reason_len)))))",
        texts: &[("reason", "the dictionary is of another year")],
        ..Guest::default()
    };
    let (plugins, sources) = (Tree::new(), Tree::with(&FILES));
    let plugin = guest.file(&plugins);
    let files = FILES.map(|(name, _)| name);
    let ended =
        Host::run(&plugin).within(sources.path()).args(["--threads", "1"]).args(files).ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"a","bytes":4,"result":"one\n"}
    {"source":"bad","error":{"kind":"fatal","message":"the dictionary is of another year"}}
    --- stderr
    bad: the dictionary is of another year
    the plugin cannot go on: the run ended early
    "#);
}

#[test]
fn settings_that_a_plugin_refuses_start_nothing() {
    let guest = Guest {
        configure: "(i32.store8 (i32.const 1024) (i32.const 1))
            (i32.store (i32.const 1028) (global.get $reason))
            (i32.store (i32.const 1032) (global.get $reason_len))
            (return (i32.const 1024))",
        texts: &[("reason", "setting `year` is required")],
        ..Guest::default()
    };
    insta::assert_snapshot!(run(&guest, &[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: setting `year` is required
    ");
}

#[test]
fn a_log_is_clean_short_and_of_the_level_asked_for() {
    let log = "(if (call $marked (local.get $data) (local.get $len)) (then
        (call $log (i32.const 0) (global.get $debug) (global.get $debug_len))
        (call $log (i32.const 1) (global.get $info) (global.get $info_len))
        (call $log (i32.const 2) (global.get $warn) (global.get $warn_len))
        (call $log (i32.const 3) (global.get $error) (global.get $error_len))))";
    let guest = Guest {
        push: log,
        texts: &[
            ("debug", "a detail"),
            ("info", "a step"),
            ("warn", "red: \u{1b}[31m\u{7}\r\nERROR host: a line of my own"),
            ("error", "a mistake\n\n"),
        ],
        ..Guest::default()
    };
    insta::assert_snapshot!(run(&guest, &["--total"]), @r#"
    exit: 0
    --- stdout
    {"total":"one\n!two\nthree\n","sources":3,"failed":0,"bytes":15}
    --- stderr
     WARN guest: red:  [31m   ERROR host: a line of my own
    ERROR guest: a mistake
    "#);
    insta::assert_snapshot!(run(&guest, &["--total", "-v"]).stderr, @"
     INFO guest: a step
     WARN guest: red:  [31m   ERROR host: a line of my own
    ERROR guest: a mistake
    ");
    insta::assert_snapshot!(run(&guest, &["--total", "-vv"]).stderr, @"
    DEBUG guest: a detail
     INFO guest: a step
     WARN guest: red:  [31m   ERROR host: a line of my own
    ERROR guest: a mistake
    ");
    insta::assert_snapshot!(run(&guest, &["--total", "--quiet"]).stderr, @"");
}

#[test]
fn a_log_flood_is_cut_short() {
    let guest = Guest {
        push: "(loop $more
              (call $log (i32.const 2) (global.get $flood) (global.get $flood_len))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br_if $more (i32.lt_u (local.get $at) (i32.const 10000))))",
        texts: &[("flood", "0123456789abcdef0123456789abcdef")],
        ..Guest::default()
    };
    let ended = run(&guest, &["--threads", "1", "--total"]).exits(0);
    // 64 KiB of text, the line that went beyond them, and that there is no more.
    let told = ended.stderr.lines().filter(|line| line.ends_with("abcdef")).count();
    assert_eq!(told, (64 << 10) / 32 + 1);
    let last = ended.stderr.lines().last().unwrap();
    assert_eq!(last, " WARN guest: logs too much: the rest is not shown");
    assert_eq!(ended.stderr.lines().count(), told + 1);
}

#[test]
fn counters_and_rejects_are_reported() {
    let guest = Guest {
        push: "(call $count (global.get $taken) (global.get $taken_len)
              (i64.extend_i32_u (local.get $len)))
            (if (call $marked (local.get $data) (local.get $len)) (then
              (call $count (global.get $bad) (global.get $bad_len) (i64.const 1))
              (call $reject (i64.const 1) (global.get $reason) (global.get $reason_len)
                (local.get $data) (local.get $len))))",
        texts: &[("taken", "seen_bytes"), ("bad", "Not a name"), ("reason", "no\nmonth")],
        ..Guest::default()
    };
    let reports = Tree::new();
    let report = reports.path().join("report.json");
    let ended = run(&guest, &["--total", "--report", report.to_str().unwrap()]);
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"total":"one\n!two\nthree\n","sources":3,"failed":0,"bytes":15}
    --- stderr
     WARN guest: counter `Not a name` is not counted: a plugin has at most 16, named in lower case, digits and _
     WARN guest: rejects a record at byte 1 of its chunk: no month
    "#);
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["counters"], json!({"seen_bytes": 15}));
    assert_eq!(report["rejected"], 1);
}

/// What is said of a plugin that is not loaded.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    let ended = run_file(bytes, &[]).exits(2);
    assert_eq!(ended.text(), "");
    ended.to_string()
}

/// The contract, with one more import and the package that it is from.
fn with_import(name: &str, package: &str) -> String {
    let world = "world aggregator {\n    import host;";
    assert!(CONTRACT.contains(world));
    CONTRACT.replace(world, &format!("{world}\n    import {name};")) + package
}

#[test]
fn a_plugin_that_imports_more_is_refused_by_name() {
    let package = "package acme:disk@1.0.0 { interface files { read: func() -> u32; } }";
    let guest = Guest {
        imports: r#"(import "acme:disk/files@1.0.0" "read" (func $read (result i32)))"#,
        contract: with_import("acme:disk/files@1.0.0", package),
        ..Guest::default()
    };
    insta::assert_snapshot!(refused(&guest.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: imports acme:disk/files@1.0.0, which no plugin is given
    hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
    ");
    assert_eq!(refused(&guest.component()), refused(&guest.module()));
}

#[test]
fn a_module_that_imports_wasi_is_told_how_to_be_built() {
    let guest = Guest {
        imports: r#"(import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))"#,
        ..Guest::default()
    };
    insta::assert_snapshot!(refused(&guest.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: a core module that cannot be made a component: failed to decode world from module: module was not valid: failed to resolve import `wasi_snapshot_preview1::fd_write`: module requires an import interface named `wasi_snapshot_preview1`
    hint: build for wasm32-unknown-unknown: plugins have no WASI
    ");
}

#[test]
fn a_module_without_type_information_is_told_how_to_be_built() {
    insta::assert_snapshot!(refused(&Guest::default().bare_module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: a core module that cannot be made a component: failed to decode world from module: module was not valid: failed to resolve import `gristmill:plugin/host@0.1.0::log`: module requires an import interface named `gristmill:plugin/host@0.1.0`
    hint: build it with wit-bindgen (the SDK does), which embeds the contract
    ");
}

#[test]
fn a_newer_plugin_runs_unless_it_uses_what_is_new() {
    let newer = Guest {
        contract: CONTRACT.replace("@0.1.0;", "@0.1.1;"),
        version: "0.1.1",
        ..Guest::default()
    };
    assert_eq!(run(&newer, &[]).exits(0).lines()[2]["result"], "three\n");
    let log = "    log: func(";
    assert!(CONTRACT.contains(log));
    let using = Guest {
        imports: r#"(import "gristmill:plugin/host@0.1.1" "rest" (func $rest (result i64)))"#,
        contract: newer.contract.replace(log, &format!("    rest: func() -> u64;\n{log}")),
        ..newer
    };
    insta::assert_snapshot!(refused(&using.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: needs what this host does not have: component imports instance `gristmill:plugin/host@0.1.1`, but a matching implementation was not found in the linker: instance export `rest` has the wrong type: function implementation is missing
    hint: it may be built for a newer gristmill
    ");
}

#[test]
fn a_plugin_of_another_contract_is_refused() {
    let guest = Guest {
        contract: CONTRACT.replace("@0.1.0;", "@0.2.0;"),
        version: "0.2.0",
        ..Guest::default()
    };
    insta::assert_snapshot!(refused(&guest.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: imports gristmill:plugin/types@0.2.0, gristmill:plugin/host@0.2.0, which no plugin is given
    hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
    ");
}

#[test]
fn a_component_that_is_no_aggregator_is_refused() {
    let component = |text: &str| wat::parse_str(text).unwrap();
    insta::assert_snapshot!(refused(&component("(component)")), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: does not export gristmill:plugin/lifecycle@0.1.0#describe
    hint: a plugin exports what the world `aggregator` of wit/plugin.wit lists
    ");
    let transformer =
        r#"(component (instance $i) (export "gristmill:plugin/transform@0.1.0" (instance $i)))"#;
    insta::assert_snapshot!(refused(&component(transformer)), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: is a transformer; a run takes an aggregator
    hint: `host plugin inspect` shows what it is
    ");
}

#[test]
fn a_function_of_another_type_is_refused() {
    let push = "push: func(chunk: chunk, data: list<u8>) -> result<_, error>;";
    assert!(CONTRACT.contains(push));
    let contract =
        CONTRACT.replace(push, "push: func(chunk: chunk, data: string) -> result<_, error>;");
    insta::assert_snapshot!(refused(&Guest { contract, ..Guest::default() }.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: `push` is not of the type that the contract gives it: failed to convert function to given type: type mismatch with parameters: expected `list` found `string`
    hint: build the plugin against wit/plugin.wit of this version
    ");
}

#[test]
fn what_is_not_wasm_is_refused() {
    for bytes in [&b""[..], b"\0asm", b"#!/bin/sh\nexec cat\n"] {
        let told = refused(bytes);
        assert!(told.contains("guest.wasm: is not WebAssembly"), "{told}");
    }
}

#[test]
fn a_plugin_cut_off_anywhere_is_refused() {
    let echo = Guest::default();
    for whole in [echo.module(), echo.component()] {
        for cut in (8..whole.len()).step_by(whole.len() / 12) {
            let told = refused(&whole[..cut]);
            assert!(told.contains("error: [plugins]/guest.wasm: "), "{cut}: {told}");
        }
    }
}
