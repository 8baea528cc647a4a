//! One compressed file decoded to nothing: what the decoder alone takes, with nobody behind it.
//!
//! One buffer in and one out, each overwritten from step to step. Checksums are verified, as they
//! are in whatever this is compared with.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use zstd_safe::{DCtx, InBuffer, OutBuffer, get_error_name};

use crate::flags::Codec;

/// Compressed bytes read at once, and decompressed bytes made at once: no size from 32 KiB to 1 MiB
/// is faster for gzip, and none for zstd by more than runs differ.
const BUFFER_BYTES: usize = 256 * 1024;

/// Decodes all of a file and returns how many bytes came out.
pub(crate) fn decode(codec: Codec, path: &Path) -> Result<u64> {
    let context = || path.display().to_string();
    let input = BufReader::with_capacity(BUFFER_BYTES, File::open(path).with_context(context)?);
    let bytes = match codec {
        Codec::Gzip => gzip(input),
        Codec::Zstd => zstd(input),
        Codec::Lz4 => lz4(input),
    };
    bytes.with_context(context)
}

/// Any number of members.
fn gzip(input: impl BufRead) -> Result<u64> {
    let mut decoder = MultiGzDecoder::new(input);
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut bytes = 0;
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(got) => bytes += got as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Any number of frames.
fn zstd(mut input: impl BufRead) -> Result<u64> {
    let mut context = DCtx::try_create().context("zstd: no memory for a decoder")?;
    let mut buffer = vec![0; BUFFER_BYTES];
    // What the decoder says it lacks: nothing between frames.
    let (mut bytes, mut lacking) = (0, 0);
    loop {
        let packed = input.fill_buf()?;
        if packed.is_empty() {
            ensure!(lacking == 0, "zstd: ends within a frame");
            return Ok(bytes);
        }
        let mut source = InBuffer::around(packed);
        let mut is_full = false;
        while source.pos < packed.len() || (is_full && lacking > 0) {
            let mut sink = OutBuffer::around(buffer.as_mut_slice());
            lacking = context
                .decompress_stream(&mut sink, &mut source)
                .map_err(|code| anyhow!("zstd: {}", get_error_name(code)))?;
            let made = sink.pos();
            is_full = made == BUFFER_BYTES;
            bytes += made as u64;
        }
        let taken = packed.len();
        input.consume(taken);
    }
}

/// One frame. Looks at each block where the decoder put it, so that none is copied.
fn lz4(input: impl BufRead) -> Result<u64> {
    let mut decoder = FrameDecoder::new(input);
    let mut bytes = 0;
    loop {
        let block = decoder.fill_buf()?.len();
        if block == 0 {
            return Ok(bytes);
        }
        bytes += block as u64;
        decoder.consume(block);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Several buffers long, and not a multiple of one.
    fn text() -> Vec<u8> {
        (0..200_000).flat_map(|number: u32| format!("{number}\n").into_bytes()).collect()
    }

    fn gzip_member(plain: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn zstd_frame(plain: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; zstd_safe::compress_bound(plain.len())];
        let bytes = zstd_safe::compress(&mut frame[..], plain, 1).unwrap();
        frame.truncate(bytes);
        frame
    }

    fn lz4_frame(plain: &[u8]) -> Vec<u8> {
        let mut writer = lz4_flex::frame::FrameEncoder::new(Vec::new());
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn decode_bytes(codec: Codec, packed: &[u8]) -> Result<u64> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(packed).unwrap();
        decode(codec, file.path())
    }

    #[test]
    fn every_byte_is_counted_and_a_cut_file_is_an_error() {
        let text = text();
        for (codec, packed) in [
            (Codec::Gzip, [gzip_member(&text), gzip_member(b"x\n")].concat()),
            (Codec::Zstd, [zstd_frame(&text), zstd_frame(b"x\n")].concat()),
            (Codec::Lz4, lz4_frame(&[text.as_slice(), b"x\n"].concat())),
        ] {
            assert_eq!(decode_bytes(codec, &packed).unwrap(), text.len() as u64 + 2, "{codec:?}");
            let cut = packed.get(..packed.len() - 5).unwrap();
            assert!(decode_bytes(codec, cut).is_err(), "{codec:?}");
        }
    }

    #[test]
    fn the_end_of_zstd_may_fall_on_the_end_of_a_buffer() {
        let whole = vec![b'x'; 2 * BUFFER_BYTES];
        assert_eq!(decode_bytes(Codec::Zstd, &zstd_frame(&whole)).unwrap(), whole.len() as u64);
    }
}
