//! Members of archives as sources: each has the result of the file that it was, and what cannot be
//! had is named.

pub(super) mod bytes;
mod changing;
mod damage;
mod hostile;
mod members;
mod names;
mod sparse;
mod twice;
mod unnamed;

use serde_json::Value;

use crate::support::host::{Ended, Host};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Runs wordcount over files of a tree.
fn count(tree: &Tree, args: &[&str]) -> Ended {
    Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["--per-source", "--format", "jsonl"])
        .args(args)
        .ended()
}

/// What became of each source: its name, and its row without it.
fn sources(ended: &Ended) -> Vec<(String, Value)> {
    let mut rows = ended.lines();
    rows.pop();
    let row = |mut row: Value| {
        let name = row.as_object_mut().unwrap().shift_remove("source").unwrap();
        (name.as_str().unwrap().to_string(), row)
    };
    rows.into_iter().map(row).collect()
}

/// The names and messages of the sources that failed.
fn failures(ended: &Ended) -> Vec<(String, String)> {
    let message = |row: &Value| row["error"]["message"].as_str().map(str::to_string);
    sources(ended).into_iter().filter_map(|(name, row)| Some((name, message(&row)?))).collect()
}

/// How many sources have a result.
fn results(ended: &Ended) -> usize {
    sources(ended).iter().filter(|(_, row)| !row["result"].is_null()).count()
}

/// The same, a line each.
fn message(ended: &Ended) -> String {
    let line = |(name, why)| format!("{name}: {why}\n");
    failures(ended).into_iter().map(line).collect::<Vec<_>>().concat()
}
