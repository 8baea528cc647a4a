//! What says that a source is compressed: its first bytes, before its name, before nothing; and
//! what the user says of it.

use super::{rows, run_over};
use crate::support::host::Host;
use crate::support::pack::{brotli, forms, gzip, text, zstd};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Rows of wordcount over a tree, with one thread and with two.
fn counted(tree: &Tree, args: &[&str]) -> Vec<(String, String)> {
    let run = |threads| {
        let args = [&["--threads", threads][..], args].concat();
        rows(&run_over(&plugin("wordcount"), tree, &args).exits(0))
    };
    let found = run("1");
    assert_eq!(found, run("2"));
    found
}

/// What is said of a source of so many bytes that are one line of one word.
fn a_word(bytes: usize) -> String {
    format!("\"bytes\":{bytes},\"result\":{{\"lines\":1,\"words\":1,\"bytes\":{bytes}}}}}")
}

/// What comes out of a transformer, too: what was made of the compressed bytes is not.
#[test]
fn what_goes_through_a_transformer_is_decompressed_before() {
    let tree = Tree::with(&[("packed", gzip(b"hello\n")), ("plain", b"there\n".to_vec())]);
    for threads in ["1", "2"] {
        let unordered = ["--unordered", "--framing", "lines"];
        for out in [&[][..], &unordered, &["--out", "out/", "--exists", "replace"]] {
            let host = Host::run(&plugin("upcase")).within(tree.path()).args(out);
            let ended = host.args(["--threads", threads, "packed", "plain"]).ended().exits(0);
            let found = if out.first() == Some(&"--out") {
                ["packed", "plain"].map(|name| tree.read(&format!("out/{name}"))).concat()
            } else {
                ended.stdout
            };
            let mut lines: Vec<_> = found.split_inclusive(|&byte| byte == b'\n').collect();
            lines.sort_unstable();
            assert_eq!(lines, [b"HELLO\n", b"THERE\n"], "{out:?}");
        }
    }
}

#[test]
fn bytes_count_before_the_name() {
    let tree = Tree::with(&[
        ("text.br.txt", b"hello\n".to_vec()),
        ("packed.txt", gzip(b"hello\n")),
        ("packed.zst", gzip(b"hello\n")),
        ("packed.br", zstd(b"hello\n")),
        ("packed", zstd(b"hello\n")),
        ("BZhello", b"BZhi!\n".to_vec()),
    ]);
    for (name, said) in counted(&tree, &[]) {
        assert_eq!(said, a_word(6), "{name}");
    }
}

/// As `gzip -t`, `zstd -t` and the others say.
#[test]
fn a_name_that_the_bytes_do_not_bear_out_is_a_failure() {
    let tree = Tree::new();
    let mut files = 0;
    for (name, packed) in forms(b"hello\n") {
        if name == "quality.br" {
            continue; // it has no magic number
        }
        let mut flipped = packed.clone();
        flipped[0] ^= 1;
        tree.file(&format!("flipped-{name}"), flipped);
        tree.file(&format!("shifted-{name}"), [b"\n", &packed[..]].concat());
        tree.file(&format!("zeros-{name}"), [&[0; 64][..], &packed[..]].concat());
        tree.file(&format!("empty-{name}"), b"");
        tree.file(&format!("text-{name}"), b"hello\n");
        files += 5;
    }
    for threads in ["1", "2"] {
        let ended = run_over(&plugin("wordcount"), &tree, &["--threads", threads]).exits(1);
        let last = ended.lines().pop().unwrap();
        assert_eq!(last["failed"], files, "{ended}");
    }
    run_over(&plugin("wordcount"), &tree, &["--decompress", "none"]).exits(0);
}

#[test]
fn formats_that_are_not_supported_are_refused_by_name() {
    let tree = Tree::with(&[
        ("a.Z", &b"\x1f\x9d\x90aaa"[..]),
        ("b.7z", b"7z\xbc\xaf\x27\x1c\0\x04"),
        ("c", b"Rar!\x1a\x07\x01\0"),
        ("d.zip.001", b"PK\x03\x04"),
        ("e.snappy", b"\0\0\0\x06\0\0\0\x08\x06\x14hello\n"),
    ]);
    for io in ["read", "mmap"] {
        let ended = run_over(&plugin("wordcount"), &tree, &["--io", io]).exits(1);
        let message: Vec<_> = rows(&ended)
            .into_iter()
            .filter(|(_, said)| said.contains(", which is not read"))
            .collect();
        assert_eq!(message.len(), 5, "{ended}");
    }
    run_over(&plugin("wordcount"), &tree, &["--decompress", "none"]).exits(0);
}

