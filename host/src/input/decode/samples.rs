//! Compressed sources of several pieces, for tests.

use std::io::Write;

use super::Codec;
use super::pack::xz;

/// Lines that differ, and compress to about a half.
pub(in super::super) fn text(bytes: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut state = 1_u64;
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writeln!(text, "{:x}", state >> 20).unwrap();
    }
    text.truncate(bytes);
    text
}

pub(in super::super) fn gzip(plain: &[u8]) -> Vec<u8> {
    gzip_at(plain, flate2::Compression::new(6))
}

/// A member that holds its bytes as they are.
pub(in super::super) fn gzip_stored(plain: &[u8]) -> Vec<u8> {
    gzip_at(plain, flate2::Compression::none())
}

fn gzip_at(plain: &[u8], level: flate2::Compression) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

pub(in super::super) fn bzip2(plain: &[u8], level: u32) -> Vec<u8> {
    let mut writer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(level));
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

fn lz4(plain: &[u8], info: lz4_flex::frame::FrameInfo) -> Vec<u8> {
    let mut writer = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// A frame that does not say how much it holds, between others: a skippable one says how long it
/// is, as pzstd does.
pub(in super::super) fn zstd(plain: &[u8], frame_bytes: usize) -> Vec<u8> {
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
pub(in super::super) fn forms(plain: &[u8]) -> Vec<(&'static str, Codec, Vec<u8>)> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};
    let small = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let streams: Vec<_> = plain.chunks(150_000).map(|part| bzip2(part, 2)).collect();
    let members: Vec<_> = plain.chunks(90_000).map(gzip).collect();
    let (first, rest) = plain.split_at(plain.len() / 3);
    let xz_streams = [xz(b"", 1), xz(first, 100_000), vec![0; 8], xz(b"", 1), xz(rest, 200_000)];
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
        ("blocks.xz", Codec::Xz, xz(plain, 60_000)),
        ("streams.xz", Codec::Xz, xz_streams.concat()),
        ("padded.xz", Codec::Xz, [xz(plain, 150_000), xz(b"", 1), vec![0; 4]].concat()),
        ("frames.zst", Codec::Zstd, zstd(plain, 70_000)),
        ("checked.lz4", Codec::Lz4, frames(&small.clone().content_checksum(true))),
        ("unchecked.lz4", Codec::Lz4, frames(&small)),
        ("blocks.lz4", Codec::Lz4, frames(&small.block_checksums(true).content_checksum(true))),
    ]
}
