//! Blocks, decoded and joined, against the source they were cut from.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use super::super::super::{Access, Opener};
use super::super::pack::bgzf;
use super::super::{Codec, DecodeError, DecodeLimits, Decoder, detect};
use super::*;
use crate::source::{Source, Way};

fn open(packed: &[u8]) -> Arc<Input> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(packed).unwrap();
    let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
    Arc::new(Input::open(&mut Opener::default(), &source, &Access::default()).unwrap())
}

fn pieces(input: &Input, codec: Codec) -> Vec<Block> {
    let Some(mut blocks) = Blocks::of(input, codec) else { return Vec::new() };
    std::iter::from_fn(|| blocks.next(input)).collect()
}

/// Decodes every piece by itself, last first, and joins them. Checks what they claim.
fn decode(input: &Arc<Input>, codec: Codec) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(codec, Box::new(std::io::empty()), DecodeLimits::default());
    let mut parts = Vec::new();
    for block in pieces(input, codec).iter().rev() {
        let source =
            BlockSpan::new(Arc::clone(input), block.compressed_offset, block.compressed_bytes);
        decoder.turn_to_block(block, Box::new(source));
        let (mut plain, mut chunk) = (Vec::new(), vec![0; 10_000]);
        loop {
            match decoder.read(&mut chunk)? {
                0 => break,
                bytes => plain.extend_from_slice(&chunk[..bytes]),
            }
        }
        if let Some(bytes) = block.decompressed_bytes {
            assert_eq!(bytes, plain.len() as u64);
        }
        parts.push((block.decompressed_offset, plain));
    }
    parts.reverse();
    let mut joined = Vec::new();
    for (offset, plain) in parts {
        assert!(offset.is_none_or(|offset| offset == joined.len() as u64));
        joined.extend(plain);
    }
    Ok(joined)
}

/// Lines that differ, and compress little enough for several runs.
fn text(bytes: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut state = 1_u64;
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writeln!(text, "{state:x}").unwrap();
    }
    text.truncate(bytes);
    text
}

fn zstd_frames(plain: &[u8], frame_bytes: usize) -> Vec<u8> {
    let mut packed = Vec::new();
    for part in plain.chunks(frame_bytes) {
        let mut context = zstd_safe::CCtx::create();
        context.set_parameter(zstd_safe::CParameter::ChecksumFlag(true)).unwrap();
        let mut frame = vec![0; zstd_safe::compress_bound(part.len())];
        let bytes = context.compress2(&mut frame[..], part).unwrap();
        packed.extend_from_slice(&frame[..bytes]);
    }
    packed
}

fn lz4_frame(plain: &[u8], info: lz4_flex::frame::FrameInfo) -> Vec<u8> {
    let mut writer = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// Blocks of 100,000 bytes, by flushing.
fn xz_blocks(plain: &[u8]) -> Vec<u8> {
    use liblzma::stream::{Action, Check, Stream};
    let mut stream = Stream::new_easy_encoder(1, Check::Crc64).unwrap();
    let mut packed = Vec::with_capacity(plain.len() * 2 + 10_000);
    for part in plain.chunks(100_000) {
        let before = stream.total_in();
        while stream.total_in() - before < part.len() as u64 {
            let rest = &part[usize::try_from(stream.total_in() - before).unwrap()..];
            stream.process_vec(rest, &mut packed, Action::Run).unwrap();
        }
        stream.process_vec(&[], &mut packed, Action::FullFlush).unwrap();
    }
    stream.process_vec(&[], &mut packed, Action::Finish).unwrap();
    packed
}

#[test]
fn bgzf_is_cut_into_runs_of_members() {
    let plain = text(2_000_000);
    let input = open(&bgzf(&plain));
    let found = pieces(&input, Codec::Gzip);
    assert!(found.len() > 2 && found.iter().all(|block| block.decompressed_bytes.is_some()));
    assert!(decode(&input, Codec::Gzip).unwrap() == plain);
}

#[test]
fn gzip_behind_bgzf_is_the_last_piece() {
    let plain = text(1_000_000);
    let mut other = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    other.write_all(&plain).unwrap();
    let input = open(&[bgzf(&plain), other.finish().unwrap(), vec![0; 1000]].concat());
    assert!(pieces(&input, Codec::Gzip).last().unwrap().rest);
    assert!(decode(&input, Codec::Gzip).unwrap() == plain.repeat(2));
}

#[test]
fn what_follows_the_last_piece_is_named_where_it_is() {
    let plain = text(1_000_000);
    let sources = [
        (Codec::Gzip, bgzf(&plain)),
        (Codec::Zstd, zstd_frames(&plain, 200_000)),
        (
            Codec::Lz4,
            lz4_frame(&plain, lz4_flex::frame::FrameInfo::new().content_size(Some(1_000_000))),
        ),
    ];
    for (codec, packed) in sources {
        let input = open(&[&packed[..], b"garbage"].concat());
        let error = decode(&input, codec).unwrap_err();
        let DecodeError::TrailingGarbage { compressed, .. } = error else { panic!("{error}") };
        assert_eq!(compressed, packed.len() as u64);
    }
}

#[test]
fn zstd_is_cut_into_runs_of_frames() {
    let plain = text(2_000_000);
    let skip = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    let frames = zstd_frames(&plain, 100_000);
    let input = open(&[skip, &frames[..], skip].concat());
    assert!(pieces(&input, Codec::Zstd).len() > 2);
    assert!(decode(&input, Codec::Zstd).unwrap() == plain);
    let one = open(&zstd_frames(&plain, usize::MAX));
    assert_eq!(pieces(&one, Codec::Zstd), []);
}

#[test]
fn lz4_is_cut_into_blocks_where_they_are_independent() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};
    let plain = text(2_000_000);
    let info = |checked| {
        FrameInfo::new()
            .block_size(BlockSize::Max64KB)
            .block_mode(BlockMode::Independent)
            .content_checksum(checked)
    };
    for (frame, several) in [
        (info(false), true),
        (info(true).block_checksums(true), true),
        (info(true), true),
        (info(false).block_mode(BlockMode::Linked), false),
    ] {
        let one = lz4_frame(&plain, frame.clone());
        assert_eq!(pieces(&open(&one), Codec::Lz4).len() > 2, several);
        let empty = lz4_frame(b"", frame);
        let input = open(&[&one[..], &empty, &one, &empty].concat());
        assert!(decode(&input, Codec::Lz4).unwrap() == plain.repeat(2), "{several}");
    }
}

