//! Sources that come in pieces: all that was flushed comes out, and a read that need not wait does
//! not.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::super::pack::{by_flushing, zstd_flushed};
use super::*;

/// What was written so far, and whether that was all. Reading when nothing is there is a wait,
/// which fails the test.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<(VecDeque<u8>, bool)>>);

impl Wire {
    fn write(&self, bytes: &[u8]) {
        self.0.lock().0.extend(bytes);
    }

    fn close(&self) {
        self.0.lock().1 = true;
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        assert!(!state.0.is_empty() || state.1, "a read that waits");
        state.0.read(into)
    }
}

impl Trickle for Wire {
    fn is_ready(&mut self, _within: Duration) -> io::Result<bool> {
        let state = self.0.lock();
        Ok(!state.0.is_empty() || state.1)
    }
}

/// Each part, flushed, and the end.
fn flushed(codec: Codec, parts: &[Vec<u8>]) -> Vec<Vec<u8>> {
    match codec {
        Codec::Gzip => by_flushing(
            flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6)),
            parts,
            |writer| writer.get_mut(),
            |writer| writer.finish().unwrap(),
        ),
        Codec::Zlib => by_flushing(
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6)),
            parts,
            |writer| writer.get_mut(),
            |writer| writer.finish().unwrap(),
        ),
        Codec::Lzma | Codec::Deflate64 => unreachable!("it cannot be flushed"),
        Codec::Deflate => by_flushing(
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6)),
            parts,
            |writer| writer.get_mut(),
            |writer| writer.finish().unwrap(),
        ),
        Codec::Lz4 => by_flushing(
            lz4_flex::frame::FrameEncoder::with_frame_info(
                lz4_flex::frame::FrameInfo::new().content_checksum(true).block_checksums(true),
                Vec::new(),
            ),
            parts,
            |writer| writer.get_mut(),
            |writer| writer.finish().unwrap(),
        ),
        Codec::Snappy => by_flushing(
            snap::write::FrameEncoder::new(Vec::new()),
            parts,
            |writer| writer.get_mut(),
            |writer| writer.into_inner().unwrap(),
        ),
        Codec::Brotli => by_flushing(
            ::brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20),
            parts,
            |writer| writer.get_mut(),
            ::brotli::CompressorWriter::into_inner,
        ),
        Codec::Zstd => zstd_flushed(parts),
        Codec::Xz => xz_flushed(parts),
        // It cannot be flushed, but by ending a stream.
        Codec::Bzip2 | Codec::Lzip => {
            parts.iter().map(|part| encode(codec, part)).chain([Vec::new()]).collect()
        }
    }
}

fn xz_flushed(parts: &[Vec<u8>]) -> Vec<Vec<u8>> {
    use liblzma::stream::{Action, Check, Stream};
    let mut stream = Stream::new_easy_encoder(1, Check::Crc64).unwrap();
    let ends =
        parts.iter().map(|part| (&part[..], Action::SyncFlush)).chain([(&b""[..], Action::Finish)]);
    let piece = |(part, end): (&[u8], _)| {
        let mut packed = Vec::with_capacity(2 * part.len() + 10_000);
        stream.process_vec(part, &mut packed, end).unwrap();
        packed
    };
    ends.map(piece).collect()
}

/// Reads all that can be had without waiting.
fn read_ready(decoder: &mut Decoder, room: usize, got: &mut Vec<u8>) {
    let mut into = vec![0; room];
    while decoder.is_ready(Duration::ZERO).unwrap() {
        match decoder.read_some(&mut into).unwrap() {
            0 => return,
            bytes => got.extend_from_slice(&into[..bytes]),
        }
    }
}

#[test]
fn what_was_flushed_comes_out_and_no_read_waits() {
    // From far less than a block to more than what is read at once.
    let parts = [300, 20_000, 500_000, 100].map(text);
    for codec in Codec::ALL.into_iter().filter(|codec| *codec != Codec::Lzma) {
        let pieces = flushed(codec, &parts);
        assert_eq!(pieces.len(), parts.len() + 1);
        for (burst, room) in [(1, 10_000), (13, 100), (3000, 5), (usize::MAX, 70_000)] {
            let wire = Wire::default();
            let source = Box::new(wire.clone());
            let mut decoder = Decoder::trickle(codec, source, DecodeLimits::default());
            let (mut got, mut expected) = (Vec::new(), Vec::new());
            for (at, piece) in pieces.iter().enumerate() {
                for bytes in piece.chunks(burst) {
                    wire.write(bytes);
                    read_ready(&mut decoder, room, &mut got);
                }
                expected.extend_from_slice(parts.get(at).map_or(&[], Vec::as_slice));
                assert!(got == expected, "{codec}, part {at}, bursts of {burst}, room {room}");
            }
            wire.close();
            assert!(decoder.is_ready(Duration::ZERO).unwrap());
            assert_eq!(decoder.read_some(&mut [0; 9]).unwrap(), 0, "{codec}");
        }
    }
}

#[test]
fn an_error_is_something_to_read() {
    let mut packed = encode(Codec::Zstd, &text(5000));
    let end = packed.len() - 1;
    packed[end] ^= 1;
    let wire = Wire::default();
    let mut decoder =
        Decoder::trickle(Codec::Zstd, Box::new(wire.clone()), DecodeLimits::default());
    wire.write(&packed);
    let mut into = vec![0; 5000];
    while decoder.is_ready(Duration::ZERO).unwrap() && decoder.read_some(&mut into).is_ok() {}
    assert!(matches!(decoder.read_some(&mut into), Err(DecodeError::Checksum { .. })));
}
