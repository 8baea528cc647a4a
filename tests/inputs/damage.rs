//! Compressed files that are cut off, go on behind their end, or were damaged: a failure of kind
//! `decode` that says how far they could be decoded, the same for any number of threads and any
//! size of chunks; every other source has its result.

use serde_json::Value;

use super::run_over;
use crate::support::pack::{forms, text};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// What becomes of a form of that name; `None` where it cannot be spoilt so.
type Spoil<'a> = &'a dyn Fn(&str, Vec<u8>) -> Option<Vec<u8>>;

/// The forms of a text, each spoilt.
fn spoilt(plain: &[u8], spoil: Spoil<'_>) -> Tree {
    let tree = Tree::with(&[("a-good", plain), ("z-good", plain)]);
    for (name, packed) in forms(plain) {
        if let Some(packed) = spoil(name, packed) {
            tree.file(name, packed);
        }
    }
    tree
}

/// That of a bzip2 stream of the smallest level.
const LONGEST_BLOCK_BYTES: usize = 100_000;

/// How far a message says that decoding came.
fn reached(message: &str) -> usize {
    let (before, _) =
        message.split_once(" decompressed bytes").unwrap_or_else(|| panic!("{message}"));
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Checks that all but the good ones failed, and returns what is said of them.
#[track_caller]
fn failures(tree: &Tree, plain: &[u8]) -> Vec<(String, String)> {
    let run = |threads, chunk_size| {
        let args = ["--threads", threads, "--chunk-size", chunk_size];
        run_over(&plugin("wordcount"), tree, &args).exits(1)
    };
    let ended = run("1", "256KiB");
    for (threads, chunk_size) in [("2", "256KiB"), ("4", "4KiB"), ("1", "4KiB")] {
        let other = run(threads, chunk_size);
        for (one, other) in ended.text().lines().zip(other.text().lines()) {
            assert_eq!(other, one, "{threads} threads, {chunk_size}");
        }
        assert_eq!(other.text().lines().count(), ended.text().lines().count());
    }
    let mut rows = ended.lines();
    rows.pop();
    let (good, bad): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row["error"].is_null());
    assert_eq!(good.len(), 2, "{ended}");
    assert!(good.iter().all(|row| row["result"]["bytes"] == plain.len()), "{ended}");
    let said = |row: Value| {
        assert_eq!(row["error"]["kind"], "decode", "{row}");
        let message = row["error"]["message"].as_str().unwrap().to_string();
        // Damage can lengthen the block that it is in.
        assert!(reached(&message) <= plain.len() + LONGEST_BLOCK_BYTES, "{row}");
        (row["source"].as_str().unwrap()[2..].to_string(), message)
    };
    bad.into_iter().map(said).collect()
}

#[test]
fn a_file_that_is_cut_off_is_named_wherever_it_is_cut() {
    let plain = text(700_000);
    for part in [30, 500, 970] {
        // A padded file that lacks some of its padding is whole: cut before it.
        let cut = |name: &str, mut packed: Vec<u8>| {
            packed.truncate(
                (packed.len() - if name == "padded.gz" { 3001 } else { 0 }) * part / 1000,
            );
            Some(packed)
        };
        let failures = failures(&spoilt(&plain, &cut), &plain);
        assert_eq!(failures.len(), forms(b"x").len());
        for (name, message) in failures {
            assert!(message.contains(" data is cut off after "), "{name}: {message}");
        }
    }
}

#[test]
fn a_file_that_lacks_its_last_byte_is_cut_off_where_all_came_out() {
    let plain = text(200_000);
    let cut = |name: &str, mut packed: Vec<u8>| {
        packed.pop();
        // Padding has no last byte that counts; a snappy stream ends with its last chunk.
        (name != "padded.gz").then_some(packed)
    };
    for (name, message) in failures(&spoilt(&plain, &cut), &plain) {
        assert!(message.contains(" data is cut off after "), "{name}: {message}");
        let all = !["framed.sz", "quality.br"].contains(&name.as_str());
        assert!(!all || reached(&message) == plain.len(), "{name}: {message}");
    }
}

#[test]
fn what_follows_the_data_is_named() {
    let plain = text(700_000);
    let more = |_: &str, packed: Vec<u8>| Some([&packed[..], b"garbage"].concat());
    let failures = failures(&spoilt(&plain, &more), &plain);
    assert_eq!(failures.len(), forms(b"x").len());
    for (name, message) in failures {
        // A snappy stream has no end: what follows is a chunk of a kind that there is not.
        let what = if name == "framed.sz" {
            "a reserved kind of chunk"
        } else {
            "is followed by something else"
        };
        assert!(message.contains(what), "{name}: {message}");
        assert_eq!(reached(&message), plain.len(), "{name}: {message}");
    }
}

/// Where the last checksum of the data is, in bytes from the end.
fn checksum_at(name: &str) -> Option<usize> {
    Some(match name {
        "single.gz" | "members.gz" => 8,
        "padded.gz" => 3008,
        "blocks.bgz" => 28 + 8, // an empty member follows
        "single.zst" | "frames.zst" | "linked.lz4" | "independent.lz4" | "frames.lz4" => 1,
        "single.bz2" | "streams.bz2" => 3,
        "single.xz" => 12 + 12 + 4, // an index of one block and the footer follow
        _ => return None,
    })
}

#[test]
fn a_checksum_that_does_not_match_is_named() {
    let plain = text(700_000);
    let flip = |name: &str, mut packed: Vec<u8>| {
        let at = packed.len() - checksum_at(name)?;
        packed[at] ^= 0x10;
        Some(packed)
    };
    let failures = failures(&spoilt(&plain, &flip), &plain);
    assert_eq!(failures.len(), 12);
    for (name, message) in failures {
        assert!(message.starts_with("corrupt "), "{name}: {message}");
        let all = !["single.zst", "frames.zst"].contains(&name.as_str());
        assert!(!all || reached(&message) == plain.len(), "{name}: {message}");
    }
}

/// A byte in the middle of the data: the failure depends on the byte, and there is never a result.
#[test]
fn a_byte_that_was_flipped_in_the_middle_is_never_a_result() {
    let plain = text(700_000);
    for part in [300, 600, 900] {
        // Brotli has no checksum.
        let flip = |name: &str, mut packed: Vec<u8>| {
            let at = packed.len() * part / 1000;
            packed[at] ^= 0x10;
            (name != "quality.br").then_some(packed)
        };
        assert_eq!(failures(&spoilt(&plain, &flip), &plain).len(), forms(b"x").len() - 1);
    }
}

/// A block that becomes longer than its frame allows, without a checksum: what is refused does not
/// depend on the room there is.
#[test]
fn a_block_longer_than_its_frame_allows_is_refused_for_any_size_of_chunks() {
    let block = lz4_flex::block::compress(&vec![b'x'; 100_000]);
    let size = u32::try_from(block.len()).unwrap().to_le_bytes();
    // Independent blocks of at most 64 KiB, and no checksums but that of the header.
    let frame = [&b"\x04\x22\x4d\x18\x60\x40\x82"[..], &size, &block, &[0; 4]].concat();
    let tree = Tree::with(&[("a.lz4", frame)]);
    for chunk_size in ["1KiB", "256KiB"] {
        let ended = run_over(&plugin("wordcount"), &tree, &["--chunk-size", chunk_size]).exits(1);
        let message = "corrupt lz4 data after 0 decompressed bytes: invalid block";
        assert_eq!(ended.lines()[0]["error"]["message"], message);
    }
}
