//! The failure of a plugin is reported with its details, and a bundle that `--repro` keeps fails
//! again in the same way.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::guest::Guest;
use crate::support::host::{Ended, Host};
use crate::support::pack::gzip;
use crate::support::tree::Tree;

/// A guest that does something with a chunk that begins with `!`, two functions deep.
fn guest(fails: &'static str) -> Guest {
    Guest {
        push: "(if (call $marked (local.get $data) (local.get $len)) (then (call $look_closely)))",
        items: fails,
        ..Guest::default()
    }
}

const TRAPS: &str = "(func $look_closely (call $no_such_month)) (func $no_such_month unreachable)";

/// A plugin and sources of which the second fails.
fn tree(guest: &Guest) -> Tree {
    let tree = Tree::with(&[("a", "one\n"), ("bad", "!two\n"), ("c", "three\n")]);
    tree.file("guest.wasm", guest.module());
    tree
}

fn run(tree: &Tree, args: &[&str]) -> Ended {
    let host = Host::run(&tree.path().join("guest.wasm")).within(tree.path());
    host.args(args).args(["a", "bad", "c"]).ended()
}

fn again(tree: &Tree, bundle: &str) -> Ended {
    Host::new().within(tree.path()).args(["plugin", "repro", bundle]).ended()
}

fn manifest(tree: &Tree, bundle: &str) -> Value {
    serde_json::from_slice(&tree.read(&format!("{bundle}/manifest.json"))).unwrap()
}

