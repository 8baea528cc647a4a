//! Harm by and by: a little lost in each call, a little more written for each byte, a little left
//! behind in memory.

use std::fs;
use std::time::Duration;

use gristmill::plugin::{Options, Plugin};
use gristmill::process::{Header, Opening, Place, Processor};
use gristmill::settings::Sandbox;
use serde_json::Value;

use super::attack::{engine, measured, neighbour, quiet_kib};
use crate::support::guest::Guest;
use crate::support::tree::Tree;

const LINE: &str = "this line is as long as the smallest chunk, and ends right here\n";

/// The most memory that a process measured into `peak` had, in KiB.
fn peak_of(tree: &Tree) -> u64 {
    String::from_utf8(tree.read("peak")).unwrap().trim().parse().unwrap()
}

/// Runs a transformer over so many files of the same text, in chunks of a line each, in a process
/// with little memory.
#[track_caller]
fn transformed(guest: &Guest, files: usize, text: &str, out: &str) -> Tree {
    let tree = Tree::new();
    let names: Vec<String> = (0..files).map(|at| format!("text{at}")).collect();
    for name in &names {
        tree.file(name, text);
    }
    let plugin = guest.file(&tree);
    let peak = tree.path().join("peak");
    let host = measured(&peak).args(["run", "--no-cache", "--plugin"]).arg(plugin);
    let host =
        host.args(["--memory", "8MiB", "--chunk-size", "64B", "--threads", "1", "--out", out]);
    host.within(tree.path()).args(names).ended().exits(0);
    let peak_kib = peak_of(&tree);
    let allowed = quiet_kib() + ((8 + 8 + 16) << 10);
    assert!(peak_kib <= allowed, "{peak_kib} KiB, more than {allowed}");
    tree
}

/// A guest with all but a little of 64 MiB in use crashes where its sandbox has had others, which
/// is tried once more: the old sandbox is gone before there is a new one.
#[test]
fn crashes_that_are_tried_again_with_all_memory_in_use() {
    let cases: [(&str, &[&str]); 3] = [
        ("transformer", &["--isolate", "job"]),
        ("transformer", &["--isolate", "chunk"]),
        ("aggregator", &["--isolate", "job", "--per-source"]),
    ];
    for (world, flags) in cases {
        let tree = Tree::with(&[("a", &LINE.repeat(10)), ("b", &LINE.repeat(10))]);
        let guest = Guest {
            world,
            pages: 960,
            items: "(global $opened (mut i32) (i32.const 0))",
            constructor: "(if (local.get $name_len) (then
                (global.set $opened (i32.add (global.get $opened) (i32.const 1)))))",
            // As soon as it is made.
            configure: "(memory.fill (i32.const 1048576) (i32.const 7) (i32.const 61000000))",
            push: "(if (i32.and (i64.eq (local.get $index) (i64.const 3))
                             (i32.gt_u (global.get $opened) (i32.const 1))) (then unreachable))",
            ..Guest::default()
        };
        let (plugin, peak) = (guest.file(&tree), tree.path().join("peak"));
        let host = measured(&peak).args(["run", "--no-cache", "--plugin"]).arg(plugin);
        let host = host.args(["--memory", "64MiB", "--chunk-size", "64B", "--threads", "1"]);
        let host = host.args(flags).args(["--report", "report", "a", "b"]);
        let ended = host.within(tree.path()).ended();
        ended.exits(0);
        let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
        assert_eq!(report["retries"] == 0, flags.contains(&"chunk"), "{report}");
        let peak_kib = peak_of(&tree);
        let allowed = quiet_kib() + ((64 + 16) << 10);
        assert!(peak_kib <= allowed, "{peak_kib} KiB, more than {allowed}: {world} {flags:?}");
        assert!(peak_kib > 60 << 10, "the memory was in use");
    }
}

/// The guest never frees what it allocates: it would need ten times the memory that it may have, so
/// others take its place.
#[test]
fn a_leak_over_a_million_calls() {
    let text = LINE.repeat(5_000);
    let tree = transformed(&Guest { world: "transformer", ..Guest::default() }, 200, &text, "out");
    assert!(fs::read(tree.path().join("out")).unwrap() == text.repeat(200).as_bytes());
}

/// Seven megabytes for each line: what is kept is bounded, how much is written is what the user
/// asked for.
#[test]
fn output_that_expands_without_end() {
    let all = "(return (call $bytes (i32.const 65536) (i32.const 7000000)))";
    let guest = Guest { world: "transformer", push: all, pages: 112, ..Guest::default() };
    transformed(&guest, 1, &LINE.repeat(64), "/dev/null");
    neighbour().assert_exact();
}

fn load(guest: &Guest) -> Plugin {
    let tree = Tree::new();
    let sandbox =
        Sandbox { memory_bytes: 8 << 20, timeout: Duration::from_secs(30), ..Sandbox::default() };
    let options = Options { sandbox, ..Options::default() };
    Plugin::load(engine(), &guest.file(&tree), options, None).unwrap()
}

#[track_caller]
fn push(plugin: &Plugin) {
    let mut instance = plugin.start().unwrap();
    instance.open(Opening { name: "text", header: Header::NONE }).unwrap();
    let place = Place { index: 0, offset: 0, last: true };
    instance.push(place, &mut &b"one\n"[..]).unwrap();
}

/// One plugin fills its memory with a pattern, the next looks through all of its own for anything
/// but zeros.
#[test]
fn memory_that_was_somebody_elses_ten_thousand_times() {
    let writer = load(&Guest {
        push: "(memory.fill (i32.const 131072) (i32.const 165) (i32.const 262144))",
        pages: 6,
        ..Guest::default()
    });
    let reader = load(&Guest {
        push: "(local.set $at (i32.const 131072))
            (loop $next
              (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
              (br_if $next (i32.lt_u
                (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 393216))))",
        pages: 6,
        ..Guest::default()
    });
    for _ in 0..10_000 {
        push(&writer);
        push(&reader);
    }
}
