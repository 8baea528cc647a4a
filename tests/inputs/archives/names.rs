//! What is an archive, what is a source in it, and what it is called.

use std::collections::BTreeSet;

use serde_json::Value;

use super::bytes::{Zipped, header, tar, tarred, zip};
use super::{count, failures, message, sources};
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

#[test]
fn a_name_of_an_archive_has_to_be_borne_out() {
    let tree = Tree::with(&[
        ("a.zip", b"hello\n".to_vec()),
        ("b.tar", b"hello\n".to_vec()),
        ("c.zip", Vec::new()),
        ("d.tar", Vec::new()),
        ("e.tar", tarred(b"x", b'0', b"hello\n")[1..].to_vec()),
        ("f.zip", b"PK is what it begins with\n".to_vec()),
        ("g.jar", zip(&[Zipped::stored("x", b"hello\n")], None)),
        ("h", tar(&[tarred(b"x", b'0', b"hello\n")])),
        ("i.zip", crate::support::pack::gzip(b"hello\n")),
    ]);
    let ended = count(&tree, &["."]).exits(1);
    let failed: Vec<_> = failures(&ended).into_iter().map(|(name, _)| name).collect();
    let expected = ["a.zip", "b.tar", "c.zip", "d.tar", "e.tar", "f.zip"].map(|n| format!("./{n}"));
    assert_eq!(failed, expected);
    count(&tree, &[".", "--no-archives"]).exits(0);
}

/// A plain tar file under the name of a compressed one, and the other way round; 512 zeros in both.
#[test]
fn the_codec_of_a_tar_file_is_recognised_by_its_bytes() {
    let archive = tar(&[tarred(b"x", b'0', b"hello\n")]);
    let packed = crate::support::pack::gzip(&archive);
    let tree = Tree::with(&[
        ("a.tar", archive.clone()),
        ("b.tgz", archive.clone()),
        ("c.tar.zst", archive),
        ("d.tar", packed.clone()),
        ("e.tar.gz", packed),
    ]);
    let found = sources(&count(&tree, &["."]).exits(0));
    assert_eq!(found.len(), 5);
    assert!(
        found.iter().all(|(name, row)| name.ends_with("!/x") && row["bytes"] == 6),
        "{found:?}"
    );
    let zeros = vec![0; 512];
    let tree = Tree::with(&[("a.tar.gz", crate::support::pack::gzip(&zeros)), ("b.tar", zeros)]);
    assert!(sources(&count(&tree, &["."]).exits(0)).is_empty());
}

#[test]
fn empty_archives_have_no_members() {
    let tree =
        Tree::with(&[("a.zip", zip(&[], None)), ("b.tar", vec![0; 10240]), ("c.tar", tar(&[]))]);
    let ended = count(&tree, &["a.zip", "b.tar", "c.tar"]).exits(0);
    assert_eq!(ended.text(), "{\"sources\":0,\"failed\":0,\"bytes\":0}\n");
}

#[test]
fn names_are_exact_in_output_and_without_control_characters_in_messages() {
    let mut cp437 = Zipped::stored("", b"x\n");
    cp437.name = b"gr\x94\xe1e".to_vec();
    let mut utf8 = Zipped::stored("größe", b"x\n");
    utf8.flags = 1 << 11;
    let mut bad = Zipped::stored("\x1b[31mred\nline", b"x\n");
    bad.method = 99;
    let entries = [
        Zipped::stored("/etc/passwd", b"x\n"),
        Zipped::stored("../../up", b"x\n"),
        Zipped::stored("same", b"1\n"),
        Zipped::stored("same", b"1 2\n"),
        Zipped::stored("", b"x\n"),
        cp437,
        utf8,
        bad,
    ];
    let tree = Tree::with(&[
        ("a.zip", zip(&entries, None)),
        ("b.tar", tar(&[tarred(b"/abs", b'0', b"x\n"), tarred(b"not utf-8 \xff", b'0', b"x\n")])),
    ]);
    let ended = count(&tree, &["a.zip", "b.tar"]).exits(1);
    let names: Vec<_> = sources(&ended).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "a.zip!//etc/passwd",
        "a.zip!/../../up",
        "a.zip!/same",
        "a.zip!/",
        "a.zip!/größe",
        "a.zip!/\x1b[31mred\nline",
        "b.tar!//abs",
        r"b.tar!/not utf-8 \xff",
    ];
    assert_eq!(names, expected);
    assert_eq!(sources(&ended)[2].1["result"]["words"], 2);
    assert!(!ended.stderr.contains('\x1b'), "{ended}");
    assert_eq!(ended.stderr.lines().count(), 3, "{ended}");
}

#[test]
fn members_that_are_no_files_are_skipped_and_counted() {
    let mut link = Zipped::stored("link", b"target");
    link.mode = 0o120_777;
    let mut fifo = Zipped::stored("fifo", b"");
    fifo.mode = 0o010_644;
    let mut directory = Zipped::stored("dir/", b"");
    directory.mode = 0o040_755;
    let named_like_one = Zipped::stored("not-a-directory/", b"x\n");
    let entries = [directory, link, fifo, Zipped::stored("dir/a", b"x\n"), named_like_one];
    let mut pieces = vec![tarred(b"dir/", b'5', b""), tarred(b"a", b'0', b"x\n")];
    pieces.extend([b'1', b'2', b'3', b'4', b'6'].map(|kind| tarred(b"special", kind, b"")));
    // Old writers say how large a file is that a hard link goes to; there is no data.
    pieces.push(header(b"hard", b'1', "00000001000").to_vec());
    pieces.extend([
        tarred(b"old/", b'\0', b""),
        tarred(b"b", b'7', b"x\n"),
        tarred(b"label", b'V', b""),
    ]);
    pieces.push(tarred(b"unheard of", b'Z', b"x\n"));
    let tree = Tree::with(&[("a.zip", zip(&entries, None)), ("b.tar", tar(&pieces))]);
    let ended = Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["--total", "a.zip", "b.tar"])
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"total":{"lines":5,"words":5,"bytes":10},"sources":5,"failed":0,"bytes":10}
    --- stderr
    8 entries that are no regular files were skipped
    "#);
}

