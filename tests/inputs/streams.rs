//! Standard input and FIFOs: read to their end as they come, compressed or not, and no longer than
//! somebody waits.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{report, rows, run_over};
use crate::support::guest::Guest;
use crate::support::host::{Host, shared_cache};
use crate::support::pack::{flushed, forms, gzip, text};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// How long a test waits for something that is sure to happen soon.
const PATIENCE: Duration = Duration::from_secs(30);

/// What wordcount says of a plain file.
pub(super) fn said_of(plain: &[u8]) -> String {
    let tree = Tree::with(&[("plain", plain)]);
    rows(&run_over(&plugin("wordcount"), &tree, &[]).exits(0)).remove(0).1
}

/// A row for standard input.
fn row_of(said: &str) -> String {
    format!("{{\"source\":\"-\",{said}")
}

#[test]
fn standard_input_is_a_source_from_a_pipe() {
    let plain = text(700_000);
    let expected = row_of(&said_of(&plain));
    for (name, packed) in forms(&plain).into_iter().chain([("plain", plain.clone())]) {
        for threads in ["1", "3"] {
            let mut args = vec!["--per-source", "--threads", threads, "-"];
            if name == "quality.br" {
                args.extend(["--decompress", "brotli"]);
            }
            let host = Host::run(&plugin("wordcount")).args(args).stdin(packed.clone());
            let ended = host.ended().exits(0);
            assert_eq!(ended.text().lines().next().unwrap(), expected, "{name}, {threads} threads");
        }
    }
}

/// A host whose standard input is a file in a tree.
pub(super) fn from_file(tree: &Tree, name: &str, before: &str) -> Host {
    let mut command = Command::new("bash");
    let script = format!("exec < {name}; {before} exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_host"));
    Host::through(command)
        .within(tree.path())
        .arg("run")
        .arg("--cache")
        .arg(shared_cache())
        .arg("--plugin")
        .arg(plugin("wordcount"))
}

#[test]
fn standard_input_is_a_source_from_a_file() {
    let plain = text(700_000);
    let expected = row_of(&said_of(&plain));
    let tree = Tree::with(&forms(&plain));
    tree.file("plain", &plain);
    for (name, _) in forms(b"x").iter().filter(|(name, _)| *name != "quality.br") {
        for threads in ["1", "2"] {
            let args = ["--per-source", "--threads", threads, "-"];
            let ended = from_file(&tree, name, "").args(args).ended().exits(0);
            assert_eq!(ended.text().lines().next().unwrap(), expected, "{name}");
        }
    }
    for io in ["read", "mmap"] {
        let ended = from_file(&tree, "plain", "").args(["--io", io, "--per-source", "-"]).ended();
        assert_eq!(ended.exits(0).text().lines().next().unwrap(), expected, "{io}");
    }
}

/// Somebody else has read the first line: the source is what is left.
#[test]
fn a_file_that_was_read_from_begins_where_it_stands() {
    let plain = text(300_000);
    let rest = &plain[plain.iter().position(|&byte| byte == b'\n').unwrap() + 1..];
    let tree = Tree::with(&[("plain", &plain)]);
    for io in ["read", "mmap"] {
        let ended = from_file(&tree, "plain", "IFS= read -r line;")
            .args(["--io", io, "--per-source", "-"])
            .ended()
            .exits(0);
        assert_eq!(ended.text().lines().next().unwrap(), row_of(&said_of(rest)), "{io}");
    }
}

#[test]
fn nothing_on_standard_input_is_an_empty_source() {
    let ended = Host::run(&plugin("wordcount")).args(["--per-source", "-"]).ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"source":"-","bytes":0,"result":{"lines":0,"words":0,"bytes":0}}
    {"sources":1,"failed":0,"bytes":0}
    --- stderr
    "#);
}

