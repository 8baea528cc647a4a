//! What stands between a source and its records: compression, pipes, encodings, framings. Invariant
//! 1: a result does not depend on how a source was brought; invariant 3: a source that cannot be
//! read fails by itself, by name.

mod archives;
mod changing;
mod codecs;
mod damage;
mod encodings;
mod framing;
mod limits;
mod mutations;
mod names;
mod pieced;
mod pieces;
mod redirects;
mod remote;
mod standard;
mod stores;
mod streams;
mod tapes;
mod tools;
mod unmarked;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::host::{Ended, Host};
use crate::support::tree::Tree;

/// Runs a plugin over `.` in a tree, a row for each source.
fn run_over(plugin: &Path, tree: &Tree, args: &[&str]) -> Ended {
    Host::run(plugin)
        .within(tree.path())
        .args(["--per-source", "--format", "jsonl"])
        .args(args)
        .arg(".")
        .ended()
}

/// The rows of a run, without the last: the name of each source, and what is said of it.
fn rows(ended: &Ended) -> Vec<(String, String)> {
    let mut lines: Vec<_> = ended.text().lines().collect();
    lines.pop();
    let row = |line: &str| {
        let line = line.strip_prefix("{\"source\":\"./").unwrap_or_else(|| panic!("{ended}"));
        let (name, said) = line.split_once("\",").unwrap();
        (name.to_string(), said.to_string())
    };
    lines.into_iter().map(row).collect()
}

/// The figures that a run left in `report.json` beside its sources.
fn report(tree: &Tree) -> Value {
    serde_json::from_slice(&fs::read(tree.path().join("report.json")).unwrap()).unwrap()
}
