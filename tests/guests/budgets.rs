//! Limits that flags set: each says what was used, what is allowed, and the flag.

use super::{refused_with, run};
use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::tree::Tree;

/// A loop without end in `push`, at the source that begins with `!`.
const ENDLESS: &str = "(if (call $marked (local.get $data) (local.get $len)) (then
    (loop $forever (br $forever))))";

/// Calls itself as often as `push` says.
const DEEP: &str = "(func $deep (param $left i32) (result i32)
    (if (i32.eqz (local.get $left)) (then (return (i32.const 0))))
    (i32.add (i32.const 1) (call $deep (i32.sub (local.get $left) (i32.const 1)))))";

#[track_caller]
fn assert_told(guest: &Guest, args: &[&str], kind: &str, message: &str) {
    let ended = run(guest, args).exits(1);
    let lines = ended.lines();
    let bad = lines.iter().find(|line| line["source"] == "bad").unwrap();
    assert_eq!(bad["error"]["kind"], kind, "{ended}");
    let (message, hint) = message.split_once('\n').unwrap();
    assert_eq!(bad["error"]["message"], message, "{ended}");
    assert!(ended.stderr.contains(&format!("bad: {message}\nhint: {hint}\n")), "{ended}");
}

#[test]
fn a_stack_is_as_deep_as_it_is_said_to_be() {
    let guest = Guest {
        items: DEEP,
        push: "(if (call $marked (local.get $data) (local.get $len))
            (then (drop (call $deep (i32.const 200000)))))",
        ..Guest::default()
    };
    let message = "the plugin crashed in push: it used up its stack of 256 KiB
raise --stack, or look for endless recursion";
    assert_told(&guest, &["--stack", "256KiB"], "trap", message);
    run(&guest, &["--stack", "64MiB"]).exits(0);
}

#[test]
fn a_call_has_more_time_for_more_data() {
    let (plugins, sources) = (Tree::new(), Tree::new());
    let large = ["!".to_string(), "x\n".repeat(1 << 20)].concat();
    sources.file("large", large);
    let plugin = Guest { push: ENDLESS, ..Guest::default() }.file(&plugins);
    let ended = Host::run(&plugin)
        .within(sources.path())
        .args(["--timeout", "50ms", "--timeout-per-mib", "20ms", "--chunk-size", "3MiB", "large"])
        .args(["--total"])
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"large","error":{"kind":"timeout","message":"the plugin did not return from push within 90ms"}}
    {"total":"","sources":1,"failed":1,"bytes":0}
    --- stderr
    large: the plugin did not return from push within 90ms
    hint: raise --timeout or --timeout-per-mib, or look for an endless loop
    1 of 1 source failed
    "#);
}

#[test]
fn fuel_ends_a_call_and_no_other() {
    let guest = Guest { push: ENDLESS, ..Guest::default() };
    let message = "the plugin used up the 100000 units of fuel of push
raise --fuel, or look for an endless loop";
    assert_told(&guest, &["--fuel", "100000"], "fuel", message);
    // Each call has its own, and an engine that counts none takes no code of one that does.
    let echo = Guest::default();
    let plain = run(&echo, &[]).exits(0);
    assert_eq!(run(&echo, &["--fuel", "100000"]).exits(0).stdout, plain.stdout);
    assert_eq!(run(&echo, &[]).exits(0).stdout, plain.stdout);
}

#[test]
fn the_guest_time_of_a_job_ends_it() {
    let guest = Guest { push: ENDLESS, ..Guest::default() };
    let args = ["--guest-time", "100ms", "--threads", "1", "--per-source", "--format", "jsonl"];
    let ended = run(&guest, &args).exits(1);
    let message = "bad: the plugins of this job used up their 100ms of guest time
hint: raise --guest-time
";
    assert!(ended.stderr.contains(message), "{ended}");
    assert!(ended.stderr.contains("the run ended early"), "{ended}");
    run(&Guest::default(), &["--guest-time", "1m"]).exits(0);
}

#[test]
fn a_call_returns_so_much_and_no_more() {
    let finish =
        "(if (call $seen_marked) (then (return (call $bytes (i32.const 0) (i32.const 5000)))))";
    let guest = Guest { finish, ..Guest::default() };
    let message =
        "the plugin returned 5000 bytes from finish, more than 1 KiB\nraise --output-per-call";
    assert_told(&guest, &["--output-per-call", "1KiB"], "output", message);
    run(&guest, &["--output-per-call", "5000"]).exits(0);
}

