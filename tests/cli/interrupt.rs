//! Ctrl-C, at a moment that the guest announces: no test waits for a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::Child;

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::guest::{Guest, crashing};
use crate::support::host::Host;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Interrupts a run once the guest has logged a line; it never returns after that.
fn interrupted(guest: &Guest, sources: &[&str]) -> (String, String) {
    let (plugins, tree) = (Tree::new(), Tree::with(&[("a", "x\n"), ("bad", "!\n"), ("c", "x\n")]));
    let mut child = Host::run(&guest.file(&plugins))
        .within(tree.path())
        .args(["-v", "-j1", "--timeout", "5min"])
        .args(sources)
        .start();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, " INFO guest: begun\n");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}");
    (String::from_utf8(output.stdout).unwrap(), rest)
}

const BEGUN: &[(&str, &str)] = &[("begun", "begun")];

#[test]
fn an_interrupt_ends_the_run_in_order_wherever_the_guest_is() {
    let hang = "(call $log (i32.const 1) (global.get $begun) (global.get $begun_len))
        (loop $forever (br $forever))";
    for (place, guest) in crashing(hang) {
        let (stdout, stderr) = interrupted(&Guest { texts: BEGUN, ..guest }, &["a", "bad", "c"]);
        assert_eq!(stderr, "interrupted: 1 of 3 sources are done\n", "{place}");
        assert_eq!(stdout, "{\"source\":\"a\",\"bytes\":2,\"result\":\"x\\n\"}\n", "{place}");
    }
}

#[test]
fn an_interrupted_total_is_no_failure() {
    let merge = "(if (call $marked (local.get $data) (local.get $len)) (then
        (call $log (i32.const 1) (global.get $begun) (global.get $begun_len))
        (loop $forever (br $forever))))";
    let (stdout, stderr) =
        interrupted(&Guest { merge, texts: BEGUN, ..Guest::default() }, &["bad"]);
    assert_eq!(stderr, "interrupted: 1 of 1 source is done\n");
    assert_eq!(stdout, "{\"source\":\"bad\",\"bytes\":2,\"result\":\"!\\n\"}\n");
}

/// Interrupts a run, of which nothing is read any more.
#[track_caller]
fn assert_ends(mut child: Child) {
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn an_interrupted_run_does_not_wait_for_who_reads_nothing() {
    let tree = Tree::with(&[("in", "some words\n".repeat(1_000_000))]);
    let mut child = Host::run(&plugin("upcase")).within(tree.path()).arg("in").start();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    assert_ends(child);
}

#[test]
fn an_interrupted_run_does_not_wait_for_who_writes_nothing() {
    let tree = Tree::with(&[("in", "some words\n")]);
    let fifo = tree.path().join("fifo");
    mkfifoat(CWD, &fifo, Mode::from_raw_mode(0o600)).unwrap();
    for args in [&["--files-from", "fifo"][..], &["--dry-run", "--files-from", "fifo"]] {
        let child = Host::run(&plugin("wordcount")).within(tree.path()).args(args).start();
        // This is open once the run has opened it, too.
        let _writer = File::options().write(true).open(&fifo).unwrap();
        assert_ends(child);
    }
}
