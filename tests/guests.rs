//! Hostile and odd guests. Invariant 3: a trap, timeout or limit fails that source and drops that
//! instance, never the process; invariant 5: a plugin reaches bytes, log, counters and rejects, and
//! is refused by name when it imports more; invariant 7: a failure of a guest is reported with its
//! source.

mod budgets;
mod crashes;
mod lies;
mod limits;
mod lives;
mod loading;
mod repro;
mod talk;

use serde_json::json;

use crate::support::guest::Guest;
use crate::support::host::{Ended, Host};
use crate::support::tree::Tree;

/// Three sources; guests do their worst at the second, which begins with `!`.
const FILES: [(&str, &str); 3] = [("a", "one\n"), ("bad", "!two\n"), ("c", "three\n")];

/// Runs a plugin file over the three sources.
fn run_file(bytes: &[u8], args: &[&str]) -> Ended {
    let (plugins, sources) = (Tree::new(), Tree::with(&FILES));
    let plugin = plugins.file("guest.wasm", bytes);
    let host = Host::run(&plugin).within(sources.path()).env("GRISTMILL_THREADS", "2");
    host.args(args).args(FILES.map(|(name, _)| name)).ended()
}

fn run(guest: &Guest, args: &[&str]) -> Ended {
    run_file(&guest.module(), args)
}

/// Checks that the second source failed, with this kind, and the others did not.
#[track_caller]
fn assert_one_failed(ended: Ended, kind: &str, message: &str) {
    let ended = ended.exits(1);
    let error = json!({"kind": kind, "message": message});
    let expected = vec![
        json!({"source": "a", "bytes": 4, "result": "one\n"}),
        json!({"source": "bad", "error": error}),
        json!({"source": "c", "bytes": 6, "result": "three\n"}),
        json!({"total": "one\nthree\n", "sources": 3, "failed": 1, "bytes": 10}),
    ];
    assert_eq!(ended.lines(), expected, "{ended}");
}

/// What is said of a plugin that is not loaded.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    refused_with(bytes, &[])
}

/// The same with flags.
#[track_caller]
fn refused_with(bytes: &[u8], args: &[&str]) -> String {
    let ended = run_file(bytes, args).exits(2);
    assert_eq!(ended.text(), "");
    ended.to_string()
}
