//! The plugin of the README builds outside this repository, as `host/docs/plugins.md` says, and
//! counts what Python counts.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{blocks, root};
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::tree::Tree;

/// A project as the pages describe it, with the versions that this repository is built with: they
/// are on this machine, so nothing is downloaded.
fn project(page: &str) -> Tree {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let sdk = format!("path = \"{}\"", root().join("plugin-sdk").display());
    let manifest = blocks(page, "toml")[0].replace("path = \"../gristmill/plugin-sdk\"", &sdk);
    assert!(manifest.contains(&sdk), "{manifest}");
    let tree = Tree::new();
    tree.file("Cargo.toml", manifest);
    tree.file("src/lib.rs", blocks(&readme, "rust")[0]);
    tree.file("Cargo.lock", fs::read(root().join("Cargo.lock")).unwrap());
    tree
}

#[test]
fn the_plugin_of_the_readme_builds_elsewhere_and_counts_lines() {
    let page = fs::read_to_string(root().join("host/docs/plugins.md")).unwrap();
    let tree = project(&page);
    let commands = blocks(&page, "text").into_iter().flat_map(str::lines);
    let build = commands.into_iter().find_map(|line| line.strip_prefix("cargo build ")).unwrap();
    // One directory for all runs: the dependencies are built once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme-plugin");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").args(build.split(' ')).arg("--offline").current_dir(tree.path());
    // Flags of this test's own build are for another target.
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(variable);
    }
    let ended = cargo.env("CARGO_TARGET_DIR", &target).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));

    let plugin = target.join("wasm32-unknown-unknown/release/countlines.wasm");
    tree.file("in/none", "");
    tree.file("in/open", "one\ntwo\n\nthree");
    tree.file("in/many", "a line\n".repeat(100_000));
    let script = r#"
import json, sys
for name in sys.argv[1:]:
    print(json.dumps(open(name, "rb").read().count(b"\n")))
"#;
    let files = ["in/none", "in/open", "in/many", "src/lib.rs"].map(|name| tree.path().join(name));
    let names: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let expected = oracle("python3", &[&["-c", script], &*names].concat(), b"");
    let expected = String::from_utf8(expected).unwrap();
    let total: u64 = expected.lines().map(|lines| lines.parse::<u64>().unwrap()).sum();
    let host = Host::run(&plugin).args(["--format", "jsonl", "--chunk-size", "4KiB"]).args(&names);
    let mut rows = host.ended().exits(0).lines();
    assert_eq!(rows.pop().unwrap()["total"].to_string(), total.to_string());
    let counted: Vec<String> = rows.iter().map(|row| row["result"].to_string()).collect();
    assert_eq!(counted, expected.lines().collect::<Vec<_>>());
}
