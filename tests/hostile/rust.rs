//! Attacks written in Rust, as plugins are, by `tests/vandal`: with an allocator, collections,
//! panics and formatted text.

use std::fs;

use gristmill::plugin::{Options, Plugin};
use gristmill::process::{FailureKind, Header, Opening, Processor};
use serde_json::Value;

use super::attack::{Attack, attacks, engine};
use crate::support::host::{Ended, Host};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn vandal(attack: &'static str, at: &'static str) -> Attack {
    let bytes = fs::read(plugin("vandal")).unwrap();
    Attack::bytes(bytes).set("attack", attack).set("at", at)
}

attacks! {
    leak_until_nothing_is_left: Source, vandal("leak", "push"), "
        bad: the plugin ran out of memory in push: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    leak_in_configure: Start, vandal("leak", "configure"), "
        error: [plugins]/guest.wasm: the plugin ran out of memory in configure: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        ";
    leak_in_constructor: Source, vandal("leak", "open"), "
        bad: the plugin ran out of memory in its constructor: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    leak_in_save: Source, vandal("leak", "save"), "
        bad: the plugin ran out of memory in save: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    leak_in_merge: Total, vandal("leak", "merge"), "
        total: the plugin ran out of memory in merge: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        ";
    leak_in_finish: Source, vandal("leak", "finish"), "
        bad: the plugin ran out of memory in finish: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    map_whose_keys_collide: Source, vandal("collide", "push"), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    match_by_backtracking: Source, vandal("backtrack", "push"), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    sort_without_end: Source, vandal("sort", "finish"), "
        bad: the plugin did not return from finish within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    recursion_without_end: Source, vandal("recurse", "push"), "
        bad: the plugin crashed in push: it used up its stack of 1 MiB
        hint: raise --stack, or look for endless recursion
        1 of 3 sources failed
        ";
    recursion_with_arrays: Source, vandal("recurse-with-arrays", "push"), "
        bad: the plugin crashed in push: wasm trap: out of bounds memory access
        1 of 3 sources failed
        ";
    boxes_in_boxes: Source, vandal("nest", "push"), "
        bad: the plugin crashed in push: it used up its stack of 1 MiB
        hint: raise --stack, or look for endless recursion
        1 of 3 sources failed
        ";
    log_of_half_a_character: Source, vandal("log-half-a-character", "push"), "
        bad: the plugin crashed in push: incomplete utf-8 byte sequence from index 7
        1 of 3 sources failed
        ";
    log_of_long_lines_of_escapes: Source, vandal("log-long-lines", "push"), "
        […]
         WARN guest: logs more than 65536 bytes of one source: the rest is not shown (--log-bytes)
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    rejects_that_never_were: Source, vandal("reject", "push"), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    counters_of_each_number: Source, vandal("count", "push"), "
        […]
         WARN guest: logs more than 100 lines in a second: not all are shown (--log-lines)
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    result_of_escapes: Nothing, vandal("escapes", "finish"), "";
    panic_of_a_long_text_in_configure: Start, vandal("panic", "configure"), "
        […]
        ERROR guest: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: […]
        error: [plugins]/guest.wasm: the plugin crashed in configure: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lo[…]
        ";
    panic_of_a_long_text_in_constructor: Source, vandal("panic", "open"), "
        […]
        ERROR guest: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: […]
        ERROR guest: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: […]
        bad: the plugin crashed in its constructor: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror[…]
        1 of 3 sources failed
        ";
    panic_of_a_long_text_in_push: Source, vandal("panic", "push"), "
        […]
        ERROR guest: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: […]
        ERROR guest: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: […]
        bad: the plugin crashed in push: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lo[…]
        1 of 3 sources failed
        ";
    panic_of_a_long_text_in_save: Source, vandal("panic", "save"), "
        […]
        ERROR guest: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: […]
        bad: the plugin crashed in save: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lo[…]
        1 of 3 sources failed
        ";
    panic_of_a_long_text_in_merge: Total, vandal("panic", "merge"), "
        […]
        ERROR guest: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: […]
        total: the plugin crashed in merge: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is[…]
        ";
    panic_of_a_long_text_in_finish: Source, vandal("panic", "finish"), "
        […]
        ERROR guest: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: […]
        bad: the plugin crashed in finish: panicked at tests/vandal/src/shout.rs:53:5:  [2J  31merror: all is lost   [2J  31merror: all is lost   [2J  31merror: all is […]
        1 of 3 sources failed
        ";
    panic_without_text: Source, vandal("panic-without-text", "push"), "
        ERROR guest: panicked at tests/vandal/src/shout.rs:58:5: no message
        ERROR guest: panicked at tests/vandal/src/shout.rs:58:5: no message
        bad: the plugin crashed in push: panicked at tests/vandal/src/shout.rs:58:5: no message
        1 of 3 sources failed
        ";
    abort_without_a_word: Source, vandal("abort", "push"), "
        bad: the plugin crashed in push without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";
    exit_as_if_all_were_well: Source, vandal("exit", "push"), "
        bad: the plugin crashed in push without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";
    fault_in_a_place_that_is_nowhere: Source, vandal("misplace", "push"), "
        […]
        bad: at byte 18446744073709551615: �[2J��31merror: all is lost���[2J��31merror: all is lost���[2J��31merror: all is lost���[2J��31merror: all is lost���[2J��31m[…]
        1 of 3 sources failed
        ";
}

fn run(tree: &Tree, attack: &str, at: &str, args: &[&str]) -> Ended {
    let host = Host::run(&plugin("vandal")).within(tree.path());
    let host = host.args([format!("--set=attack={attack}"), format!("--set=at={at}")]);
    host.args(["-j1", "--report", "report"]).args(args).ended()
}

fn report(tree: &Tree) -> Value {
    serde_json::from_slice(&tree.read("report")).unwrap()
}

/// The amounts in the error depend on the compiler, so only its other words are compared.
#[test]
fn a_gigabyte_at_once_is_reported_as_memory() {
    let tree = Tree::with(&[("bad", "!\n")]);
    let ended =
        run(&tree, "allocate", "push", &["--memory", "64MiB", "--per-source", "bad"]).exits(1);
    let said = "bad: the plugin ran out of memory in push: it asked for 10";
    assert!(ended.stderr.starts_with(said), "{ended}");
    assert!(ended.stderr.contains(", more than 64 MiB\nhint: raise --memory\n"), "{ended}");
}

/// A table has nothing in it that a terminal obeys; JSON nothing but what JSON itself may have.
#[test]
fn escapes_in_a_result_reach_no_terminal() {
    let tree = Tree::with(&[("bad", "!\n")]);
    for format in ["jsonl", "json", "table"] {
        let ended = run(&tree, "escapes", "finish", &["--format", format, "bad"]).exits(0);
        let out = ended.text().to_string();
        assert!(out.contains("all is lost"), "{ended}");
        let obeyed = match format {
            "table" => |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c),
            _ => |c: char| c < ' ',
        };
        assert!(!out.replace('\n', "").contains(obeyed), "{format}: {out:?}");
    }
}

/// The guest keeps all that it is given, to leak it to the next source or chunk: with isolation,
/// nothing gets through.
#[test]
fn variables_that_outlive_a_source() {
    let (first, second) = ("!one\n".repeat(40), "!two\n".repeat(40));
    let tree = Tree::with(&[("a", &first), ("b", &second)]);
    let second_of = |isolate: &str| {
        let args =
            ["--isolate", isolate, "--chunk-size", "64B", "--per-source", "--format", "jsonl"];
        let ended = run(&tree, "recall", "push", &[&args[..], &["a", "b"]].concat()).exits(0);
        ended.lines()[1]["result"].as_str().unwrap().to_string()
    };
    let (job, source, chunk) = (second_of("job"), second_of("source"), second_of("chunk"));
    // That it looks where something is to be found.
    assert!(job.contains("one"), "{job}");
    assert!(!source.contains("one") && source.len() > second.len(), "{source}");
    assert_eq!(chunk, second);
}

/// It looks through all of its memory, and as much that is new, for what others have left in
/// theirs.
#[test]
fn memory_that_others_have_filled() {
    let set = |key: &str, value: &str| (key.to_string(), value.to_string());
    let settings = vec![set("attack", "search"), set("at", "each-open")];
    let options = Options { settings, ..Options::default() };
    let plugin = Plugin::load(engine(), &plugin("vandal"), options, None).unwrap();
    let opening = Opening { name: "text", header: Header::NONE };
    for _ in 0..1000 {
        plugin.start().unwrap().open(opening).unwrap();
    }
    // It would have been found: in the sandbox that has it.
    let mut instance = plugin.start().unwrap();
    instance.open(opening).unwrap();
    let found = instance.open(opening).unwrap_err();
    assert_eq!(found.kind, FailureKind::Trap);
    assert!(found.message.ends_with("found what another has left"), "{found}");
}

/// A source that is to be apart finds nothing of those before it; others do, and have what a fresh
/// sandbox makes of them.
#[test]
fn memory_that_sources_before_have_filled() {
    let files: Vec<(String, &str)> = (0..20).map(|n| (format!("s{n}"), "text\n")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&name[..], *text)).collect();
    let (tree, names) = (Tree::with(&files), files.iter().map(|(name, _)| *name));
    let names: Vec<&str> = names.collect();
    let retries = |isolate: &str| {
        let args = ["--isolate", isolate, "--recycle-after", "1GiB", "--memory", "1GiB"];
        run(&tree, "search", "each-push", &[&args[..], &names].concat()).exits(0);
        report(&tree)["retries"].as_u64().unwrap()
    };
    assert!(retries("job") > 0);
    assert_eq!(retries("source"), 0);
}

/// A little is lost in each call: a fresh sandbox takes its place between sources, before the
/// memory is used up.
#[test]
fn a_leak_by_and_by() {
    let text = "this line is as long as the smallest chunk, and ends right here\n".repeat(8);
    let files: Vec<(String, &str)> = (0..400).map(|n| (format!("s{n:03}"), &text[..])).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&name[..], *text)).collect();
    let tree = Tree::with(&files);
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let args = ["--memory", "8MiB", "--chunk-size", "64B", "--total"];
    let ended = run(&tree, "leak-a-little", "each-push", &[&args[..], &names].concat()).exits(0);
    assert_eq!(ended.lines()[0]["total"].as_str().unwrap(), text.repeat(400));
    let report = report(&tree);
    assert_eq!(report["retries"], 0, "{report}");
    // Eight times 8 KiB for each source: 25 MiB in all. Two are a reason to make way, and up to one
    // was there from the beginning.
    assert!(report["instances"].as_u64().unwrap() > 25 / 3, "{report}");
}
