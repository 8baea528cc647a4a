//! Compressed tar archives whose pieces all workers decode: members are those that Python's
//! `tarfile` finds, whatever the number of workers, and damage takes the same members along.

use std::process::Command;

use serde_json::Value;

use super::tools::is_installed;
use crate::support::host::{Ended, Host};
use crate::support::oracle::oracle;
use crate::support::pack::{bzip2, gzip, text, xz, zstd};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Of each file of an archive: its name, where it ends, and its lines, words and bytes.
const LISTED: &str = r"
import io, json, sys, tarfile
tar = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()))
for member in tar:
    if member.isreg():
        data = tar.extractfile(member).read()
        counts = [data.count(b'\n'), len(data.split()), len(data)]
        print(json.dumps([member.name, member.offset_data + member.size, counts]))
";

/// How many bytes come out of a damaged xz file before it is found to be that.
const REACHED: &str = r"
import lzma, sys
packed, decoder, reached = sys.stdin.buffer.read(), lzma.LZMADecompressor(), 0
try:
    for at in range(len(packed)): reached += len(decoder.decompress(packed[at:at + 1]))
except lzma.LZMAError: pass
print(reached)
";

#[derive(Debug, PartialEq)]
struct Listed {
    name: String,
    end: usize,
    counts: [u64; 3],
}

fn listed(archive: &[u8]) -> Vec<Listed> {
    let rows = String::from_utf8(oracle("python3", &["-c", LISTED], archive)).unwrap();
    let row = |line: &str| {
        let (name, end, counts) = serde_json::from_str(line).unwrap();
        Listed { name, end, counts }
    };
    rows.lines().map(row).collect()
}

/// An archive of small files, files of nothing, and one that is as long as several pieces.
fn archive() -> Vec<u8> {
    let tree = Tree::new();
    for at in 0..60 {
        tree.file(&format!("from/{at:02}"), text(at % 7 * 4099));
    }
    tree.file("from/30long", text(200_000));
    let made = Command::new("python3")
        .args(["-c", "import tarfile\nwith tarfile.open('a.tar', 'w') as tar: tar.add('from')"])
        .current_dir(tree.path())
        .status();
    assert!(made.unwrap().success());
    tree.read("a.tar")
}

fn run(tree: &Tree, args: &[&str]) -> Ended {
    let host = Host::run(&plugin("wordcount")).within(tree.path());
    host.args(["--per-source", "--format", "jsonl"]).args(args).ended()
}

/// The members of `name` that have a result, with it.
fn results(ended: &Ended, name: &str) -> Vec<(String, [u64; 3])> {
    let counts = |result: &Value| {
        ["lines", "words", "bytes"].map(|word| result[word].as_u64().unwrap_or(u64::MAX))
    };
    let member = |row: &Value| {
        let member = row["source"].as_str()?.strip_prefix(name)?.strip_prefix("!/")?.to_string();
        row.get("result").filter(|result| !result.is_null()).map(|result| (member, counts(result)))
    };
    ended.lines().iter().filter_map(member).collect()
}

#[test]
fn members_of_pieces_are_those_that_python_finds() {
    let plain = archive();
    let expected: Vec<_> =
        listed(&plain).into_iter().map(|listed| (listed.name, listed.counts)).collect();
    assert_eq!(expected.len(), 61);
    let joined = |pack: fn(&[u8]) -> Vec<u8>| plain.chunks(150_000).flat_map(pack).collect();
    let mut packed: Vec<(&str, Vec<u8>)> = vec![
        ("a.tar.xz", xz(&plain, 50_000)),
        ("b.tar.xz", [xz(&plain[..300_000], 90_000), xz(&plain[300_000..], 200_000)].concat()),
        ("c.tar.bz2", joined(bzip2)),
        ("d.tar.bz2", bzip2(&plain)),
        ("e.tar.gz", joined(gzip)),
        ("f.tar.zst", joined(zstd)),
    ];
    if is_installed("xz") {
        let by_xz = oracle("xz", &["-1", "-T2", "--block-size=100000", "-c"], &plain);
        packed.push(("g.tar.xz", by_xz));
    }
    let tree = Tree::new();
    for (name, packed) in packed {
        tree.file(name, packed);
        let alone = run(&tree, &["--threads", "1", name]).exits(0);
        assert_eq!(results(&alone, name), expected, "{name}");
        for (threads, chunk_size) in [("2", "512KiB"), ("3", "4KiB"), ("8", "64KiB")] {
            let args = ["--threads", threads, "--chunk-size", chunk_size, name];
            assert_eq!(run(&tree, &args).exits(0).text(), alone.text(), "{name} {args:?}");
        }
    }
}

/// A block is checked by itself, so what ends in one before is good; the rest is not seen.
#[test]
fn members_in_blocks_before_a_damaged_one_are_seen_and_no_others() {
    let block_bytes = 60_000;
    let plain = archive();
    let listed = listed(&plain);
    let whole = xz(&plain, block_bytes);
    let tree = Tree::new();
    let mut seen = Vec::new();
    for tenth in 0..9 {
        let mut packed = whole.clone();
        packed[whole.len() * tenth / 10 + 100] ^= 0x10;
        let reached = String::from_utf8(oracle("python3", &["-c", REACHED], &packed)).unwrap();
        let reached: usize = reached.trim().parse().unwrap();
        // That the check of a block does not match is found when all of it came out.
        let sound = reached.saturating_sub(1) / block_bytes * block_bytes;
        let good = listed.iter().filter(|listed| listed.end <= sound);
        let good: Vec<_> = good.map(|listed| (listed.name.clone(), listed.counts)).collect();
        tree.file("a.tar.xz", &packed);
        let alone = run(&tree, &["--threads", "1", "a.tar.xz"]).exits(1);
        assert_eq!(results(&alone, "a.tar.xz"), good, "{tenth}: {alone}");
        assert!(alone.stderr.contains("corrupt xz data"), "{alone}");
        for threads in ["2", "4"] {
            let others = run(&tree, &["--threads", threads, "a.tar.xz"]).exits(1);
            assert_eq!((others.text(), &others.stderr), (alone.text(), &alone.stderr), "{tenth}");
        }
        seen.push(good.len());
    }
    assert!(seen[0] == 0 && seen[8] > 31, "{seen:?}");
}

/// An index that is damaged says of no block where it ends: then nothing is seen.
#[test]
fn nothing_of_an_archive_is_seen_whose_index_is_damaged() {
    let mut packed = xz(&archive(), 60_000);
    let at = packed.len() - 20;
    packed[at] ^= 1;
    let tree = Tree::with(&[("a.tar.xz", &packed)]);
    for threads in ["1", "2"] {
        let ended = run(&tree, &["--threads", threads, "a.tar.xz"]).exits(1);
        assert_eq!(results(&ended, "a.tar.xz"), []);
        assert!(ended.stderr.contains("corrupt xz data"), "{ended}");
    }
}
