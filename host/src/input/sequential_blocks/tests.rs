//! Blocks in a row against a decoder from the front: the same bytes, then the same end.

use std::io::{Cursor, Write};

use super::super::decode::samples::{bzip2, forms, gzip, gzip_stored, text, zstd};
use super::super::{Access, Codec, DecodeError, DecodeLimits, Input, Opener};
use super::*;
use crate::settings::limits::DECODE_PIECE_BYTES_MAX;
use crate::source::{Source, Way};
use crate::stats::MemoryBudget;

/// What comes out, and why it ends.
type Outcome = (Vec<u8>, Option<String>);

fn drain(mut read: impl FnMut(&mut [u8]) -> Result<usize, Error>, step: usize) -> Outcome {
    let (mut plain, mut chunk) = (Vec::new(), vec![0; step]);
    loop {
        match read(&mut chunk) {
            Ok(0) => return (plain, None),
            Ok(bytes) => plain.extend_from_slice(&chunk[..bytes]),
            Err(Error::Decode(error)) => return (plain, Some(message(&error))),
            Err(error) => return (plain, Some(error.to_string())),
        }
    }
}

/// A zstd decoder keeps to itself what it decoded in a call that fails, so how far it came depends
/// on the room that it had; and so does where a ratio is looked at.
fn message(error: &DecodeError) -> String {
    match error {
        DecodeError::Checksum { codec: Codec::Zstd, what, .. }
        | DecodeError::Corrupt { codec: Codec::Zstd, what, .. } => format!("zstd: {what}"),
        DecodeError::Ratio { ratio_max, .. } => format!("ratio {ratio_max}"),
        error => error.to_string(),
    }
}

fn from_front(codec: Codec, packed: &[u8], limits: DecodeLimits) -> Outcome {
    let mut decoder = Decoder::new(codec, Box::new(Cursor::new(packed.to_vec())), limits)
        .within(packed.len() as u64);
    drain(|into| Ok(decoder.read(into)?), 50_000)
}

fn pieces(codec: Codec, packed: &[u8], limits: DecodeLimits) -> Option<Arc<BlockQueue>> {
    pieces_within(codec, packed, limits, &Access::default()).map(Arc::new)
}

fn pieces_within(
    codec: Codec,
    packed: &[u8],
    limits: DecodeLimits,
    access: &Access,
) -> Option<BlockQueue> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(packed).unwrap();
    let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
    let input = Input::open(&mut Opener::default(), &source, access).unwrap();
    BlockQueue::of(input, codec, limits, 4, access)
}

/// Reads pieces while another thread decodes, for as long as it has room; `None` where there are
/// none. Says too whether they were of use to the end.
fn stitched(codec: Codec, packed: &[u8], limits: DecodeLimits) -> Option<(Outcome, bool)> {
    let pieces = pieces(codec, packed, limits)?;
    Some(std::thread::scope(|scope| {
        scope.spawn(|| while pieces.decode_next() {});
        let mut reader = SequentialBlocks::new(Arc::clone(&pieces));
        let outcome = drain(|into| reader.read(into), 50_000);
        (outcome, reader.decoder.is_none())
    }))
}

/// Checks that pieces change nothing, and returns whether they were of use to the end.
#[track_caller]
fn assert_alike(what: &str, codec: Codec, packed: &[u8], limits: DecodeLimits) -> bool {
    let Some((found, useful)) = stitched(codec, packed, limits) else { return false };
    let expected = from_front(codec, packed, limits);
    assert_eq!(found.1, expected.1, "{what}");
    // See `told`: as much as a decoder from the front gives in the end, but for a call's worth.
    let (shorter, longer) = if found.0.len() < expected.0.len() {
        (&found.0, &expected.0)
    } else {
        (&expected.0, &found.0)
    };
    assert!(longer.starts_with(shorter), "{what}");
    let depends = |said: &String| said.starts_with("zstd: ") || said.starts_with("ratio ");
    let alike = longer.len() == shorter.len() || found.1.as_ref().is_some_and(depends);
    assert!(alike, "{what}: {} bytes, not {}", found.0.len(), expected.0.len());
    useful
}

#[test]
fn pieces_give_what_a_decoder_from_the_front_gives() {
    let plain = text(1_500_000);
    for (name, codec, packed) in forms(&plain) {
        assert!(assert_alike(name, codec, &packed, DecodeLimits::default()), "{name}: no pieces");
        for behind in [&b"garbage"[..], b"\0\0\0", b"BZh9", &[0x1f, 0x8b, 8, 0]] {
            let packed = [&packed[..], behind].concat();
            assert_alike(name, codec, &packed, DecodeLimits::default());
        }
    }
}

/// Padding, which only the end of a source has, between members that are found behind it.
#[test]
fn padding_between_pieces_is_garbage() {
    let member = gzip(&text(600_000));
    let packed = [&member[..], &[0; 100], &member, &member].concat();
    assert!(!assert_alike("padding", Codec::Gzip, &packed, DecodeLimits::default()));
}

