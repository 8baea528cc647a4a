//! What chunks a stream is cut into.

use proptest::prelude::*;

use super::super::{Csv, Prefix};
use super::*;

/// Gives a few bytes at a time.
struct Drip {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl Bytes for Drip {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let rest = &self.bytes[self.at..];
        let got = rest.len().min(self.step).min(into.len());
        into[..got].copy_from_slice(&rest[..got]);
        self.at += got;
        Ok(got)
    }

    fn stored(&self) -> u64 {
        self.at as u64
    }
}

fn stream(framing: Framing, bytes: &[u8], chunk_bytes: u64, step: usize) -> Stream {
    let drip = Drip { bytes: bytes.to_vec(), at: 0, step };
    Stream::new(
        Box::new(drip),
        Cutter { framing, chunk_bytes, record_bytes_max: 16 },
        Duration::ZERO,
    )
}

fn chunks(mut stream: Stream) -> Result<Vec<Vec<u8>>, Error> {
    let mut chunks = Vec::new();
    let (mut offset, mut stored) = (0, 0);
    loop {
        let chunk = stream.next(Held::within(&Arc::default(), vec![b'x'; 3]))?;
        assert_eq!(chunk.index, chunks.len() as u64);
        assert_eq!(chunk.offset, offset);
        offset += chunk.bytes().len() as u64;
        stored += chunk.stored;
        chunks.push(chunk.bytes().to_vec());
        if chunk.last {
            assert_eq!(stored, offset);
            return Ok(chunks);
        }
    }
}

proptest! {
    /// Invariant 2, for streams.
#[test]
    fn chunks_joined_are_the_source_and_cut_no_line(
        text in "([ab]{0,9}\n){0,8}[ab]{0,9}",
        chunk_bytes in 1u64..16,
        step in 1usize..20,
    ) {
        let chunks = chunks(stream(Framing::Delimited(b'\n'), text.as_bytes(), chunk_bytes, step)).unwrap();
        for chunk in &chunks[..chunks.len() - 1] {
            prop_assert_eq!(chunk.last(), Some(&b'\n'));
        }
        prop_assert_eq!(chunks.concat(), text.as_bytes());
    }

    #[test]
    fn prefixed_records_are_never_cut(
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..9),
        chunk_bytes in 1u64..16,
        step in 1usize..20,
    ) {
        let mut source = Vec::new();
        for record in &records {
            source.extend(u32::try_from(record.len()).unwrap().to_le_bytes());
            source.extend(record);
        }
        let framing = Framing::Prefixed(Prefix::U32Le);
        let chunks = chunks(stream(framing, &source, chunk_bytes, step)).unwrap();
        for chunk in &chunks {
            prop_assert_eq!(Boundary::default().scan(framing, chunk), chunk.len());
        }
        prop_assert_eq!(chunks.concat(), source);
    }
}

#[test]
fn an_empty_source_is_one_empty_chunk() {
    assert_eq!(chunks(stream(Framing::Delimited(b'\n'), b"", 8, 4)).unwrap(), [b""]);
}

#[test]
fn a_record_may_be_as_long_as_allowed_and_no_longer() {
    let line = |length: usize| format!("a\n{}\nb", "x".repeat(length - 1));
    let run = |text: String| chunks(stream(Framing::Delimited(b'\n'), text.as_bytes(), 4, 5));
    assert!(run(line(16)).is_ok());
    let error = run(line(17)).unwrap_err();
    assert_eq!(error.to_string(), "the line that begins at byte 2 is longer than 16 bytes");
}

#[test]
fn what_cannot_be_the_end_of_a_record_is_an_error() {
    let error = chunks(stream(Framing::Fixed(4), b"aaaabb", 4, 3)).unwrap_err();
    assert_eq!(error.to_string(), "6 bytes are not a whole number of 4-byte records");
    let framing = Framing::Prefixed(Prefix::U32Be);
    let error = chunks(stream(framing, b"\0\0\0\x01a\0\0\0\x05b", 4, 3)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the record that begins at byte 5 is cut short: the source ends at byte 10"
    );
}

/// No chunk is handed out before enough records are whole, however small a chunk is and however
/// slowly records come.
#[test]
fn the_first_chunk_holds_the_header() {
    for (step, chunk_bytes) in [(1, 1), (2, 1), (3, 4), (64, 64)] {
        for (framing, bytes) in [
            (Framing::Delimited(b'\n'), &b"a\nb\nccccc\nd\n"[..]),
            (Framing::Csv(Csv::default()), b"\"a\n\"\nb\nc\nd\n"),
            (Framing::Fixed(2), b"aabbccdd"),
        ] {
            for records in 0..4 {
                let mut stream = stream(framing, bytes, chunk_bytes, step).with_header(records);
                let first = stream.next(Held::default()).unwrap();
                let expected = framing.first_records(bytes, records);
                assert_eq!(stream.header(&first), expected, "{framing} {records} {step}");
                assert_eq!(chunks_after(&first, stream).unwrap(), bytes);
            }
        }
    }
    let mut short = stream(Framing::Delimited(b'\n'), b"a\nb", 1, 1).with_header(9);
    let first = short.next(Held::default()).unwrap();
    assert_eq!((short.header(&first), first.last), (&b"a\nb"[..], true));
    let mut long = stream(Framing::Delimited(b'\n'), &b"abcd\n".repeat(9), 4, 2).with_header(4);
    assert!(matches!(long.next(Held::default()), Err(Error::RecordTooLong { bytes_max: 16, .. })));
}

fn chunks_after(first: &Chunk, mut stream: Stream) -> Result<Vec<u8>, Error> {
    let mut all = first.bytes().to_vec();
    let mut last = first.last;
    while !last {
        let next = stream.next(Held::default())?;
        all.extend_from_slice(next.bytes());
        last = next.last;
    }
    Ok(all)
}
