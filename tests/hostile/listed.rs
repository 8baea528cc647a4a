//! `host/docs/security.md` says of each attack what happens, and which test shows it: of these and
//! no others.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const HARMS: [&str; 5] = ["Start", "Source", "Sources", "Total", "Nothing"];

/// The name in a line that is an attack of a table: four spaces, the name, how far the harm goes.
fn in_table(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix("    ")?.split_once(": ")?;
    let harm = rest.split_once(',')?.0;
    let named =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (named && HARMS.contains(&harm)).then_some(name)
}

/// Attacks of one file: those of tables, and functions that are tests.
fn attacks(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).filter(|pair| pair[0] == "#[test]").filter_map(|pair| {
        let name = pair[1].strip_prefix("fn ")?.split_once('(')?.0;
        Some(name)
    });
    lines.iter().filter_map(|line| in_table(line)).chain(tests).map(str::to_string).collect()
}

#[test]
fn each_test_of_what_inputs_lead_to_is_listed_and_nothing_else() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tested = attacks(&fs::read_to_string(host.join("../tests/beneath.rs")).unwrap());
    let message: BTreeSet<_> = tested
        .iter()
        .filter(|test| *test != "files_beneath_are_read_as_without_it") // the one that is no attack
        .map(String::as_str)
        .collect();
    let text = fs::read_to_string(host.join("docs/security.md")).unwrap();
    let rows = text.split("`beneath::").skip(1).map(|rest| rest.split('`').next().unwrap());
    assert_eq!(rows.collect::<BTreeSet<_>>(), message);
}

#[test]
fn the_table_lists_each_attack_and_nothing_else() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tested = BTreeSet::new();
    for entry in fs::read_dir(host.join("../tests/hostile")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        if name == "listed" {
            continue;
        }
        for attack in attacks(&fs::read_to_string(&path).unwrap()) {
            tested.insert(format!("{name}::{attack}"));
        }
    }
    assert!(tested.len() > 45, "only {} attacks", tested.len());
    let text = fs::read_to_string(host.join("docs/security.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Attacks\n"));
    let rows = section.expect("it has a section for attacks").lines();
    let rows: Vec<Vec<&str>> = rows
        .filter(|line| line.starts_with("| ") && line.ends_with("` |"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let listed: BTreeSet<String> =
        rows.iter().map(|row| row.last().unwrap().trim_matches('`').to_string()).collect();
    assert_eq!(rows.len(), listed.len(), "each test is listed once");
    assert!(rows.iter().all(|row| row.len() == 3 && row.iter().all(|cell| !cell.is_empty())));
    let missing: Vec<_> = tested.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&tested).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not listed: {missing:?}; no test: {gone:?}");
}
