//! Archives that are made to do harm: bombs of all kinds end at the limits that there are for them.

use serde_json::Value;

use super::bytes::{Zipped, tar, tarred, zip};
use super::{count, failures, message, results, sources};
use crate::support::host::Host;
use crate::support::pack::gzip;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

#[test]
fn bombs_end_at_their_limits() {
    let zeros = vec![0; 32 << 20];
    let bomb = Zipped::deflated("bomb", &zeros);
    let small = Zipped { bytes: 1000, name: b"small".to_vec(), ..bomb.clone() };
    let twice = Zipped::deflated("twice.gz", &gzip(&zeros));
    let entries = [Zipped::stored("a", b"x\n"), bomb, small, twice];
    let tree = Tree::with(&[("a.zip", zip(&entries, None))]);
    let kinds = |args: &[&str]| -> Vec<Value> {
        let ended = count(&tree, &[&["a.zip", "--framing", "bytes"][..], args].concat()).exits(1);
        sources(&ended).into_iter().map(|(_, row)| row["error"]["kind"].clone()).collect()
    };
    // What is said to be small is stopped as soon as it is more than that.
    let expected = [Value::Null, Value::Null, "decode".into(), Value::Null];
    assert_eq!(kinds(&["--max-ratio", "2000"]), expected);
    for args in [&["--max-ratio", "100"][..], &["--max-decompressed", "1MiB"]] {
        let expected = [Value::Null, "too-large".into(), "decode".into(), "too-large".into()];
        assert_eq!(kinds(args), expected, "{args:?}");
    }
}

/// One kernel of data, and many entries that all use it: Fifield's bomb.
#[test]
fn members_that_share_bytes_are_refused() {
    let kernel = Zipped::deflated("kernel", &vec![0; 1 << 20]);
    let inner = zip(std::slice::from_ref(&kernel), None);
    let inner_bytes = 30 + kernel.name.len() + kernel.data.len();
    let quoted = Zipped::stored("quoted", &inner[..inner_bytes]);
    let kernel_at = 30 + 6;
    let inside = Zipped { data: Vec::new(), offset: Some(kernel_at), ..kernel.clone() };
    let again = Zipped { name: b"again".to_vec(), ..inside.clone() };
    let after = Zipped::stored("after", b"x\n");
    let tree = Tree::with(&[("a.zip", zip(&[quoted, inside, again, after], None))]);
    let ended = count(&tree, &["a.zip", "--framing", "bytes"]).exits(1);
    insta::assert_snapshot!(message(&ended), @r"
    a.zip!/quoted: shares bytes with something else: its 1069 begin at byte 30 of the archive, and something else at byte 36
    a.zip!/again: shares bytes with something else: its 1033 begin at byte 66 of the archive, and something else at byte 36
    ");
    assert_eq!(results(&ended), 2);
}

#[test]
fn entries_are_counted_whatever_they_are() {
    let many: Vec<_> = (0..10_000).map(|n| Zipped::stored(&format!("dir{n}/"), b"")).collect();
    let links: Vec<_> = (0..10_000).map(|_| tarred(b"link", b'2', b"")).collect();
    let files: Vec<_> = (0..20).map(|n| tarred(format!("{n}").as_bytes(), b'0', b"x\n")).collect();
    let tree = Tree::with(&[
        ("a.zip", zip(&many, None)),
        ("b.tar", tar(&links)),
        ("c.tar", tar(&files)),
        ("d.txt", b"x\n".to_vec()),
    ]);
    let args = ["a.zip", "b.tar", "c.tar", "d.txt", "--max-members"];
    let ended = count(&tree, &[&args[..], &["10"]].concat()).exits(1);
    assert_eq!(results(&ended), 11);
    for (name, why) in failures(&ended) {
        assert_eq!(why, "more than 10 members in the archive", "{name}");
    }
    assert_eq!(failures(&ended).len(), 3);
    assert_eq!(sources(&ended)[0].1["error"]["kind"], "too-large");
    assert!(ended.stderr.contains("hint: raise --max-members"), "{ended}");
    assert_eq!(results(&count(&tree, &[&args[..], &["10000"]].concat()).exits(0)), 21);
}

#[test]
fn zeros_without_an_end_are_not_read_to_theirs() {
    let tree = Tree::new();
    let good = tar(&[tarred(b"a", b'0', b"x\n")]);
    for (name, bytes) in [("few.tar", 1 << 20), ("many.tar", 1 << 40)] {
        tree.file(name, &good);
        let file = std::fs::File::options().write(true).open(tree.path().join(name)).unwrap();
        file.set_len(bytes).unwrap();
    }
    let ended = count(&tree, &["few.tar", "many.tar"]).exits(1);
    insta::assert_snapshot!(message(&ended), @"many.tar: the archive is damaged at byte 1536: more zeros follow behind its end than any archive is filled up with");
    assert_eq!(results(&ended), 2);
}

/// Four billion entries and exabytes are only words: nothing is set aside for them.
#[test]
fn claims_cost_nothing() {
    let mut claims = zip(&[Zipped::stored("a", b"x\n")], None);
    // In 64 bits (APPNOTE.TXT 6.3.10, sections 4.3.14 and 4.3.15): 2^32 - 2 entries.
    let end = claims.split_off(claims.len() - 22);
    let at = claims.len() as u64;
    let entries = u64::from(u32::MAX - 1).to_le_bytes();
    claims.extend([&b"PK\x06\x06"[..], &44_u64.to_le_bytes(), &[45, 0, 45, 0], &[0; 8]].concat());
    claims.extend([entries, entries, 47_u64.to_le_bytes(), (at - 47).to_le_bytes()].concat());
    claims.extend([&b"PK\x06\x07\0\0\0\0"[..], &at.to_le_bytes(), &[1, 0, 0, 0]].concat());
    claims.extend([&end[..8], &[0xff; 12], &[0, 0]].concat());
    let mut large = Zipped::deflated("large", b"x\n");
    large.bytes = u32::MAX;
    let tree = Tree::with(&[("a.zip", claims), ("b.zip", zip(&[large], None))]);
    let ended = Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["--per-source", "--report", "report.json", "a.zip", "b.zip"])
        .ended()
        .exits(1);
    assert_eq!(results(&ended), 1);
    assert_eq!(failures(&ended).len(), 2);
    let peak = crate::inputs::report(&tree)["peak_rss_bytes"].as_u64().unwrap();
    assert!(peak < 100 << 20, "{peak} bytes of memory");
}