fn bundles(tree: &Tree) -> Vec<String> {
    let entries = fs::read_dir(tree.path().join("kept")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_bundle_fails_again_as_it_did() {
    let loops = "(func $look_closely (loop $forever (br $forever)))";
    let eats = "(func $look_closely (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable)";
    let recurses = "(func $look_closely (call $look_closely))";
    for (fails, kind, limits) in [
        (TRAPS, "trap", &[][..]),
        (loops, "timeout", &["--timeout", "100ms"]),
        (eats, "memory", &["--memory", "1MiB"]),
        (recurses, "trap", &[]),
        (recurses, "trap", &["--stack", "256KiB"]),
        (loops, "fuel", &["--fuel", "100000"]),
    ] {
        let tree = tree(&guest(fails));
        let ended = run(&tree, &[&["--repro", "kept"], limits].concat()).exits(1);
        assert!(ended.stderr.contains("\nkept: host plugin repro kept/failure-0001\n"), "{ended}");
        assert_eq!(bundles(&tree), ["failure-0001"]);
        let message = manifest(&tree, "kept/failure-0001");
        assert_eq!((&message["kind"], &message["source"]), (&kind.into(), &"bad".into()));
        let chunk = json!({"index": 0, "offset": 0, "last": true, "bytes": 5});
        assert_eq!(message["detail"]["chunk"], chunk);
        assert_eq!(tree.read("kept/failure-0001/chunk.bin"), b"!two\n");
        assert_eq!(tree.read("kept/failure-0001/plugin.wasm"), tree.read("guest.wasm"));
        let mode =
            fs::metadata(tree.path().join("kept/failure-0001")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "inputs are in it");
        // It stands on its own: neither sources nor plugin are needed.
        for name in ["a", "bad", "c", "guest.wasm"] {
            fs::remove_file(tree.path().join(name)).unwrap();
        }
        let replayed = again(&tree, "kept/failure-0001").exits(0);
        assert!(replayed.stderr.contains(message["message"].as_str().unwrap()), "{replayed}");
        assert!(replayed.stderr.ends_with("\nreproduced: it failed as it did\n"), "{replayed}");
    }
}

#[test]
fn what_fails_no_more_or_otherwise_is_not_reproduced() {
    let tree = tree(&guest(TRAPS));
    run(&tree, &["--repro", "kept"]).exits(1);
    let bundle = tree.path().join("kept/failure-0001");
    fs::write(bundle.join("chunk.bin"), "fine\n").unwrap();
    let ended = again(&tree, "kept/failure-0001").exits(1);
    assert!(ended.stderr.contains("\nnot reproduced: it did not fail;"), "{ended}");
    fs::write(bundle.join("chunk.bin"), "!two\n").unwrap();
    let mut message = manifest(&tree, "kept/failure-0001");
    message["message"] = "something else".into();
    fs::write(bundle.join("manifest.json"), message.to_string()).unwrap();
    let ended = again(&tree, "kept/failure-0001").exits(1);
    assert!(
        ended
            .stderr
            .contains("\nit failed otherwise: the plugin crashed in push without saying why"),
        "{ended}"
    );
    // Another plugin is not run in its place.
    fs::write(bundle.join("plugin.wasm"), guest("(func $look_closely)").module()).unwrap();
    let ended = again(&tree, "kept/failure-0001").exits(2);
    assert!(
        ended.stderr.contains("is not the plugin that failed: its SHA-256 is another"),
        "{ended}"
    );
    let ended = again(&tree, "no-such").exits(2);
    assert!(ended.stderr.starts_with("error: no-such/manifest.json: No such file"), "{ended}");
}

/// Bundles are sent around.
#[test]
fn a_bundle_of_somebody_else_has_its_bounds() {
    let tree = tree(&guest("(func $look_closely (loop $l (br $l)))"));
    run(&tree, &["--repro", "kept", "--timeout", "50ms"]).exits(1);
    let bundle = tree.path().join("kept/failure-0001");
    let message = manifest(&tree, "kept/failure-0001");
    let with = |key: &str, value: Value| {
        let mut message = message.clone();
        message["limits"][key] = value;
        fs::write(bundle.join("manifest.json"), message.to_string()).unwrap();
    };
    for (key, value) in [
        ("timeout", json!({"secs": 1_000_000_000, "nanos": 0})),
        ("memory_bytes", json!(1_u64 << 50)),
        ("stack_bytes", json!(1_u64 << 40)),
        ("compile_memory_bytes", json!(1_u64 << 50)),
    ] {
        with(key, value);
        let ended = again(&tree, "kept/failure-0001").exits(2);
        assert!(ended.stderr.contains("its limits have "), "{ended}");
        let host = Host::new().within(tree.path()).args(["plugin", "repro", "--its-limits"]);
        host.arg("kept/failure-0001").ended().exits(2);
    }
    with("memory_bytes", json!(512 << 20));
    let ended = again(&tree, "kept/failure-0001").exits(2);
    assert!(ended.stderr.contains("memory_bytes = 536870912, more than 268435456"), "{ended}");
    let host = Host::new().within(tree.path()).args(["plugin", "repro", "--its-limits"]);
    host.arg("kept/failure-0001").ended().exits(0);
    with("memory_bytes", json!(1 << 20));
    for (file, target) in [("chunk.bin", "/dev/zero"), ("header.bin", "/etc/hostname")] {
        let kept = fs::read(bundle.join(file)).unwrap();
        fs::remove_file(bundle.join(file)).unwrap();
        std::os::unix::fs::symlink(target, bundle.join(file)).unwrap();
        let ended = again(&tree, "kept/failure-0001").exits(2);
        assert!(ended.stderr.contains(&format!("{file}: is a link")), "{ended}");
        fs::remove_file(bundle.join(file)).unwrap();
        fs::write(bundle.join(file), kept).unwrap();
    }
    fs::remove_file(bundle.join("chunk.bin")).unwrap();
    let fifo = bundle.join("chunk.bin");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let ended = again(&tree, "kept/failure-0001").exits(2);
    assert!(ended.stderr.contains("chunk.bin: is not a regular file"), "{ended}");
}

#[test]
fn a_failure_that_cannot_be_run_again_is_kept_with_what_is_known() {
    let guest = Guest { finish: "unreachable", ..Guest::default() };
    let tree = tree(&guest);
    run(&tree, &["--repro", "kept", "-j", "1"]).exits(1);
    let message = manifest(&tree, "kept/failure-0001");
    assert_eq!(
        (&message["detail"]["call"], &message["reproducible"]),
        (&"finish".into(), &false.into())
    );
    assert!(!tree.path().join("kept/failure-0001/chunk.bin").exists());
    let ended = again(&tree, "kept/failure-0001").exits(2);
    assert!(
        ended.stderr.contains("the plugin failed in finish, of which nothing is kept"),
        "{ended}"
    );
}

#[test]
fn of_a_chunk_that_is_run_again_only_the_reported_failure_is_kept() {
    // Of several chunks when it is compressed, too: what is not is opened in a sandbox that is
    // given up.
    let text = (0..200).map(|n| format!("line {n}\n")).collect::<Vec<_>>().concat().into_bytes();
    let at_fourth = "(if (i64.eq (local.get $index) (i64.const 3)) (then unreachable))";
    let where_it_is_used = "(if (i32.and (i64.eq (local.get $index) (i64.const 3))
        (i32.gt_u (global.get $opened) (i32.const 1))) (then unreachable))";
    for (push, second, message) in [
        (where_it_is_used, text.clone(), 0), // in a fresh sandbox it does not fail
        (where_it_is_used, gzip(&text), 1),  // what was read is gone: it is not run again
        (at_fourth, text.clone(), 2),
    ] {
        let guest = Guest {
            items: "(global $opened (mut i32) (i32.const 0))",
            constructor: "(if (local.get $name_len) (then
                (global.set $opened (i32.add (global.get $opened) (i32.const 1)))))",
            push,
            ..Guest::default()
        };
        let tree = Tree::new();
        tree.file("guest.wasm", guest.module());
        tree.file("a", &text);
        tree.file("b", second);
        let host = Host::run(&tree.path().join("guest.wasm")).within(tree.path());
        let args = ["--repro", "kept", "--report", "report", "-j", "1", "--chunk-size", "64B"];
        let ended = host.args(args).args(["a", "b"]).ended().exits(i32::from(message > 0));
        let names = ["failure-0001", "failure-0002"];
        assert_eq!(bundles(&tree), names[..message], "{ended}");
        let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
        let failures = report["failures"].as_array().unwrap();
        let kept: Vec<_> =
            failures.iter().map(|failure| failure["detail"]["repro"].as_str().unwrap()).collect();
        assert_eq!(
            kept,
            names[..message].iter().map(|name| format!("kept/{name}")).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_run_keeps_the_first_few_and_replaces_none() {
    let tree = tree(&guest(TRAPS));
    for number in 0..15 {
        tree.file(&format!("many/{number}"), "!\n");
    }
    for all in [10, 20] {
        let host = Host::run(&tree.path().join("guest.wasm")).within(tree.path());
        host.args(["--repro", "kept", "many"]).ended().exits(1);
        let names = bundles(&tree);
        assert_eq!(names.len(), all, "{names:?}");
        assert_eq!(names.last().unwrap(), &format!("failure-{all:04}"));
    }
}

/// The functions of a backtrace, without their places.
fn functions(detail: &Value) -> Vec<&str> {
    let frames = detail["backtrace"].as_array().unwrap();
    frames.iter().map(|frame| frame.as_str().unwrap().rsplit('!').next().unwrap()).collect()
}

#[test]
fn a_report_and_verbose_runs_tell_call_chunk_limits_and_backtrace() {
    let panics = "(func $look_closely (call $log (i32.const 3) (global.get $panic) (global.get $panic_len)) unreachable)";
    let guest = Guest { texts: &[("panic", "no such month")], ..guest(panics) };
    let tree = tree(&guest);
    let plain = run(&tree, &["--report", "report"]).exits(1);
    assert!(!plain.stderr.contains("look_closely"), "{plain}");
    let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
    let failures = report["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!((&failures[0]["source"], &failures[0]["kind"]), (&"bad".into(), &"trap".into()));
    let detail = &failures[0]["detail"];
    let message =
        ["plugin", "call", "said", "memory_bytes", "timeout_ms"].map(|key| detail[key].clone());
    assert_eq!(
        Value::from(message.to_vec()),
        json!(["guest", "push", "no such month", 256 << 20, 5000])
    );
    assert_eq!(functions(detail)[0], "look_closely");
    let verbose = run(&tree, &["-v"]).exits(1);
    let line =
        "  in push of guest, chunk 0 at byte 0, 5 bytes; it may have 256.0 MiB and 5000 ms\n";
    assert!(verbose.stderr.contains(line), "{verbose}");
    assert!(verbose.stderr.contains("!look_closely\n"), "{verbose}");
}

#[test]
fn a_backtrace_has_an_end_and_names_of_any_length() {
    let tree = tree(&guest("(func $look_closely (call $look_closely))"));
    run(&tree, &["--report", "report"]).exits(1);
    let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
    assert_eq!(functions(&report["failures"][0]["detail"]).len(), 20);
    let long =
        format!("(func $look_closely (call ${0})) (func ${0} unreachable)", "n".repeat(60_000));
    let named = self::tree(&guest(long.leak()));
    run(&named, &["--report", "report"]).exits(1);
    assert!(named.read("report").len() < 20_000, "{}", named.read("report").len());
}

#[test]
fn a_jailed_run_keeps_failures_too() {
    if gristmill::jail::probe().check().is_err() {
        return; // tests/jail.rs says what happens then
    }
    let tree = tree(&guest(TRAPS));
    run(&tree, &["--jail", "--repro", "kept"]).exits(1);
    assert!(Path::new(&tree.path().join("kept/failure-0001/chunk.bin")).exists());
    again(&tree, "kept/failure-0001").exits(0);
}

#[test]
fn stages_of_a_chain_and_plugins_of_a_fan_are_distinguished() {
    let tree = tree(&guest(TRAPS));
    fs::copy(tree.path().join("guest.wasm"), tree.path().join("other.wasm")).unwrap();
    let host = Host::run(&tree.path().join("guest.wasm")).within(tree.path());
    let host = host.args([
        "--plugin",
        "other.wasm",
        "--report",
        "report",
        "--repro",
        "kept",
        "--per-source",
        "bad",
    ]);
    host.ended().exits(1);
    let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
    let failures = report["failures"].as_array().unwrap();
    let plugins: Vec<_> = failures.iter().map(|failure| &failure["detail"]["plugin"]).collect();
    assert_eq!(plugins, ["guest", "other"]);
    assert_eq!(bundles(&tree).len(), 2);
    for bundle in bundles(&tree) {
        again(&tree, &format!("kept/{bundle}")).exits(0);
    }
}
