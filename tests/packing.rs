//! What is packed by chunk, against the programs that users unpack it with.

use std::process::Command;

use gristmill::output::{Packer, Written};
use gristmill::settings::Pack;

use crate::support::oracle::oracle;

/// Programs that read a format, and whether they are on every machine.
const READERS: [(&str, Presence, &str, &[&str]); 8] = [
    ("gzip:1", Presence::Required, "gzip", &["-dc"]),
    ("gzip", Presence::Required, "gzip", &["-dc"]),
    ("gzip:9", Presence::Required, "python3", &["-c", PYTHON]),
    ("bgzf", Presence::Required, "gzip", &["-dc"]),
    ("bgzf:9", Presence::Required, "python3", &["-c", PYTHON]),
    ("bgzf:1", Presence::WhereInstalled, "bgzip", &["-dc"]),
    ("zstd:19", Presence::WhereInstalled, "zstd", &["-dcq"]),
    ("lz4", Presence::WhereInstalled, "lz4", &["-dcq"]),
];

const PYTHON: &str =
    "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))";

#[derive(PartialEq)]
enum Presence {
    Required,
    WhereInstalled,
}

fn packed(pack: Pack, chunks: &[&[u8]]) -> Vec<u8> {
    let mut packer = Packer::new(pack).unwrap();
    let mut out = Vec::new();
    for chunk in chunks {
        packer.pack(chunk, &mut out).unwrap();
    }
    let written = if out.is_empty() { Written::Nothing } else { Written::Something };
    packer.end(written, &mut out).unwrap();
    out
}

#[test]
fn the_tools_of_each_format_read_what_is_packed() {
    let text: Vec<u8> =
        (0..60_000).flat_map(|n| format!("{n} {:x}\n", n * n).into_bytes()).collect();
    let noise = oracle("head", &["-c", "300000", "/dev/urandom"], b"");
    for (word, presence, program, args) in READERS {
        if presence == Presence::WhereInstalled && Command::new(program).arg("-h").output().is_err()
        {
            eprintln!("{program} is not installed, so {word} is not compared with it");
            continue;
        }
        let pack = word.parse().unwrap();
        for chunks in [&[&text[..], b"x", b"", &noise, &text[..1000]][..], &[], &[b""]] {
            let read = oracle(program, args, &packed(pack, chunks));
            assert!(read == chunks.concat(), "{word} by {program}, {} chunks", chunks.len());
        }
    }
}

#[test]
fn readers_that_look_for_the_end_of_bgzf_find_it() {
    // What the SAM specification, section 4.1.2, says of it.
    let end = oracle(
        "python3",
        &[
            "-c",
            "import sys; sys.stdout.buffer.write(bytes.fromhex(\
        '1f8b08040000000000ff0600424302001b0003000000000000000000'))",
        ],
        b"",
    );
    assert!(packed(Pack::Bgzf(6), &[b"x"]).ends_with(&end));
    assert_eq!(packed(Pack::Bgzf(6), &[]), end);
}
