//! Compressed tar archives: each member is a source of its own, read as the file that it was would
//! be. Archives are made by Python's `tarfile`, and by hand where it makes none like that.

use std::collections::BTreeMap;
use std::process::Command;

use super::{report, rows, run_over};
use crate::support::host::{Ended, Host};
use crate::support::pack::{gzip, text, zstd};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Packs the directory `from` of a tree as `name`, in one of Python's formats.
fn pack(tree: &Tree, name: &str, format: &str) {
    let script = format!(
        "import tarfile\nwith tarfile.open('{name}', 'w', format=tarfile.{format}_FORMAT) as tar: tar.add('from')"
    );
    let made = Command::new("python3").arg("-c").arg(script).current_dir(tree.path()).status();
    assert!(made.unwrap().success());
}

fn files() -> Vec<(String, Vec<u8>)> {
    let deep = format!("from/{}/{}/long", "x".repeat(120), "y".repeat(120));
    let mut files: Vec<_> = (0..40).map(|at| (format!("from/{at:03}"), text(at * 97))).collect();
    files.push(("from/large".into(), text(900_000)));
    files.push((deep, text(3000)));
    files.push(("from/gr\u{f6}\u{df}e".into(), text(700)));
    files
}

fn tree() -> Tree {
    let tree = Tree::new();
    for (name, bytes) in files() {
        tree.file(&name, &bytes);
    }
    tree
}

fn run(tree: &Tree, args: &[&str]) -> Ended {
    Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["--per-source", "--format", "jsonl"])
        .args(args)
        .ended()
}

/// What was said of each member of `archive`.
fn members(ended: &Ended, archive: &str) -> BTreeMap<String, String> {
    let prefix = format!("{{\"source\":\"{archive}!/");
    let row = |line: &str| {
        let (name, said) = line.strip_prefix(&prefix)?.split_once("\",")?;
        Some((name.to_string(), said.to_string()))
    };
    ended.text().lines().filter_map(row).collect()
}

#[test]
fn members_are_sources_of_their_own() {
    let tree = tree();
    let expected: BTreeMap<_, _> =
        rows(&run_over(&plugin("wordcount"), &tree, &[]).exits(0)).into_iter().collect();
    let total = |ended: &Ended| ended.text().lines().last().unwrap().to_string();
    let plain_total = total(&run(&tree, &["from"]).exits(0));
    for format in ["USTAR", "GNU", "PAX"] {
        if format == "USTAR" {
            // There is no room for it in a header of that age.
            std::fs::remove_dir_all(tree.path().join(format!("from/{}", "x".repeat(120)))).unwrap();
        }
        pack(&tree, "a.tar", format);
        let packed = tree.read("a.tar");
        for (name, bytes) in [("a.tar.gz", gzip(&packed)), ("a.tzst", zstd(&packed))] {
            tree.file(name, &bytes);
            for threads in ["1", "3"] {
                for chunk in ["4KiB", "512KiB"] {
                    let args = ["--threads", threads, "--chunk-size", chunk, name];
                    let ended = run(&tree, &args).exits(0);
                    let found = members(&ended, name);
                    for (member, said) in &found {
                        assert_eq!(Some(said), expected.get(member), "{name}, {format}");
                    }
                    if format == "USTAR" {
                        assert_eq!(found.len(), expected.len() - 1);
                    } else {
                        assert_eq!(found.len(), expected.len(), "{name}, {format}");
                        assert_eq!(total(&ended), plain_total);
                    }
                }
            }
        }
        for (name, bytes) in files() {
            tree.file(&name, &bytes);
        }
    }
}

