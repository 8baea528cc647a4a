//! Framings by the flag: chunks are whole records wherever they come from, and joined they are the
//! source (invariant 2).

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{report, run_over};
use crate::support::guest::Guest;
use crate::support::host::{Ended, Host};
use crate::support::oracle::oracle;
use crate::support::pack::{gzip, text};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// A guest whose records begin with an `R` after so many bytes: a chunk that does not is invalid
/// data. It counts chunks that are not empty.
fn strict(tree: &Tree, framing: &'static str, skip: usize) -> PathBuf {
    let push = format!(
        "(if (local.get $len) (then
            (call $count (global.get $chunks) (global.get $chunks_len) (i64.const 1))
            (if (i32.ne (i32.load8_u offset={skip} (local.get $data)) (i32.const 82)) (then
              (return (call $invalid (i64.const 0) (global.get $reason) (global.get $reason_len)))))))"
    );
    let guest = Guest {
        push: Box::leak(push.into_boxed_str()),
        framing,
        texts: &[("chunks", "chunks"), ("reason", "the chunk begins within a record")],
        ..Guest::default()
    };
    guest.file(tree)
}

/// Rows between 65 and 127 bytes long, with line feeds and quotes inside quotes; no field but the
/// first has an `R`.
fn csv(rows: usize, end: &str) -> String {
    let row = |index: usize| {
        let filler = "x".repeat(8 + index % 40);
        format!(
            "R{index:06},\"a \"\"quoted\"\" word\nand, on {filler}{end}a line of its own\",,\"\",last{end}"
        )
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    assert!(rows.iter().all(|row| (65..128).contains(&row.len())));
    rows.concat()
}

/// Runs over one file in chunks of that size, and returns what comes out.
fn echoed(plugin: &Path, tree: &Tree, name: &str, args: &[&str]) -> Ended {
    Host::run(plugin)
        .within(tree.path())
        .args(["--per-source", "--format", "raw", "--report", "report.json", name])
        .args(args)
        .ended()
}

/// A source plain and compressed, in chunks of several sizes, by one thread and two: each chunk
/// begins as it has to, and all of them together are the source.
#[track_caller]
fn assert_cut_between_records(skip: usize, source: &[u8], framing: &str) {
    let plugins = Tree::new();
    let guest = strict(&plugins, "bytes", skip);
    let tree = Tree::with(&[("plain", source), ("packed.gz", &gzip(source))]);
    for name in ["plain", "packed.gz"] {
        for threads in ["1", "2"] {
            for chunk_size in ["64B", "1KiB", "1MiB"] {
                let args = ["--framing", framing, "--chunk-size", chunk_size, "--threads", threads];
                let ended = echoed(&guest, &tree, name, &args).exits(0);
                assert!(ended.stdout == source, "{name} {args:?}");
                let chunks = report(&tree)["counters"]["chunks"].as_u64().unwrap();
                assert_eq!(chunks == 1, chunk_size == "1MiB", "{name} {args:?}: {chunks}");
            }
        }
    }
}

#[test]
fn csv_is_never_cut_within_quotes() {
    for end in ["\n", "\r\n"] {
        let source = csv(2000, end);
        assert_cut_between_records(0, source.as_bytes(), "csv");
        // Without its last line end it is as many records.
        assert_cut_between_records(0, source.trim_end().as_bytes(), "csv");
    }
}

/// In the smallest chunks there is one record each.
#[test]
fn csv_has_as_many_records_as_python_finds() {
    let plugins = Tree::new();
    let guest = strict(&plugins, "lines", 0);
    for end in ["\n", "\r\n"] {
        let source = csv(500, end);
        let script = "import csv, io, sys; t = sys.stdin.buffer.read().decode(); \
            print(sum(1 for _ in csv.reader(io.StringIO(t, newline=''))))";
        let printed = oracle("python3", &["-c", script], source.as_bytes());
        let rows: u64 = std::str::from_utf8(&printed).unwrap().trim().parse().unwrap();
        assert_eq!(rows, 500);
        let tree = Tree::with(&[("a.csv", &source)]);
        let args = ["--framing", "csv", "--chunk-size", "64B"];
        echoed(&guest, &tree, "a.csv", &args).exits(0);
        assert_eq!(report(&tree)["counters"]["chunks"], rows);
    }
}

/// Rows by Python's own writer, of fields with whatever csv can hold; as many as it then reads.
const WRITE: &str = r#"
import csv, io, random, sys
random.seed(7)
out = io.StringIO(newline="")
writer = csv.writer(out, lineterminator=sys.argv[1])
for row in range(30_000):
    fields = ["".join(random.choices(["a", "b ", ",", '"', "'", "\r\n"], k=random.randrange(40))) for _ in range(3)]
    writer.writerow([f"R{row:060}", *fields])
text = out.getvalue()
rows = sum(1 for _ in csv.reader(io.StringIO(text, newline="")))
sys.stdout.buffer.write(rows.to_bytes(4, "big") + text.encode())
"#;

/// A file of several of the blocks in which quotes are counted: many workers, each far from the
/// front, agree on where records begin.
#[test]
fn csv_is_cut_in_parallel_where_python_cuts_it() {
    let plugins = Tree::new();
    let guest = strict(&plugins, "lines", 0);
    for end in ["\n", "\r\n"] {
        let written = oracle("python3", &["-c", WRITE, end], b"");
        let (rows, source) = written.split_first_chunk().unwrap();
        let rows = u32::from_be_bytes(*rows);
        assert_eq!((rows, source.len() >> 20), (30_000, 4));
        let tree = Tree::with(&[("a.csv", source)]);
        for (threads, chunk_size, io) in [
            ("1", "64B", "read"),
            ("2", "64B", "read"),
            ("5", "64B", "mmap"),
            ("3", "700B", "read"),
            ("4", "100KiB", "read"),
        ] {
            let args =
                ["--framing", "csv", "--chunk-size", chunk_size, "--threads", threads, "--io", io];
            let ended = echoed(&guest, &tree, "a.csv", &args).exits(0);
            assert!(ended.stdout == source, "{args:?}");
            if chunk_size == "64B" {
                assert_eq!(report(&tree)["counters"]["chunks"], rows, "{args:?}");
            }
        }
    }
}

#[test]
fn a_csv_record_that_is_too_long_is_named() {
    let source =
        [csv(9000, "\n"), format!("R5\",\"{}\n", "x\n".repeat(600)), csv(9000, "\n")].concat();
    let message = |at| {
        let quote = at + 4;
        format!(
            "the record that begins at byte {at} is longer than 1000 bytes: \
             the quote at byte {quote} opens a field, and none closes it by then"
        )
    };
    let at = source.find("R5\"").unwrap();
    for chunk_size in ["64B", "999B"] {
        for threads in ["1", "2", "5"] {
            let args = [
                "--framing",
                "csv",
                "--chunk-size",
                chunk_size,
                "--max-record",
                "1000B",
                "--threads",
                threads,
            ];
            let expected = json!({"kind": "record-too-long", "message": message(at)});
            assert_eq!(refused(source.as_bytes(), &args), expected);
        }
    }
}

/// What the manifest says is overridden: `lines` of the guest would cut within quotes.
#[test]
fn the_framing_of_the_plugin_is_overridden() {
    let plugins = Tree::new();
    let guest = strict(&plugins, "lines", 0);
    let tree = Tree::with(&[("a.csv", csv(500, "\n"))]);
    let ended = echoed(&guest, &tree, "a.csv", &["--chunk-size", "64B"]).exits(1);
    assert!(ended.stderr.contains("the chunk begins within a record"), "{ended}");
    echoed(&guest, &tree, "a.csv", &["--chunk-size", "64B", "--framing", "csv"]).exits(0);
}

#[test]
fn a_checksum_is_that_of_the_source_whatever_its_records() {
    let source = csv(3000, "\r\n");
    let sum = oracle("sha256sum", &[], source.as_bytes());
    let sum = std::str::from_utf8(&sum[..64]).unwrap();
    let tree = Tree::with(&[("a", source.as_bytes()), ("b.gz", &gzip(source.as_bytes()))]);
    for framing in ["csv", "lines", "bytes", "delimited:0x2c", "whole"] {
        for chunk_size in ["64B", "1000B", "64KiB"] {
            let args = ["--framing", framing, "--chunk-size", chunk_size];
            let ended = run_over(&plugin("checksum"), &tree, &args).exits(0);
            for row in &ended.lines()[..2] {
                assert_eq!(row["result"], json!({"sha256": sum}), "{args:?}");
            }
        }
    }
}

/// Records with their lengths before them, among them empty ones but for the `R`.
fn prefixed(length: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let record = |index: u32| {
        let body = [b"R".to_vec(), vec![0; index as usize % 300]].concat();
        [&length(u32::try_from(body.len()).unwrap())[..], &body].concat()
    };
    (0..3000).flat_map(record).collect()
}

#[test]
fn prefixed_records_are_never_cut() {
    assert_cut_between_records(4, &prefixed(u32::to_be_bytes), "prefixed:u32be");
    assert_cut_between_records(4, &prefixed(u32::to_le_bytes), "prefixed:u32le");
}

/// Runs a checksum over a source, plain and compressed; what is said of both.
#[track_caller]
fn refused(source: &[u8], args: &[&str]) -> serde_json::Value {
    let tree = Tree::with(&[("a", source), ("b.gz", &gzip(source)), ("c", b"")]);
    let ended = run_over(&plugin("checksum"), &tree, args).exits(1);
    let rows = ended.lines();
    assert_eq!(rows[0]["error"], rows[1]["error"], "{ended}");
    assert_eq!(rows[2]["bytes"], 0, "{ended}");
    rows[0]["error"].clone()
}

#[test]
fn a_prefixed_record_that_is_cut_short_is_named() {
    let mut source = prefixed(u32::to_be_bytes);
    let end = source.len();
    source.extend(b"\0\0\0\x09Rshort");
    for chunk_size in ["64B", "1MiB"] {
        let args = ["--framing", "prefixed:u32be", "--chunk-size", chunk_size];
        for bytes in [source.len(), end + 4, end + 2] {
            let message = format!(
                "the record that begins at byte {end} is cut short: the source ends at byte {bytes}"
            );
            let expected = json!({"kind": "framing", "message": message});
            assert_eq!(refused(&source[..bytes], &args), expected);
        }
    }
}

#[test]
fn a_prefixed_record_that_is_too_long_is_named() {
    let record = [&1000_u32.to_le_bytes()[..], &[b'R'; 1000]].concat();
    let source = [&b"\x01\0\0\0R"[..], &record].concat();
    let args = ["--framing", "prefixed:u32le", "--chunk-size", "64B", "--max-record"];
    let message = "the record that begins at byte 5 is longer than 1003 bytes";
    let expected = json!({"kind": "record-too-long", "message": message});
    assert_eq!(
        refused(&[&source[..], &record].concat(), &[&args[..], &["1003B"]].concat()),
        expected
    );
    let tree = Tree::with(&[("a", &source)]);
    run_over(&plugin("checksum"), &tree, &[&args[..], &["1004B"]].concat()).exits(0);
    // A length that no source has.
    let args = ["--framing", "prefixed:u32be", "--max-record", "1MiB"];
    let error = refused(&[&[0xff; 4][..], &text(2 << 20)].concat(), &args);
    assert_eq!(error["message"], "the record that begins at byte 0 is longer than 1048576 bytes");
}

#[test]
fn records_of_a_fixed_size_are_never_cut() {
    let source: Vec<u8> =
        (0..5000).flat_map(|index| format!("R{index:08}\n").into_bytes()).collect();
    assert_cut_between_records(0, &source, "fixed:10");
    let message = "50000 bytes are not a whole number of 7-byte records";
    let expected = json!({"kind": "framing", "message": message});
    for chunk_size in ["64B", "1MiB"] {
        assert_eq!(
            refused(&source, &["--framing", "fixed:7", "--chunk-size", chunk_size]),
            expected
        );
    }
}

#[test]
fn a_source_as_a_whole_is_one_chunk() {
    let plugins = Tree::new();
    let guest = strict(&plugins, "lines", 0);
    let source = csv(2000, "\n");
    let tree = Tree::with(&[("a", source.as_bytes()), ("b.gz", &gzip(source.as_bytes()))]);
    for name in ["a", "b.gz"] {
        let args = ["--framing", "whole", "--chunk-size", "64B"];
        let ended = echoed(&guest, &tree, name, &args).exits(0);
        assert!(ended.stdout == source.as_bytes());
        assert_eq!(report(&tree)["counters"]["chunks"], 1);
    }
    let size = source.len();
    let limit = |bytes: usize| format!("{bytes}B");
    run_over(&plugin("checksum"), &tree, &["--framing", "whole", "--max-record", &limit(size)])
        .exits(0);
    let message = format!(
        "the source, one record as a whole, that begins at byte 0 is longer than {} bytes",
        size - 1
    );
    let expected = json!({"kind": "record-too-long", "message": message});
    assert_eq!(
        refused(source.as_bytes(), &["--framing", "whole", "--max-record", &limit(size - 1)]),
        expected
    );
}

/// The first records of what comes from a stream: with quotes, from a compressed file, from
/// standard input.
#[test]
fn header_records_are_those_of_a_stream_too() {
    let guest = Guest {
        header_records: 2,
        constructor: "(call $append (local.get $header) (local.get $header_len))",
        ..Guest::default()
    };
    let plugins = Tree::new();
    let guest = guest.file(&plugins);
    let (header, rest) = ("a,\"b\nc\"\r\nunits,\"\"\n", csv(300, "\n"));
    let source = [header, &rest].concat();
    let tree = Tree::with(&[("a", source.as_bytes()), ("b.gz", &gzip(source.as_bytes()))]);
    let expected = [header, header, &rest].concat();
    for chunk_size in ["64B", "1MiB"] {
        let args = ["--framing", "csv", "--threads", "1", "--chunk-size", chunk_size];
        for name in ["a", "b.gz"] {
            assert_eq!(echoed(&guest, &tree, name, &args).exits(0).text(), expected);
        }
        let ended = Host::run(&guest)
            .args(["--per-source", "--format", "raw", "-"])
            .args(args)
            .stdin(gzip(source.as_bytes()))
            .ended()
            .exits(0);
        assert_eq!(ended.text(), expected);
    }
}

#[test]
fn a_framing_that_there_is_not_starts_nothing() {
    let tree = Tree::with(&[("a", "x\n")]);
    let ended = run_over(&plugin("checksum"), &tree, &["--framing", "tsv"]).exits(2);
    assert!(ended.stderr.contains("unknown framing `tsv`: known are bytes, lines, csv"), "{ended}");
}