#[test]
fn standard_input_cannot_be_names_and_a_source() {
    let ended =
        Host::run(&plugin("wordcount")).args(["-", "--files-from", "-"]).stdin("x\n").ended();
    insta::assert_snapshot!(ended, @r"
    exit: 2
    --- stdout
    --- stderr
    error: standard input is named twice: as a source and as --files-from
    ");
}

#[test]
fn standard_input_that_is_named_twice_is_refused() {
    let ended = Host::run(&plugin("wordcount")).args(["-", "a", "-"]).stdin("x\n").ended();
    insta::assert_snapshot!(ended, @r"
    exit: 2
    --- stdout
    --- stderr
    error: standard input is named twice: it can be read only once
    ");
}

fn fifo(tree: &Tree, name: &str) -> PathBuf {
    let path = tree.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[test]
fn a_fifo_is_read_where_streams_are_asked_for() {
    let tree = Tree::with(&[("a", "x\n"), ("z", "x\n")]);
    let plain = text(700_000);
    let pipes = [fifo(&tree, "one"), fifo(&tree, "two.gz")];
    let bytes = [plain.clone(), gzip(&plain)];
    let host = || Host::run(&plugin("wordcount")).within(tree.path()).arg("--per-source");
    let refused = host().args(["a", "one", "two.gz", "z"]).ended().exits(1);
    for row in &refused.lines()[1..3] {
        assert_eq!(row["error"]["kind"], "not-regular", "{refused}");
    }
    let expected = said_of(&plain);
    for threads in ["1", "2"] {
        let ended = thread::scope(|scope| {
            for (path, bytes) in pipes.iter().zip(&bytes) {
                // Opening it waits for the reader.
                scope.spawn(move || fs::write(path, bytes).unwrap());
            }
            host().args(["--stream", "--threads", threads, "a", "one", "two.gz", "z"]).ended()
        });
        let ended = ended.exits(0);
        let lines: Vec<_> = ended.text().lines().collect();
        assert_eq!(lines[1], format!("{{\"source\":\"one\",{expected}"));
        assert_eq!(lines[2], format!("{{\"source\":\"two.gz\",{expected}"));
        assert_eq!(lines.len(), 5, "{ended}");
    }
}

/// A run that says of each chunk that it has it.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(guest: &Path, args: &[&str], tree: &Tree) -> Self {
        let host = Host::run(guest).within(tree.path());
        let mut child = host.args(["-v", "--per-source", "-"]).args(args).start();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // Ends with the standard error that it reads.
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Writes, and waits until a chunk is there.
    #[track_caller]
    fn say(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
        assert_eq!(self.lines.recv_timeout(PATIENCE).unwrap(), " INFO guest: has a chunk");
    }
}

fn talkative(plugins: &Tree, guest: Guest) -> PathBuf {
    let guest = Guest {
        push: "(if (local.get $len) (then
            (call $count (global.get $text) (i32.const 3) (i64.const 1))
            (call $log (i32.const 1) (global.get $text) (global.get $text_len))))",
        texts: &[("text", "has a chunk")],
        ..guest
    };
    guest.file(plugins)
}

/// The writer still holds the pipe open, and writes no more before the record was seen.
#[test]
fn a_record_is_processed_while_its_writer_waits() {
    let (plugins, tree) = (Tree::new(), Tree::new());
    let guest = talkative(&plugins, Guest::default());
    for threads in ["1", "3"] {
        for args in [&["--linger", "1ms"][..], &[], &["--framing", "csv"]] {
            let args = [args, &["--threads", threads, "--report", "report.json"]].concat();
            let mut running = Running::start(&guest, &args, &tree);
            running.say(b"first\n");
            running.say(b"\"sec\"\n");
            running.say(b"third\nfou");
            running.child.stdin.as_mut().unwrap().write_all(b"rth").unwrap();
            drop(running.child.stdin.take());
            let output = running.child.wait_with_output().unwrap();
            let expected = r#"{"source":"-","bytes":24,"result":"first\n\"sec\"\nthird\nfourth"}"#;
            let out = String::from_utf8(output.stdout).unwrap();
            assert_eq!(out.lines().next().unwrap(), expected, "{args:?}");
            assert_eq!(report(&tree)["counters"]["has"], 4, "{args:?}");
        }
    }
}