/// A frame that is skipped, and longer than what is looked at to tell the codec.
#[test]
fn a_frame_behind_a_long_skippable_one_is_decoded() {
    let skip = [&b"\x53\x2a\x4d\x18\0\x10\0\0"[..], &[7; 4096]].concat();
    let lz4 = forms(b"hello\n").into_iter().find(|(name, _)| *name == "linked.lz4").unwrap().1;
    let tree = Tree::new();
    for (kind, packed) in [("lz4", lz4), ("zst", zstd(b"hello\n"))] {
        for name in [format!("a.{kind}"), format!("b-{kind}"), format!("c-{kind}.txt")] {
            tree.file(&name, [&skip[..], &packed].concat());
        }
    }
    for (name, said) in counted(&tree, &[]) {
        assert_eq!(said, a_word(6), "{name}");
    }
}

/// One is read at once and looked at then, the other is cut into chunks.
#[test]
fn a_source_without_an_extension_is_decompressed_whatever_its_size() {
    let plain = text(900_000);
    let tree = Tree::with(&[
        ("large", gzip(&plain)),
        ("large.gz", gzip(&plain)),
        ("small", gzip(b"hello\n")),
        ("small.gz", gzip(b"hello\n")),
    ]);
    for args in [&[][..], &["--chunk-size", "1KiB"], &["--io", "mmap"]] {
        let found = counted(&tree, args);
        assert!(found[0].1.starts_with(&format!("\"bytes\":{},", plain.len())), "{found:?}");
        assert_eq!(found[0].1, found[1].1);
        assert_eq!(found[2].1, a_word(6));
        assert_eq!(found[3].1, a_word(6));
    }
}

#[test]
fn brotli_is_known_by_its_name_only() {
    let packed = brotli(b"hello\n");
    let size = packed.len();
    let tree = Tree::with(&[("a.BR", &packed), ("b.br", &packed), ("c", &packed)]);
    let found = counted(&tree, &[]);
    assert_eq!(found[0].1, a_word(6));
    assert_eq!(found[1].1, a_word(6));
    assert!(found[2].1.starts_with(&format!("\"bytes\":{size},")), "{found:?}");
    for (name, said) in counted(&tree, &["--decompress", "brotli"]) {
        assert_eq!(said, a_word(6), "{name}");
    }
}

#[test]
fn nothing_is_decompressed_where_nothing_is_to_be() {
    let packed = gzip(&text(300_000));
    let tree = Tree::with(&[("a.gz", &packed), ("b", &packed), ("c.txt", &packed)]);
    for threads in ["1", "2"] {
        let ended = Host::run(&plugin("checksum"))
            .within(tree.path())
            .args(["--per-source", "--format", "raw", "--decompress", "none", "--threads", threads])
            .args(["a.gz", "b", "c.txt"])
            .ended()
            .exits(0);
        let raw = Tree::with(&[("raw", &packed)]);
        let expected = crate::support::oracle::oracle(
            "sha256sum",
            &[raw.path().join("raw").to_str().unwrap()],
            b"",
        );
        let sum = std::str::from_utf8(&expected[..64]).unwrap();
        assert_eq!(ended.text(), format!("{{\"sha256\":\"{sum}\"}}").repeat(3));
    }
}

#[test]
fn another_codec_than_the_one_asked_for_is_named() {
    let tree = Tree::with(&[
        ("a.gz", gzip(b"hello\n")),
        ("b", zstd(b"hello\n")),
        ("c.gz", gzip(&text(300_000))),
        ("d.txt", b"text\n".to_vec()),
    ]);
    let run = |threads| {
        Host::run(&plugin("wordcount"))
            .within(tree.path())
            .args(["--per-source", "--decompress", "zstd", "--threads", threads])
            .args(["a.gz", "b", "c.gz", "d.txt"])
            .ended()
    };
    insta::assert_snapshot!(run("1"), @r#"
    exit: 1
    --- stdout
    {"source":"a.gz","error":{"kind":"decode","message":"not zstd data: it begins with 1f 8b 08 00, expected 28 b5 2f fd"}}
    {"source":"b","bytes":6,"result":{"lines":1,"words":1,"bytes":6}}
    {"source":"c.gz","error":{"kind":"decode","message":"not zstd data: it begins with 1f 8b 08 00, expected 28 b5 2f fd"}}
    {"source":"d.txt","error":{"kind":"decode","message":"not zstd data: it begins with 74 65 78 74, expected 28 b5 2f fd"}}
    {"sources":4,"failed":3,"bytes":6}
    --- stderr
    a.gz: not zstd data: it begins with 1f 8b 08 00, expected 28 b5 2f fd
    hint: --decompress auto finds out how a source is compressed
    c.gz: not zstd data: it begins with 1f 8b 08 00, expected 28 b5 2f fd
    hint: --decompress auto finds out how a source is compressed
    d.txt: not zstd data: it begins with 74 65 78 74, expected 28 b5 2f fd
    hint: --decompress auto finds out how a source is compressed
    3 of 4 sources failed
    "#);
    assert_eq!(run("2").to_string(), run("1").to_string());
}

#[test]
fn a_codec_that_there_is_not_starts_nothing() {
    let tree = Tree::with(&[("a", "x\n")]);
    let ended = run_over(&plugin("wordcount"), &tree, &["--decompress", "rar"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("[possible values: auto, none, gzip, zstd, lz4"), "{ended}");
}
