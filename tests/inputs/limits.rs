//! Bombs: what may come out of a compressed file, and what the process needs meanwhile.

use serde_json::{Value, json};

use super::report;
use crate::support::host::{Ended, Host};
use crate::support::pack::{bgzf, gzip, text, xz, zstd};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Zeros that a bomb is made of, and how often.
const PART_BYTES: usize = 16 << 20;
const PARTS: usize = 64;

const FORMS: [&str; 4] = ["bomb.gz", "members.gz", "bomb.zst", "bomb.xz"];

/// A GiB of zeros in several forms, between two good sources. In the first it is one member.
fn bombs() -> Tree {
    let zeros = vec![0; PART_BYTES];
    let tree = Tree::with(&[("a", "x\n"), ("z", "x\n")]);
    tree.file("bomb.gz", one_member(&zeros));
    tree.file("members.gz", gzip(&zeros).repeat(PARTS));
    tree.file("bomb.zst", zstd(&zeros).repeat(PARTS));
    tree.file("bomb.xz", xz(&zeros, PART_BYTES).repeat(PARTS));
    tree
}

/// The deflate blocks of one part after another, without an end: nobody comes there.
fn one_member(zeros: &[u8]) -> Vec<u8> {
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let mut blocks = Vec::with_capacity(1 << 20);
    deflate.compress_vec(zeros, &mut blocks, flate2::FlushCompress::Full).unwrap();
    assert_eq!(deflate.total_in(), zeros.len() as u64);
    [&b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..], &blocks.repeat(PARTS)].concat()
}

/// Runs over one form between the good ones; returns what is said of it, and of the run.
fn run(tree: &Tree, form: &str, args: &[&str]) -> (Value, Ended) {
    let ended = Host::run(&plugin("checksum"))
        .within(tree.path())
        .args(["--per-source", "--report", "report.json"])
        .args(args)
        .args(["a", form, "z"])
        .ended()
        .exits(1);
    let rows = ended.lines();
    assert_eq!(rows[0]["result"], rows[2]["result"], "{ended}");
    assert_eq!(rows[0]["bytes"], 2);
    (rows[1]["error"].clone(), ended)
}

#[test]
fn a_bomb_is_too_large_and_little_memory_is_needed_to_find_out() {
    let tree = bombs();
    for form in FORMS {
        for threads in ["1", "2"] {
            let args = ["--threads", threads, "--max-ratio", "500"];
            let (error, ended) = run(&tree, form, &args);
            assert_eq!(error["kind"], "too-large", "{form}: {ended}");
            let message = error["message"].as_str().unwrap();
            assert!(message.ends_with(", which exceeds 500 to 1"), "{message}");
            assert!(ended.stderr.contains("\nhint: raise --max-ratio"), "{ended}");
            let peak = report(&tree)["peak_rss_bytes"].as_u64().unwrap();
            assert!(peak > 0 && peak < 128 << 20, "{form}, {threads} threads: {peak}");
        }
    }
}

/// The ratio that is allowed unasked is about what deflate can reach at most.
#[test]
fn a_bomb_is_refused_unasked() {
    let tree = bombs();
    for form in ["bomb.gz", "bomb.zst", "bomb.xz"] {
        let (error, _) = run(&tree, form, &[]);
        assert_eq!(error["kind"], "too-large", "{form}");
        assert!(error["message"].as_str().unwrap().ends_with(" exceeds 1000 to 1"), "{error}");
    }
}

#[test]
fn decompressed_size_is_limited() {
    let tree = bombs();
    let args = ["--max-decompressed", "3MiB", "--max-ratio", "1000000"];
    let error = json!({"kind": "too-large", "message": "decompressed size exceeds 3.0 MiB"});
    for form in FORMS {
        for threads in ["1", "2"] {
            let (found, ended) = run(&tree, form, &[&["--threads", threads], &args[..]].concat());
            assert_eq!(found, error, "{form}");
            assert!(ended.stderr.contains("\nhint: raise --max-decompressed\n"), "{ended}");
        }
    }
}

/// Every byte counts, and none too many.
#[test]
fn a_file_may_become_as_large_as_allowed() {
    let plain = text(900_000);
    let bytes = plain.len();
    let forms = [("a.gz", gzip(&plain)), ("b.bgz", bgzf(&plain)), ("c.zst", zstd(&plain))];
    let tree = Tree::with(&forms);
    for (limit, code) in [(bytes, 0), (bytes - 1, 1)] {
        for threads in ["1", "2"] {
            let limit = format!("{limit}B");
            let args = ["--max-decompressed", &limit, "--threads", threads];
            let ended = super::run_over(&plugin("wordcount"), &tree, &args).exits(code);
            let failed = ended.lines()[3]["failed"].as_u64();
            assert_eq!(failed, Some(if code == 0 { 0 } else { 3 }), "{ended}");
        }
    }
}

/// Members are counted alike whether they are decoded one after the other or in parallel.
#[test]
fn members_are_limited() {
    let plain = text(1_200_000);
    let members = plain.len().div_ceil(60_000) + 1;
    let frames: Vec<u8> = plain.chunks(60_000).chain([&[][..]]).flat_map(zstd).collect();
    let tree = Tree::with(&[("a.bgz", bgzf(&plain)), ("b.zst", frames)]);
    for threads in ["1", "2"] {
        for (limit, code) in [(members, 0), (members - 1, 1)] {
            let limit = limit.to_string();
            let args = ["--max-members", &limit, "--threads", threads];
            let ended = super::run_over(&plugin("wordcount"), &tree, &args).exits(code);
            for row in ended.lines().iter().take(if code == 0 { 0 } else { 2 }) {
                assert_eq!(row["error"]["kind"], "too-large", "{ended}");
                let message = row["error"]["message"].as_str().unwrap();
                assert!(message.starts_with(&format!("more than {limit} members")), "{ended}");
                assert!(ended.stderr.contains("\nhint: raise --max-members\n"), "{ended}");
            }
        }
    }
}

/// A file of text and, behind it, more zeros than their own compressed bytes may become: as a whole
/// it is within the ratio.
#[test]
fn the_ratio_is_that_of_the_whole_file_for_any_number_of_threads() {
    let plain = text(900_000);
    let packed = [zstd(&plain), zstd(&vec![0; 8 << 20])].concat();
    let tree = Tree::with(&[("a.zst", packed)]);
    let run = |threads| {
        super::run_over(&plugin("wordcount"), &tree, &["--threads", threads]).exits(0).stdout
    };
    assert!(run("1") == run("2"));
}

/// Frames that are each larger than what the process may take.
#[test]
fn large_pieces_need_little_memory_for_any_number_of_threads() {
    let frame = zstd(&text(1 << 20).repeat(160));
    let tree = Tree::with(&[("a.zst", frame.repeat(2))]);
    for threads in ["1", "2"] {
        let args = ["--threads", threads, "--max-ratio", "1000000", "--report", "report.json"];
        super::run_over(&plugin("wordcount"), &tree, &args).exits(0);
        let peak = report(&tree)["peak_rss_bytes"].as_u64().unwrap();
        assert!(peak < 128 << 20, "{threads} threads: {peak}");
        std::fs::remove_file(tree.path().join("report.json")).unwrap();
    }
}
