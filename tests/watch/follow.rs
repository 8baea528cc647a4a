//! Lines that are added to files are processed once each, whatever becomes of the files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Watch, command, explained, ledger, names, path, until};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

const FOLLOW: [&str; 3] = ["--append", "--out", "out/"];

fn add(tree: &Tree, name: &str, text: &str) {
    let mut file = File::options().append(true).create(true).open(path(tree, name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn is(tree: &Tree, name: &str, text: &str) -> bool {
    fs::read_to_string(path(tree, name)).is_ok_and(|found| found == text)
}

fn tree() -> Tree {
    let tree = Tree::new();
    fs::create_dir(path(&tree, "in")).unwrap();
    tree
}

#[test]
fn a_line_is_done_when_it_has_its_end() {
    let tree = tree();
    add(&tree, "in/a.log", "one\ntwo\nthr");
    let watch = Watch::begin(&tree, "upcase", &[&FOLLOW[..], &["--idle", "1h"]].concat());
    until("what is whole", || is(&tree, "out/a.log", "ONE\nTWO\n"));
    add(&tree, "in/a.log", "ee\nfour\n");
    until("the rest", || is(&tree, "out/a.log", "ONE\nTWO\nTHREE\nFOUR\n"));
    add(&tree, "in/b.log", "new\n");
    until("a new file", || is(&tree, "out/b.log", "NEW\n"));
    watch.end().exits(0).says("following in/");
    let found = explained(&tree, "in/a.log");
    assert_eq!((&found[0]["state"], &found[0]["done_bytes"]), (&"follows".into(), &19.into()));
    add(&tree, "in/a.log", "five\n");
    let watch = Watch::begin(&tree, "upcase", &[&FOLLOW[..], &["--idle", "1h"]].concat());
    until("what came meanwhile", || is(&tree, "out/a.log", "ONE\nTWO\nTHREE\nFOUR\nFIVE\n"));
    drop(watch);
}

#[test]
fn a_last_line_without_its_end_is_done_when_nothing_comes() {
    let tree = tree();
    add(&tree, "in/a.log", "one\ntwo");
    let watch = Watch::begin(&tree, "upcase", &[&FOLLOW[..], &["--idle", "300ms"]].concat());
    until("the last line", || is(&tree, "out/a.log", "ONE\nTWO"));
    drop(watch);
}

#[test]
fn what_was_there_is_skipped_up_to_its_last_line() {
    let tree = tree();
    add(&tree, "in/a.log", "old\nhalf");
    let args = [&FOLLOW[..], &["--existing", "skip", "--idle", "1h"]].concat();
    let watch = Watch::begin(&tree, "upcase", &args);
    until("it follows", || is_followed(&tree, "in/a.log"));
    add(&tree, "in/a.log", " line\nnew\n");
    until("new lines", || is(&tree, "out/a.log", "HALF LINE\nNEW\n"));
    drop(watch);
}

fn is_followed(tree: &Tree, file: &str) -> bool {
    let mut host = std::process::Command::new(env!("CARGO_BIN_EXE_host"));
    host.args(["ledger", "explain", file, "--ledger", "ledger", "--format", "json"]);
    let out = host.current_dir(tree.path()).output().unwrap().stdout;
    let found: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap_or_default();
    !found.is_empty()
}

#[test]
fn a_file_that_is_cut_begins_anew_and_what_was_not_read_is_said() {
    let tree = tree();
    add(&tree, "in/a.log", "one\n");
    let once = |idle| {
        let args = [&FOLLOW[..], &["--once", "--idle", idle]].concat();
        let ended = command(&tree, &plugin("upcase"), &args).output().unwrap();
        String::from_utf8(ended.stderr).unwrap()
    };
    once("1h");
    add(&tree, "in/a.log", "par");
    once("1h");
    fs::write(path(&tree, "in/a.log"), "x\n").unwrap();
    let message = once("1h");
    assert!(message.contains("before its last 3 bytes were read"), "{message}");
    assert!(is(&tree, "out/a.log", "ONE\nX\n"));
    // Longer than what was done, with other bytes: a position alone would not tell.
    fs::write(path(&tree, "in/a.log"), "y\nzzzzzzzz\n").unwrap();
    let message = once("1h");
    assert!(message.contains("was cut or replaced, and begins anew"), "{message}");
    assert!(is(&tree, "out/a.log", "ONE\nX\nY\nZZZZZZZZ\n"));
}

#[test]
fn a_copy_of_a_file_that_is_not_cut_is_a_file_of_its_own() {
    let tree = tree();
    add(&tree, "in/a.log", "one\n");
    let watch = Watch::begin(&tree, "upcase", &FOLLOW);
    until("the first", || is(&tree, "out/a.log", "ONE\n"));
    fs::copy(path(&tree, "in/a.log"), path(&tree, "in/b.log")).unwrap();
    until("its copy", || is(&tree, "out/b.log", "ONE\n"));
    drop(watch);
}

#[test]
fn a_copy_that_is_still_made_is_no_file_of_its_own() {
    let tree = tree();
    let lines: Vec<_> = (0..1000).map(|number| format!("line {number:06}\n")).collect();
    let text = lines.concat();
    add(&tree, "in/a.log", &text);
    let watch = Watch::begin(&tree, "upcase", &FOLLOW);
    until("the log", || is(&tree, "out/a.log", &text.to_uppercase()));
    for piece in text.as_bytes().chunks(3000) {
        add(&tree, "in/a.log.1", std::str::from_utf8(piece).unwrap());
        thread::sleep(Duration::from_millis(150)); // long enough to be seen
    }
    fs::write(path(&tree, "in/a.log"), "new\n").unwrap();
    let all = text.to_uppercase() + "NEW\n";
    until("the new log", || is(&tree, "out/a.log", &all));
    drop(watch);
    assert_eq!(names(&tree, "out"), ["a.log"]);
}

#[test]
fn what_cannot_go_on_in_the_middle_of_a_file_is_refused() {
    let tree = tree();
    let refused = |name: &str, args: &[&str], why: &str| {
        let ended =
            command(&tree, &plugin(name), &[&["--append"], args].concat()).output().unwrap();
        let message = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{message}");
        assert!(message.contains(why), "{why}: {message}");
    };
    refused("wordcount", &["--out", "rows.jsonl"], "--append: the plugin needs all of a file");
    refused("csv2jsonl", &["--out", "out/"], "only lines can be followed");
    refused("upcase", &["--out", "out/", "--after", "delete"], "--after is for files that do not");
    refused("upcase", &["--out", "out/", "--rejects", "r.jsonl"], "--rejects is for files");
    refused("upcase", &["--out", "out/", "--encoding", "utf-16le"], "only UTF-8 is followed");
    refused("upcase", &["--out", "out/", "--encoding", "latin1"], "only UTF-8 is followed");
    refused("upcase", &["--out", "s3://bucket/a/"], "files of this machine");
}

#[test]
fn a_watch_for_whole_files_does_not_become_one_that_follows() {
    let tree = tree();
    super::once(&tree, "upcase", &["--out", "out/"]).exits(0);
    let ended = command(&tree, &plugin("upcase"), &FOLLOW).output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert!(message.contains("--append: this watch was begun without it"), "{message}");
}

#[test]
fn lines_that_trap_stay_until_they_are_tried_again() {
    let tree = tree();
    add(&tree, "in/a.log", "one\n");
    let args = [&FOLLOW[..], &["--retries", "0", "--once"]].concat();
    let ended = command(&tree, &super::failing::crashing(&tree), &args).output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{message}");
    assert!(message.contains("stays at byte 0 until `host ledger retry`"), "{message}");
    assert_eq!(explained(&tree, "in/a.log")[0]["state"], "failed");
    let (code, message) = ledger(&tree, &["retry", "ledger", "in/a.log"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("1 file is tried again"), "{message}");
    assert_eq!(explained(&tree, "in/a.log")[0]["state"], "follows");
}

#[test]
fn text_in_wide_characters_fails_alone() {
    let tree = tree();
    let wide: Vec<u8> = "one\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    tree.file("in/wide.log", [b"\xff\xfe".as_slice(), &wide].concat());
    add(&tree, "in/a.log", "one\n");
    let args = [&FOLLOW[..], &["--retries", "0", "--once"]].concat();
    let ended = command(&tree, &plugin("upcase"), &args).output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert!(message.contains("in/wide.log: is UTF-16 or UTF-32"), "{message}");
    assert_eq!(ended.status.code(), Some(1), "{message}");
    assert_eq!(names(&tree, "out"), ["a.log"]);
}

#[test]
fn a_file_that_failed_is_followed_again_when_it_is_cut() {
    let tree = tree();
    let guest = super::failing::crashing(&tree);
    let once = || {
        let args = [&FOLLOW[..], &["--retries", "0", "--once"]].concat();
        let ended = command(&tree, &guest, &args).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap().contains("stays at byte 0"))
    };
    add(&tree, "in/a.log", "one\ntwo\n");
    assert_eq!(once(), (Some(1), true));
    assert_eq!(once(), (Some(0), false));
    fs::write(path(&tree, "in/a.log"), "six\n").unwrap();
    assert_eq!(once(), (Some(1), true));
}

/// How files are rotated.
#[derive(Clone, Copy)]
enum Rotation {
    Renamed,
    Copied,
    Compressed,
}

/// Writes numbered lines, and rotates; how many lines there are.
fn write(tree: &Tree, is_over: &AtomicBool) -> u64 {
    let (mut number, mut rotations) = (0, 0);
    let log = path(tree, "in/app.log");
    while !is_over.load(Ordering::Relaxed) {
        for _ in 0..20 {
            add(tree, "in/app.log", &format!("line {number:07} of them\n"));
            number += 1;
        }
        thread::sleep(Duration::from_millis(3));
        if number % 300 != 0 {
            continue;
        }
        rotations += 1;
        let aside = path(tree, &format!("in/app.log.{rotations}"));
        match [Rotation::Renamed, Rotation::Copied, Rotation::Compressed][rotations % 3] {
            Rotation::Renamed => fs::rename(&log, aside).unwrap(),
            Rotation::Copied => {
                fs::copy(&log, aside).unwrap();
                File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
            }
            Rotation::Compressed => {
                fs::rename(&log, &aside).unwrap();
                let packed = File::create(path(tree, &format!("in/app.log.{rotations}.gz")));
                let mut packed = GzEncoder::new(packed.unwrap(), Compression::fast());
                packed.write_all(&fs::read(&aside).unwrap()).unwrap();
                packed.finish().unwrap();
                fs::remove_file(&aside).unwrap();
            }
        }
    }
    number
}

/// How often each line is in any output.
fn counted(tree: &Tree) -> BTreeMap<String, u64> {
    let mut lines = BTreeMap::new();
    for name in names(tree, "out") {
        for line in String::from_utf8(tree.read(&format!("out/{name}"))).unwrap().lines() {
            *lines.entry(line.to_string()).or_default() += 1;
        }
    }
    lines
}

fn rotated(args: &[&str], kills: u64) {
    let tree = tree();
    let is_over = AtomicBool::new(false);
    let (count, watch) = thread::scope(|scope| {
        let writer = scope.spawn(|| write(&tree, &is_over));
        for kill in 0..kills {
            let watch = Watch::begin(&tree, "upcase", args);
            thread::sleep(Duration::from_millis(60 + kill * 7919 % 500));
            drop(watch);
        }
        let watch = Watch::begin(&tree, "upcase", args);
        thread::sleep(Duration::from_millis(500));
        is_over.store(true, Ordering::Relaxed);
        (writer.join().unwrap(), watch)
    });
    until("all lines", || counted(&tree).len() as u64 == count);
    watch.end().exits(0);
    let lines = counted(&tree);
    for number in 0..count {
        let line = format!("LINE {number:07} OF THEM");
        assert_eq!(lines.get(&line), Some(&1), "{line}");
    }
    assert_eq!(lines.len() as u64, count);
    let (code, message) = ledger(&tree, &["check", "ledger", "--digest"]);
    assert_eq!(code, Some(0), "{message}");
}

#[test]
fn each_line_is_done_once_whatever_is_rotated() {
    rotated(&FOLLOW, 0);
}

#[test]
fn each_line_is_done_once_whatever_is_rotated_and_killed() {
    rotated(&FOLLOW, 12);
}

#[test]
fn each_line_is_done_once_where_only_the_log_itself_is_named() {
    rotated(&["--append", "--out", "out/", "--include", "*.log"], 0);
}
