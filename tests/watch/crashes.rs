//! A watch that is killed at any instant while files keep coming does each once.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{Watch, command, ledger, names, path, rows};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// How often it is killed, after how many milliseconds at most.
const KILLS: u64 = 12;
const LIFE_MS: u64 = 400;

/// Watches are killed while somebody writes files; what was written, by name.
fn killed(tree: &Tree, name: &str, args: &[&str]) -> BTreeMap<String, String> {
    fs::create_dir(path(tree, "in")).unwrap();
    let is_over = AtomicBool::new(false);
    let files = thread::scope(|scope| {
        let writer = scope.spawn(|| write(tree, &is_over));
        for kill in 0..KILLS {
            let watch = Watch::begin(tree, name, args);
            // Long enough for it to begin, and never twice the same.
            thread::sleep(Duration::from_millis(40 + kill * 7919 % LIFE_MS));
            drop(watch);
        }
        is_over.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    let ended = command(tree, &plugin(name), &[args, &["--once"]].concat()).output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && message.contains(" 0 failed"), "{message}");
    let (code, message) = ledger(tree, &["check", "ledger", "--digest"]);
    assert_eq!(code, Some(0), "{message}");
    files
}

fn write(tree: &Tree, is_over: &AtomicBool) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    while !is_over.load(Ordering::Relaxed) {
        let number = files.len();
        let name = format!("d{}/e{}/{number:05}.txt", number % 3, number / 40);
        let text = format!("file {number}\n").repeat(1 + number % 40);
        if number % 2 == 0 {
            let written = tree.file(&format!("in/{name}.tmp"), &text);
            fs::rename(written, path(tree, &format!("in/{name}"))).unwrap();
        } else {
            tree.file(&format!("in/{name}"), &text);
        }
        files.insert(name, text);
        thread::sleep(Duration::from_millis(4));
    }
    files
}

#[test]
fn each_file_has_its_output_once_whatever_is_killed() {
    let tree = Tree::new();
    let files = killed(&tree, "upcase", &["--out", "out/"]);
    assert_eq!(names(&tree, "out"), files.keys().cloned().collect::<Vec<_>>());
    for (name, text) in files {
        let output = String::from_utf8(tree.read(&format!("out/{name}"))).unwrap();
        assert_eq!(output, text.to_uppercase(), "{name}");
    }
}

#[test]
fn each_file_is_removed_after_its_output_is_there_whatever_is_killed() {
    let tree = Tree::new();
    let files = killed(&tree, "upcase", &["--out", "out/", "--after", "delete"]);
    assert!(names(&tree, "in").is_empty());
    for (name, text) in files {
        let output = String::from_utf8(tree.read(&format!("out/{name}"))).unwrap();
        assert_eq!(output, text.to_uppercase(), "{name}");
    }
}

#[test]
fn each_file_has_its_row_once_whatever_is_killed() {
    let tree = Tree::new();
    let files = killed(&tree, "wordcount", &["--out", "rows.jsonl", "--after", "move:done/"]);
    let mut found = rows(&tree, "rows.jsonl");
    found.sort();
    let words = |(name, text): (&String, &String)| {
        (format!("in/{name}"), text.split_whitespace().count() as u64)
    };
    assert_eq!(found, files.iter().map(words).collect::<Vec<_>>());
    assert_eq!(names(&tree, "done"), files.keys().cloned().collect::<Vec<_>>());
}

#[test]
fn what_a_crash_left_behind_the_rows_is_cut_off() {
    let tree = Tree::with(&[("in/a.txt", "a")]);
    super::once(&tree, "wordcount", &["--out", "rows.jsonl"]).exits(0);
    let before = tree.read("rows.jsonl");
    fs::write(path(&tree, "rows.jsonl"), [&before[..], b"{\"half a ro"].concat()).unwrap();
    tree.file("in/b.txt", "b");
    super::once(&tree, "wordcount", &["--out", "rows.jsonl"]).exits(0);
    let after = tree.read("rows.jsonl");
    assert_eq!(after[..before.len()], before);
    assert_eq!(rows(&tree, "rows.jsonl").len(), 2);
}
