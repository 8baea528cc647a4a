//! Runs that are killed at any instant, and go on where they stopped: in the end everything is as
//! if nothing had happened.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use super::{files, visible};
use crate::support::host::Host;
use crate::support::kills::{SOURCES, killed_after, sources};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Kills for each kind of output.
const KILLS: usize = 50;

fn run(tree: &Tree, out: &str, compress: &str) -> Host {
    let host = Host::run(&plugin("upcase")).within(tree.path());
    // The page cache survives the end of a process: only a crash of the machine needs the disk.
    let host = host.args(["-j2", "--chunk-size", "4KiB", "--durable", "fast"]);
    host.args(["--compress", compress, "--out", out, "in/"])
}

fn goes_on(tree: &Tree, compress: &str) -> Host {
    run(tree, "out/", compress).args(["--ledger", "done"])
}

/// What the ledger says is done: the outputs and their sizes.
fn exported(tree: &Tree) -> BTreeMap<String, u64> {
    let ended = Host::new().within(tree.path()).args(["ledger", "export", "done"]).ended().exits(0);
    let entry = |row: serde_json::Value| {
        assert_eq!(row["state"], "committed");
        (row["output"].as_str().unwrap().to_string(), row["bytes_out"].as_u64().unwrap())
    };
    ended.lines().into_iter().map(entry).collect()
}

/// Nothing has been done yet.
fn begin_again(tree: &Tree) {
    fs::remove_dir_all(tree.path().join("out")).unwrap();
    for name in files(tree.path()).keys().filter(|name| name.starts_with("done")) {
        fs::remove_file(tree.path().join(name)).unwrap();
    }
}

fn kills(compress: &str) {
    let tree = sources();
    run(&tree, "undisturbed/", compress).ended().exits(0);
    let expected = visible(&tree.path().join("undisturbed"));
    assert_eq!(expected.len(), SOURCES);
    let sizes: BTreeMap<_, _> =
        expected.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect();
    let begun = Instant::now();
    goes_on(&tree, compress).ended().exits(0);
    let span = begun.elapsed();
    let out = tree.path().join("out");
    begin_again(&tree);
    let mut state = 7_u64;
    let (mut killed, mut halfway, mut left_behind) = (0, 0, 0);
    while killed < KILLS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let share = u32::try_from(state >> 33).unwrap();
        let time = span.mul_f64(f64::from(share) / f64::from(1_u32 << 31));
        let done = killed_after(goes_on(&tree, compress).start(), time);
        killed += usize::from(!done);
        let seen = if out.exists() { visible(&out) } else { BTreeMap::new() };
        for (name, bytes) in &seen {
            assert!(*bytes == expected[name], "{name} is seen, and is not whole");
        }
        halfway += usize::from(!seen.is_empty() && seen.len() < SOURCES);
        left_behind += usize::from(out.exists() && files(&out).len() > seen.len());
        if done || seen.len() * 4 > SOURCES * 3 || killed == KILLS {
            goes_on(&tree, compress).ended().exits(0);
            assert!(files(&out) == expected, "nothing more and nothing less than undisturbed");
            assert_eq!(exported(&tree), sizes);
            let again = goes_on(&tree, compress).ended().exits(0).stderr;
            assert_eq!(again, format!("{SOURCES} sources are done already, and were skipped\n"));
            begin_again(&tree);
        }
    }
    assert!(halfway > 5, "{halfway} of {KILLS} were halfway, {left_behind} left temporary files");
    assert!(left_behind > 0, "none of {KILLS} left a temporary file");
}

#[test]
fn plain_output_is_as_if_nothing_had_happened() {
    kills("none");
}

#[test]
fn compressed_output_is_as_if_nothing_had_happened() {
    kills("gzip");
}

/// The lines of a file, in an order of their own.
fn lines(tree: &Tree, name: &str) -> Vec<String> {
    let read = fs::read(tree.path().join(name)).unwrap_or_default();
    let mut lines: Vec<_> = String::from_utf8(read).unwrap().lines().map(String::from).collect();
    lines.sort();
    lines
}

#[test]
fn rejects_are_as_if_nothing_had_happened() {
    let tree = sources();
    let run = |args: &[&str]| {
        let host = Host::run(&plugin("jsonfilter")).within(tree.path()).args(["--set", "field=x"]);
        host.args(["-j2", "--chunk-size", "4KiB", "--durable", "fast", "in/"]).args(args)
    };
    let goes_on = || {
        run(&[
            "--ledger",
            "done",
            "--out",
            "out/",
            "--rejects",
            "rejects",
            "--max-rejects=100%",
            "--quiet",
        ])
    };
    let begin_again = || {
        begin_again(&tree);
        fs::remove_file(tree.path().join("rejects")).unwrap();
    };
    let to = ["--out", "undisturbed/", "--rejects", "expected", "--max-rejects=100%"];
    run(&to).ended().exits(0);
    let expected = lines(&tree, "expected");
    let begun = Instant::now();
    goes_on().ended().exits(0);
    let span = begun.elapsed();
    begin_again();
    assert!(expected.len() > SOURCES, "of each source there are some");
    let (mut halfway, kills) = (0, u32::try_from(KILLS).unwrap());
    for round in 0..kills {
        let share = f64::from(round * 7 % kills) / f64::from(kills);
        killed_after(goes_on().start(), span.mul_f64(share));
        let found = lines(&tree, "rejects").len();
        halfway += usize::from(found > 0 && found < expected.len());
        // Two kills one after the other, then the rest, and from the front again.
        if round % 3 == 2 {
            goes_on().ended().exits(0);
            assert!(lines(&tree, "rejects") == expected, "none is lost, and none is there twice");
            begin_again();
        }
    }
    assert!(halfway > 5, "{halfway} of {kills} were halfway");
}

#[test]
fn what_is_lost_or_changed_is_done_again() {
    let tree = sources();
    goes_on(&tree, "none").ended().exits(0);
    let expected = files(&tree.path().join("out"));
    fs::remove_file(tree.path().join("out/3/3.txt")).unwrap();
    tree.file("in/4/4.txt", "new\n");
    let ended = goes_on(&tree, "none").ended().exits(0);
    let why = "done again: 1 changed, 1 with an output that is not as this job left it";
    assert_eq!(ended.stderr, format!("498 sources are done already, and were skipped\n{why}\n"));
    assert_eq!(tree.read("out/3/3.txt"), expected["3/3.txt"]);
    assert_eq!(tree.read("out/4/4.txt"), b"NEW\n");
}
