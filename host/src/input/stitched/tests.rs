//! Stitched pieces against a decoder from the front: the same bytes, then the same end.

use std::io::{Cursor, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{Access, Codec, DecodeError, DecodeLimits, Input, Opener};
use super::*;
use crate::settings::limits::DECODE_PIECE_BYTES_MAX;
use crate::source::{Source, Way};

/// What comes out, and why it ends.
type Outcome = (Vec<u8>, Option<String>);

fn drain(mut read: impl FnMut(&mut [u8]) -> Result<usize, Error>, step: usize) -> Outcome {
    let (mut plain, mut chunk) = (Vec::new(), vec![0; step]);
    loop {
        match read(&mut chunk) {
            Ok(0) => return (plain, None),
            Ok(bytes) => plain.extend_from_slice(&chunk[..bytes]),
            Err(Error::Decode(error)) => return (plain, Some(told(&error))),
            Err(error) => return (plain, Some(error.to_string())),
        }
    }
}

/// A zstd decoder keeps to itself what it decoded in a call that fails, so how far it came depends on the room that it had;
/// and so does where a ratio is looked at.
fn told(error: &DecodeError) -> String {
    match error {
        DecodeError::Checksum { codec: Codec::Zstd, what, .. }
        | DecodeError::Corrupt { codec: Codec::Zstd, what, .. } => format!("zstd: {what}"),
        DecodeError::Ratio { ratio_max, .. } => format!("ratio {ratio_max}"),
        error => error.to_string(),
    }
}

fn from_front(codec: Codec, packed: &[u8], limits: DecodeLimits) -> Outcome {
    let mut decoder = Decoder::new(codec, Box::new(Cursor::new(packed.to_vec())), limits);
    drain(|into| Ok(decoder.read(into)?), 50_000)
}

fn pieces(codec: Codec, packed: &[u8], limits: DecodeLimits) -> Option<Arc<Pieces>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(packed).unwrap();
    let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
    let input = Input::open(&mut Opener::default(), &source, &Access::default()).unwrap();
    Pieces::of(input, codec, limits, 2, &Access::default()).map(Arc::new)
}

/// Reads pieces while another thread decodes; `None` where there are none. Says too whether they were of use to the end.
fn stitched(codec: Codec, packed: &[u8], limits: DecodeLimits) -> Option<(Outcome, bool)> {
    let pieces = pieces(codec, packed, limits)?;
    let done = AtomicBool::new(false);
    Some(std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                if !pieces.decode_next() {
                    std::thread::yield_now();
                }
            }
        });
        let mut reader = Stitched::new(Arc::clone(&pieces));
        let outcome = drain(|into| reader.read(into), 50_000);
        done.store(true, Ordering::Release);
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

/// Lines that differ, and compress to about a half.
fn text(bytes: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut state = 1_u64;
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writeln!(text, "{:x}", state >> 20).unwrap();
    }
    text.truncate(bytes);
    text
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

fn bzip2(plain: &[u8], level: u32) -> Vec<u8> {
    let mut writer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(level));
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

fn lz4(plain: &[u8], info: lz4_flex::frame::FrameInfo) -> Vec<u8> {
    let mut writer = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// A frame that does not say how much it holds, between others: a skippable one says how long it is, as pzstd does.
fn zstd(plain: &[u8], frame_bytes: usize) -> Vec<u8> {
    let mut packed = Vec::new();
    for part in plain.chunks(frame_bytes) {
        let mut context = zstd_safe::CCtx::create();
        for parameter in [
            zstd_safe::CParameter::ChecksumFlag(true),
            zstd_safe::CParameter::ContentSizeFlag(false),
        ] {
            context.set_parameter(parameter).unwrap();
        }
        let mut frame = vec![0; zstd_safe::compress_bound(part.len())];
        let bytes = context.compress2(&mut frame[..], part).unwrap();
        packed.extend(b"\x50\x2a\x4d\x18\x04\0\0\0");
        packed.extend(u32::try_from(bytes).unwrap().to_le_bytes());
        packed.extend_from_slice(&frame[..bytes]);
    }
    packed
}

/// Sources of several pieces in every form that has them.
fn forms(plain: &[u8]) -> Vec<(&'static str, Codec, Vec<u8>)> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};
    let small = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let streams: Vec<_> = plain.chunks(150_000).map(|part| bzip2(part, 2)).collect();
    let members: Vec<_> = plain.chunks(90_000).map(gzip).collect();
    let (first, rest) = plain.split_at(plain.len() / 3);
    let frames = |info: &FrameInfo| {
        let whole = info.clone().content_size(Some(rest.len() as u64));
        [lz4(first, info.clone()), lz4(b"", info.clone()), lz4(rest, whole)].concat()
    };
    vec![
        ("blocks.bz2", Codec::Bzip2, bzip2(plain, 1)),
        (
            "streams.bz2",
            Codec::Bzip2,
            [&streams.concat()[..], &bzip2(b"", 9), &bzip2(plain, 3)].concat(),
        ),
        ("members.gz", Codec::Gzip, members.concat()),
        ("padded.gz", Codec::Gzip, [&members.concat()[..], &[0; 3000]].concat()),
        ("frames.zst", Codec::Zstd, zstd(plain, 70_000)),
        ("checked.lz4", Codec::Lz4, frames(&small.clone().content_checksum(true))),
        ("unchecked.lz4", Codec::Lz4, frames(&small)),
        ("blocks.lz4", Codec::Lz4, frames(&small.block_checksums(true).content_checksum(true))),
    ]
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
    let mut stored = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    stored.write_all(&[&magics.repeat(20_000)[..], &inner].concat()).unwrap();
    let stored = stored.finish().unwrap();
    let packed = [&gzip(&plain)[..], &stored, &stored, &gzip(&plain)].concat();
    assert_alike("gzip", Codec::Gzip, &packed, DecodeLimits::default());

    // A magic at every kind of bit of the blocks of a stream: in its place each fails, and nothing else comes out.
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
    let plain = text(450_000);
    let forms = forms(&plain);
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
    assert!(used > 1000, "{used} had pieces");
}