#[test]
fn xz_is_cut_into_blocks() {
    let plain = text(1_000_000);
    let one = xz_blocks(&plain);
    let empty = xz_blocks(b"");
    let input = open(&[&one[..], &[0; 8], &empty, &one, &[0; 4]].concat());
    assert_eq!(pieces(&input, Codec::Xz).len(), 20);
    assert!(decode(&input, Codec::Xz).unwrap() == plain.repeat(2));
    for odd in [[&one[..], b"x"].concat(), [&[0; 4], &one[..]].concat()] {
        assert_eq!(pieces(&open(&odd), Codec::Xz), [], "left to the decoder");
    }
}

fn bzip2_streams(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for part in plain.chunks(200_000) {
        let mut stream = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(9));
        stream.write_all(part).unwrap();
        packed.extend(stream.finish().unwrap());
    }
    packed
}

#[test]
fn bzip2_is_cut_into_blocks() {
    let plain = text(2_000_000);
    let empty = bzip2_streams(b"");
    let input = open(&[&bzip2_streams(&plain)[..], &empty, &bzip2_streams(b"end")].concat());
    assert!(pieces(&input, Codec::Bzip2).len() > 2);
    assert!(decode(&input, Codec::Bzip2).unwrap() == [&plain[..], b"end"].concat());
    assert_eq!(pieces(&open(&bzip2_streams(b"one")), Codec::Bzip2), []);
}

/// How far is looked for a second piece, or for all of them: past that, a source is left to the
/// decoder.
#[test]
fn pieces_are_not_looked_for_without_end() {
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..(33 << 20) / 8)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect();
    let frames = |bytes: usize| {
        let first = zstd_frames(&noise[..bytes], usize::MAX);
        open(&[&first[..], &zstd_frames(b"second", usize::MAX)].concat())
    };
    assert_eq!(pieces(&frames(31 << 20), Codec::Zstd).len(), 2);
    assert_eq!(pieces(&frames(noise.len()), Codec::Zstd), []);

    let blocks = xz_blocks(&text(300_000));
    let padded = |bytes: usize| open(&[&blocks[..], &vec![0; bytes]].concat());
    assert_eq!(pieces(&padded((8 << 20) - 1024), Codec::Xz).len(), 3);
    assert_eq!(pieces(&padded(8 << 20), Codec::Xz), []);
}

#[test]
fn a_source_in_one_piece_has_no_pieces() {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    writer.write_all(b"hello").unwrap();
    assert_eq!(pieces(&open(&writer.finish().unwrap()), Codec::Gzip), []);
    for codec in Codec::ALL {
        assert_eq!(pieces(&open(b""), codec), []);
        assert_eq!(pieces(&open(b"hello"), codec), []);
        assert_eq!(pieces(&open(&[0; 100]), codec), []);
    }
}

/// What the pieces give is what the decoder gives without them: the same bytes, or both an error.
#[test]
fn damage_does_the_same_with_pieces_and_without() {
    let plain = text(150_000);
    let sources = [
        (Codec::Gzip, bgzf(&plain)),
        (Codec::Zstd, zstd_frames(&plain, 20_000)),
        (Codec::Lz4, lz4_frame(&plain, lz4_flex::frame::FrameInfo::new().block_checksums(true))),
        (Codec::Xz, xz_blocks(&plain)),
        (Codec::Bzip2, bzip2_streams(&plain.repeat(2))),
    ];
    let mut state = 99_u64;
    let mut below = |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    for round in 0..400 {
        let (codec, packed) = &sources[round % sources.len()];
        let mut packed = packed.clone();
        if below(3) == 0 {
            packed.truncate(below(packed.len()));
        } else {
            let at = below(packed.len());
            packed[at] ^= 1 << below(8);
        }
        let input = open(&packed);
        let detected = detect(&packed, Path::new("x"));
        if !matches!(detected, Ok(Some(_))) || pieces(&input, *codec).is_empty() {
            continue;
        }
        let mut whole = Vec::new();
        let mut decoder =
            Decoder::new(*codec, Box::new(Cursor::new(packed.clone())), DecodeLimits::default());
        let mut chunk = vec![0; 10_000];
        let outcome = loop {
            match decoder.read(&mut chunk) {
                Ok(0) => break Ok(()),
                Ok(bytes) => whole.extend_from_slice(&chunk[..bytes]),
                Err(error) => break Err(error),
            }
        };
        match (decode(&input, *codec), outcome) {
            (Ok(joined), Ok(())) => assert!(joined == whole, "{codec} {round}"),
            (Err(_), Err(_)) => {}
            (a, b) => panic!("{codec} {round}: {:?} {b:?}", a.map(|bytes| bytes.len())),
        }
    }
}
