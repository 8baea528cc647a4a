//! Kept failures that somebody has changed: run again within the limits that the one who asks has
//! set, or refused by name.

use std::fs;
use std::path::Path;

use gristmill::plugin::{ReproError, replay};
use gristmill::settings::Sandbox;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::MIB;
use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::search::{Random, Search};
use crate::support::tree::Tree;

const FILES: [&str; 4] = ["manifest.json", "plugin.wasm", "header.bin", "chunk.bin"];

/// A failure as a run keeps it.
fn kept() -> [Vec<u8>; 4] {
    let tree = Tree::with(&[("a", "a line\n")]);
    let guest = Guest { push: "unreachable", header_records: 1, ..Guest::default() };
    let host = Host::run(&guest.file(&tree)).within(tree.path());
    host.args(["--repro", "kept", "a"]).ended().exits(1);
    FILES.map(|name| tree.read(&format!("kept/failure-0001/{name}")))
}

/// A value of another kind, or another one of its kind, somewhere.
fn change(value: &mut Value, random: &mut Random) {
    if random.one_in(3) || !(value.is_object() || value.is_array()) {
        let odd = [
            "0",
            "-1",
            "1e400",
            "18446744073709551615",
            "18446744073709551616",
            "null",
            "\"\"",
            "[]",
            "{}",
            "true",
            "1.5",
            "\"\\u0000\"",
        ];
        *value = serde_json::from_str(random.pick::<&str>(&odd)).unwrap_or(Value::Null);
        return;
    }
    let count = value
        .as_object()
        .map_or_else(|| value.as_array().map_or(0, Vec::len), serde_json::Map::len);
    if count == 0 {
        return;
    }
    let at = random.below(count);
    match value {
        Value::Object(map) => {
            let key = map.keys().nth(at).unwrap().clone();
            if random.one_in(8) {
                map.remove(&key);
            } else {
                change(&mut map[&key], random);
            }
        }
        Value::Array(items) => change(&mut items[at], random),
        _ => {}
    }
}

/// The files of a bundle, changed; mostly such that its parts still fit.
fn changed(good: &[Vec<u8>; 4], random: &mut Random) -> [Vec<u8>; 4] {
    let mut files = good.clone();
    let mut said: Value = serde_json::from_slice(&files[0]).unwrap();
    match random.below(4) {
        0 => {
            let whole = 0..files[0].len();
            random.damage(&mut files[0], whole);
            return files;
        }
        1 => {
            let which = 1 + random.below(3);
            let whole = 0..files[which].len();
            random.damage(&mut files[which], whole);
            let hash = Sha256::digest(&files[1]);
            let hash: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            said["plugin_sha256"] = hash.concat().into();
        }
        2 => {
            let limits = said["limits"].as_object().unwrap();
            let key = limits.keys().nth(random.below(limits.len())).unwrap().clone();
            change(&mut said["limits"][&key], random);
        }
        _ => change(&mut said, random),
    }
    files[0] = serde_json::to_vec(&said).unwrap();
    files
}

#[test]
fn a_changed_bundle_is_run_within_limits_or_refused_by_name() {
    let search = Search {
        module: module_path!(),
        test: "a_changed_bundle_is_run_within_limits_or_refused_by_name",
        cases: 60,
        memory_bytes_max: 512 * MIB,
    };
    let good = kept();
    let tree = Tree::new();
    let most = Sandbox::default();
    search.run(|random| {
        let files = changed(&good, random);
        for (name, bytes) in FILES.iter().zip(&files) {
            tree.file(&format!("bundle/{name}"), bytes);
        }
        let missing = random.one_in(20).then(|| *random.pick(&FILES));
        let dir = tree.path().join("bundle");
        if let Some(name) = missing {
            fs::remove_file(dir.join(name)).unwrap();
        }
        check(&dir, &files[0], &most);
    });
}

fn check(dir: &Path, manifest: &[u8], most: &Sandbox) {
    match replay(dir, most) {
        Ok(replayed) => {
            let said: Value = serde_json::from_slice(manifest).unwrap();
            assert_eq!(said["message"], replayed.manifest.message);
            assert!(replayed.manifest.limits.exceeds(most).is_none());
        }
        Err(ReproError::Load(_)) => {}
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("bundle"), "{message}");
        }
    }
}
