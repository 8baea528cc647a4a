//! Compressed output is what the programs of its format unpack into the plain one.

use std::fs;

use super::visible;
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::pack::{gzip, text};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// What `--compress` is given, the ending of files, and who unpacks them; the last two where they
/// are installed.
const FORMATS: [(&str, &str, &str, &[&str]); 5] = [
    ("gzip", ".gz", "gzip", &["-dc"]),
    ("gzip:9", ".gz", "gzip", &["-dc"]),
    ("bgzf", ".gz", "gzip", &["-dc"]),
    ("zstd:3", ".zst", "zstd", &["-dcq"]),
    ("lz4", ".lz4", "lz4", &["-dcq"]),
];

fn sources() -> Tree {
    Tree::with(&[
        ("in/a", text(400_000)),
        ("in/b", Vec::new()),
        ("in/c", b"short\n".to_vec()),
        ("in/d", text(70_000)),
        // Nothing of it comes through.
        ("in/e", b"#\n".repeat(50_000)),
    ])
}

fn grep(tree: &Tree) -> Host {
    let host = Host::run(&plugin("grep")).within(tree.path());
    host.args(["--set", "pattern=[a-z]", "--chunk-size", "16KiB"])
}

fn is_installed(program: &str) -> bool {
    let there = std::process::Command::new(program).arg("-h").output().is_ok();
    if !there {
        eprintln!("{program} is not installed, so nothing is compared with it");
    }
    there
}

#[test]
fn what_is_unpacked_is_the_plain_output() {
    let tree = sources();
    let plain = grep(&tree).arg("in").ended().exits(0).stdout;
    assert!(plain.len() > 100_000);
    grep(&tree).args(["--out", "plain/", "in/"]).ended().exits(0);
    let each = visible(&tree.path().join("plain"));
    assert_eq!(each.len(), 5);
    for (format, ending, program, args) in FORMATS {
        if !is_installed(program) {
            continue;
        }
        for threads in ["1", "3"] {
            let run = |out: &str| {
                let host = grep(&tree).args(["-j", threads, "--compress", format]);
                host.args(["--out", out, "--exists", "replace", "in/"]).ended().exits(0).stdout
            };
            assert!(oracle(program, args, &run("-")) == plain, "{format} to a pipe");
            run("file");
            assert!(oracle(program, args, &tree.read("file")) == plain, "{format} to a file");
            let dir = format!("{format}{threads}");
            run(&format!("{dir}/"));
            let packed = visible(&tree.path().join(dir));
            assert_eq!(packed.len(), each.len());
            for (name, plain) in &each {
                let unpacked = oracle(program, args, &packed[&format!("{name}{ending}")]);
                assert!(unpacked == *plain, "{name} by {format}");
            }
        }
    }
}

#[test]
fn nothing_at_all_is_a_valid_file_of_each_format() {
    let tree = Tree::new();
    fs::create_dir(tree.path().join("in")).unwrap();
    for (format, _, program, args) in FORMATS {
        if !is_installed(program) {
            continue;
        }
        let host = || grep(&tree).args(["--compress", format, "in"]);
        assert_eq!(oracle(program, args, &host().ended().exits(0).stdout), b"", "{format}");
        host().args(["--out", "file", "--exists", "replace"]).ended().exits(0);
        assert_eq!(oracle(program, args, &tree.read("file")), b"", "{format}");
    }
}

#[test]
fn the_same_chunks_are_compressed_to_the_same_bytes_by_any_number_of_workers() {
    let tree = sources();
    for (format, ..) in FORMATS {
        let run = |threads| {
            let host = grep(&tree).args(["-j", threads, "--compress", format, "in"]);
            host.ended().exits(0).stdout
        };
        assert!(run("1") == run("4"), "{format}");
    }
}

#[test]
fn a_source_that_fails_leaves_a_valid_file_without_it() {
    let tree = sources();
    let cut = &gzip(&text(90_000))[..20_000];
    tree.file("in/bb.gz", cut);
    let packed = grep(&tree).args(["--compress", "gzip", "--out", "file", "in"]);
    packed.ended().exits(1);
    let plain = grep(&tree).args(["--exclude", "bb.gz", "in"]).ended().exits(0).stdout;
    assert!(oracle("gzip", &["-dc"], &tree.read("file")) == plain);
}