#[test]
fn rows_are_in_the_order_of_the_archive_and_between_their_neighbours() {
    let tree = tree();
    pack(&tree, "b.tar", "GNU");
    tree.file("b.tar.gz", gzip(&tree.read("b.tar")));
    let listed = Command::new("tar").arg("tf").arg(tree.path().join("b.tar")).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let in_order: Vec<_> = listed.lines().filter(|name| !name.ends_with('/')).collect();
    assert!(in_order.len() > 40);
    for threads in ["1", "2", "4"] {
        let args = ["--threads", threads, "from/000", "b.tar.gz", "from/large", "b.tar.gz"];
        let ended = run(&tree, &args).exits(0);
        let mut names: Vec<_> = ended
            .text()
            .lines()
            .filter_map(|line| line.strip_prefix("{\"source\":\"")?.split('"').next())
            .map(str::to_string)
            .collect();
        let once: Vec<_> = in_order.iter().map(|name| format!("b.tar.gz!/{name}")).collect();
        let expected =
            [vec!["from/000".to_string()], once.clone(), vec!["from/large".into()], once].concat();
        // `tar tf` writes bytes above ASCII as octal numbers.
        names.retain(|name| name.is_ascii());
        let expected: Vec<_> =
            expected.into_iter().filter(|name| name.is_ascii() && !name.contains('\\')).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn compressed_members_are_decompressed_and_archives_in_archives_are_files() {
    let tree = Tree::with(&[("from/plain", &text(5000)), ("from/packed.gz", &gzip(&text(5000)))]);
    pack(&tree, "from/inner.tar", "GNU");
    pack(&tree, "a.tar", "GNU");
    tree.file("a.tgz", gzip(&tree.read("a.tar")));
    let found = members(&run(&tree, &["a.tgz"]).exits(0), "a.tgz");
    assert_eq!(found["from/packed.gz"], found["from/plain"]);
    let inner = tree.read("from/inner.tar").len();
    assert!(found["from/inner.tar"].starts_with(&format!("\"bytes\":{inner},")));
    assert_eq!(found.len(), 3);
}

#[test]
fn links_and_devices_are_skipped_and_counted() {
    let tree = Tree::with(&[("from/one", "1\n"), ("from/empty", "")]);
    std::os::unix::fs::symlink("one", tree.path().join("from/soft")).unwrap();
    std::fs::hard_link(tree.path().join("from/one"), tree.path().join("from/hard")).unwrap();
    let pipe = tree.path().join("from/pipe");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    pack(&tree, "a.tar", "PAX");
    tree.file("a.tar.gz", gzip(&tree.read("a.tar")));
    let ended = run(&tree, &["--report", "report.json", "a.tar.gz"]).exits(0);
    assert_eq!(members(&ended, "a.tar.gz").len(), 2);
    assert_eq!(report(&tree)["non_regular"], 3);
    assert!(ended.stderr.contains("3 entries that are no regular files were skipped"), "{ended}");
}

#[test]
fn a_name_that_lies_is_settled_by_the_first_block() {
    let tree = Tree::with(&[("text.tar.gz", &gzip(&text(3000)))]);
    let ended = run(&tree, &["text.tar.gz"]).exits(1);
    let message = "text.tar.gz: should be a tar archive, but begins with 35 38 35 31\n\
        hint: --no-archives reads it as the file that it is\n";
    assert!(ended.stderr.starts_with(message), "{ended}");
    run(&tree, &["text.tar.gz", "--no-archives"]).exits(0);
    tree.file("none.tar.gz", gzip(&[0; 10240]));
    let ended = run(&tree, &["none.tar.gz"]).exits(0);
    assert!(ended.text().contains("\"sources\":0"), "{ended}");
}

/// The rows of failures, and the messages.
fn failed(tree: &Tree, name: &str) -> String {
    let ended = run(tree, &["--threads", "2", name]).exits(1);
    ended.stderr
}

#[test]
fn an_archive_that_is_cut_short_is_a_failure_whose_members_before_that_count() {
    let tree = Tree::with(&[("from/one", &text(2000)), ("from/two", &text(2000))]);
    pack(&tree, "a.tar", "USTAR");
    let whole = tree.read("a.tar");
    for (kept, members_whole) in [(700, 0), (512 + 512 + 100, 0), (512 * 6 + 10, 1)] {
        tree.file("a.tgz", gzip(&whole[..kept]));
        let ended = run(&tree, &["a.tgz"]).exits(1);
        let good = members(&ended, "a.tgz").values().filter(|said| said.contains("result")).count();
        assert_eq!(good, members_whole, "{kept}: {ended}");
        let message = format!("a.tgz: the archive is damaged at byte {kept}: it is cut off");
        assert!(ended.stderr.contains(&message), "{kept}: {ended}");
    }
}

#[test]
fn what_is_wrong_with_an_archive_is_said_with_its_place() {
    let tree = Tree::with(&[("from/one", &text(2000)), ("from/two", &text(2000))]);
    pack(&tree, "a.tar", "USTAR");
    let whole = tree.read("a.tar");
    let second = 512 + 512 + 2048;
    let mut damaged = whole.clone();
    damaged[second + 3] ^= 1;
    tree.file("flipped.tgz", gzip(&damaged));
    let said = failed(&tree, "flipped.tgz");
    let expected =
        format!("the archive is damaged at byte {second}: the checksum of a header does not match");
    assert!(said.contains(&expected), "{said}");

    tree.file("twice.tgz", gzip(&[whole.clone(), whole.clone()].concat()));
    let said = failed(&tree, "twice.tgz");
    let expected = format!(
        "the archive is damaged at byte {}: something else follows behind its end",
        whole.len()
    );
    assert!(said.contains(&expected), "{said}");

    tree.file("many.tgz", gzip(&whole));
    let ended = run(&tree, &["--max-members", "2", "many.tgz"]).exits(1);
    assert!(ended.stderr.contains("more than 2 members in the archive"), "{ended}");
    assert!(ended.stderr.contains("hint: raise --max-members"), "{ended}");

    let mut packed = gzip(&whole);
    let length = packed.len();
    packed[length - 6] ^= 1;
    tree.file("checksum.tgz", &packed);
    let said = failed(&tree, "checksum.tgz");
    assert!(said.contains("checksum.tgz: corrupt gzip data"), "{said}");
}

/// A header of a member that says it has `bytes` bytes, with its checksum.
fn header(kind: u8, bytes: u64) -> Vec<u8> {
    named("member", kind, bytes)
}

fn named(name: &str, kind: u8, bytes: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn what_is_not_read_is_a_failure_of_its_own() {
    let tree = Tree::new();
    let (end, content) = (vec![0; 1024], vec![b'x'; 512]);
    let archive =
        [header(b'S', 512), content.clone(), named("other", b'0', 512), content, end].concat();
    tree.file("a.tgz", gzip(&archive));
    let ended = run(&tree, &["a.tgz"]).exits(1);
    assert!(ended.stderr.contains("is a sparse file whose map cannot be read"), "{ended}");
    assert!(ended.text().contains("\"words\":1"), "{ended}");

    for (kind, bytes) in [(b'L', u64::from(u32::MAX)), (b'x', 2 << 20)] {
        tree.file("long.tgz", gzip(&[header(kind, bytes), text(3 << 20)].concat()));
        assert!(failed(&tree, "long.tgz").contains("a header that is longer than any real one"));
    }
    tree.file("huge.tgz", gzip(&header(b'0', (8 << 30) - 1)));
    assert!(
        failed(&tree, "huge.tgz").contains("the archive is damaged at byte 512: it is cut off")
    );
}

#[test]
fn mutations_are_results_or_named_failures() {
    let tree = Tree::with(&[("from/one", &text(600)), ("from/two", &text(300))]);
    pack(&tree, "a.tar", "PAX");
    let whole = tree.read("a.tar");
    let mut names = Vec::new();
    for seed in 0..1000_usize {
        let mut bytes = whole.clone();
        // Headers stand at the front; what fills the archive up does not matter.
        let at = seed.wrapping_mul(2_654_435_761) % 5000;
        bytes[at] = bytes[at].wrapping_add(1 + u8::try_from(seed % 255).unwrap());
        if seed % 5 == 0 {
            bytes.truncate(at);
        }
        let name = format!("{seed}.tar.zst");
        tree.file(&name, zstd(&bytes));
        names.push(name);
    }
    let list = names.join("\n");
    tree.file("list", list.as_bytes());
    let ended = run(&tree, &["--files-from", "list"]);
    assert!(matches!(ended.code, Some(0 | 1)), "{ended}");
    for name in &names {
        let said = format!("{{\"source\":\"{name}");
        let is_open = ended.text().lines().any(|line| line.starts_with(&said));
        assert!(is_open, "{name} is not in the results");
    }
}

/// One bit after which all is inflated, but not to what it was: only the checksum behind all
/// members shows it.
fn wrong_bits(packed: &[u8]) -> Vec<u8> {
    const FLIP: &str = r"
import sys, zlib
packed = sys.stdin.buffer.read()
plain = zlib.decompress(packed, 31)
for at in range(len(packed) // 2, len(packed) - 100):
    for bit in range(8):
        bad = bytearray(packed); bad[at] ^= 1 << bit
        try: got = zlib.decompressobj(-15).decompress(bytes(bad[10:]))
        except zlib.error: continue
        if len(got) == len(plain) and got != plain and got[-3000:] == plain[-3000:] and got[:3000] == plain[:3000]:
            sys.stdout.buffer.write(bad); raise SystemExit
";
    crate::support::oracle::oracle("python3", &["-c", FLIP], packed)
}

#[test]
fn nothing_of_an_archive_is_seen_whose_checksum_does_not_match() {
    let tree = Tree::with(&[("from/one", &text(60_000)), ("from/two", &text(5000))]);
    pack(&tree, "a.tar", "USTAR");
    let bad = wrong_bits(&gzip(&tree.read("a.tar")));
    assert!(!bad.is_empty());
    tree.file("in/bad.tgz", &bad);
    for threads in ["1", "2"] {
        let ended = run(&tree, &["--threads", threads, "--total", "in"]).exits(1);
        let lines = ended.lines();
        assert_eq!(lines.len(), 2, "{ended}");
        assert_eq!(lines[0]["source"], "in/bad.tgz");
        assert_eq!(lines[1]["total"]["bytes"], 0);
        for out in [&["--out", "out/"][..], &["--out", "out.txt"], &[]] {
            let host = Host::run(&plugin("upcase")).within(tree.path());
            let args = ["--exists", "replace", "--threads", threads, "in"];
            let ended = host.args(args).args(out).ended().exits(1);
            assert!(ended.stdout.is_empty(), "{ended}");
        }
        assert!(!tree.path().join("out/in").exists() && tree.read("out.txt").is_empty());
    }
    // From a pipe, too; and what is under an earlier checksum that matches is good.
    let ended = Host::run(&plugin("wordcount")).args(["--per-source", "-"]).stdin(bad).ended();
    assert_eq!(ended.exits(1).lines().len(), 2);
    let whole = tree.read("a.tar");
    let (first, rest) = whole.split_at(512 + 60_928 + 512);
    tree.file("in/bad.tgz", [gzip(first), gzip(rest)[..300].to_vec()].concat());
    let ended = run(&tree, &["in"]).exits(1);
    assert_eq!(members(&ended, "in/bad.tgz").keys().next().unwrap(), "from/one");
}
