//! Archives with several members of one name, and names that are no text: what is read is what `tar
//! xf` and `unzip -o` leave.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use super::{count, message, sources};
use crate::inputs::tools::is_installed;
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::pack::gzip;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// `a`, `b` and `a` once more in archives of all kinds; and `./a`, which is the same file.
const MAKE: &str = r#"
import io, os, sys, tarfile, warnings, zipfile
warnings.simplefilter("ignore")
os.chdir(sys.argv[1])
for name, last in ("same", "a"), ("dotted", "./a"):
    files = ("a", b"first\n"), ("d/b", b"b\n"), (last, b"the last one\n")
    with tarfile.open(name + ".tar", "w") as tar:
        for member, data in files:
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with zipfile.ZipFile(name + ".zip", "w") as archive:
        for member, data in files: archive.writestr(member, data)
"#;

fn tree() -> Tree {
    let tree = Tree::new();
    oracle("python3", &["-c", MAKE, tree.path().to_str().unwrap()], b"");
    for name in ["same", "dotted"] {
        tree.file(&format!("{name}.tgz"), gzip(&tree.read(&format!("{name}.tar"))));
    }
    tree
}

/// The results over all of what a tool unpacks.
fn total(tree: &Tree, args: &[&str]) -> String {
    let host = Host::run(&plugin("wordcount")).within(tree.path()).arg("--total").args(args);
    host.ended().exits(0).text().to_string()
}

fn unpacked(tree: &Tree, command: &str) -> String {
    let all = format!("rm -rf out && mkdir out && cd out && {command}");
    let made = Command::new("bash").args(["-ec", &all]).current_dir(tree.path()).status();
    assert!(made.unwrap().success(), "{command}");
    total(tree, &["out"])
}

#[test]
fn the_last_of_several_members_with_one_name_is_read() {
    let tree = tree();
    for name in ["same", "dotted"] {
        let archive = format!("{name}.tar");
        let expected = unpacked(&tree, &format!("tar -xf ../{archive}"));
        assert!(expected.contains("\"sources\":2"), "{expected}");
        assert_eq!(total(&tree, &[&archive]), expected, "{name}");
        assert_eq!(total(&tree, &["--threads", "3", &archive]), expected, "{name}");
        if is_installed("unzip") {
            let expected = unpacked(&tree, &format!("unzip -qo ../{name}.zip"));
            assert_eq!(total(&tree, &[&format!("{name}.zip")]), expected, "{name}");
        }
    }
    let ended = count(&tree, &["same.tar"]).exits(0);
    assert!(
        ended.stderr.contains("of members with one name the last is read: 1 before"),
        "{ended}"
    );
    let upper = Host::run(&plugin("upcase")).within(tree.path());
    upper.args(["--out", "up/", "same.tar"]).ended().exits(0);
    assert_eq!(tree.read("up/same.tar/a"), b"THE LAST ONE\n");
}

/// What came first has been given out when the second one comes: both would count.
#[test]
fn a_name_that_comes_again_from_the_front_fails_by_name() {
    let tree = tree();
    for (name, second) in [("same.tgz", "a"), ("dotted.tgz", "./a")] {
        for threads in ["1", "3"] {
            let ended = count(&tree, &["--threads", threads, name]).exits(1);
            let said = format!(
                "{name}!/{second}: stands in the archive once more, which is read from its front: a member of that name has been read\n"
            );
            assert_eq!(message(&ended), said);
            assert!(ended.stderr.contains("hint: decompress the tar file"), "{ended}");
            assert_eq!(super::results(&ended), 2);
        }
        let some = count(&tree, &["--include-members", "b", name]).exits(0);
        assert_eq!(sources(&some).len(), 1);
    }
    let piped = Host::run(&plugin("wordcount")).stdin(tree.read("same.tar"));
    assert_eq!(piped.args(["--archive", "tar", "-"]).ended().exits(1).lines().len(), 3 + 1);
}

#[test]
fn names_that_are_no_text_are_kept_byte_for_byte() {
    const MAKE: &str = r#"
import io, os, sys, tarfile
os.chdir(sys.argv[1])
for form in tarfile.GNU_FORMAT, tarfile.PAX_FORMAT:
    with tarfile.open(f"{form}.tar", "w", format=form, encoding="utf-8", errors="surrogateescape") as tar:
        for name in b"gr\xfcn.txt", b"gr\xfdn.txt":
            info = tarfile.TarInfo(os.fsdecode(name))
            info.size = 2
            tar.addfile(info, io.BytesIO(b"x\n"))
"#;
    let tree = Tree::new();
    oracle("python3", &["-c", MAKE, tree.path().to_str().unwrap()], b"");
    let names = |dir: &Path| {
        let entries = dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    };
    for form in ["1", "2"] {
        let archive = format!("{form}.tar");
        tree.file(&format!("{archive}.gz"), gzip(&tree.read(&archive)));
        for name in [archive.clone(), format!("{archive}.gz")] {
            let host = Host::run(&plugin("upcase")).within(tree.path());
            host.args(["--out", "out/", &name]).ended().exits(0);
            let found = names(&tree.path().join("out").join(&name));
            let expected = [&b"gr\xfcn.txt"[..], b"gr\xfdn.txt"].map(OsStr::from_bytes);
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn a_glob_for_members_that_matches_none_is_reported() {
    let tree = tree();
    for name in ["same.tar", "same.zip", "same.tgz"] {
        let ended = count(&tree, &["--include-members", "c", "--include-members", "b", name]);
        let ended = ended.exits(0);
        let message = "--include-members c matches no member of an archive\n";
        assert!(ended.stderr.ends_with(message), "{ended}");
        assert!(!ended.stderr.contains("--include-members b"), "{ended}");
    }
    // One archive has what the other has not.
    tree.file("other.tgz", {
        oracle("tar", &["-C", tree.path().to_str().unwrap(), "-czf", "-", "same.zip"], b"")
    });
    let both = ["--include-members", "same.zip", "other.tgz", "same.tar", "dotted.tgz"];
    assert!(!count(&tree, &both).exits(0).stderr.contains("matches no member"));
}

/// What a ledger knows of an archive is what those members gave that were taken then.
#[test]
fn other_members_are_other_results_of_a_ledger() {
    let tree = tree();
    tree.file("one.tgz", {
        let made = "tar -C \"$0\" --transform s,same,x, -czf - same.zip same.tgz";
        oracle("bash", &["-c", made, tree.path().to_str().unwrap()], b"")
    });
    let run = |args: &[&str]| {
        let host = Host::run(&plugin("wordcount")).within(tree.path());
        let host = host.args(["--per-source", "--total", "--no-archives"].iter().take(2));
        host.args(args).args(["same.tar", "one.tgz"]).ended().exits(0).text().to_string()
    };
    for globs in [&["--include-members", "b"][..], &["--include-members", "a"], &[]] {
        let expected = run(globs);
        let with_ledger = [globs, &["--ledger", "done"]].concat();
        for _ in 0..2 {
            assert_eq!(run(&with_ledger), expected, "{globs:?}");
        }
    }
}