#[test]
fn limits_are_met_where_a_decoder_from_the_front_meets_them() {
    let plain = text(1_500_000);
    let usual = DecodeLimits::default();
    for (name, codec, packed) in forms(&plain) {
        let whole = from_front(codec, &packed, usual).0.len() as u64;
        for bytes_max in [0, 70_000, whole - 1, whole] {
            assert_alike(name, codec, &packed, DecodeLimits { bytes_max, ..usual });
        }
        for members_max in [0, 1, 2, 3, 9, 10, 11, 255, 256, 257, 511, 512] {
            assert_alike(name, codec, &packed, DecodeLimits { members_max, ..usual });
        }
        for ratio_max in 1..4 {
            assert_alike(name, codec, &packed, DecodeLimits { ratio_max, ..usual });
        }
    }
    let zeros = [text(900_000), vec![0; 5_000_000], text(900_000)].concat();
    for (name, codec, packed) in forms(&zeros) {
        for ratio_max in [1, 3, 10, 1000] {
            assert_alike(name, codec, &packed, DecodeLimits { ratio_max, ..usual });
        }
    }
}

/// A piece of which more comes out than is held is decoded from the front, and is no error.
#[test]
fn a_piece_that_is_too_long_is_no_error() {
    let long = vec![b'a'; usize::try_from(DECODE_PIECE_BYTES_MAX).unwrap() + 1];
    let usual = DecodeLimits { ratio_max: u64::MAX, ..DecodeLimits::default() };
    let several = [&text(1_000_000)[..], &long, &text(1_000_000)].concat();
    let packed = [gzip(&text(700_000)), gzip(&long), gzip(&text(700_000))].concat();
    assert!(!assert_alike("gzip", Codec::Gzip, &packed, usual));
    assert!(!assert_alike("bzip2", Codec::Bzip2, &bzip2(&several, 9), usual));
    assert!(!assert_alike("zstd", Codec::Zstd, &zstd(&several, 1 << 25), usual));
}

/// A compressed file within one: the beginnings of blocks and members stand where none are.
#[test]
fn false_beginnings_change_nothing() {
    let plain = text(700_000);
    let magics = b"BZh91AY&SY\x17\x72\x45\x38\x50\x90\x1f\x8b\x08\0\0\0\0\0\0\x03";
    // Stored as they are, as what is compressed already does not compress.
    let inner = [gzip(&plain[..200_000]), bzip2(&plain[..200_000], 1)].concat();
    let stored = gzip_stored(&[&magics.repeat(20_000)[..], &inner].concat());
    let packed = [&gzip(&plain)[..], &stored, &stored, &gzip(&plain)].concat();
    assert_alike("gzip", Codec::Gzip, &packed, DecodeLimits::default());

    // A magic at every kind of bit of the blocks of a stream: in its place each fails, and nothing
    // else comes out.
    let good = bzip2(&plain, 1);
    for bit in [0, 1, 9, 18, 27, 36, 45, 54, 63] {
        let mut packed = good.clone();
        let at = packed.len() / 2 * 8 + bit;
        for (place, byte) in b"1AY&SY".iter().enumerate() {
            for shift in 0..8 {
                let target = at + place * 8 + shift;
                let mask = 0x80 >> (target % 8);
                packed[target / 8] &= !mask;
                if byte << shift & 0x80 != 0 {
                    packed[target / 8] |= mask;
                }
            }
        }
        assert_alike("bzip2", Codec::Bzip2, &packed, DecodeLimits::default());
    }
}

#[test]
fn damage_does_the_same_with_pieces_and_without() {
    // Two or three pieces of each: bzip2 has short ones, and is slow.
    let is_short = |codec: &Codec| *codec == Codec::Bzip2;
    let short = forms(&text(210_000)).into_iter().filter(|(_, codec, _)| is_short(codec));
    let long = forms(&text(900_000)).into_iter().filter(|(_, codec, _)| !is_short(codec));
    let forms: Vec<_> = short.chain(long).collect();
    let mut state = 99_u64;
    let mut below = |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let mut used = 0;
    for round in 0..2000 {
        let (name, codec, packed) = &forms[round % forms.len()];
        let mut packed = packed.clone();
        let end = packed.len();
        match below(5) {
            0 => packed.truncate(below(end)),
            1 => {
                let at = below(end);
                packed[at..].iter_mut().take(100).for_each(|byte| *byte = 0);
            }
            2 => {
                let (a, b) = (below(end), below(end));
                let part = packed[a.min(b)..a.max(b)].to_vec();
                let at = below(end);
                packed.splice(at..at, part);
            }
            // Where checksums and sizes are.
            3 => {
                let at = end - 1 - below(24.min(end));
                packed[at] ^= 1 << below(8);
            }
            _ => {
                let at = below(end);
                packed[at] ^= 1 << below(8);
            }
        }
        used += usize::from(pieces(*codec, &packed, DecodeLimits::default()).is_some());
        assert_alike(&format!("{name} {round}"), *codec, &packed, DecodeLimits::default());
    }
    assert!(used > 1500, "{used} had pieces");
}

#[test]
fn where_all_memory_is_in_use_only_the_piece_that_is_read_next_is_decoded() {
    let plain = text(1_000_000);
    let packed = bzip2(&plain, 1);
    let decoded = |bytes_max| {
        let access = Access { memory: Arc::new(MemoryBudget::new(bytes_max)), ..Access::default() };
        let pieces = pieces_within(Codec::Bzip2, &packed, DecodeLimits::default(), &access);
        let pieces = Arc::new(pieces.unwrap());
        let ahead = (0..5).filter(|_| pieces.decode_next()).count();
        let mut reader = SequentialBlocks::new(pieces);
        assert_eq!(drain(|into| reader.read(into), 50_000), (plain.clone(), None));
        ahead
    };
    assert_eq!((decoded(u64::MAX), decoded(1)), (5, 1));
}
