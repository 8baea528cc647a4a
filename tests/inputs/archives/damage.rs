//! Damaged archives: what was found before the damage has its result, and the archive says what is
//! wrong with it, and where.

use serde_json::Value;

use super::bytes::{Zipped, header, tar, tarred, zip};
use super::{count, results, sources};
use crate::support::host::Host;
use crate::support::pack::text;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn message(name: &str, archive: &[u8], good: usize) -> String {
    let tree = Tree::with(&[(name, archive)]);
    let ended = count(&tree, &[name]).exits(1);
    assert_eq!(results(&ended), good, "{ended}");
    super::message(&ended)
}

#[test]
fn damage_in_a_tar_file_is_named_where_it_is() {
    let (a, b) = (tarred(b"a", b'0', b"x\n"), tarred(b"b", b'0', &text(3000)));
    let good = tar(&[a.clone(), b.clone()]);
    let flipped = |at: usize| {
        let mut archive = good.clone();
        archive[at] ^= 1;
        archive
    };
    let long = |kind| tarred(b"l", kind, b"name\0");
    let mut endless = tarred(b"l", b'L', b"");
    endless[..512].copy_from_slice(&header(b"l", b'L', "77777777777"));
    let huge = tar(&[a.clone(), header(b"b", b'0', "77777777777").to_vec()]);
    // Sizes in base 256, as GNU writes them: 2^63.
    let mut base256 = header(b"b", b'0', "");
    base256[124] = 0x80;
    base256[128] = 0x80;
    let overflow = tar(&[a.clone(), super::bytes::summed(base256).to_vec()]);
    let cases: [(&str, Vec<u8>, usize); 12] = [
        ("header", flipped(1024 + 3), 1),
        ("cut in header", good[..1024 + 100].to_vec(), 1),
        ("cut in data", good[..1024 + 700].to_vec(), 1),
        ("cut in filling", good[..1024 + 512 + 3007].to_vec(), 2),
        ("huge", huge, 1),
        ("overflow", overflow, 1),
        ("behind the end", [&good[..], &a].concat(), 2),
        ("no member", tar(&[a.clone(), long(b'L')]), 1),
        ("long header", tar(&[a.clone(), endless]), 1),
        ("bad header", tar(&[a.clone(), tarred(b"x", b'x', b"9 path:a\n"), b.clone()]), 1),
        ("global", tar(&[a.clone(), tarred(b"g", b'g', b"9 path=a\n"), b.clone()]), 1),
        ("not a number", tar(&[a.clone(), header(b"b", b'0', "size?").to_vec()]), 1),
    ];
    let message =
        cases.map(|(case, archive, good)| format!("{case}: {}", message("a.tar", &archive, good)));
    insta::assert_snapshot!(message.concat(), @r"
    header: a.tar: the archive is damaged at byte 1024: the checksum of a header does not match
    cut in header: a.tar: the archive is damaged at byte 1024: it is cut off within a header
    cut in data: a.tar!/b: is cut off: its 3007 bytes at byte 1536 go beyond the end of the archive
    a.tar: the archive is damaged at byte 1724: it is cut off
    cut in filling: a.tar: the archive is damaged at byte 4543: it is cut off
    huge: a.tar!/b: is cut off: its 8589934591 bytes at byte 1536 go beyond the end of the archive
    a.tar: the archive is damaged at byte 2560: it is cut off
    overflow: a.tar!/b: is cut off: its 9223372036854775808 bytes at byte 1536 go beyond the end of the archive
    a.tar: the archive is damaged at byte 2560: it is cut off
    behind the end: a.tar: the archive is damaged at byte 5632: something else follows behind its end
    no member: a.tar: the archive is damaged at byte 2048: a header without its member
    long header: a.tar: the archive is damaged at byte 1536: a header that is longer than any real one
    bad header: a.tar: the archive is damaged at byte 1024: a malformed extended header
    global: a.tar: the archive is damaged at byte 1024: a global header that names or measures members, which is not read
    not a number: a.tar: the archive is damaged at byte 1024: a size that is no number
    ");
}

/// What GNU tar, bsdtar and Python read: no zeros at the end, a header that is said twice, a size
/// that is left blank.
#[test]
fn what_others_read_is_read() {
    let (a, b) = (tarred(b"a", b'0', b"x\n"), tarred(b"b", b'0', &text(3000)));
    let long = |name: &[u8]| tarred(b"l", b'L', name);
    let extended = |record: &[u8]| tarred(b"x", b'x', record);
    let blank = header(b"dir/", b'5', "").to_vec();
    let c = tarred(b"c", b'0', &text(3000));
    let cases = [
        [&a[..], &b].concat(),
        tar(&[long(b"first\0"), long(b"b\0"), a.clone(), c.clone()]),
        tar(&[extended(b"15 mtime=12345\n"), extended(b"9 path=b\n"), a.clone(), c]),
        tar(&[blank, a, b]),
    ];
    for archive in cases {
        let packed = crate::support::pack::gzip(&archive);
        let tree = Tree::with(&[("a.tar", archive), ("b.tar.gz", packed)]);
        assert_eq!(results(&count(&tree, &["."]).exits(0)), 4);
    }
}

/// As `unzip` reads them: what an extra field says that is not as it should be does not matter.
#[test]
fn odd_extra_fields_say_nothing() {
    const MAKE: &str = r"
import sys, zipfile
for at, extra in enumerate([b'\x1e\xa1\0\0', b'UT\0\0', b'\x75\x70\4\0\1abc', b'\x0a\0', b'\1\0\x08']):
    with zipfile.ZipFile(f'{sys.argv[1]}/{at}.zip', 'w', 8) as archive:
        for name in 'abc':
            info = zipfile.ZipInfo(name); info.external_attr = 0o644 << 16
            if name == 'b': info.extra = extra
            archive.writestr(info, 'x\n' * 1000)
";
    let tree = Tree::new();
    crate::support::oracle::oracle("python3", &["-c", MAKE, tree.path().to_str().unwrap()], b"");
    assert_eq!(results(&count(&tree, &["."]).exits(0)), 15);
}

/// The directory has to be that of the archive that the file begins with.
#[test]
fn an_archive_within_or_behind_another_is_not_taken_for_it() {
    let inner = zip(&[Zipped::stored("inner", b"wrong\n")], None);
    let outer = zip(&[Zipped::stored("in.zip", &inner), Zipped::stored("a", b"x\n")], None);
    let cut = outer.len() - 22 - 10; // within the directory: the end of the inner one is the last that there is
    let both = [&outer[..], &inner].concat();
    for archive in [outer[..cut].to_vec(), both] {
        let tree = Tree::with(&[("a.zip", archive)]);
        let ended = count(&tree, &["a.zip"]).exits(1);
        assert_eq!(results(&ended), 0, "{ended}");
    }
    // Cut off within its comment: all members are there, and it is said.
    let mut commented = outer.clone();
    let at = commented.len() - 2;
    commented[at..].copy_from_slice(&20_u16.to_le_bytes());
    commented.extend(b"a comm");
    let tree = Tree::with(&[("a.zip", commented)]);
    let ended = count(&tree, &["a.zip"]).exits(1);
    assert_eq!(results(&ended), 2);
    assert!(ended.stderr.contains("it is cut off within its comment"), "{ended}");
}

#[test]
fn a_stored_member_is_checked_too() {
    let mut archive = zip(&[Zipped::stored("a", &text(300_000))], None);
    archive[10_000] ^= 1;
    let tree = Tree::with(&[("a.zip", archive)]);
    for args in [&["a.zip"][..], &["a.zip", "--framing", "bytes"], &["a.zip", "--io", "mmap"]] {
        let ended = count(&tree, args).exits(1);
        assert!(ended.stderr.contains("the CRC-32 of the member does not match"), "{ended}");
    }
}

#[test]
fn global_headers_that_only_comment_are_passed_over() {
    let comment = tarred(b"pax_global_header", b'g', b"20 comment=0123456\n\n");
    let tree = Tree::with(&[("a.tar", tar(&[comment, tarred(b"a", b'0', b"x\n")]))]);
    assert_eq!(results(&count(&tree, &["a.tar"]).exits(0)), 1);
}

#[test]
fn damage_in_a_zip_file_is_named_where_it_is() {
    let entries = [Zipped::stored("a", b"x\n"), Zipped::deflated("b", &text(3000))];
    let good = zip(&entries, None);
    let directory = good.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let spoilt = |at: usize| {
        let mut archive = good.clone();
        archive[at] ^= 0xff;
        archive
    };
    let cut = |entry: &Zipped, bytes| Zipped { packed_bytes: bytes, ..entry.clone() };
    let beyond = Zipped { offset: Some(1 << 30), ..entries[0].clone() };
    let other_crc = Zipped { crc32: 1, ..entries[1].clone() };
    let [less, more] = [2999, 3100].map(|bytes| Zipped { bytes, ..entries[1].clone() });
    let cut_off = cut(&entries[1], entries[1].packed_bytes - 9);
    let garbage =
        Zipped { data: [&entries[1].data[..], b"garbage"].concat(), ..entries[1].clone() };
    let garbage = cut(&garbage, entries[1].packed_bytes + 7);
    let cases: [(&str, Vec<u8>, usize); 14] = [
        ("cut off", good[..good.len() - 30].to_vec(), 0),
        ("only the beginning", good[..directory].to_vec(), 0),
        ("directory", spoilt(directory + 47), 1),
        ("first header", spoilt(0), 1),
        ("second header", spoilt(33), 1),
        ("more than it says", zip(&entries, Some(1)), 2),
        ("fewer than it says", zip(&entries, Some(3)), 2),
        ("none that it says", zip(&entries, Some(0)), 2),
        ("beyond the end", zip(&[beyond, entries[1].clone()], None), 1),
        ("crc", zip(&[entries[0].clone(), other_crc], None), 1),
        ("less", zip(&[entries[0].clone(), less], None), 1),
        ("more", zip(&[entries[0].clone(), more], None), 1),
        ("cut data", zip(&[entries[0].clone(), cut_off], None), 1),
        ("garbage", zip(&[entries[0].clone(), garbage], None), 1),
    ];
    let message =
        cases.map(|(case, archive, good)| format!("{case}: {}", message("a.zip", &archive, good)));
    insta::assert_snapshot!(message.concat(), @r"
    cut off: a.zip: the archive is damaged at byte 1878: no directory can be read at its end
    only the beginning: a.zip: the archive is damaged at byte 1792: no directory can be read at its end
    directory: a.zip: the archive is damaged at byte 1839: its directory has something else than an entry
    first header: a.zip!/a: there is no header of the member at byte 0 of the archive
    second header: a.zip!/b: there is no header of the member at byte 33 of the archive
    more than it says: a.zip: the archive is damaged at byte 1886: its directory has another number of entries than it says
    fewer than it says: a.zip: the archive is damaged at byte 1886: its directory has another number of entries than it says
    none that it says: a.zip: the archive is damaged at byte 1886: its directory has another number of entries than it says
    beyond the end: a.zip!/a: is cut off: its 2 bytes at byte 1073741854 go beyond the end of the archive
    a.zip: the archive is damaged at byte 0: it begins with a member that its directory does not have
    crc: a.zip!/b: corrupt deflate data within the first 3007 decompressed bytes: the CRC-32 of the member does not match
    less: a.zip!/b: corrupt deflate data after 3007 decompressed bytes: more comes out than the directory of its archive says
    more: a.zip!/b: corrupt deflate data after 3007 decompressed bytes: less comes out than the directory of its archive says
    cut data: a.zip!/b: the deflate data is cut off after 2996 decompressed bytes
    garbage: a.zip!/b: the deflate data ends at byte 1728, after 3007 decompressed bytes, and is followed by something else
    ");
}

/// 64-bit multiplicative noise: what is flipped or cut differs from case to case and never from run
/// to run.
fn noise(seed: usize) -> usize {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33).unwrap()
}

/// A thousand damaged archives: each source is a result or a named failure, and a member that is
/// checked has its own result or none.
#[test]
fn whatever_is_damaged_every_source_is_a_result_or_a_named_failure() {
    let (one, two) = (text(2000), text(900));
    let zipped = zip(
        &[Zipped::deflated("one", &one), Zipped::deflated("two", &two), Zipped::deflated("3", b"")],
        None,
    );
    let long = tarred(b"l", b'L', &[&[b'n'; 200][..], b"\0"].concat());
    let extended = tarred(b"x", b'x', b"16 path=a longer\n");
    let tarred = tar(&[
        tarred(b"one", b'0', &one),
        long,
        tarred(b"two", b'0', &two),
        extended,
        tarred(b"3", b'0', b""),
    ]);
    let tree = Tree::new();
    for case in 0..1000 {
        for (kind, archive) in [("zip", &zipped), ("tar", &tarred)] {
            let mut archive = archive.clone();
            let directory = archive.len().saturating_sub(400);
            match case % 5 {
                0 => archive.truncate(noise(case) % archive.len()),
                1 => {
                    archive.splice(
                        noise(case) % archive.len()..,
                        archive[noise(case + 7) % archive.len()..].to_vec(),
                    );
                }
                // Most of what there is to be damaged is at the end of the one and in blocks of the
                // other.
                2 => archive[directory + noise(case) % 400] = noise(case * 31).to_le_bytes()[0],
                3 => {
                    let header = noise(case) % (archive.len() / 512) * 512;
                    let at = (header + noise(case * 7) % 270).min(archive.len() - 1);
                    archive[at] ^= 1 << (case / 5 % 8);
                }
                _ => {
                    let at = noise(case) % archive.len();
                    archive[at] ^= 1 << (case / 5 % 8);
                }
            }
            tree.file(&format!("{case:04}.{kind}"), archive);
        }
    }
    let ended = Host::run(&plugin("checksum"))
        .within(tree.path())
        .args(["--per-source", "--format", "jsonl", "."])
        .ended()
        .exits(1);
    let originals = Tree::with(&[("one", &one[..]), ("two", &two), ("3", b"")]);
    let sums = Host::run(&plugin("checksum")).arg("--per-source").arg(originals.path()).ended();
    let sums: Vec<Value> = sums.lines().into_iter().map(|row| row["result"].clone()).collect();
    let (mut good, mut bad) = (0, 0);
    for (name, row) in sources(&ended) {
        let is_checked = name.contains(".zip!/");
        match (&row["result"], &row["error"]["message"]) {
            (result, Value::Null) if !is_checked || sums.contains(result) => good += 1,
            (Value::Null, Value::String(message)) if !message.is_empty() => bad += 1,
            _ => panic!("{name}: {row}"),
        }
    }
    assert!(good > 2000 && bad > 500, "{good} {bad}");
    let first: std::collections::BTreeSet<_> =
        sources(&ended).into_iter().map(|(name, _)| name[2..10].to_string()).collect();
    assert!(first.len() > 1990, "archives without any member or failure: {}", 2000 - first.len());
}
