//! Files as they arrive are processed once each, whatever happens meanwhile, and nothing is removed
//! that was not committed.

mod after;
mod arriving;
mod crashes;
mod failing;
mod follow;
mod known;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// How long a test waits for what has to happen at some time.
const PATIENCE: Duration = Duration::from_mins(2);

/// The command that watches `in/` in a tree, with a ledger beside it.
fn command(tree: &Tree, plugin: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_host"));
    command.args(["watch", "in/", "--ledger", "ledger", "--plugin"]).arg(plugin).args(args);
    command.current_dir(tree.path()).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::piped());
    command
}

/// How a watch ended, and what it said.
struct Watched {
    code: Option<i32>,
    message: String,
}

impl Watched {
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.message);
        self
    }

    fn says(self, what: &str) -> Self {
        assert!(self.message.contains(what), "{what:?} in {:?}", self.message);
        self
    }
}

/// Does all that is there; files are ready as they are.
fn once(tree: &Tree, name: &str, args: &[&str]) -> Watched {
    once_with(tree, &plugin(name), args)
}

fn once_with(tree: &Tree, plugin: &Path, args: &[&str]) -> Watched {
    let at_once = ["--once", "--settle-mode", "min-age:0s"];
    let ended = command(tree, plugin, &[args, &at_once].concat()).output().unwrap();
    Watched { code: ended.status.code(), message: String::from_utf8(ended.stderr).unwrap() }
}

/// A watch that runs; killed when dropped.
struct Watch(Child);

impl Watch {
    fn begin(tree: &Tree, name: &str, args: &[&str]) -> Self {
        Self(command(tree, &plugin(name), args).spawn().unwrap())
    }

    /// Ends it as a service manager would, and waits for that.
    fn end(mut self) -> Watched {
        let id = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let code = self.0.wait().unwrap().code();
        let mut message = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        Watched { code, message }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is as it should be.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn is_there(tree: &Tree, name: &str) -> bool {
    tree.path().join(name).exists()
}

/// The names of all files below a directory, in order.
fn names(tree: &Tree, directory: &str) -> Vec<String> {
    let root = tree.path().join(directory);
    let (mut found, mut directories) = (Vec::new(), vec![root.clone()]);
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_string());
            }
        }
    }
    found.sort();
    found
}

/// Sources and words of the rows of a file.
fn rows(tree: &Tree, name: &str) -> Vec<(String, u64)> {
    let text = String::from_utf8(tree.read(name)).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        (row["source"].as_str().unwrap().to_string(), row["result"]["words"].as_u64().unwrap())
    };
    text.lines().map(row).collect()
}

/// What `host ledger explain` tells of a file: each version of it.
fn explained(tree: &Tree, file: &str) -> Vec<Value> {
    let mut host = Command::new(env!("CARGO_BIN_EXE_host"));
    host.args(["ledger", "explain", file, "--ledger", "ledger", "--format", "json"]);
    let ended = host.current_dir(tree.path()).output().unwrap();
    serde_json::from_slice(&ended.stdout).unwrap()
}

fn states(tree: &Tree, file: &str) -> Vec<String> {
    let state = |it: Value| it["state"].as_str().unwrap().to_string();
    explained(tree, file).into_iter().map(state).collect()
}

fn ledger(tree: &Tree, args: &[&str]) -> (Option<i32>, String) {
    let mut host = Command::new(env!("CARGO_BIN_EXE_host"));
    let ended = host.arg("ledger").args(args).current_dir(tree.path()).output().unwrap();
    let message = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8(message).unwrap())
}

fn path(tree: &Tree, name: &str) -> PathBuf {
    tree.path().join(name)
}