/// Nor does one that a stage of a chain has to see in order wait for those behind it.
#[test]
fn a_record_goes_through_a_chain_while_its_writer_waits() {
    let (plugins, tree) = (Tree::new(), Tree::new());
    let guest = talkative(&plugins, Guest { scope: 1, ..Guest::default() });
    let chained = format!("{} | {}", plugin("upcase").display(), guest.display());
    for threads in ["1", "2", "4"] {
        let mut running = Running::start(Path::new(&chained), &["--threads", threads], &tree);
        for _ in 0..20 {
            running.say(b"a record\n");
        }
        let (bytes, result) = (20 * 9 + 3, "A RECORD\\n".repeat(20) + "END");
        let expected = format!(r#"{{"source":"-","bytes":{bytes},"result":"{result}"}}"#);
        assert_eq!(running.end(b"end"), expected, "{threads}");
    }
}

impl Running {
    /// Writes what a chunk is not waited for, and ends. Returns what is said of standard input.
    fn end(mut self, bytes: &[u8]) -> String {
        let mut stdin = self.child.stdin.take().unwrap();
        stdin.write_all(bytes).unwrap();
        drop(stdin);
        let output = self.child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_string()
    }
}

/// The same, for a writer that compresses and flushes.
#[test]
fn a_compressed_record_is_processed_while_its_writer_waits() {
    let (plugins, tree) = (Tree::new(), Tree::new());
    let guest = talkative(&plugins, Guest::default());
    for (codec, pieces) in flushed(&[b"first\n", b"second\n", b"third\nfou"]) {
        for args in [&["--threads", "1"][..], &["--threads", "3", "--linger", "1ms"]] {
            let args = [args, &["--decompress", codec]].concat();
            let mut running = Running::start(&guest, &args, &tree);
            let (end, flushes) = pieces.split_last().unwrap();
            for piece in flushes {
                running.say(piece);
            }
            let expected = r#"{"source":"-","bytes":22,"result":"first\nsecond\nthird\nfou"}"#;
            assert_eq!(running.end(end), expected, "{args:?}");
        }
    }
}

/// Half a block is no reason to hold back the records before it.
#[test]
fn a_record_does_not_wait_for_the_rest_of_a_block_behind_it() {
    let (plugins, tree) = (Tree::new(), Tree::new());
    let guest = talkative(&plugins, Guest::default());
    for (codec, pieces) in flushed(&[b"first\n", b"second, and more of it\n"]) {
        let [first, second, end] = &pieces[..] else { panic!("{codec}") };
        let (begun, rest) = second.split_at(second.len() / 2);
        let mut running = Running::start(&guest, &["--decompress", codec], &tree);
        running.say(&[first, begun].concat());
        running.say(rest);
        let expected = r#"{"source":"-","bytes":29,"result":"first\nsecond, and more of it\n"}"#;
        assert_eq!(running.end(end), expected, "{codec}");
    }
}

/// Nor is half a character, nor what cannot become a byte order mark.
#[test]
fn a_record_in_another_encoding_is_processed_while_its_writer_waits() {
    let (plugins, tree) = (Tree::new(), Tree::new());
    let guest = talkative(&plugins, Guest::default());
    for (encoding, first, second) in [
        ("auto", &b"a\n"[..], &b"b\n"[..]),
        ("auto", b"\xff\xfea\0\n\0b", b"\0\n\0"),
        ("utf-16le", b"a\0\n\0b", b"\0\n\0"),
    ] {
        let mut running = Running::start(&guest, &["--encoding", encoding], &tree);
        running.say(first);
        running.say(second);
        assert_eq!(running.end(b""), r#"{"source":"-","bytes":4,"result":"a\nb\n"}"#, "{encoding}");
    }
}

#[test]
fn an_interrupt_ends_the_wait_for_a_fifo_that_nobody_writes_to() {
    let tree = Tree::new();
    let fifo = tree.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut child = Host::run(&plugin("wordcount")).args(["--stream"]).arg(&fifo).start();
    let open = Path::new("/proc").join(child.id().to_string()).join("fd");
    let begun = Instant::now();
    let is_fifo = |entry: fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|to| to == fifo);
    while !fs::read_dir(&open).unwrap().flatten().any(is_fifo) {
        assert!(begun.elapsed() < PATIENCE, "it waits for somebody who writes");
        thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn an_interrupt_ends_the_wait_for_standard_input() {
    let (plugins, tree) = (Tree::new(), Tree::new());
    let guest = talkative(&plugins, Guest::default());
    for threads in ["1", "3"] {
        let mut running = Running::start(&guest, &["--threads", threads], &tree);
        running.say(b"first\n");
        kill_process(Pid::from_child(&running.child), Signal::INT).unwrap();
        // Standard input stays open until the process has ended.
        let stdin = running.child.stdin.take();
        let mut out = String::new();
        running.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(running.child.wait().unwrap().code(), Some(130), "{out}");
        assert_eq!(out, "");
        let said: Vec<_> = running.lines.iter().collect();
        assert_eq!(said, ["interrupted: 0 of 1 source is done"]);
        drop(stdin);
    }
}

/// Files whose size says nothing of what is in them (proc(5), sysfs(5)).
#[test]
fn files_that_the_kernel_makes_are_read_to_their_end() {
    let version = fs::read("/proc/version").unwrap();
    let expected = said_of(&version);
    for io in ["read", "mmap"] {
        let args = ["--per-source", "--io", io, "/proc/version"];
        let ended = Host::run(&plugin("wordcount")).args(args).ended().exits(0);
        assert!(ended.text().contains(&expected), "{ended}");
    }
    let tree = Tree::new();
    let ended = from_file(&tree, "/proc/version", "").args(["--per-source", "-"]).ended().exits(0);
    assert!(ended.text().contains(&expected), "{ended}");
}
