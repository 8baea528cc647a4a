//! The life of a sandbox: what shares one, when a fresh one takes its place, and what is tried
//! again in it. Invariant 4: nobody finds in a sandbox what somebody else left there.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use gristmill::plugin::{Engine, Options, Plugin};
use gristmill::process::{FailureKind, Opening, Place, Processor};
use gristmill::settings::Sandbox;
use serde_json::{Value, json};

use super::FILES;
use crate::support::guest::Guest;
use crate::support::host::{Ended, Host, shared_cache};
use crate::support::job;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// A run, and its report.
struct Lived {
    ended: Ended,
    report: Value,
}

fn live(guest: &Guest, files: &[(&str, &str)], args: &[&str]) -> Lived {
    let (plugins, sources, reports) = (Tree::new(), Tree::with(files), Tree::new());
    let report: PathBuf = reports.path().join("report.json");
    let ended = Host::run(&guest.file(&plugins))
        .within(sources.path())
        .args(["--report", report.to_str().unwrap()])
        .args(args)
        .args(files.iter().map(|(name, _)| *name))
        .ended();
    let report = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    Lived { ended, report }
}

fn lines(count: u32) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        writeln!(text, "line {n}").unwrap();
        text
    })
}

/// Crashes where its sandbox has been handed a chunk before.
fn once() -> Guest {
    Guest {
        items: "(global $used (mut i32) (i32.const 0))",
        push: "(if (global.get $used) (then unreachable)) (global.set $used (i32.const 1))",
        ..Guest::default()
    }
}

/// Looks for anything in the last three pages of its memory, says so by a crash, and fills them.
/// One of the constructor's parameters, which it does not use, says where it is.
fn leaver() -> Guest {
    Guest {
        pages: 6,
        constructor: "(local.set $properties (i32.const 196608))
            (loop $next
              (if (i64.ne (i64.load (local.get $properties)) (i64.const 0)) (then unreachable))
              (local.set $properties (i32.add (local.get $properties) (i32.const 8)))
              (br_if $next (i32.lt_u (local.get $properties) (i32.const 393216))))
            (memory.fill (i32.const 196608) (i32.const 0xa5) (i32.const 196608))",
        ..Guest::default()
    }
}

#[test]
fn no_sandbox_holds_what_another_left() {
    let tree = Tree::new();
    let plugin = job::load(&Engine::new().unwrap(), &leaver().file(&tree), &[]);
    for _ in 0..10_000 {
        plugin.start().unwrap().open(Opening::default()).unwrap();
    }
    // It would have been found: the accumulator after one that was handed something is opened in a
    // sandbox of its own.
    let mut instance = plugin.start().unwrap();
    instance.open(Opening::default()).unwrap();
    let found = instance.open(Opening::default()).unwrap_err();
    assert!(found.message.contains("crashed in its constructor"), "{found}");
}

#[test]
fn chunks_of_their_own_sandboxes_make_the_same_result() {
    let text = lines(1000);
    let files = [("a", &text[..]), ("b", "x\n"), ("c", "")];
    for world in ["aggregator", "transformer"] {
        for threads in ["1", "2"] {
            let guest = Guest { world, ..once() };
            let args =
                ["--isolate", "chunk", "--chunk-size", "256B", "-j", threads, "--per-source"];
            let args = if world == "transformer" { &args[..6] } else { &args[..] };
            let lived = live(&guest, &files, args);
            let ended = lived.ended.exits(0);
            if world == "transformer" {
                assert_eq!(ended.text(), format!("{text}x\n"));
            } else {
                assert_eq!(ended.lines()[0]["result"], text, "{world} {threads}");
                assert_eq!(ended.lines()[1]["result"], "x\n");
            }
            assert_eq!(lived.report["retries"], 0);
            assert!(lived.report["instances"].as_u64().unwrap() > 30, "{}", lived.report);
            assert!(lived.report["instance_us"].as_f64().unwrap() > 0.0);
        }
    }
}

#[test]
fn the_total_of_isolated_chunks_is_the_total() {
    let text = lines(100);
    let files = [("a", &text[..]), ("b", "x\n")];
    let lived = live(&once(), &files, &["--isolate", "chunk", "--chunk-size", "64B", "--total"]);
    assert_eq!(lived.ended.exits(0).lines()[0]["total"], format!("{text}x\n"));
}

