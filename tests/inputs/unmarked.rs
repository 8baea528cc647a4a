//! Codecs without a magic number, under names that say nothing: data of zlib and lzma is decoded,
//! wherever it comes from, and text that begins like it is text. What is in it is what Python,
//! which packs it, has put in.

use std::path::Path;

use serde_json::Value;

use super::run_over;
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

const SCRIPT: &str = r"
import lzma, os, sys, tarfile, zipfile, zlib
text = b'one two three\n' * 40000
for level in (0, 1, 6, 9):
    open(f'zlib-{level}', 'wb').write(zlib.compress(text, level))
for bits in (9, 10, 12, 14):
    small = zlib.compressobj(wbits=bits)
    open(f'zlib-w{bits}', 'wb').write(small.compress(text) + small.flush())
open('small-zlib', 'wb').write(zlib.compress(b'one two three\n'))
open('small-lzma', 'wb').write(lzma.compress(b'one two three\n', lzma.FORMAT_ALONE))
open('lzma.bin', 'wb').write(lzma.compress(text, lzma.FORMAT_ALONE))
open('lzma-9.bin', 'wb').write(lzma.compress(text, lzma.FORMAT_ALONE, preset=9))
names = sorted(os.listdir('.'))
for form, name in (('w', 'all.tar'), ('w:gz', 'all.tgz')):
    with tarfile.open(name, form) as tar:
        for one in names:
            tar.add(one)
with zipfile.ZipFile('all.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
    for one in names:
        archive.write(one)
";

fn packed() -> Tree {
    let tree = Tree::new();
    let directory = tree.path().to_str().unwrap();
    let script = format!("import os\nos.chdir({directory:?})\n{SCRIPT}");
    oracle("python3", &["-c", &script], b"");
    tree
}

fn lines(row: &Value) -> u64 {
    let name = row["source"].as_str().unwrap();
    assert_eq!(row["error"], Value::Null, "{row}");
    let lines = row["result"]["lines"].as_u64().unwrap();
    assert_eq!(row["result"]["words"], lines * 3, "{row}");
    assert_eq!(lines, if name.contains("small-") { 1 } else { 40_000 }, "{row}");
    lines
}

#[test]
fn zlib_and_lzma_are_decoded_whatever_their_names() {
    let tree = packed();
    for threads in ["1", "2"] {
        let host = Host::run(&plugin("wordcount")).within(tree.path());
        let ended = host.args(["--per-source", "--threads", threads, "."]).ended().exits(0);
        let rows = ended.lines();
        let counted: u64 = rows.iter().filter(|row| row["source"].is_string()).map(lines).sum();
        // Twelve files, and the same in three archives.
        assert_eq!(counted, 4 * (2 + 10 * 40_000));
    }
    for name in ["zlib-0", "zlib-6", "zlib-w9", "small-zlib", "small-lzma", "lzma.bin"] {
        let host = Host::run(&plugin("wordcount")).within(tree.path()).args(["--per-source", "-"]);
        let row = host.stdin(tree.read(name)).ended().exits(0).lines().remove(0);
        assert!(matches!(row["result"]["lines"].as_u64(), Some(1 | 40_000)), "{name}: {row}");
    }
}

#[test]
fn without_decompression_they_are_the_bytes_that_they_are() {
    let tree = packed();
    for name in ["zlib-6", "small-zlib", "lzma.bin"] {
        let bytes = tree.read(name).len();
        let host = Host::run(&plugin("checksum")).within(tree.path());
        let ended = host.args(["--per-source", "--decompress", "none", name]).ended().exits(0);
        assert_eq!(ended.lines()[0]["bytes"], bytes);
    }
}

/// A bad byte behind the first ones, and an end that is missing, are failures, not text.
#[test]
fn damage_is_reported_with_the_codec() {
    let tree = packed();
    for name in ["zlib-1", "lzma.bin"] {
        let whole = tree.read(name);
        let mut bad = whole.clone();
        let last = bad.len() - 3;
        bad[last] ^= 0xff;
        tree.file("damaged/bad", &bad);
        tree.file("damaged/cut", &whole[..whole.len() / 2]);
        let codec = name.split(['-', '.']).next().unwrap();
        let damaged = tree.path().join("damaged");
        let host = Host::run(&plugin("wordcount")).args(["--per-source"]).arg(&damaged);
        let ended = host.ended().exits(1);
        for row in ended.lines().iter().filter(|row| row["source"].is_string()) {
            let is_cut = Path::new(row["source"].as_str().unwrap()).ends_with("cut");
            // The format of lzma has no checksum: it is not sure to see a byte that has changed.
            if is_cut || codec == "zlib" {
                assert!(row["error"]["message"].as_str().unwrap().contains(codec), "{row}");
            }
        }
    }
}

/// Text, an image of a disk, and bytes of which only the first are those of a header.
#[test]
fn what_only_begins_like_it_is_not_touched() {
    let dice: Vec<u8> =
        (0..4000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let packed = packed();
    let image = [&packed.read("zlib-6")[..], b"koly"].concat();
    let tree = Tree::with(&[
        ("powers", b"x^2 + y^2 = z^2\n".repeat(100)),
        ("short", b"x^2\n".to_vec()),
        ("shorter", b"x^".to_vec()),
        ("list", b"]\0\0 is what follows\n".repeat(100)),
        ("dice", [b"\x78\x9c", &dice[..]].concat()),
        ("disk.dmg", image),
    ]);
    let raw = run_over(&plugin("checksum"), &tree, &["--decompress", "none"]).exits(0);
    assert_eq!(run_over(&plugin("checksum"), &tree, &[]).exits(0).stdout, raw.stdout);
    let host = Host::run(&plugin("checksum")).args(["--per-source", "-"]).stdin(*b"x^2\n");
    assert_eq!(host.ended().exits(0).lines()[0]["bytes"], 4);
}
