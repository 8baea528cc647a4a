//! Compressed files whose pieces do not say how long they are: decoded by several threads they give
//! what one gives, and what the tools that wrote them give; damaged, they fail as they do with one.

use super::tools::is_installed;
use super::{rows, run_over};
use crate::support::oracle::oracle;
use crate::support::pack::{bzip2, gzip, text};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Ways to write several pieces: tools, and names for what they write.
const TOOLS: &[(&str, &[&str], &str)] = &[
    ("bzip2", &["-1"], "bz2"),
    ("bzip2", &["-9"], "bz2"),
    ("pbzip2", &["-1", "-p2"], "bz2"),
    ("lbzip2", &["-n2", "-3"], "bz2"),
    ("lz4", &["-q", "-B4", "-BI"], "lz4"),
    ("lz4", &["-q", "-B5", "-BX", "--content-size"], "lz4"),
    ("lz4", &["-q", "-B4", "--no-frame-crc"], "lz4"),
    ("lz4", &["-q", "-B4", "-BD"], "lz4"),
    ("pzstd", &["-p", "2", "-1"], "zst"),
    ("zstd", &["-1"], "zst"),
];

/// The text as each tool that is there writes it; and members that are written one after the other.
fn packed(plain: &[u8]) -> Vec<(String, Vec<u8>)> {
    let tools = TOOLS.iter().filter(|(tool, ..)| is_installed(tool));
    let mut files: Vec<_> = tools
        .map(|(tool, args, extension)| {
            let name = format!("{tool}{}.{extension}", args.concat());
            (name, oracle(tool, &[*args, &["-c"]].concat(), plain))
        })
        .collect();
    let third = plain.len().div_ceil(3);
    let joined = |bytes: usize, pack: fn(&[u8]) -> Vec<u8>| -> Vec<u8> {
        plain.chunks(bytes).flat_map(pack).collect()
    };
    let by_zstd = |part: &[u8]| oracle("zstd", &["-c", "-1", "--no-content-size"], part);
    files.push(("few.gz".into(), joined(third, gzip)));
    files.push(("many.gz".into(), joined(10_000, gzip)));
    files.push(("few.bz2".into(), joined(third, bzip2)));
    if is_installed("zstd") {
        files.push(("few.zst".into(), joined(third, by_zstd)));
    }
    files
}

const WAYS: [(&str, &str); 6] =
    [("2", "512KiB"), ("2", "10KiB"), ("3", "64KiB"), ("4", "4MiB"), ("8", "1KiB"), ("5", "1MiB")];

#[test]
fn what_tools_write_in_pieces_is_what_they_were_given() {
    let plain = text(3_000_000);
    let tree = Tree::with(&[("plain", &plain)]);
    for (name, packed) in packed(&plain) {
        tree.file(&name, packed);
    }
    let words = String::from_utf8(oracle("wc", &["-lwc"], &plain)).unwrap();
    let [lines, words, bytes] =
        [0, 1, 2].map(|at| words.split_whitespace().nth(at).unwrap().to_string());
    let expected = format!(
        "\"bytes\":{bytes},\"result\":{{\"lines\":{lines},\"words\":{words},\"bytes\":{bytes}}}}}"
    );
    for (threads, chunk_size) in WAYS {
        let args = ["--threads", threads, "--chunk-size", chunk_size];
        for framing in ["lines", "csv"] {
            let args = [&args[..], &["--framing", framing]].concat();
            for (name, said) in rows(&run_over(&plugin("wordcount"), &tree, &args).exits(0)) {
                assert_eq!(said, expected, "{name} {args:?}");
            }
        }
    }
}

/// A byte in each tenth of each file; each way fails as one thread does.
#[test]
fn damage_in_any_piece_is_reported_as_by_one_thread() {
    let plain = text(2_000_000);
    let tree = Tree::new();
    for (name, packed) in packed(&plain) {
        for tenth in 0..10 {
            let mut packed = packed.clone();
            let at = packed.len() * tenth / 10 + 20;
            packed[at] ^= 0x10;
            tree.file(&format!("{tenth}{name}"), packed);
        }
        for cut in [1, 4, 1000] {
            tree.file(&format!("cut{cut}{name}"), &packed[..packed.len() - cut]);
        }
    }
    let run = |threads, chunk_size| {
        let args = ["--threads", threads, "--chunk-size", chunk_size];
        rows(&run_over(&plugin("wordcount"), &tree, &args).exits(1))
    };
    let expected = run("1", "512KiB");
    assert!(expected.iter().filter(|(_, said)| said.contains("\"kind\":\"decode\"")).count() > 100);
    for (threads, chunk_size) in [("2", "512KiB"), ("4", "10KiB")] {
        for (one, other) in expected.iter().zip(run(threads, chunk_size)) {
            // How far a zstd decoder says that it came depends on the room that it had.
            let is_zstd = one.1.contains("corrupt zstd data");
            assert!(
                is_zstd && other.1.contains("corrupt zstd data") || *one == other,
                "{one:?} {other:?}"
            );
        }
    }
}

/// Streams whose first bytes are those of blocks, ends and members: what a search for pieces finds
/// in it is false.
#[test]
fn a_hostile_file_is_what_it_is() {
    let magics = b"BZh91AY&SY\x17\x72\x45\x38\x50\x90\x1f\x8b\x08\0\0\0\0\0\0\x03".repeat(30_000);
    let plain = [&text(600_000)[..], &magics, &text(600_000)].concat();
    let good = bzip2(&plain);
    // A magic in the middle of a block; then a good stream, which nobody gets to.
    let mut bad = good.clone();
    let at = bad.len() / 3;
    bad[at..at + 6].copy_from_slice(b"1AY&SY");
    let mut ends = good.clone();
    ends[at..at + 6].copy_from_slice(b"\x17\x72\x45\x38\x50\x90");
    let mut stored = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut stored, &plain).unwrap();
    let tree = Tree::with(&[
        ("bad.bz2", [&bad[..], &good].concat()),
        ("ends.bz2", [&ends[..], &good].concat()),
        ("good.bz2", good),
        ("stored.gz", [gzip(&plain), stored.finish().unwrap(), gzip(&plain)].concat()),
    ]);
    let run =
        |threads| rows(&run_over(&plugin("wordcount"), &tree, &["--threads", threads]).exits(1));
    let expected = run("1");
    assert_eq!(expected.iter().filter(|(_, said)| said.contains("error")).count(), 2);
    for threads in ["2", "3", "8"] {
        assert_eq!(run(threads), expected);
    }
}
