//! Chunks join to the source, for any input.

use std::io::Write;

use proptest::prelude::*;

use super::super::{Access, Opener};
use super::*;
use crate::source::{Source, Way};

fn input(bytes: &[u8]) -> Input {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
    Input::open(&mut Opener::default(), &source, &Access::default()).unwrap()
}

fn chunks(cutter: &Cutter, input: &Input) -> Result<Vec<(u64, u64)>, Error> {
    let mut scan = Scan::default();
    (0..cutter.chunks(input))
        .map(|index| {
            let start = cutter.start(input, index, &mut scan)?;
            Ok((start, cutter.end(input, index, start, &mut scan)?))
        })
        .collect()
}

fn lines(chunk_bytes: u64, record_bytes_max: u64) -> Cutter {
    Cutter { framing: Framing::Delimited(b'\n'), chunk_bytes, record_bytes_max }
}

proptest! {
    /// Invariant 2: the chunks of a source, joined, are the source; no record is cut.
    #[test]
    fn chunks_joined_are_the_source_and_cut_no_line(text in "[a\n]{0,60}", chunk_bytes in 1u64..20) {
        let input = input(text.as_bytes());
        let cuts = chunks(&lines(chunk_bytes, 64), &input).unwrap();
        let mut at = 0;
        for (start, end) in cuts {
            prop_assert_eq!(start, at);
            let before = usize::try_from(start).unwrap().checked_sub(1);
            prop_assert!(start == input.bytes() || before.is_none_or(|i| text.as_bytes()[i] == b'\n'));
            at = end;
        }
        prop_assert_eq!(at, input.bytes());
    }

    /// Which record is too long does not depend on where the cuts are.
    #[test]
    fn too_long_a_line_is_named_alike_whatever_the_chunk_size(text in "[aaaaa\n]{0,80}", chunk_bytes in 1u64..=12) {
        let max = 12;
        let mut offset = 0;
        let long = text.split_inclusive('\n').find_map(|line| {
            let start = offset;
            offset += line.len() as u64;
            (line.len() as u64 > max).then_some(start)
        });
        let found = match chunks(&lines(chunk_bytes, max), &input(text.as_bytes())) {
            Ok(_) => None,
            Err(Error::RecordTooLong { offset, .. }) => Some(offset),
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(found, long);
    }

    #[test]
    fn fixed_records_are_never_cut(records in 0u64..30, size in 1u64..9, chunk_bytes in 1u64..20) {
        let input = input(&vec![b'x'; usize::try_from(records * size).unwrap()]);
        let cutter = Cutter { framing: Framing::Fixed(size), chunk_bytes, record_bytes_max: 64 };
        cutter.check(input.bytes()).unwrap();
        for (start, end) in chunks(&cutter, &input).unwrap() {
            prop_assert!(start % size == 0 && end % size == 0 && start <= end);
        }
    }
}

#[test]
fn an_empty_source_is_one_empty_chunk() {
    assert_eq!(chunks(&lines(8, 64), &input(b"")).unwrap(), [(0, 0)]);
}

#[test]
fn a_ragged_last_record_is_refused() {
    let cutter = Cutter { framing: Framing::Fixed(4), chunk_bytes: 8, record_bytes_max: 64 };
    let error = cutter.check(10).unwrap_err();
    assert_eq!(error.to_string(), "10 bytes are not a whole number of 4-byte records");
}

#[test]
fn headers_are_the_first_records() {
    let input = input(b"a,b\n1,2\n3,4");
    assert_eq!(lines(2, 64).header(&input, 1).unwrap(), b"a,b\n");
    assert_eq!(lines(2, 64).header(&input, 3).unwrap(), b"a,b\n1,2\n3,4");
    assert_eq!(lines(2, 64).header(&input, 9).unwrap(), b"a,b\n1,2\n3,4");
}
