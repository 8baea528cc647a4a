//! Runs that are killed at any instant: what the last one prints is what an undisturbed one prints,
//! byte for byte.

use std::fs;
use std::time::Instant;

use super::host;
use crate::support::host::Host;
use crate::support::kills::{SOURCES, killed_after, sources};
use crate::support::tree::Tree;

/// Kills for each set of plugins.
const KILLS: usize = 40;

fn goes_on(tree: &Tree, chains: &[&str]) -> Host {
    let host = host(tree, chains).args(["-j2", "--format", "jsonl", "--durable", "fast"]);
    host.args(["--out", "all", "--ledger", "done", "in/"])
}

fn begin_again(tree: &Tree) {
    for entry in fs::read_dir(tree.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Sources that the ledger says are done; none where the run was killed before there was one.
fn committed(tree: &Tree) -> usize {
    let ledger = |args: &[&str]| Host::new().within(tree.path()).arg("ledger").args(args).ended();
    let checked = ledger(&["check", "done"]);
    if checked.code == Some(2) {
        let why = ["No such file or directory", "is not a ledger"];
        assert!(why.iter().any(|why| checked.stderr.contains(why)), "{checked}");
        return 0;
    }
    assert_eq!(checked.code, Some(0), "{checked}");
    ledger(&["export", "done"]).exits(0).lines().len()
}

fn kills(chains: &[&str]) {
    let tree = sources();
    let expected = host(&tree, chains).args(["--format", "jsonl", "in/"]).ended().exits(0).stdout;
    let begun = Instant::now();
    goes_on(&tree, chains).ended().exits(0);
    let span = begun.elapsed();
    begin_again(&tree);
    let mut state = 11_u64;
    let (mut killed, mut halfway, mut went_on, mut before) = (0, 0, 0, 0);
    while killed < KILLS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let share = u32::try_from(state >> 33).unwrap();
        let time = span.mul_f64(f64::from(share) / f64::from(1_u32 << 31));
        let done = killed_after(goes_on(&tree, chains).start(), time);
        killed += usize::from(!done);
        let now = committed(&tree);
        assert!(now >= before, "{now} sources are done, and {before} were");
        went_on += usize::from(before > 0 && now > before);
        before = now;
        halfway += usize::from(now > 0 && now < SOURCES);
        let seen = tree.path().join("all");
        assert!(
            !seen.exists() || fs::read(&seen).unwrap() == expected,
            "it is seen, and is not whole"
        );
        if done || now * 4 > SOURCES * 3 || killed == KILLS {
            let ended = goes_on(&tree, chains).ended().exits(0);
            assert!(fs::read(&seen).unwrap() == expected, "{ended}");
            let left = if now > 0 {
                format!("{now} sources are done already, and were skipped\n")
            } else {
                String::new()
            };
            assert_eq!(ended.stderr, left);
            assert_eq!(committed(&tree), SOURCES);
            let again = host(&tree, chains).args(["--ledger", "done", "--format", "jsonl", "in/"]);
            assert!(again.ended().exits(0).stdout == expected, "all of it from the ledger");
            begin_again(&tree);
            before = 0;
        }
    }
    assert!(
        halfway > 5,
        "{halfway} of {KILLS} were halfway, {went_on} went on where another was killed"
    );
}

#[test]
fn rows_and_total_are_as_if_nothing_had_happened() {
    kills(&["topwords"]);
}

#[test]
fn those_of_several_plugins_are_as_if_nothing_had_happened() {
    kills(&["checksum", "upcase|wordcount"]);
}
