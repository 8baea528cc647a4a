//! Archives by real tools: every member has the result of the file that it was.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{count, sources};
use crate::inputs::tools::is_installed;
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::pack::{gzip, text};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// A directory in several forms of archives, by Python: `sys.argv` is where.
const MAKE: &str = r##"
import os, sys, tarfile, zipfile
os.chdir(sys.argv[1])
names = sorted(os.path.join(d, f) for d, _, fs in os.walk("plain") for f in fs)

class Pipe:
    """Has no place to go back to, so that sizes come behind the data."""
    def __init__(self, name): self.file = open(name, "wb")
    def write(self, data): return self.file.write(data)
    def flush(self): self.file.flush()
    def close(self): self.file.close()

def zipped(out, method=zipfile.ZIP_DEFLATED, zip64=False, before=b"", comment=b""):
    out.write(before)
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = comment
        for name in names:
            info = zipfile.ZipInfo.from_file(name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(open(name, "rb").read())
    out.close()

zipped(open("stored.zip", "wb"), zipfile.ZIP_STORED)
zipped(open("deflated.zip", "wb"))
zipped(open("bzip2.zip", "wb"), zipfile.ZIP_BZIP2)
zipped(open("zip64.zip", "wb"), zip64=True)
zipped(open("zip64-stored.ZIP", "wb"), zipfile.ZIP_STORED, zip64=True)
zipped(Pipe("streamed.zip"))
zipped(Pipe("streamed-stored.zip"), zipfile.ZIP_STORED)
before = b"#!/bin/sh\nexec true\n" * 5000
zipped(open("behind.zip", "wb"), before=before)
with open("prefixed.zip", "wb") as out:
    out.write(before + open("deflated.zip", "rb").read())
with open("prefixed64.zip", "wb") as out:
    out.write(before + open("zip64.zip", "rb").read())
zipped(open("commented.zip", "wb"), comment=b"PK\5\6" + b"a comment" * 5000)
for name, form in ("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT):
    with tarfile.open(f"{name}.tar", "w", format=form) as archive:
        for member in names:
            archive.add(member)
"##;

/// A tree of files, and archives that they are in.
fn tree() -> (Tree, Vec<String>) {
    let dir = "x".repeat(60);
    let plain = text(700_000);
    let tree = Tree::with(&[
        ("plain/a.txt", &plain[..]),
        ("plain/b", &plain[..9]),
        ("plain/empty", b""),
        ("plain/größe.txt", b"gr\xc3\xb6\xc3\x9fer\n"),
        ("plain/line\nfeed", b"a b\n"),
        ("plain/packed.gz", &gzip(&plain[..300_000])),
        ("plain/packed", &gzip(b"hello\n")),
        ("plain/deep/er/c.txt", &plain[..100_000]),
    ]);
    tree.file(&format!("plain/{dir}/{dir}/{}", "y".repeat(90)), b"a long name\n");
    oracle("python3", &["-c", MAKE, tree.path().to_str().unwrap()], b"");
    let mut archives: Vec<_> = tree
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "plain")
        .collect();
    for format in ["oldgnu", "gnu", "ustar", "posix"] {
        let name = format!("{format}-by-gnu.tar");
        shell(tree.path(), &format!("tar --format={format} -cf {name} plain"));
        archives.push(name);
    }
    if is_installed("zip") {
        shell(tree.path(), "zip -qr info.zip plain && zip -qr0 info0.zip plain");
        shell(tree.path(), "zip -qr - plain | cat > info-piped.zip");
        archives.extend(["info.zip", "info0.zip", "info-piped.zip"].map(String::from));
    }
    archives.sort();
    (tree, archives)
}

fn shell(dir: &Path, command: &str) {
    let status = Command::new("bash").args(["-ec", command]).current_dir(dir).status().unwrap();
    assert!(status.success(), "{command}");
}

/// What became of the files, in the order of their names.
fn expected(tree: &Tree) -> Vec<(String, Value)> {
    sources(&count(tree, &["plain"]).exits(0))
}

/// The same of the members of an archive.
fn found(tree: &Tree, archive: &str, args: &[&str]) -> Vec<(String, Value)> {
    let ended = count(tree, &[&[archive][..], args].concat()).exits(0);
    let prefix = format!("{archive}!/");
    let strip = |(name, row): (String, Value)| {
        (name.strip_prefix(&prefix).unwrap_or_else(|| panic!("{name}")).to_string(), row)
    };
    let mut found: Vec<_> = sources(&ended).into_iter().map(strip).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn every_member_has_the_result_of_the_file_that_it_was() {
    let (tree, archives) = tree();
    let expected = expected(&tree);
    assert_eq!(expected.len(), 9);
    assert!(archives.len() >= 18, "{archives:?}");
    for archive in &archives {
        for args in [
            &["--threads", "1"][..],
            &["--threads", "2", "--chunk-size", "4KiB"],
            &["--threads", "4", "--chunk-size", "64KiB", "--io", "mmap"],
            &["--threads", "1", "--chunk-size", "1KiB", "--framing", "csv"],
        ] {
            assert_eq!(found(&tree, archive, args), expected, "{archive} {args:?}");
        }
    }
}

/// All archives at once, listed by several threads, in the order in which they are named.
#[test]
fn output_does_not_depend_on_how_many_threads_list_and_read() {
    let (tree, archives) = tree();
    let names: Vec<_> = archives.iter().chain(&archives).map(String::as_str).collect();
    let one = count(&tree, &[&names[..], &["--threads", "1"]].concat()).exits(0);
    for threads in ["2", "4"] {
        let args = [&names[..], &["--threads", threads, "--chunk-size", "8KiB"]].concat();
        assert_eq!(count(&tree, &args).exits(0).text(), one.text());
    }
    let order: Vec<_> = sources(&one)
        .into_iter()
        .map(|(name, _)| name.split_once("!/").unwrap().0.to_string())
        .collect();
    let mut seen = order;
    seen.dedup();
    assert_eq!(seen, names);
}

#[test]
fn bytes_of_members_are_those_of_the_files() {
    let (tree, archives) = tree();
    let sums = |args: &[&str]| {
        let ended = Host::run(&plugin("checksum"))
            .within(tree.path())
            .args(["--per-source", "--format", "jsonl", "--decompress", "none"])
            .args(args)
            .ended()
            .exits(0);
        let mut sums: Vec<_> =
            sources(&ended).into_iter().map(|(_, row)| row["result"].to_string()).collect();
        sums.sort();
        sums
    };
    let expected = sums(&["plain"]);
    for archive in &archives {
        assert_eq!(sums(&[archive]), expected, "{archive}");
    }
}

#[test]
fn archives_in_directories_are_replaced_where_they_stand() {
    let (tree, _) = tree();
    let inner = Tree::with(&[("a.txt", "x\n"), ("c/d.txt", "x\n")]);
    for (from, to) in [("ustar.tar", "b.tar"), ("deflated.zip", "c/c.zip")] {
        std::fs::copy(tree.path().join(from), inner.path().join(to)).unwrap();
    }
    let names = |args: &[&str]| -> Vec<_> {
        let ended = count(&inner, &[&["."][..], args].concat()).exits(0);
        sources(&ended).into_iter().map(|(name, _)| name).collect()
    };
    let found = names(&[]);
    assert_eq!(found.len(), 20);
    assert_eq!(found[0], "./a.txt");
    assert!(found[1..10].iter().all(|name| name.starts_with("./b.tar!/plain/")), "{found:?}");
    assert!(found[10..19].iter().all(|name| name.starts_with("./c/c.zip!/plain/")), "{found:?}");
    assert_eq!(found[19], "./c/d.txt");
    // Globs are for files.
    assert_eq!(names(&["--include", "*.zip"]).len(), 9);
    assert_eq!(names(&["--exclude", "*.zip", "--exclude", "größe.txt"]).len(), 11);
    assert_eq!(names(&["--no-archives"]), ["./a.txt", "./b.tar", "./c/c.zip", "./c/d.txt"]);
}

#[test]
fn an_archive_that_is_to_be_read_as_it_is_is_read_as_it_is() {
    let (tree, _) = tree();
    for name in ["deflated.zip", "pax.tar"] {
        let ended = Host::run(&plugin("checksum"))
            .within(tree.path())
            .args(["--per-source", "--format", "raw", "--no-archives", name])
            .ended()
            .exits(0);
        let sum = oracle("sha256sum", &[tree.path().join(name).to_str().unwrap()], b"");
        let sum = std::str::from_utf8(&sum[..64]).unwrap();
        assert_eq!(ended.text(), format!("{{\"sha256\":\"{sum}\"}}"));
    }
}

/// The count in the directory has 16 bits; larger ones have 64.
#[test]
fn more_members_than_sixteen_bits_count_are_all_read() {
    const MAKE: &str = r#"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for n in range(70_000):
        archive.writestr(f"{n}", b"x\n")
"#;
    let tree = Tree::new();
    let archive = tree.path().join("many.zip");
    oracle("python3", &["-c", MAKE, archive.to_str().unwrap()], b"");
    let ended = Host::run(&plugin("wordcount")).arg("--total").arg(&archive).ended().exits(0);
    assert_eq!(ended.lines()[0]["sources"], 70_000);
    assert_eq!(ended.lines()[0]["total"]["bytes"], 140_000);
}

#[test]
fn an_archive_within_an_archive_is_a_file() {
    let (tree, _) = tree();
    shell(tree.path(), "tar -cf outer.tar deflated.zip");
    let size = tree.path().join("deflated.zip").metadata().unwrap().len();
    let found = sources(&count(&tree, &["outer.tar"]).exits(0));
    assert_eq!(found[0].0, "outer.tar!/deflated.zip");
    assert_eq!(found[0].1["bytes"], size);
    assert_eq!(found.len(), 1);
}

/// What is compressed within a member is decompressed as it is in a file, and bounded alike.
#[test]
fn flags_for_compressed_files_are_for_members_too() {
    let (tree, _) = tree();
    for archive in ["deflated.zip", "stored.zip", "pax.tar"] {
        let rows = |args: &[&str]| {
            sources(&count(&tree, &[&[archive][..], args].concat()))
                .into_iter()
                .find(|(name, _)| name.ends_with("/packed.gz"))
                .unwrap()
                .1
        };
        assert_eq!(rows(&[])["bytes"], 300_000);
        let packed = tree.path().join("plain/packed.gz").metadata().unwrap().len();
        assert_eq!(rows(&["--decompress", "none"])["bytes"], packed);
        assert_eq!(rows(&["--max-decompressed", "200KB"])["error"]["kind"], "too-large");
        assert_eq!(rows(&["--decompress", "xz"])["error"]["kind"], "decode");
    }
}
