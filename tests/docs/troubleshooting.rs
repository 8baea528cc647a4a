//! `host/docs/troubleshooting.md` has a section for each kind of failure, and the texts in it are
//! those that runs tell.

use std::fs;

use gristmill::process::FailureKind;
use rustix::fs::{CWD, Mode, mkfifoat};

use super::{blocks, root};
use crate::support::host::Host;
use crate::support::pack::gzip;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn page() -> String {
    fs::read_to_string(root().join("host/docs/troubleshooting.md")).unwrap()
}

#[test]
fn each_kind_of_failure_has_a_section() {
    let page = page();
    let mut sections: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    let mut kinds = FailureKind::ALL.map(FailureKind::word);
    sections.sort_unstable();
    kinds.sort_unstable();
    assert_eq!(sections, kinds);
}

/// A file that is no file is a FIFO.
const FILES: [(&str, Option<&[u8]>); 9] = [
    ("pipe", None),
    // The first bytes of a member of gzip (RFC 1952, section 2.3), and no more.
    ("cut.log.gz", Some(b"\x1f\x8b\x08\0\0\0\0\0\0\x03")),
    ("u.txt", Some(b"a\xc3(\n")),
    ("five.bin", Some(b"abcde")),
    ("plain.txt", Some(b"plain\n")),
    ("bang.txt", Some(b"!\n")),
    ("ok.txt", Some(b"ok\n")),
    ("short.csv", Some(b"a,b\n1\n")),
    ("long.txt", Some(&[b'x'; 3000])),
];

#[test]
fn the_texts_of_the_page_are_those_of_runs() {
    let tree = Tree::new();
    for (name, bytes) in FILES {
        match bytes {
            Some(bytes) => drop(tree.file(name, bytes)),
            None => mkfifoat(CWD, tree.path().join(name), Mode::from_raw_mode(0o600)).unwrap(),
        }
    }
    tree.file("zeros.gz", gzip(&vec![0; 3_000_000]));
    let harm = |attack: &'static str, more: &[&'static str]| {
        let args = ["--set", "at=push", "--set", attack, "bang.txt"];
        ("vandal", [&args, more].concat())
    };
    let message = [
        ("wordcount", vec!["missing.txt"]),
        ("wordcount", vec!["pipe"]),
        ("wordcount", vec!["cut.log.gz"]),
        ("wordcount", vec!["--encoding", "utf-8", "u.txt"]),
        ("wordcount", vec!["--max-decompressed", "1MiB", "zeros.gz"]),
        ("wordcount", vec!["--max-record", "1KiB", "long.txt"]),
        ("checksum", vec!["--framing", "fixed:4", "five.bin"]),
        ("jsonl2csv", vec!["plain.txt"]),
        harm("attack=abort", &[]),
        harm("attack=leak", &[]),
        harm("attack=collide", &["--timeout", "100ms"]),
        harm("attack=collide", &["--fuel", "10000000"]),
        harm("attack=collide", &["--guest-time", "200ms"]),
        ("checksum", vec!["--output-per-call", "10", "ok.txt"]),
        ("csv2jsonl", vec!["--max-rejects", "0", "short.csv"]),
    ];
    let mut texts: Vec<String> = Vec::new();
    for (name, args) in message {
        let ended = Host::run(&plugin(name)).within(tree.path()).args(args).ended().exits(1);
        texts.push(ended.stderr);
    }
    let page = page();
    let shown = blocks(&page, "text");
    let (of_records, shown): (Vec<&str>, Vec<&str>) =
        shown.into_iter().partition(|text| text.starts_with("1 record"));
    assert_eq!(of_records.len(), 1);
    assert_eq!(shown.len(), texts.len());
    for text in shown {
        assert!(
            texts.iter().any(|message| message.starts_with(text)),
            "no run tells: {text}\n{texts:#?}"
        );
    }
    let rejected = Host::new().args(["sample", "sample"]).within(tree.path());
    rejected.ended().exits(0);
    let people = tree.path().join("sample");
    let ended = Host::run(&plugin("csv2jsonl")).within(&people).arg("people.csv").ended().exits(1);
    let message = ended.stderr;
    assert!(message.contains(of_records[0]), "{message}");
}
