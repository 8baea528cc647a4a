//! Texts, and the forms that they are compressed into: by the encoders of the codecs' own crates,
//! and by hand where a form needs more than they give.

use std::fmt::Write as _;
use std::io::Write;

use liblzma::stream::{Action, Check, Stream};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use zstd_safe::{CCtx, CParameter};

/// Lines short and long, of words that compress to about a half, and that are not all ASCII.
pub(crate) fn text(bytes: usize) -> Vec<u8> {
    let mut text = String::with_capacity(bytes + 64);
    let mut state = 1_u64;
    let mut line_ends = 0;
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let word = state >> 32;
        write!(text, "{word:x} ").unwrap();
        if word.is_multiple_of(97) {
            text.push_str("größer ");
        }
        if text.len() >= line_ends {
            text.push('\n');
            // Mostly short, now and then longer than a chunk of the usual size.
            line_ends =
                text.len() + if word.is_multiple_of(1500) { 30_000 } else { word as usize % 120 };
        }
    }
    text.push_str("end");
    text.into_bytes()
}

/// `plain` in every form, as files whose names say what they are.
pub(crate) fn forms(plain: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let third = plain.len() / 3;
    let (first, rest) = plain.split_at(third);
    let skippable = [&b"\x53\x2a\x4d\x18\x05\0\0\0"[..], b"hello"].concat();
    let padded = [gzip(first), gzip(b""), gzip(rest), vec![0; 3000]].concat();
    let frames: Vec<_> = plain.chunks(200_000).map(zstd).collect();
    let lz4_frames: Vec<_> = plain
        .chunks(300_000)
        .map(|part| lz4(part, FrameInfo::new().content_size(Some(part.len() as u64))))
        .collect();
    vec![
        ("single.gz", gzip(plain)),
        ("members.gz", [gzip(first), gzip(b""), gzip(rest)].concat()),
        ("padded.gz", padded),
        ("blocks.bgz", bgzf(plain)),
        ("single.zst", zstd(plain)),
        ("frames.zst", frames.join(&skippable[..])),
        ("linked.lz4", lz4(plain, FrameInfo::new().block_mode(BlockMode::Linked))),
        ("independent.lz4", lz4(plain, FrameInfo::new().block_mode(BlockMode::Independent))),
        ("frames.lz4", lz4_frames.join(&skippable[..])),
        ("single.bz2", bzip2(plain)),
        ("streams.bz2", [bzip2(first), bzip2(b""), bzip2(rest)].concat()),
        ("single.xz", xz(plain, plain.len())),
        ("blocks.xz", xz(plain, 150_000)),
        ("streams.xz", [xz(first, 100_000), vec![0; 8], xz(b"", 1), xz(rest, third)].concat()),
        ("quality.br", brotli(plain)),
        ("framed.sz", snappy(plain)),
    ]
}

/// Parts, each flushed, so that it can be decompressed as soon as it is there; behind them the end
/// of the stream.
pub(crate) fn flushed(parts: &[&[u8]]) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let level = flate2::Compression::new(6);
    let gzip = flate2::write::GzEncoder::new(Vec::new(), level);
    let lz4 = FrameEncoder::with_frame_info(FrameInfo::new().content_checksum(true), Vec::new());
    let snappy = snap::write::FrameEncoder::new(Vec::new());
    let brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    vec![
        ("gzip", by_flushing(gzip, parts, |it| it.get_mut(), |it| it.finish().unwrap())),
        ("lz4", by_flushing(lz4, parts, |it| it.get_mut(), |it| it.finish().unwrap())),
        ("snappy", by_flushing(snappy, parts, |it| it.get_mut(), |it| it.into_inner().unwrap())),
        (
            "brotli",
            by_flushing(brotli, parts, |it| it.get_mut(), brotli::CompressorWriter::into_inner),
        ),
        ("zstd", zstd_flushed(parts)),
    ]
}

