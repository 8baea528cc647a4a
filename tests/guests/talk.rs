//! What a guest says in the words of the contract: results, flaws, logs, counters, rejects.

use serde_json::{Value, json};

use super::{FILES, run, run_file};
use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::tree::Tree;

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
fn plugins_that_share_a_scan_are_each_given_the_header_that_they_ask_for() {
    let (plugins, sources) = (Tree::new(), Tree::with(&[("a", "h,\"i\nj\"\nk\n")]));
    let constructor = "(call $append (local.get $header) (local.get $header_len))";
    let guest = |name: &str, framing, header_records| {
        let guest = Guest { framing, header_records, constructor, ..Guest::default() };
        plugins.file(name, guest.module())
    };
    let host = Host::run(&guest("none.wasm", "lines", 0)).within(sources.path());
    let host = host.arg("--plugin").arg(guest("line.wasm", "lines", 1));
    let host = host.arg("--plugin").arg(guest("record.wasm", "csv", 1));
    let ended = host.args(["--per-source", "--format", "jsonl", "a"]).ended().exits(0);
    let results: Vec<_> = ended.lines().iter().map(|row| row["result"].clone()).collect();
    let all = "h,\"i\nj\"\nk\n";
    let expected = ["", "h,\"i\n", "h,\"i\nj\"\n"].map(|header| format!("{header}{all}"));
    assert_eq!(results[..3], expected, "{ended}");
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
fn invalid_data_is_reported_with_its_offset_in_the_source() {
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
    let ended = run(&guest, &["--threads", "1", "--total", "--log-lines", "100000"]).exits(0);
    // For each of three sources 64 KiB, of which a line costs its text and 32 bytes; the line that
    // went beyond them; and that there is no more.
    let message = ended.stderr.lines().filter(|line| line.ends_with("abcdef")).count();
    assert_eq!(message, 3 * ((64 << 10) / (32 + 32) + 1));
    let last = " WARN guest: logs more than 65536 bytes of one source: the rest is not shown (--log-bytes)";
    assert_eq!(ended.stderr.lines().filter(|line| *line == last).count(), 3);
    assert_eq!(ended.stderr.lines().count(), message + 3);
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
    exit: 1
    --- stdout
    {"total":"one\n!two\nthree\n","sources":3,"failed":0,"bytes":15}
    --- stderr
     WARN guest: counter `Not a name` is not counted: a plugin has at most 16, named in lower case, digits and _
    1 record of 1 source was set aside (first: bad:1: no month)
    hint: --rejects FILE keeps them
    "#);
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["counters"], json!({"seen_bytes": 15}));
    assert_eq!(report["rejected"], 1);
}
