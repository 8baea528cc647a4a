//! Archives on standard input, from a pipe and from a file.

use super::streams::{from_file, said_of};
use crate::support::host::{Ended, Host};
use crate::support::pack::text;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// A tar archive on standard input is looked into, compressed or not; a zip file is refused unless
/// it is asked for. It is the same from a pipe and from a file.
#[test]
fn an_archive_on_standard_input_is_never_counted_as_its_bytes() {
    const MAKE: &str = r"
import os, sys, tarfile, zipfile
os.chdir(sys.argv[1])
with zipfile.ZipFile('a.zip', 'w', 8) as archive: archive.write('n')
with tarfile.open('a.tar', 'w') as archive: archive.add('n')
with tarfile.open('a.tgz', 'w:gz') as archive: archive.add('n')
";
    let plain = text(100_000);
    let tree = Tree::with(&[("n", &plain)]);
    crate::support::oracle::oracle("python3", &["-c", MAKE, tree.path().to_str().unwrap()], b"");
    let expected = format!("{{\"source\":\"-!/n\",{}", said_of(&plain));
    for (name, args) in [
        ("a.tar", &[][..]),
        ("a.tgz", &[]),
        ("a.tar", &["--archive", "tar"]),
        ("a.tgz", &["--archive", "tar"]),
        ("a.zip", &["--archive", "zip-stream"]),
    ] {
        let run = || Host::run(&plugin("wordcount")).args(["--per-source", "-"]).args(args);
        let piped = run().stdin(tree.read(name)).ended().exits(0);
        assert_eq!(piped.text().lines().next().unwrap(), expected, "{name} {args:?}");
        let args = [&["--per-source", "-"][..], args].concat();
        let redirected = from_file(&tree, name, "").args(args).ended().exits(0);
        assert_eq!(redirected.text().lines().next().unwrap(), expected, "{name}");
    }
    tree.file("zeros.tar", [0; 10_240]);
    tree.file("one.zip", b"PK\x03\x04");
    tree.file("empty", b"");
    for (name, args, code, message) in [
        ("a.zip", &[][..], 1, "hint: --archive zip-stream keeps"),
        ("one.zip", &[], 1, "hint: --archive zip-stream keeps"),
        ("a.zip", &["--archive", "tar"], 1, ""),
        ("n", &["--archive", "tar"], 1, "should be a tar archive"),
        ("empty", &["--archive", "tar"], 1, "should be a tar archive"),
        ("zeros.tar", &["--archive", "tar"], 0, ""),
        ("zeros.tar", &[], 0, ""),
        ("a.zip", &["--no-archives"], 0, ""),
        ("a.tar", &["--no-archives"], 0, ""),
    ] {
        let args = [&["--per-source", "--total", "-"], args].concat();
        let piped = Host::run(&plugin("wordcount")).args(&args).stdin(tree.read(name)).ended();
        let redirected = from_file(&tree, name, "").args(&args).ended();
        let told_of = |ended: &Ended| (ended.code, ended.stdout.clone(), ended.stderr.clone());
        assert_eq!(told_of(&redirected), told_of(&piped), "{name} {args:?}");
        assert!(piped.exits(code).stderr.contains(message), "{name} {args:?}");
    }
}
