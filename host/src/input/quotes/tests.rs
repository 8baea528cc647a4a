//! Cuts of CSV are the same for any order of lookups.

use std::io::Write;

use proptest::prelude::*;

use super::super::boundary::first_record;
use super::super::csv::Csv;
use super::super::{Access, Cutter, Framing, Opener};
use super::*;
use crate::source::{Source, Way};

const CSV: Csv = Csv { delimiter: Some(b',') };

/// An input whose quotes are counted in blocks of so many bytes.
fn input(bytes: &[u8], block_bytes: u64) -> Input {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
    let input = Input::open(&mut Opener::default(), &source, &Access::default()).unwrap();
    input.quotes.set(Quotes::in_blocks(CSV, bytes.len() as u64, block_bytes)).unwrap();
    input
}

fn csv(chunk_bytes: u64, record_bytes_max: u64) -> Cutter {
    Cutter { framing: Framing::Csv(CSV), chunk_bytes, record_bytes_max }
}

/// Where records begin and the last one ends, going from one to the next.
fn records(bytes: &[u8]) -> Vec<u64> {
    let mut places = vec![0];
    let mut at = 0;
    while let Some(length) = first_record(Framing::Csv(CSV), &bytes[at..]) {
        at += length;
        places.push(at as u64);
    }
    if at < bytes.len() {
        places.push(bytes.len() as u64);
    }
    places
}

/// Start and end of the chunks, looked for in this order.
fn cuts(cutter: &Cutter, input: &Input, order: &[u64]) -> Result<Vec<(u64, u64, u64)>, Error> {
    let mut scan = Scan::default();
    let mut cut = |&index: &u64| {
        let start = cutter.start(input, index, &mut scan)?;
        Ok((index, start, cutter.end(input, index, start, &mut scan)?))
    };
    order.iter().map(&mut cut).collect()
}

proptest! {
    /// Invariant 2, for any order of lookups.
    #[test]
    fn chunks_joined_are_the_source_and_cut_no_record(
        text in "[a,\"\"\r\n]{0,80}",
        chunk_bytes in 1u64..20,
        blocks in 1u64..8,
        seed in any::<u64>(),
    ) {
        let input = input(text.as_bytes(), chunk_bytes * blocks);
        let cutter = csv(chunk_bytes, 100);
        let mut order: Vec<u64> = (0..cutter.chunks(&input)).collect();
        order.sort_by_key(|index| (index + 1).wrapping_mul(seed | 1).rotate_left(17));
        let mut found = cuts(&cutter, &input, &order).unwrap();
        found.sort_unstable();
        let places = records(text.as_bytes());
        let mut at = 0;
        for (index, start, end) in found {
            prop_assert_eq!(start, at);
            // The first record that begins behind the nominal cut.
            let nominal = index * chunk_bytes;
            let first = places.iter().copied().find(|place| nominal == 0 || *place > nominal);
            prop_assert_eq!(start, first.unwrap_or(text.len() as u64));
            at = end;
        }
        prop_assert_eq!(at, input.bytes());
    }

    /// As when it is read from its front, and wherever the cuts are.
    #[test]
    fn too_long_a_record_is_named_alike(
        text in "[aaaa,\"\"\n]{0,80}",
        chunk_bytes in 1u64..=12,
        blocks in 1u64..5,
    ) {
        let max = 12;
        let places = records(text.as_bytes());
        let long = places.windows(2).find(|record| record[1] - record[0] > max).map(|record| record[0]);
        let input = input(text.as_bytes(), chunk_bytes * blocks);
        let cutter = csv(chunk_bytes, max);
        let order: Vec<u64> = (0..cutter.chunks(&input)).collect();
        let found = match cuts(&cutter, &input, &order) {
            Ok(_) => None,
            Err(Error::RecordTooLong { offset, .. }) => Some(offset),
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(found, long);
    }
}

/// Quotes of all kinds, some in the middle of fields.
fn sample(rows: usize) -> Vec<u8> {
    let row = |at: usize| match at % 5 {
        0 => format!("{at},\"a\n\"\"b\"\"\r\n\",c\n"),
        1 => format!("{at},x\"y,\"\nz\",\n"),
        2 => format!("{at},\"\"\r\n"),
        _ => format!("{at}{}\n", ",".repeat(at % 70)),
    };
    (0..rows).map(row).collect::<String>().into_bytes()
}

#[test]
fn threads_that_count_together_find_what_one_finds() {
    let bytes = sample(4000);
    let cutter = csv(61, 1 << 20);
    for round in 0..20 {
        let input = input(&bytes, 61 * (1 + round % 3));
        let count = cutter.chunks(&input);
        let next = AtomicUsize::new(0);
        let found = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut found = Vec::new();
                        loop {
                            // Runs from the end on: each needs all that lies before.
                            let run = next.fetch_add(1, Ordering::Relaxed) as u64 * 7;
                            if run >= count {
                                return found;
                            }
                            let run: Vec<_> = (run..(run + 7).min(count))
                                .map(|at| count - 1 - at)
                                .rev()
                                .collect();
                            found.extend(cuts(&cutter, &input, &run).unwrap());
                        }
                    })
                })
                .collect();
            let mut found: Vec<_> =
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
            found.sort_unstable();
            found
        });
        let places = records(&bytes);
        let mut at = 0;
        for (index, start, end) in found {
            assert_eq!(start, at, "chunk {index}");
            assert!(places.binary_search(&start).is_ok(), "chunk {index} begins within a record");
            at = end;
        }
        assert_eq!(at, bytes.len() as u64);
    }
}

/// Blocks grow with the input, and a run from the front does not count what is behind it.
#[test]
fn blocks_are_few_and_counted_only_when_needed() {
    let quotes = Quotes::new(CSV, u64::MAX, 100);
    assert!(quotes.blocks.len() as u64 <= QUOTE_BLOCKS_MAX);
    assert_eq!(quotes.block_bytes % 100, 0);
    let input = input(&sample(1000), 100);
    cuts(&csv(100, 1 << 20), &input, &[0, 1, 2]).unwrap();
    let states: Vec<_> =
        input.quotes(CSV, 100).blocks.iter().map(|block| block.load(Ordering::Relaxed)).collect();
    assert!(states.iter().take(3).all(|state| *state >= KNOWN));
    assert!(states.iter().skip(3).all(|state| *state == UNKNOWN));
}

#[test]
fn headers_are_the_first_records() {
    let bytes = b"a,\"b\nc\"\r\n1,\"\"\"\n\"\n3,4";
    let input = input(bytes, 4);
    assert_eq!(csv(2, 64).header(&input, 1).unwrap(), b"a,\"b\nc\"\r\n");
    assert_eq!(csv(2, 64).header(&input, 2).unwrap(), &bytes[..17]);
    assert_eq!(csv(2, 64).header(&input, 9).unwrap(), bytes);
    assert!(csv(2, 8).header(&input, 1).is_err());
}
