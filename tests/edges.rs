//! Files at the edges of what a file can be: results are Python's, and the longest record is the
//! one that was promised.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::host::Host;
use crate::support::oracle::{python_counts, python_top};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Default of `--max-record`.
const RECORD_BYTES_MAX: u64 = 64 << 20;

const EDGES: [(&str, &[u8]); 16] = [
    ("empty", b""),
    ("newline", b"\n"),
    ("only-newlines", &[b'\n'; 5000]),
    ("no-final-newline", b"a b\nc"),
    ("crlf", b"one two\r\nthree\r\n\r\n"),
    ("lone-carriage-returns", b"one\rtwo\rthree"),
    ("nul-bytes", b"a\0b \0\n\0\0\n c\0"),
    ("only-nul-bytes", &[0; 3000]),
    ("all-white-space", b" \t\n\x0b\x0c\r \n"),
    ("other-separators", "a\u{85}b\u{a0}c\u{2028}d\u{3000}e\x1cf\x1fg\n".as_bytes()),
    ("latin-1", b"caf\xe9 na\xefve\n\xff\xfe\n"),
    ("cut-sequences", b"\xe2\x82\n\xf0\x9f\x98 \xf0\x9f\n\xc3"),
    ("overlong-and-surrogates", b"\xc0\xaf \xe0\x80\x80 \xed\xa0\x80\n\xf4\x90\x80\x80"),
    ("lone-continuations", b"\x80\xbf\n\x80 \xbf"),
    ("byte-order-mark", b"\xef\xbb\xbfone\n"),
    ("wide-characters", "日本語 😀\u{200d}😀 e\u{301}\n".as_bytes()),
];

fn counted(tree: &Tree, args: &[&str]) -> Vec<Value> {
    let ended = Host::run(&plugin("wordcount"))
        .args(["--set", "chars=true", "--set", "longest=true", "--per-source"])
        .args(["--encoding", "none"])
        .args(args)
        .arg(tree.path())
        .ended()
        .exits(0);
    let mut lines = ended.lines();
    lines.pop();
    lines.into_iter().map(|mut line| line["result"].take()).collect()
}

/// The files of a tree in the order of the host.
fn paths(tree: &Tree) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        std::fs::read_dir(tree.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn odd_files_are_counted_as_python_counts_them() {
    let tree = Tree::with(&EDGES);
    let expected = python_counts(&paths(&tree));
    assert_eq!(expected.len(), EDGES.len());
    for args in [&[][..], &["--chunk-size", "64B"], &["--io", "mmap", "--chunk-size", "64B"]] {
        for ((found, expected), path) in
            counted(&tree, args).iter().zip(&expected).zip(paths(&tree))
        {
            assert_eq!(found, expected, "{} {args:?}", path.display());
        }
    }
}

#[test]
fn odd_files_have_the_words_that_python_finds() {
    let tree = Tree::with(&EDGES);
    let ended = Host::run(&plugin("topwords"))
        .args(["--total", "--set", "n=100", "--encoding", "none"])
        .arg(tree.path())
        .ended()
        .exits(0);
    assert_eq!(ended.lines()[0]["total"], python_top(100, &paths(&tree)));
}

/// A sparse file: `bytes` NUL bytes, the last of them a line feed where it is asked for.
fn long_line(tree: &Tree, name: &str, bytes: u64, last: u8) {
    let file = File::create(tree.path().join(name)).unwrap();
    file.set_len(bytes).unwrap();
    file.write_at(&[last], bytes - 1).unwrap();
}

#[test]
fn the_longest_line_allowed_is_counted() {
    let tree = Tree::new();
    long_line(&tree, "a", RECORD_BYTES_MAX, b'\n');
    long_line(&tree, "b", RECORD_BYTES_MAX, b'x');
    for io in ["read", "mmap"] {
        let found = counted(&tree, &["--threads", "1", "--io", io]);
        assert_eq!(found, python_counts(&paths(&tree)));
    }
}

#[test]
fn one_byte_more_is_a_record_too_long() {
    let tree = Tree::with(&[("c", "short\n")]);
    long_line(&tree, "a", RECORD_BYTES_MAX + 1, b'\n');
    long_line(&tree, "b", RECORD_BYTES_MAX + 1, b'x');
    let error = json!({
        "kind": "record-too-long",
        "message": "the line that begins at byte 0 is longer than 67108864 bytes",
    });
    for threads in ["1", "2"] {
        let ended = Host::run(&plugin("wordcount"))
            .within(tree.path())
            .args(["--threads", threads, "a", "b", "c"])
            .ended()
            .exits(1);
        let lines = ended.lines();
        assert_eq!(lines[0], json!({"source": "a", "error": error}));
        assert_eq!(lines[1], json!({"source": "b", "error": error}));
        assert_eq!(lines[2]["result"]["bytes"], 6);
        assert_eq!(lines[3]["failed"], 2);
        assert!(ended.stderr.contains("\nhint: raise --max-record\n"), "{ended}");
    }
}

/// A record that is too long gets the same error wherever the cuts are: it names the first such
/// line, and where that begins.
#[test]
fn a_long_line_among_others_is_named_by_where_it_begins() {
    let tree = Tree::new();
    let text =
        ["short\n".repeat(100), "x".repeat(5000), "\nshort".repeat(1000), "\n".into()].concat();
    tree.file("text", text);
    for (chunk_size, io) in [("64B", "read"), ("1KiB", "mmap"), ("4KiB", "read")] {
        let ended = Host::run(&plugin("wordcount"))
            .within(tree.path())
            .args(["--max-record", "5000B", "--chunk-size", chunk_size, "--io", io, "text"])
            .ended()
            .exits(1);
        let message = "the line that begins at byte 600 is longer than 5000 bytes";
        assert_eq!(ended.lines()[0]["error"]["message"], message, "{chunk_size}");
        let ended = Host::run(&plugin("wordcount"))
            .within(tree.path())
            .args(["--max-record", "5001B", "--chunk-size", chunk_size, "--io", io, "text"])
            .ended()
            .exits(0);
        assert_eq!(ended.lines()[0]["result"]["lines"], 1101);
    }
}
