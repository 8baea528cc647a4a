//! Decoders against encoders that are not ours: whole, joined, cut off, flipped, and far too large.

mod checked;
mod errors;
mod formats;
mod limits;
mod ready;

use std::io::{Cursor, Write};

use super::*;

/// Compresses with the encoder of the codec's own crate.
fn encode(codec: Codec, plain: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
        Codec::Zstd => {
            let mut context = zstd_safe::CCtx::create();
            context.set_parameter(zstd_safe::CParameter::ChecksumFlag(true)).unwrap();
            let mut packed = vec![0; zstd_safe::compress_bound(plain.len())];
            let bytes = context.compress2(&mut packed[..], plain).unwrap();
            packed.truncate(bytes);
            packed
        }
        Codec::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
            lz4(plain, info)
        }
        Codec::Bzip2 => {
            let mut writer =
                ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(1));
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
        Codec::Xz => {
            let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
        Codec::Brotli => {
            let mut packed = Vec::new();
            let params = ::brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
            ::brotli::BrotliCompress(&mut &plain[..], &mut packed, &params).unwrap();
            packed
        }
        Codec::Snappy => {
            let mut writer = snap::write::FrameEncoder::new(Vec::new());
            writer.write_all(plain).unwrap();
            writer.flush().unwrap();
            writer.into_inner().unwrap()
        }
        Codec::Lzma => lzma(plain),
        Codec::Lzip => {
            // draft-diaz-lzip-09: a dictionary of 2^20 bytes, and behind the data CRC-32, size, and
            // size of the member.
            let mut packed = b"LZIP\x01\x14".to_vec();
            packed.extend_from_slice(&lzma(plain)[13..]);
            let mut crc = Crc::new();
            crc.update(plain);
            packed.extend(crc.sum().to_le_bytes());
            packed.extend((plain.len() as u64).to_le_bytes());
            packed.extend((packed.len() as u64 + 8).to_le_bytes());
            packed
        }
        Codec::Zlib => {
            let level = flate2::Compression::new(6);
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
        Codec::Deflate64 => unreachable!("nobody writes it"),
        Codec::Deflate => {
            let level = flate2::Compression::new(6);
            let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), level);
            writer.write_all(plain).unwrap();
            writer.finish().unwrap()
        }
    }
}

/// With a dictionary of 1 MiB, and a mark at the end.
fn lzma(plain: &[u8]) -> Vec<u8> {
    use liblzma::stream::{LzmaOptions, Stream};
    let options = LzmaOptions::new_preset(1).unwrap();
    let stream = Stream::new_lzma_encoder(&options).unwrap();
    let mut writer = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

fn lz4(plain: &[u8], info: lz4_flex::frame::FrameInfo) -> Vec<u8> {
    let mut writer = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// What comes out before the end or the error, read in pieces of `chunk_bytes`.
fn decode_by(
    codec: Codec,
    packed: &[u8],
    limits: DecodeLimits,
    chunk_bytes: usize,
) -> (Vec<u8>, Option<DecodeError>) {
    let mut decoder = Decoder::new(codec, Box::new(Cursor::new(packed.to_vec())), limits);
    drain(&mut decoder, chunk_bytes)
}

fn drain(decoder: &mut Decoder, chunk_bytes: usize) -> (Vec<u8>, Option<DecodeError>) {
    let (mut plain, mut chunk) = (Vec::new(), vec![0; chunk_bytes]);
    loop {
        match decoder.read(&mut chunk) {
            Ok(0) => return (plain, None),
            Ok(bytes) => plain.extend_from_slice(&chunk[..bytes]),
            Err(error) => return (plain, Some(error)),
        }
    }
}

fn decode(codec: Codec, packed: &[u8]) -> (Vec<u8>, Option<DecodeError>) {
    decode_by(codec, packed, DecodeLimits::default(), 64 << 10)
}

fn error(codec: Codec, packed: &[u8], limits: DecodeLimits) -> DecodeError {
    decode_by(codec, packed, limits, 64 << 10).1.unwrap()
}

/// Words that repeat, differ, and compress like text.
fn text(bytes: usize) -> Vec<u8> {
    let mut random = Random(7);
    let mut text = Vec::with_capacity(bytes + 16);
    while text.len() < bytes {
        let word = random.next() % 500;
        write!(text, "{} ", word * word).unwrap();
    }
    text.truncate(bytes);
    text
}

struct Random(u64);

impl Random {
    /// xorshift64*, as Vigna gives it.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next()).unwrap() % bound
    }
}
