//! Listings of archives that are made here, byte by byte where real tools would not make them.

use std::io::Write;

use super::*;

/// An opened file with these bytes.
pub(super) fn input(bytes: &[u8]) -> Input {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
    Input::open(&mut Opener::default(), &source, &Access::default()).unwrap()
}

use super::block::Block;
use super::tar::{Entry, Headers, Kind as Of, Step};

fn header(name: &str, kind: u8, bytes: u64) -> Block {
    let mut header = ::tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(::tar::EntryType::new(kind));
    header.set_size(bytes);
    header.set_cksum();
    *header.as_bytes()
}

fn entry(name: &str, bytes: u64, kind: Of) -> Step {
    Step::Entry(Entry { name: name.into(), bytes, kind })
}

/// As they come from the front, with nothing to jump to.
#[test]
fn headers_are_made_of_blocks_that_come_one_after_the_other() {
    let mut headers = Headers::default();
    let mut block = |block: &Block| headers.block(block);
    assert_eq!(block(&header("a", b'0', 5)), Ok(entry("a", 5, Of::File)));
    assert_eq!(block(&header("d/", b'5', 5)), Ok(entry("d/", 0, Of::Directory)));
    assert_eq!(block(&header("l", b'1', 5)), Ok(entry("l", 0, Of::Special)));
    assert_eq!(block(&header("D", b'D', 5)), Ok(entry("D", 5, Of::Directory)));
    assert_eq!(block(&header("huge", b'0', 1 << 40)), Ok(entry("huge", 1 << 40, Of::File)));
    assert_eq!(block(&[0; 512]), Ok(Step::End));

    assert_eq!(headers.block(&header("x", b'x', 30)), Ok(Step::Data(30)));
    headers.data(b"16 path=a/b/c/d\n14 size=12345\n").unwrap();
    assert_eq!(headers.block(&header("K", b'K', 9)), Ok(Step::Data(9)));
    headers.data(b"a target\0").unwrap();
    assert_eq!(headers.block(&header("short", b'0', 1)), Ok(entry("a/b/c/d", 12345, Of::File)));
    assert_eq!(headers.block(&header("short", b'0', 1)), Ok(entry("short", 1, Of::File)));

    assert_eq!(headers.block(&header("L", b'L', 5)), Ok(Step::Data(5)));
    headers.data(b"long\0").unwrap();
    assert_eq!(headers.block(&[0; 512]), Err("a header without its member"));
}

#[test]
fn a_list_of_holes_goes_on_in_blocks_of_its_own() {
    let mut headers = Headers::default();
    let mut first = header("holes", b'S', 1000);
    first[482] = 1;
    let mut summed = ::tar::Header::from_byte_slice(&first).clone();
    summed.set_cksum();
    let mut more = [1; 512];
    assert_eq!(headers.block(summed.as_bytes()), Ok(Step::Block));
    assert_eq!(headers.block(&more), Ok(Step::Block));
    more[504] = 0;
    let Ok(Step::Entry(Entry { name, bytes: 1000, kind: Of::Sparse(_) })) = headers.block(&more)
    else {
        panic!("no sparse file")
    };
    assert_eq!(name, b"holes");
    assert_eq!(headers.block(&header("a", b'0', 5)), Ok(entry("a", 5, Of::File)));
}

#[test]
fn checksums_of_signed_bytes_are_as_good() {
    let mut old = header("gr\u{f6}\u{df}e", b'0', 5);
    let sum: i64 = old
        .iter()
        .enumerate()
        .map(
            |(at, &byte)| if (148..156).contains(&at) { 32 } else { i64::from(byte.cast_signed()) },
        )
        .sum();
    old[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert_eq!(Headers::default().block(&old), Ok(entry("gr\u{f6}\u{df}e", 5, Of::File)));
    old[0] ^= 1;
    assert!(Headers::default().block(&old).is_err());
}

#[test]
fn names_without_archives_are_left_alone() {
    let source = |n| Source { path: format!("d/{n}.txt").into(), listed: Ok(None), way: Way::File };
    let fifo = Source { path: "fifo.tar".into(), listed: Ok(None), way: Way::Fifo };
    let missing = Source { path: "missing.zip".into(), listed: Ok(None), way: Way::File };
    let sources = (0..10).map(source).chain([fifo, missing]).collect();
    let mut listing = Listing { sources, non_regular: 3, ..Listing::default() };
    let names = |listing: &Listing| {
        listing.sources.iter().map(|source| source.path.clone()).collect::<Vec<_>>()
    };
    let before = names(&listing);
    let stop = AtomicBool::new(false);
    expand(&mut listing, &Expansion::new(10, 2, &stop)).unwrap();
    assert_eq!(names(&listing), before);
    assert_eq!(listing.non_regular, 3);
}
