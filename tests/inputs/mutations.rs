//! Twenty thousand damaged files of every form: each is exactly what it was, or a failure by name.
//!
//! Only forms count whose bytes are all under a checksum. Those that have none, and where damage
//! can pass for data, are listed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::archives::bytes::{Zipped, tar, tarred, zip};
use crate::support::host::Host;
use crate::support::pack::{forms, gzip, text, xz, zstd};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// How many files are damaged.
const CASES: usize = 20_000;

/// Forms without a checksum over what comes out: brotli and lzma have none, and writers of zstd and
/// lz4 may leave theirs out.
const UNCHECKED: [&str; 6] =
    ["quality.br", "single.zst", "frames.zst", "linked.lz4", "independent.lz4", "frames.lz4"];

/// Forms of several members: one that is cut off between two of them is as whole as before.
const JOINED: [&str; 6] =
    ["members.gz", "padded.gz", "blocks.bgz", "streams.bz2", "streams.xz", "framed.sz"];

/// xorshift64*, as Vigna gives it.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(drawn).unwrap() % bound
    }

    /// One kind of damage or the other.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let length = 1 + self.below(40);
        let end = (at + length).min(bytes.len());
        match self.below(6) {
            0 | 1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes.truncate(at),
            3 => bytes[at..end].fill(0),
            4 => drop(bytes.drain(at..end)),
            _ => drop(bytes.splice(at..at, vec![self.below(256).to_le_bytes()[0]; length])),
        }
    }
}

/// Files in forms of which all bytes are checked.
fn originals() -> Vec<(String, Vec<u8>)> {
    let plain = text(900);
    let archive = tar(&[tarred(b"one", b'0', &plain), tarred(b"two", b'0', &text(500))]);
    let entries = [Zipped::deflated("one", &plain), Zipped::stored("two", &text(500))];
    let mut files: Vec<_> = forms(&plain)
        .into_iter()
        .filter(|(name, _)| !UNCHECKED.contains(name))
        .map(|(name, packed)| (name.to_string(), packed))
        .collect();
    files.push(("a.tgz".into(), gzip(&archive)));
    files.push(("a.tar.xz".into(), xz(&archive, 1 << 20)));
    files.push(("a.zip".into(), zip(&entries, None)));
    // What is known by its magic number alone.
    files.push(("nested.gz".into(), gzip(&zstd(&plain))));
    files
}

type Outcomes = BTreeMap<String, (BTreeSet<String>, bool)>;

/// For each file, the results of it and of its members, and whether anything of it failed; and how
/// many entries were skipped: what says that a member of a zip file is a link is under no checksum,
/// and nowhere else.
fn outcomes(tree: &Tree) -> (Outcomes, usize) {
    let args = ["--per-source", "--format", "jsonl", "--threads", "2", "."];
    let ended = Host::run(&plugin("checksum")).within(tree.path()).args(args).ended();
    let mut rows = ended.lines();
    rows.pop();
    let mut outcomes = Outcomes::new();
    for row in rows {
        let name = row["source"].as_str().unwrap();
        let (file, member) = name.split_once("!/").unwrap_or((name, ""));
        let (results, failed) = outcomes.entry(file.to_string()).or_default();
        match &row["result"] {
            Value::Null => *failed = true,
            result => drop(results.insert(format!("{member} {result}"))),
        }
    }
    let message = ended.stderr.lines().find_map(|line| {
        let several = line.strip_suffix(" entries that are no regular files were skipped");
        several
            .or_else(|| line.strip_suffix(" entry that is no regular file was skipped"))?
            .parse()
            .ok()
    });
    (outcomes, message.unwrap_or_default())
}

#[test]
fn damaged_input_is_exact_or_a_failure_never_silently_different() {
    let originals = originals();
    let sound = Tree::new();
    for (name, bytes) in &originals {
        sound.file(name, bytes);
    }
    let (expected, _) = outcomes(&sound);
    assert!(expected.values().all(|(_, failed)| !failed));
    let mut random = Random(9);
    let mut silent = Vec::new();
    let (mut exact, mut named) = (0, 0);
    for part in 0..4 {
        let damaged = Tree::new();
        for case in 0..CASES / 4 {
            let (name, bytes) = &originals[case % originals.len()];
            let mut bytes = bytes.clone();
            random.damage(&mut bytes);
            damaged.file(&format!("{case:05}-{name}"), bytes);
        }
        let (found, mut skipped) = outcomes(&damaged);
        for case in 0..CASES / 4 {
            let (name, original) = &originals[case % originals.len()];
            let (results, failed) = &expected[&format!("./{name}")];
            assert!(!failed);
            match found.get(&format!("./{case:05}-{name}")) {
                Some((_, true)) => named += 1,
                Some((got, false)) if got == results => exact += 1,
                Some((got, false)) if skipped > 0 && name == "a.zip" && got.is_subset(results) => {
                    skipped -= 1;
                }
                Some((_, false))
                    if JOINED.contains(&name.as_str())
                        && original.starts_with(&damaged.read(&format!("{case:05}-{name}"))) => {}
                other => silent.push(format!("{part} {case} {name}: {other:?}")),
            }
        }
    }
    assert!(silent.is_empty(), "{} silent: {:#?}", silent.len(), &silent[..silent.len().min(20)]);
    assert!(exact > 100 && named > CASES / 2, "{exact} exact, {named} named");
}
