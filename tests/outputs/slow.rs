//! The reader of the output may be slow, or stop.

use std::fs;
use std::io::Read;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use crate::support::host::{Host, shared_cache};
use crate::support::pack::text;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Most that a run may have had of memory, in bytes.
fn peak_bytes(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_reader_that_stops_ends_the_run_quietly() {
    let tree = Tree::with(&[("a", text(4_000_000)), ("b", text(4_000_000))]);
    for plugins in ["upcase", "grep"] {
        for compress in ["none", "gzip"] {
            let mut shell = Command::new("bash");
            shell.args(["-c", "\"$@\" | head -c 100 | wc -c; echo ${PIPESTATUS[0]}", "bash"]);
            shell.arg(env!("CARGO_BIN_EXE_host"));
            let host = Host::through(shell).within(tree.path()).arg("run");
            let host = host.arg("--cache").arg(shared_cache()).arg("--plugin").arg(plugin(plugins));
            let host = if plugins == "grep" { host.args(["--set", "pattern=a"]) } else { host };
            let ended = host.args(["--compress", compress, "a", "b"]).ended().exits(0);
            assert_eq!((ended.text(), &*ended.stderr), ("100\n0\n", ""), "{plugins} {compress}");
        }
    }
}

#[test]
fn what_waits_for_a_slow_reader_is_bounded() {
    let tree = Tree::new();
    let one = text(20_000_000);
    tree.file("a", &one);
    let names = ["a"; 10].map(|name| tree.path().join(name));
    let mut child = Host::run(&plugin("upcase")).args(["-j", "4"]).args(names).start();
    let mut stdout = child.stdout.take().unwrap();
    let mut buffer = vec![0; 1 << 16];
    let mut left = 10 * one.len();
    // A megabyte a second, as a terminal may be; long enough for all that can wait to have come.
    for _ in 0..48 {
        stdout.read_exact(&mut buffer).unwrap();
        left -= buffer.len();
        thread::sleep(Duration::from_millis(1000 / 16));
    }
    let held = peak_bytes(&child);
    // It still has more to write than a pipe takes.
    while left > 2 << 20 {
        stdout.read_exact(&mut buffer).unwrap();
        left -= buffer.len();
    }
    let peak = peak_bytes(&child);
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), left);
    assert!(child.wait().unwrap().success());
    assert!(held > 64 << 20, "{held} bytes: it did not fill what it may");
    assert!(peak < 160 << 20, "{peak} bytes");
}
