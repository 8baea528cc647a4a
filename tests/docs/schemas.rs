//! `host/docs/schemas.md` has the keys that real output has: each key that comes is in its table,
//! and each key of a table comes in some output.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::root;
use crate::support::host::Host;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

type Keys = BTreeSet<String>;

/// The keys of the table below a heading: what is in marks in that column.
fn page(heading: &str, column: usize) -> Keys {
    let page = fs::read_to_string(root().join("host/docs/schemas.md")).unwrap();
    let (_, section) = page.split_once(&format!("\n{heading}\n")).unwrap();
    let section = section.split("\n#").next().unwrap();
    let cells = section.lines().filter(|line| line.starts_with("| `"));
    let keys: Keys = cells
        .map(|line| line.split('|').nth(column).unwrap().trim().trim_matches('`').to_string())
        .collect();
    assert!(!keys.is_empty(), "{heading}");
    keys
}

fn keys<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Keys {
    let objects = objects.into_iter().map(|value| value.as_object().unwrap());
    objects.flat_map(|object| object.keys().cloned()).collect()
}

/// Files of which some fail, and some have records that are rejected.
fn tree() -> Tree {
    Tree::with(&[
        ("a.txt", "to be or not to be\n".as_bytes()),
        ("b.txt", b"that is the question\n"),
        ("bad.csv", b"a,b\n1\n2,\xff\n\xff\n"),
    ])
}

/// A document of `--format json`.
fn document(tree: &Tree, plugins: &[&str], args: &[&str]) -> Value {
    let mut host = Host::run(&plugin(plugins[0])).within(tree.path());
    for name in &plugins[1..] {
        host = host.arg("--plugin").arg(plugin(name));
    }
    let ended = host.args(["--format", "json"]).args(args).ended();
    serde_json::from_slice(&ended.stdout).unwrap()
}

fn list<'a>(document: &'a Value, key: &str) -> &'a Vec<Value> {
    document[key].as_array().unwrap()
}

#[test]
fn results_have_the_keys_of_the_page() {
    let tree = tree();
    let whole = document(&tree, &["wordcount", "checksum"], &["a.txt", "none.txt"]);
    assert_eq!(keys(list(&whole, "results")), page("### A source", 1));
    let no_total = ["--output-per-call", "10", "a.txt"];
    let broken = document(&tree, &["checksum"], &no_total);
    let total = document(&tree, &["wordcount"], &["--total", "a.txt"]);
    let mut ends = keys([&whole, &broken, &total]);
    assert!(ends.remove("results") && ends.remove("failures"));
    assert_eq!(ends, page("### The end", 1));
    assert_eq!(broken["total"], Value::Null);
}

#[test]
fn results_of_plugins_have_the_keys_of_the_page() {
    let tree = tree();
    let settings: [&[&str]; 4] =
        [&["--set", "chars=true", "--set", "longest=true"], &[], &[], &["--set", "pattern=be"]];
    let mut found = Keys::new();
    for (name, set) in ["wordcount", "topwords", "checksum", "grepcount"].into_iter().zip(settings)
    {
        let document = document(&tree, &[name], &[set, &["a.txt", "b.txt"]].concat());
        let results = list(&document, "results").iter().map(|row| &row["result"]);
        for result in results.chain([&document["total"]]) {
            let records = result.as_array().map_or(std::slice::from_ref(result), Vec::as_slice);
            found.extend(keys(records).into_iter().map(|key| format!("{name} {key}")));
        }
    }
    let heading = "### Results of the plugins that come along";
    let page_keys: Keys = page_pairs(heading).collect();
    assert_eq!(found, page_keys);
}

/// The first two cells of each row, as `plugin key`.
fn page_pairs(heading: &str) -> impl Iterator<Item = String> {
    let page = fs::read_to_string(root().join("host/docs/schemas.md")).unwrap();
    let section = page.split_once(heading).unwrap().1.split("\n#").next().unwrap().to_string();
    let rows: Vec<String> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let mut cells = line.split('|').skip(1).map(|cell| cell.trim().trim_matches('`'));
            format!("{} {}", cells.next().unwrap(), cells.next().unwrap())
        })
        .collect();
    rows.into_iter()
}

#[test]
fn the_report_has_the_keys_of_the_page() {
    let tree = tree();
    let host = Host::run(&plugin("csv2jsonl")).within(tree.path());
    host.args(["bad.csv", "none.txt", "--out", "out.jsonl", "--report", "r.json"]).ended().exits(1);
    let report: Value = serde_json::from_slice(&tree.read("r.json")).unwrap();
    assert_eq!(keys([&report]), page("## The report", 1));
    let message = fs::read_to_string(root().join("host/docs/schemas.md")).unwrap();
    for inner in ["set_aside", "unopened_archives", "thread_seconds"] {
        let row = message.lines().find(|line| line.starts_with(&format!("| `{inner}`"))).unwrap();
        let first = &report[inner]["first"];
        for key in keys([&report[inner]]).into_iter().chain(match first {
            Value::Object(_) => keys([first]),
            _ => Keys::new(),
        }) {
            assert!(row.contains(&format!("`{key}`")), "{row}: {key}");
        }
    }
}

#[test]
fn rejected_records_have_the_keys_of_the_page() {
    let tree = tree();
    tree.file("long.csv", format!("a,b\n{}\n", "x".repeat(200_000)));
    let mut lines = Vec::new();
    for chain in ["csv2jsonl".to_string(), format!("{} | ", plugin("upcase").display())] {
        let host = match chain.as_str() {
            "csv2jsonl" => Host::run(&plugin("csv2jsonl")),
            upcase => {
                let chain = format!("{upcase}{}", plugin("csv2jsonl").display());
                Host::run(chain.as_ref())
            }
        };
        let host = host.within(tree.path()).args(["bad.csv", "long.csv", "--out"]);
        let name = format!("{}.jsonl", lines.len());
        let host = host.args([&*name, "--rejects", "-", "--max-rejects", "100%"]);
        let message = host.ended().exits(0).stdout;
        lines.extend(message.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    }
    let objects: Vec<Value> = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(keys(&objects), page("## Rejected records", 1));
}