/// The same by one writer: what it has written after each part, and at the end.
pub(crate) fn by_flushing<W: Write>(
    mut writer: W,
    parts: &[impl AsRef<[u8]>],
    written: impl Fn(&mut W) -> &mut Vec<u8>,
    finish: impl Fn(W) -> Vec<u8>,
) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for part in parts {
        writer.write_all(part.as_ref()).unwrap();
        writer.flush().unwrap();
        pieces.push(std::mem::take(written(&mut writer)));
    }
    pieces.push(finish(writer));
    pieces
}

/// The same in one frame.
pub(crate) fn zstd_flushed(parts: &[impl AsRef<[u8]>]) -> Vec<Vec<u8>> {
    use zstd_safe::zstd_sys::ZSTD_EndDirective::{ZSTD_e_end, ZSTD_e_flush};
    let mut context = CCtx::create();
    let mut packed = |bytes: &[u8], end| {
        let mut packed = vec![0; zstd_safe::compress_bound(bytes.len()) + 100];
        let mut out = zstd_safe::OutBuffer::around(&mut packed[..]);
        let mut given = zstd_safe::InBuffer::around(bytes);
        assert_eq!(context.compress_stream2(&mut out, &mut given, end).unwrap(), 0);
        out.as_slice().to_vec()
    };
    let mut pieces: Vec<_> = parts.iter().map(|part| packed(part.as_ref(), ZSTD_e_flush)).collect();
    pieces.push(packed(b"", ZSTD_e_end));
    pieces
}

/// One member.
pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// Members that say how long they are, the last of them empty (SAM format specification, section
/// 4.1).
pub(crate) fn bgzf(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for part in plain.chunks(60_000).chain([&[][..]]) {
        let level = flate2::Compression::new(6);
        let mut body = flate2::write::DeflateEncoder::new(Vec::new(), level);
        body.write_all(part).unwrap();
        let body = body.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(part);
        packed.extend(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0");
        packed.extend(u16::try_from(body.len() + 25).unwrap().to_le_bytes());
        packed.extend(body);
        packed.extend(crc.sum().to_le_bytes());
        packed.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
    }
    packed
}

/// One frame, with its content size and a checksum.
pub(crate) fn zstd(plain: &[u8]) -> Vec<u8> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::ChecksumFlag(true)).unwrap();
    let mut packed = vec![0; zstd_safe::compress_bound(plain.len())];
    let bytes = context.compress2(&mut packed[..], plain).unwrap();
    packed.truncate(bytes);
    packed
}

/// One frame with a window of 128 MiB.
pub(crate) fn zstd_long(plain: &[u8]) -> Vec<u8> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::WindowLog(27)).unwrap();
    let mut packed = vec![0; zstd_safe::compress_bound(plain.len())];
    let bytes = context.compress2(&mut packed[..], plain).unwrap();
    packed.truncate(bytes);
    packed
}

/// One frame of small blocks, with a checksum of its content.
fn lz4(plain: &[u8], info: FrameInfo) -> Vec<u8> {
    let info = info.block_size(BlockSize::Max64KB).content_checksum(true);
    let mut writer = FrameEncoder::with_frame_info(info, Vec::new());
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// One stream.
pub(crate) fn bzip2(plain: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(1));
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// One stream of blocks that hold so many bytes each.
pub(crate) fn xz(plain: &[u8], block_bytes: usize) -> Vec<u8> {
    let mut stream = Stream::new_easy_encoder(1, Check::Crc64).unwrap();
    let mut packed = Vec::with_capacity(plain.len() * 2 + 10_000);
    for part in plain.chunks(block_bytes.max(1)) {
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

pub(crate) fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
    brotli::BrotliCompress(&mut &plain[..], &mut packed, &params).unwrap();
    packed
}

pub(crate) fn snappy(plain: &[u8]) -> Vec<u8> {
    let mut writer = snap::write::FrameEncoder::new(Vec::new());
    writer.write_all(plain).unwrap();
    writer.into_inner().unwrap()
}