#[test]
fn what_cannot_be_unpacked_is_named() {
    let packed = |name: &str, method, flags| {
        let mut entry = Zipped::stored(name, b"x\n");
        (entry.method, entry.flags) = (method, flags);
        entry
    };
    let mut sizes = Zipped::stored("sizes", b"x\n");
    sizes.bytes = 3;
    let entries = [
        packed("shrink", 1, 0),
        packed("deflate64", 9, 0),
        packed("lzma", 14, 0),
        packed("ppmd", 98, 0),
        packed("other", 77, 0),
        packed("encrypted", 0, 1),
        packed("aes", 99, 1),
        sizes,
        Zipped::stored("good", b"x\n"),
    ];
    let mut holes = header(b"holes", b'S', "00000000000");
    holes[482] = 1;
    let mut more = [0; 512];
    more[504] = 1;
    let pieces = [
        tarred(b"sparse", b'S', b"x\n"),
        [super::bytes::summed(holes), more, [0; 512]].concat(),
        [
            tarred(b"p", b'x', b"22 GNU.sparse.major=1\n23 GNU.sparse.name=a/b\n"),
            tarred(b"q", b'0', b"x\n"),
        ]
        .concat(),
        tarred(b"rest", b'M', b"x\n"),
        tarred(b"good", b'0', b"x\n"),
    ];
    let tree = Tree::with(&[("a.zip", zip(&entries, None)), ("b.tar", tar(&pieces))]);
    let ended = count(&tree, &["a.zip", "b.tar"]).exits(1);
    insta::assert_snapshot!(message(&ended), @"
    a.zip!/shrink: is packed with shrink, which is not read
    a.zip!/deflate64: the deflate64 data is cut off after 0 decompressed bytes
    a.zip!/lzma: is packed with lzma, which is not read
    a.zip!/ppmd: is packed with ppmd, which is not read
    a.zip!/other: is packed with method 77, which is not read
    a.zip!/encrypted: is encrypted, which is not read
    a.zip!/aes: is encrypted, which is not read
    a.zip!/sizes: the archive is damaged at byte 264: a member that is stored as it is has two sizes
    b.tar!/sparse: is a sparse file whose map cannot be read: it is not in a form of GNU tar
    b.tar!/holes: is a sparse file whose map cannot be read: it is not in a form of GNU tar
    b.tar!/a/b: is a sparse file whose map cannot be read: it does not end
    b.tar!/rest: begins in another volume of the archive, which is not read
    ");
    assert_eq!(super::results(&ended), 2);
}

/// Names that differ only in bytes that are not UTF-8 stay different in rows, rejects, the report
/// and the ledger, and are written as Python writes them.
#[test]
fn names_that_are_not_utf_8_are_distinguished() {
    const SCRIPT: &str = r"
import json, os, sys, tarfile
names = [b'caf\xe9', b'caf\xea', 'caf\u00e9'.encode(), 'caf\ufffd'.encode()]
os.mkdir('in')
for name in names:
    with open(b'in/' + name, 'wb') as file:
        file.write(b'a,b\n1\n')
for form in ('tar', 'tar.gz'):
    with tarfile.open('in.' + form, 'w:gz' if form == 'tar.gz' else 'w', format=tarfile.GNU_FORMAT) as tar:
        for name in names:
            tar.add(os.fsdecode(b'in/' + name))
shown = [name.decode('utf-8', 'backslashreplace') for name in names]
print(json.dumps([place + name for place in ('in/', 'in.tar!/in/', 'in.tar.gz!/in/') for name in shown]))
";
    let tree = Tree::new();
    let script = format!("import os\nos.chdir({:?})\n{SCRIPT}", tree.path().to_str().unwrap());
    let expected: BTreeSet<String> =
        serde_json::from_slice(&oracle("python3", &["-c", &script], b"")).unwrap();
    let named = |rows: Vec<Value>| -> BTreeSet<String> {
        rows.iter().filter_map(|row| Some(row["source"].as_str()?.to_string())).collect()
    };
    let inputs = ["in", "in.tar", "in.tar.gz"];
    let ended = count(&tree, &[&inputs[..], &["--ledger", "ledger"]].concat()).exits(0);
    assert_eq!(named(ended.lines()), expected);
    let export = Host::new().within(tree.path()).args(["ledger", "export", "ledger"]);
    let kept: BTreeSet<String> =
        expected.iter().filter(|name| !name.starts_with("in.tar.gz")).cloned().collect();
    assert_eq!(named(export.ended().exits(0).lines()), kept);
    let host = Host::run(&plugin("csv2jsonl")).within(tree.path()).args(inputs);
    let host = host.args(["--rejects", "rejects", "--max-rejects", "100%", "--report", "report"]);
    host.ended().exits(0);
    let rejects = String::from_utf8(tree.read("rejects")).unwrap();
    let rejects = rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(named(rejects), expected);
    let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
    let first = report["set_aside"]["first"]["source"].as_str().unwrap();
    assert!(expected.contains(first), "{first}");
}
