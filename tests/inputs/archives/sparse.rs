//! Sparse files in tar archives: whatever form their holes are written in, plain or compressed,
//! each is the file that GNU tar extracts.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use super::bytes::{header, summed, tar, tarred};
use super::{count, failures, message, results};
use crate::inputs::tools::is_installed;
use crate::support::host::{Ended, Host};
use crate::support::oracle::oracle;
use crate::support::pack::{gzip, zstd};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// What is in a file of so many bytes, at these offsets.
struct Made(&'static str, u64, Vec<(u64, Vec<u8>)>);

/// Files with holes at their front, at their end, and nowhere; with next to nothing in them, and
/// with more stretches than one block lists.
fn made() -> Vec<Made> {
    let line = b"a line of text\n".repeat(300);
    let part = |at: u64| line[..usize::try_from(at * 7).unwrap()].to_vec();
    let many = (0..60).map(|at| (at * 16_384, part(at + 1))).collect();
    vec![
        Made("all-hole", 300_000, Vec::new()),
        Made("front", 200_001, vec![(150_000, line.clone())]),
        Made("end", 250_000, vec![(0, line.clone())]),
        Made("none", 4500, vec![(0, line.clone())]),
        Made("odd", 131_072 + 4500, vec![(65_536, b"x\n".to_vec()), (131_072, line.clone())]),
        Made("many", 60 * 16_384, many),
        Made("text", 9, vec![(0, b"no holes\n".to_vec())]),
    ]
}

fn tree() -> Tree {
    let tree = Tree::with(&[("d/before", "1\n")]);
    for Made(name, bytes, parts) in made() {
        let file = File::create(tree.path().join("d").join(name)).unwrap();
        file.set_len(bytes).unwrap();
        for (offset, part) in parts {
            file.write_all_at(&part, offset).unwrap();
        }
    }
    tree
}

/// SHA-256 of each file below a directory, as `sha256sum` has them, by name.
fn expected(dir: &Path) -> Vec<String> {
    let command = "cd \"$0\" && find d -type f | sort | xargs sha256sum";
    let said = oracle("bash", &["-c", command, dir.to_str().unwrap()], b"");
    let line = |line: &str| format!("{} {}", &line[66..], &line[..64]);
    let mut lines: Vec<_> = std::str::from_utf8(&said).unwrap().lines().map(line).collect();
    lines.sort();
    lines
}

/// The same of the members of an archive, by the host.
fn found(tree: &Tree, archive: &str, args: &[&str]) -> Vec<String> {
    let ended = Host::run(&plugin("checksum"))
        .within(tree.path())
        .args(["--per-source", "--format", "jsonl", archive])
        .args(args)
        .ended()
        .exits(0);
    let mut rows = ended.lines();
    rows.pop();
    let line = |row: &serde_json::Value| {
        let name = row["source"].as_str().unwrap().split_once("!/").unwrap().1;
        format!("{name} {}", row["result"]["sha256"].as_str().unwrap())
    };
    let mut lines: Vec<_> = rows.iter().map(line).collect();
    lines.sort();
    lines
}

/// Packs `d` with holes that are not stored, and checks that GNU tar and we find the same in it.
fn check(tree: &Tree, how: &str) {
    let command = format!("{how} -cf s.tar d && mkdir -p out && tar -C out -xf s.tar");
    let made = Command::new("bash").args(["-ec", &command]).current_dir(tree.path()).status();
    assert!(made.unwrap().success(), "{how}");
    let archive = tree.read("s.tar");
    let expected = expected(&tree.path().join("out"));
    assert_eq!(expected.len(), 8);
    tree.file("s.tgz", gzip(&archive));
    tree.file("s.tar.zst", zstd(&archive));
    for name in ["s.tar", "s.tgz", "s.tar.zst"] {
        for args in [
            &["--threads", "1"][..],
            &["--threads", "3", "--chunk-size", "4KiB"],
            &["--threads", "2", "--chunk-size", "64KiB", "--io", "mmap"],
        ] {
            assert_eq!(found(tree, name, args), expected, "{how}: {name} {args:?}");
        }
    }
    std::fs::remove_dir_all(tree.path().join("out")).unwrap();
}

#[test]
fn members_with_holes_are_the_files_that_gnu_tar_extracts() {
    let tree = tree();
    for how in [
        "tar --format=gnu --sparse",
        "tar --format=gnu --sparse --hole-detection=raw",
        "tar --format=oldgnu --sparse",
        "tar --format=posix --sparse --sparse-version=0.0",
        "tar --format=posix --sparse --sparse-version=0.1",
        "tar --format=posix --sparse --sparse-version=1.0",
        "tar --format=posix --sparse --sparse-version=1.0 --hole-detection=raw",
    ] {
        check(&tree, how);
        let archive = tree.read("s.tar");
        assert!(archive.len() < 1_000_000, "{how} stores holes: {}", archive.len());
    }
    if is_installed("bsdtar") {
        check(&tree, "bsdtar --format=pax");
    }
}

/// Text with holes is counted chunk by chunk as the file is.
#[test]
fn results_over_holes_are_those_of_the_file() {
    let tree = tree();
    let dir = tree.path().to_str().unwrap();
    oracle("tar", &["-C", dir, "-Scf", &format!("{dir}/s.tar"), "d"], b"");
    tree.file("s.tar.gz", gzip(&tree.read("s.tar")));
    let total = |ended: Ended| ended.exits(0).text().lines().last().unwrap().to_string();
    let run = |name: &str, chunk: &str| {
        let host = Host::run(&plugin("wordcount")).within(tree.path());
        total(host.args(["--total", "--chunk-size", chunk, name]).ended())
    };
    for chunk in ["1KiB", "512KiB"] {
        let expected = run("d", chunk);
        assert_eq!(run("s.tar", chunk), expected);
        assert_eq!(run("s.tar.gz", chunk), expected);
    }
}

/// A header of GNU's with a map: each stretch as an offset and a length.
fn with_map(name: &[u8], stored: usize, stretches: &[(u64, u64)], bytes: u64) -> [u8; 512] {
    let mut block = header(name, b'S', &format!("{stored:011o}"));
    block[257..265].copy_from_slice(b"ustar  \0");
    for (at, (offset, bytes)) in stretches.iter().enumerate() {
        let written = format!("{offset:011o}\0{bytes:011o}\0");
        block[386 + 24 * at..][..24].copy_from_slice(written.as_bytes());
    }
    block[483..494].copy_from_slice(format!("{bytes:011o}").as_bytes());
    summed(block)
}

#[test]
fn a_wrong_map_fails_its_member_and_no_other() {
    let stored = |name: &[u8], stretches: &[(u64, u64)], bytes| {
        [&with_map(name, 1024, stretches, bytes)[..], &[b'x'; 1024]].concat()
    };
    let said = |records: &str| {
        let record = |text: &str| {
            let length = text.len() + 4;
            assert!((10..100).contains(&length));
            format!("{length} {text}\n")
        };
        let records: String = records.split(' ').map(record).collect();
        [tarred(b"x", b'x', records.as_bytes()), tarred(b"q", b'0', &[b'9'; 512])].concat()
    };
    let mut odd = with_map(b"odd", 0, &[], 0);
    odd[483..494].copy_from_slice(b"no number!!");
    let pieces = [
        stored(b"overlap", &[(0, 512), (511, 512)], 4096),
        stored(b"beyond", &[(0, 512), (4000, 512)], 4096),
        stored(b"more", &[(0, 1536)], 4096),
        stored(b"less", &[(0, 512)], 4096),
        stored(b"within", &[(0, 511), (4096, 513)], 8192),
        stored(b"turned", &[(2048, 512), (0, 512)], 4096),
        summed(odd).to_vec(),
        tarred(b"other", b'S', b"x\n"),
        said("GNU.sparse.major=1 GNU.sparse.name=a/b"),
        said("GNU.sparse.major=2 GNU.sparse.name=new"),
        said("GNU.sparse.size=9999 GNU.sparse.map=1,2,3 GNU.sparse.name=three"),
        said("GNU.sparse.size=9999 GNU.sparse.map=0,x GNU.sparse.name=word"),
        stored(b"bomb", &[(0, 1024)], 32 << 20),
        stored(b"good", &[(0, 512), (4096 - 512, 512)], 4096),
        tarred(b"last", b'0', b"x\n"),
    ];
    let archive = tar(&pieces);
    let tree = Tree::with(&[("a.tar", &archive), ("a.tgz", &gzip(&archive))]);
    let plain = count(&tree, &["a.tar"]).exits(1);
    insta::assert_snapshot!(message(&plain), @"
    a.tar!/overlap: is a sparse file whose map cannot be read: a stretch that begins before the last one ends
    a.tar!/beyond: is a sparse file whose map cannot be read: a stretch that goes beyond the end of the file
    a.tar!/more: is a sparse file whose map cannot be read: its stretches are not as long as what is stored
    a.tar!/less: is a sparse file whose map cannot be read: its stretches are not as long as what is stored
    a.tar!/within: is a sparse file whose map cannot be read: a stretch that ends within a block, with others behind it
    a.tar!/turned: is a sparse file whose map cannot be read: a stretch that begins before the last one ends
    a.tar!/odd: is a sparse file whose map cannot be read: a size that is no number
    a.tar!/other: is a sparse file whose map cannot be read: it is not in a form of GNU tar
    a.tar!/a/b: is a sparse file whose map cannot be read: a number that is none
    a.tar!/new: is a sparse file whose map cannot be read: it is in a version that is not known
    a.tar!/three: is a sparse file whose map cannot be read: a stretch without a length
    a.tar!/word: is a sparse file whose map cannot be read: a number that is none
    a.tar!/bomb: is a sparse file of 33554432 bytes of which 1024 are stored, which exceeds 1000 to 1
    ");
    assert_eq!(results(&plain), 2);
    let streamed = count(&tree, &["a.tgz"]).exits(1);
    assert_eq!(message(&streamed).replace("a.tgz", "a.tar"), message(&plain));
    assert_eq!(results(&streamed), 2);
    for name in ["a.tar", "a.tgz"] {
        let less = ["--max-decompressed", "1MiB", "--include-members", "bomb", name];
        let less = count(&tree, &less).exits(1);
        assert!(message(&less).contains("!/bomb: decompressed size exceeds 1.0 MiB"), "{less}");
        let more = count(&tree, &["--max-ratio", "2000000", "--include-members", "bomb", name]);
        assert_eq!(failures(&more.exits(0)), []);
    }
}
