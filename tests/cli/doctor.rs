//! `host doctor`, on this machine and with what it may be made to lack.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::support::host::{Ended, Host};
use crate::support::tree::Tree;

fn doctor(args: &[&str]) -> Ended {
    Host::new().arg("doctor").args(args).ended()
}

/// The report on one thing.
fn check<'a>(message: &'a Value, name: &str) -> &'a Value {
    let checks = message["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {message}"))
}

#[test]
fn the_report_agrees_with_the_jail_and_the_kernel() {
    let tree = Tree::new();
    let cache = tree.path().join("cache");
    let ended = doctor(&["--format", "json", "--cache", cache.to_str().unwrap()]).exits(0);
    let message: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((&message["ready"], ended.stderr.as_str()), (&true.into(), ""));
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert!(check(&message, "kernel")["found"].as_str().unwrap().contains(release.trim()));
    let jailed = ["landlock", "seccomp"].iter().all(|name| check(&message, name)["state"] == "ok");
    assert_eq!(jailed, gristmill::jail::probe().check().is_ok());
    assert!(
        check(&message, "cache")["found"]
            .as_str()
            .unwrap()
            .ends_with("not there yet, and can be made")
    );
    assert!(!cache.exists(), "looking makes nothing");
    for check in message["checks"].as_array().unwrap() {
        assert_eq!(check["state"] == "missing", check["hint"].is_string(), "{check}");
    }
    let text = doctor(&["--cache", cache.to_str().unwrap()]).exits(0);
    assert!(text.text().ends_with("\nhost run has all it needs\n"), "{text}");
    assert!(text.text().contains("\nok       engine         wasmtime 48."), "{text}");
}

#[test]
fn the_cache_is_looked_at() {
    let tree = Tree::with(&[("cache/a.code", "12345"), ("cache/key", "k")]);
    let cache = tree.path().join("cache");
    let message = |mode: u32| {
        fs::set_permissions(&cache, fs::Permissions::from_mode(mode)).unwrap();
        let ended = doctor(&["--format", "json", "--cache", cache.to_str().unwrap()]).exits(0);
        let message: Value = serde_json::from_slice(&ended.stdout).unwrap();
        check(&message, "cache").clone()
    };
    let open = message(0o755);
    assert_eq!(open["state"], "missing");
    assert!(open["found"].as_str().unwrap().contains("others have access"), "{open}");
    let closed = message(0o700);
    assert_eq!(closed["state"], "ok");
    assert!(closed["found"].as_str().unwrap().ends_with(": mode 0700, 1 plugin, 5 B"), "{closed}");
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 2, "nothing of the probe stays");
}

/// With limits that a shell sets first.
fn limited(limits: &str) -> Ended {
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("{limits}; exec \"$@\""), "bash", env!("CARGO_BIN_EXE_host")]);
    Host::through(shell).arg("doctor").ended()
}

#[test]
fn what_a_run_lacks_is_named_with_the_way_to_get_it() {
    let few = limited("ulimit -n 32").exits(1);
    assert!(few.text().contains("\nmissing  open files     at most 32 (for host run)\n"), "{few}");
    assert!(few.text().contains("         hint: raise it with `ulimit -n 1024`\n"), "{few}");
    assert!(few.text().ends_with("\nhost run lacks something that it needs\n"), "{few}");
    let small = limited("ulimit -v 2000000").exits(1);
    assert!(small.text().contains("\nmissing  engine         wasmtime 48."), "{small}");
    assert!(
        small.text().contains("\nmissing  addresses      at most 1.9 GiB (for host run)\n"),
        "{small}"
    );
}
