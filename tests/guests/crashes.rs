//! Crashes, endless loops and greed: each fails its source, and no other.

use super::{assert_one_failed, run, run_file};
use crate::support::guest::{Guest, crashing};
use crate::support::host::Host;
use crate::support::tree::Tree;

#[test]
fn a_trap_fails_its_source_and_no_other() {
    for (place, guest) in crashing("unreachable") {
        let message = format!(
            "the plugin crashed in {place} without saying why: an uncaught exception, a failed assertion or out of memory"
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
        let message = format!(
            "the plugin ran out of memory in {place}: it asked for 1088 KiB, more than 1 MiB"
        );
        assert_one_failed(run(&guest, &["--memory", "1MiB"]), "memory", &message);
    }
}

#[test]
fn endless_recursion_fails_its_source_and_no_other() {
    for (place, mut guest) in crashing("(call $again)") {
        guest.items = "(func $again (call $again))";
        let message = format!("the plugin crashed in {place}: it used up its stack of 1 MiB");
        assert_one_failed(run(&guest, &[]), "trap", &message);
    }
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
    {"total":null,"error":{"kind":"trap","message":"the plugin crashed in merge without saying why: an uncaught exception, a failed assertion or out of memory"},"sources":3,"failed":0,"bytes":15}
    --- stderr
    total: the plugin crashed in merge without saying why: an uncaught exception, a failed assertion or out of memory
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
    error: [plugins]/guest.wasm: the plugin crashed in describe without saying why: an uncaught exception, a failed assertion or out of memory
    ");
    let configured = Guest { configure: trap, ..Guest::default() };
    insta::assert_snapshot!(run(&configured, &[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in configure without saying why: an uncaught exception, a failed assertion or out of memory
    ");
    let started = Guest { items: "(func $crash unreachable) (start $crash)", ..Guest::default() };
    insta::assert_snapshot!(run(&started, &[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in its start without saying why: an uncaught exception, a failed assertion or out of memory
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
    error: [plugins]/guest.wasm: the plugin ran out of memory in its start: it asked for 64000 KiB, more than 8 MiB
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
    {"source":"wide","error":{"kind":"memory","message":"the plugin ran out of memory in push: it asked for 3200 KiB, more than 2 MiB"}}
    {"total":"x\n","sources":2,"failed":1,"bytes":2}
    --- stderr
    wide: the plugin ran out of memory in push: it asked for 3200 KiB, more than 2 MiB
    hint: raise --memory
    1 of 2 sources failed
    "#);
}