#[test]
fn sources_of_their_own_sandboxes_meet_none_that_was_used() {
    let isolated = live(&once(), &FILES, &["--isolate", "source", "-j1"]);
    isolated.ended.exits(0);
    assert_eq!(isolated.report["retries"], 0);
    // Without that they do, and are tried again in fresh ones.
    let shared = live(&once(), &FILES, &["-j1"]);
    shared.ended.exits(0);
    assert_eq!(shared.report["retries"], 2);
}

#[test]
fn a_crash_in_a_fresh_sandbox_is_not_tried_again() {
    let crash = "(if (call $marked (local.get $data) (local.get $len)) (then unreachable))";
    let guest = Guest { push: crash, ..Guest::default() };
    let first = live(&guest, &[("bad", "!"), ("good", "x")], &["-j1"]);
    assert_eq!(first.report["retries"], 0);
    // After another it is, once, and what is told is what happened then.
    let second = live(&guest, &[("good", "x"), ("bad", "!")], &["-j1"]);
    assert_eq!(second.report["retries"], 1);
    for lived in [first, second] {
        assert_eq!(lived.ended.exits(1).lines().len(), 3);
        assert_eq!(lived.report["errors"], json!({"trap": 1}));
    }
}

/// Crashes at the fourth chunk of a source where its sandbox has had another before. Counts what it
/// takes, and sets it aside.
fn spoiled(world: &'static str) -> Guest {
    Guest {
        world,
        items: "(global $opened (mut i32) (i32.const 0))",
        constructor: "(if (local.get $name_len) (then
            (global.set $opened (i32.add (global.get $opened) (i32.const 1)))))",
        push: "(call $count (global.get $taken) (global.get $taken_len) (i64.extend_i32_u (local.get $len)))
            (call $reject (i64.const 0) (i32.const 0) (i32.const 0) (local.get $data) (i32.const 1))
            (if (i32.and (i64.eq (local.get $index) (i64.const 3))
                         (i32.gt_u (global.get $opened) (i32.const 1))) (then unreachable))",
        texts: &[("taken", "taken")],
        ..Guest::default()
    }
}

#[test]
fn what_an_accumulator_has_seen_is_run_again_in_a_fresh_sandbox() {
    let text = lines(100);
    // Whichever comes second is in a sandbox that has had another.
    let (files, kept) = ([("a", &text[..]), ("b", &text[..])], Tree::new());
    let rejects = kept.path().join("rejects");
    let args = ["-j1", "--chunk-size", "64B", "--rejects", rejects.to_str().unwrap()];
    let lived = live(&spoiled("aggregator"), &files, &args);
    let ended = lived.ended.exits(0);
    for line in &ended.lines()[..2] {
        assert_eq!(line["result"], text, "{ended}");
    }
    assert_eq!(lived.report["retries"], 1);
    let bytes = 2 * text.len() as u64;
    assert_eq!(lived.report["bytes"], bytes);
    assert_eq!(lived.report["counters"], json!({"taken": bytes}), "nothing is counted twice");
    let message = std::fs::read_to_string(rejects).unwrap().lines().count() as u64;
    assert_eq!(lived.report["rejected"], message, "nothing is set aside twice");
}

#[test]
fn what_stages_before_set_aside_counts_once_where_the_chain_is_run_again() {
    let (plugins, sources) = (Tree::new(), Tree::new());
    let guest = spoiled("aggregator").file(&plugins);
    // Every fourth line is not UTF-8, which `redact` sets aside; the guest sets aside one record of
    // each chunk.
    let text = b"one line\nanother\nthe third\n\xff\n".repeat(25);
    for name in ["a", "b"] {
        sources.file(name, &text);
    }
    let chain = format!("{} | {}", plugin("redact").display(), guest.display());
    let run = |more: &[&str]| {
        let ended = Host::new()
            .args(["run", "--plugin", &chain, "--no-cache", "-j1", "--chunk-size", "64B"])
            .args(["--report", "report", "--exists", "replace", "--max-rejects", "100%", "a", "b"])
            .args(more)
            .within(sources.path())
            .ended();
        ended.exits(0);
        let report: Value = serde_json::from_slice(&sources.read("report")).unwrap();
        assert_eq!(report["retries"], 1);
        report["rejected"].as_u64().unwrap()
    };
    let rejected = run(&["--rejects", "rejects"]);
    let message = String::from_utf8(sources.read("rejects")).unwrap();
    let of = |stage: &str| message.lines().filter(|line| line.contains(stage)).count() as u64;
    assert_eq!(of("\"stage\":\"redact\""), 50);
    assert_eq!(rejected, of(""));
    assert_eq!(run(&[]), rejected, "where they are only counted");
    // Nor do they use up what the job may set aside.
    let most = rejected.to_string();
    assert_eq!(run(&["--rejects", "rejects", "--rejects-per-job", &most]), rejected);
}

