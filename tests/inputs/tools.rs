//! What the usual compressors write at all kinds of levels is decompressed to what they were given.

use std::env;

use super::{rows, run_over};
use crate::support::oracle::oracle;
use crate::support::pack::text;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Tools that every Linux has, and the ways to call them.
const USUAL: &[(&str, &[&[&str]])] = &[
    ("gzip", &[&["-1"], &["-6"], &["-9"], &["-9", "--rsyncable"]]),
    ("bzip2", &[&["-1"], &["-9"]]),
    (
        "xz",
        &[
            &["-0"],
            &["-6"],
            &["-1", "-Cnone"],
            &["-1", "-Csha256"],
            &["-T2", "--block-size=300KiB"],
        ],
    ),
];

/// Tools that are compared with where they are installed.
const OTHERS: &[(&str, &[&[&str]])] = &[
    (
        "zstd",
        &[&["-1"], &["-12"], &["--long=27"], &["--no-check"], &["-T2", "-B512KiB"], &["--fast"]],
    ),
    ("lz4", &[&["-1"], &["-9"], &["-BD"], &["-B4", "-BX"], &["-B7", "--no-frame-crc"], &["-l"]]),
    ("brotli", &[&["-q", "0"], &["-q", "9"]]),
    ("pigz", &[&["-1", "-b", "128"], &["-9", "-i"]]),
    ("bgzip", &[&[]]),
];

const EXTENSIONS: [(&str, &str); 8] = [
    ("gzip", "gz"),
    ("bzip2", "bz2"),
    ("xz", "xz"),
    ("zstd", "zst"),
    ("lz4", "lz4"),
    ("brotli", "br"),
    ("pigz", "gz"),
    ("bgzip", "gz"),
];

pub(super) fn is_installed(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(tool).is_file())
}

#[test]
fn what_the_usual_tools_write_is_read() {
    let plain = text(800_000);
    let tree = Tree::with(&[("plain", &plain)]);
    let others = OTHERS.iter().filter(|(tool, _)| is_installed(tool));
    let mut files = 1;
    for (tool, calls) in USUAL.iter().chain(others) {
        let extension = EXTENSIONS.iter().find(|(name, _)| name == tool).unwrap().1;
        for args in *calls {
            let packed = oracle(tool, &[&["-c"], *args].concat(), &plain);
            tree.file(&format!("{tool}{}.{extension}", args.concat()), packed);
            files += 1;
        }
    }
    let sum = oracle("sha256sum", &[], &plain);
    let sum = std::str::from_utf8(&sum[..64]).unwrap();
    let expected = format!("\"bytes\":{},\"result\":{{\"sha256\":\"{sum}\"}}}}", plain.len());
    let mut counted = None;
    for threads in ["1", "2"] {
        let sums = rows(&run_over(&plugin("checksum"), &tree, &["--threads", threads]).exits(0));
        assert_eq!(sums.len(), files);
        for (name, said) in sums {
            assert_eq!(said, expected, "{name}, {threads} threads");
        }
        // Checksums are made from front to back, these from pieces where there are any.
        let rows = rows(&run_over(&plugin("wordcount"), &tree, &["--threads", threads]).exits(0));
        let counted = counted.get_or_insert_with(|| rows[0].1.clone());
        for (name, said) in rows {
            assert_eq!(said, *counted, "{name}, {threads} threads");
        }
    }
}