#[test]
fn a_call_returns_four_times_what_it_is_given() {
    let (plugins, sources) = (Tree::new(), Tree::new());
    sources.file("x", "x".repeat(1000));
    let times = |more: &str| {
        let push = format!(
            "(return (call $bytes (i32.const 0) (i32.add (i32.mul (local.get $len) (i32.const 4)) (i32.const {more}))))"
        );
        let guest = Guest {
            world: "transformer",
            push: Box::leak(push.into_boxed_str()),
            ..Guest::default()
        };
        let plugin = guest.file(&plugins);
        let host = Host::run(&plugin).within(sources.path());
        host.args(["--output-per-call", "1KiB", "--join", "none", "x"]).ended()
    };
    assert_eq!(times("0").exits(0).stdout.len(), 4000);
    let message = "x: the plugin returned 4001 bytes from push, more than 4000 bytes";
    let ended = times("1").exits(1);
    assert!(ended.stderr.contains(message), "{ended}");
}

#[test]
fn rejects_of_a_job_end_it() {
    let guest = Guest {
        push: "(if (call $marked (local.get $data) (local.get $len)) (then (loop $more
              (call $reject (i64.const 0) (i32.const 0) (i32.const 0) (local.get $data) (local.get $len))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br_if $more (i32.lt_u (local.get $at) (i32.const 11))))))",
        ..Guest::default()
    };
    let kept = Tree::new();
    let rejects = kept.path().join("rejects");
    let args = |most| ["--rejects", rejects.to_str().unwrap(), "--rejects-per-job", most, "-j1"];
    let ended = run(&guest, &args("10")).exits(1);
    let message =
        "bad: more than 10 records of this job were set aside\nhint: raise --rejects-per-job\n";
    assert!(ended.stderr.contains(message), "{ended}");
    run(&guest, &args("11")).exits(0);
}

#[test]
fn a_log_has_its_lines_in_a_second() {
    let guest = Guest {
        push: "(loop $more
              (call $log (i32.const 2) (global.get $flood) (global.get $flood_len))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br_if $more (i32.lt_u (local.get $at) (i32.const 1000))))",
        texts: &[("flood", "so what")],
        ..Guest::default()
    };
    let ended = run(&guest, &["--log-lines", "5", "-j1", "--total"]).exits(0);
    let message = ended.stderr.lines().filter(|line| line.ends_with("so what")).count();
    assert!((5..300).contains(&message), "{ended}");
    let last = " WARN guest: logs more than 5 lines in a second: not all are shown (--log-lines)";
    assert!(ended.stderr.lines().any(|line| line == last), "{ended}");
}

#[test]
fn a_table_is_as_long_as_it_is_said_to_be() {
    let guest = Guest { items: "(table 1000 funcref)", ..Guest::default() };
    insta::assert_snapshot!(refused_with(&guest.module(), &["--table-elements", "999"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin asked for a table of 1000 elements in its start, more than 999
    hint: raise --table-elements
    ");
    run(&guest, &["--table-elements", "1000"]).exits(0);
}

#[test]
fn a_plugin_has_its_size_and_functions_and_no_more() {
    let guest = Guest::default();
    let message = refused_with(&guest.module(), &["--functions", "10"]);
    assert!(message.contains(" functions, more than 10\nhint: raise --functions"), "{message}");
    let message = refused_with(&guest.module(), &["--component-size", "1KiB"]);
    assert!(message.contains(" bytes, more than 1024\nhint: raise --component-size"), "{message}");
}

#[test]
fn a_plugin_compiles_in_time() {
    let many = "(func (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))".repeat(3000);
    let guest = Guest { items: Box::leak(many.into_boxed_str()), ..Guest::default() };
    insta::assert_snapshot!(refused_with(&guest.module(), &["--compile-timeout", "1ms"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: is not compiled within 1ms
    hint: raise --compile-timeout
    ");
    run(&guest, &[]).exits(0);
}

#[test]
fn a_feature_that_is_off_is_reported_by_name() {
    let guest = Guest { items: "(memory 1 1 shared)", ..Guest::default() };
    let message = refused_with(&guest.module(), &[]);
    insta::assert_snapshot!(message, @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin uses threads (shared memory, atomics), which plugins may not: the host has threads of its own, and gives each a sandbox
    hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
    ");
    assert_eq!(refused_with(&guest.component(), &[]), message);
}