#[test]
fn a_chunk_of_a_transformer_is_run_again_in_a_fresh_sandbox() {
    let text = lines(100);
    let lived = live(&spoiled("transformer"), &[("a", &text)], &["-j1", "--chunk-size", "64B"]);
    assert_eq!(lived.ended.exits(1).text(), text);
    assert_eq!(lived.report["retries"], 1);
    assert_eq!(lived.report["counters"], json!({"taken": text.len()}));
}

#[test]
fn chunks_that_are_seen_in_order_cannot_be_alone() {
    let guest = Guest { scope: 1, ..Guest::default() };
    let message = super::refused_with(&guest.module(), &["--isolate", "chunk"]);
    insta::assert_snapshot!(message, @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: sees each source in order: no chunk of it can be alone
    hint: --isolate source
    ");
}

#[test]
fn an_endless_loop_ends_soon_after_its_deadline() {
    let tree = Tree::new();
    let guest = Guest { push: "(loop $forever (br $forever))", ..Guest::default() };
    let timeout = Duration::from_millis(50);
    let sandbox = Sandbox { timeout, ..Sandbox::default() };
    let options = Options { sandbox, ..Options::default() };
    let engine = Engine::new().unwrap();
    let plugin = Plugin::load(&engine, &guest.file(&tree), options, None).unwrap();
    let place = Place { index: 0, offset: 0, last: true };
    // The machine may be busy with other things; not every time.
    let took = (0..20).map(|_| {
        let mut instance = plugin.start().unwrap();
        instance.open(Opening::default()).unwrap();
        let begun = Instant::now();
        let failure = instance.push(place, &mut &b"x"[..]).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout);
        begun.elapsed()
    });
    let least = took.min().unwrap();
    // Half as long again, where others have the processor meanwhile.
    let most = timeout * 3 / 2 + Duration::from_millis(20);
    assert!((timeout..most).contains(&least), "{least:?}");
}

#[test]
fn a_sandbox_makes_way_after_so_many_bytes() {
    let instances = |args: &[&str]| {
        let lived = live(&Guest::default(), &FILES, &[&["-j1"], args].concat());
        lived.ended.exits(0);
        lived.report["instances"].as_u64().unwrap()
    };
    // One that is loaded, one that takes sources, one for the total; or one for each source.
    assert_eq!(instances(&[]), 3);
    assert_eq!(instances(&["--recycle-after", "1B"]), 5);
    assert_eq!(instances(&["--recycle-after", "9B"]), 4);
}

/// 20 GB: some sandboxes of 4 GiB, but no place for each that there could be.
#[test]
fn where_address_space_is_scarce_sandboxes_are_mapped_one_by_one() {
    let text = lines(100_000);
    let tree = Tree::with(&[("a", text.as_str())]);
    let mut shell = Command::new("bash");
    shell.args(["-c", "ulimit -v 20000000; exec \"$@\"", "bash"]);
    shell.arg(env!("CARGO_BIN_EXE_host"));
    let wordcount = |host: Host| {
        let host = host.within(tree.path()).args(["run", "--plugin"]).arg(plugin("wordcount"));
        let host = host.arg("--cache").arg(shared_cache());
        host.args(["-j2", "--isolate", "chunk", "--chunk-size", "64KiB", "a"]).ended().exits(0)
    };
    assert_eq!(wordcount(Host::through(shell)).stdout, wordcount(Host::new()).stdout);
}
