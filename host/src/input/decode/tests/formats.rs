//! Every form of every format gives back what went in.

use std::io::{self, Cursor, Read};
use std::path::Path;

use super::*;

#[test]
fn every_codec_gives_back_what_went_in() {
    for codec in Codec::ALL {
        for bytes in [0, 1, 1000, 64 << 10, 300_001] {
            let plain = text(bytes);
            let packed = encode(codec, &plain);
            let has_magic = !matches!(codec, Codec::Brotli | Codec::Lzma | Codec::Zlib);
            if has_magic && (codec != Codec::Snappy || bytes > 0) {
                let detected = detect(&packed, Path::new("x"));
                assert_eq!(detected.unwrap(), Some(codec), "{bytes}");
            }
            for chunk_bytes in [1, 1000, 1 << 20] {
                if codec == Codec::Snappy && bytes == 0 {
                    continue; // its encoder writes nothing at all
                }
                let (got, error) = decode_by(codec, &packed, DecodeLimits::default(), chunk_bytes);
                assert!(error.is_none(), "{codec} {bytes} {chunk_bytes}: {error:?}");
                assert!(got == plain, "{codec} {bytes} {chunk_bytes}");
            }
        }
    }
}

/// Gives one byte at a time, and is interrupted in between.
struct Trickle(Cursor<Vec<u8>>, bool);

impl Read for Trickle {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.0.read(&mut into[..1])
    }
}

#[test]
fn a_slow_source_is_the_same_source() {
    let plain = text(70_000);
    for codec in Codec::ALL {
        let source = Trickle(Cursor::new(encode(codec, &plain)), false);
        let mut decoder = Decoder::new(codec, Box::new(source), DecodeLimits::default());
        let (got, error) = drain(&mut decoder, 5000);
        assert!(error.is_none() && got == plain, "{codec} {error:?}");
        assert_eq!(decoder.decompressed(), 70_000);
    }
}

#[test]
fn available_bytes_are_not_held_back() {
    let plain = text(5000);
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Lz4, Codec::Snappy] {
        let source = encode(codec, &plain);
        // Reading on would fail: a source that has nothing for now.
        let source = Cursor::new(source).chain(Endless);
        let mut decoder = Decoder::new(codec, Box::new(source), DecodeLimits::default());
        let mut into = vec![0; 8000];
        assert_eq!(decoder.read_some(&mut into).unwrap(), 5000, "{codec}");
        assert!(decoder.read_some(&mut into).is_err());
    }
}

struct Endless;

impl Read for Endless {
    fn read(&mut self, _into: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

#[test]
fn members_follow_one_another() {
    let plain = text(10_000);
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Lz4, Codec::Bzip2, Codec::Xz] {
        let one = encode(codec, &plain);
        let empty = encode(codec, b"");
        let packed = [&one[..], &empty, &one, &empty, &empty, &one].concat();
        for chunk_bytes in [1, 10_000, 100_000] {
            let (got, error) = decode_by(codec, &packed, DecodeLimits::default(), chunk_bytes);
            assert!(error.is_none(), "{codec} {error:?}");
            assert!(got == plain.repeat(3), "{codec} {chunk_bytes}");
        }
    }
    // A snappy stream may begin anew, with padding and unknown chunks in between.
    let one = encode(Codec::Snappy, &plain);
    let padding = vec![0; 1_000_000];
    let skip = [&[0xfe, 0x40, 0x42, 0x0f][..], &padding, &[0x80, 1, 0, 0, 9]].concat();
    let (got, error) = decode(Codec::Snappy, &[&one[..], &skip, &one].concat());
    assert!(error.is_none() && got == plain.repeat(2), "{error:?}");
}

#[test]
fn padding_is_no_garbage() {
    let plain = text(1000);
    for (codec, zeros) in
        [(Codec::Gzip, 1), (Codec::Gzip, 200_000), (Codec::Xz, 4), (Codec::Xz, 400_000)]
    {
        let packed = [encode(codec, &plain), vec![0; zeros]].concat();
        let (got, error) = decode(codec, &packed);
        assert!(error.is_none() && got == plain, "{codec} {zeros} {error:?}");
        let (got, error) = decode(codec, &[&packed[..], b"x"].concat());
        assert!(
            matches!(error, Some(DecodeError::TrailingGarbage { decompressed: 1000, .. })),
            "{error:?}"
        );
        assert!(got == plain);
    }
    let packed = [encode(Codec::Xz, &plain), vec![0; 3]].concat();
    assert!(matches!(decode(Codec::Xz, &packed).1, Some(DecodeError::Corrupt { .. })));
}

#[test]
fn skippable_frames_are_skipped() {
    let plain = text(1000);
    for codec in [Codec::Zstd, Codec::Lz4] {
        let one = encode(codec, &plain);
        let skip = [&b"\x57\x2a\x4d\x18\x05\0\0\0"[..], b"hello"].concat();
        let (got, error) = decode(codec, &[&skip[..], &one, &skip, &skip, &one, &skip].concat());
        assert!(error.is_none() && got == plain.repeat(2), "{codec} {error:?}");
        let (got, error) = decode(codec, &[&one[..], &skip[..10]].concat());
        assert!(
            matches!(error, Some(DecodeError::Truncated { decompressed: 1000, .. })),
            "{error:?}"
        );
        assert!(got == plain);
    }
}

#[test]
fn all_kinds_of_lz4_frames_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};
    let plain = text(1_200_000);
    for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for checksums in [false, true] {
                let info = FrameInfo::new()
                    .block_size(size)
                    .block_mode(mode)
                    .block_checksums(checksums)
                    .content_checksum(!checksums)
                    .content_size(checksums.then_some(plain.len() as u64));
                let packed = lz4(&plain, info);
                for chunk_bytes in [1000, 64 << 10, 2 << 20] {
                    let (got, error) =
                        decode_by(Codec::Lz4, &packed, DecodeLimits::default(), chunk_bytes);
                    assert!(error.is_none(), "{size:?} {mode:?} {checksums} {error:?}");
                    assert!(got == plain, "{size:?} {mode:?} {checksums} {chunk_bytes}");
                }
            }
        }
    }
}

#[test]
fn legacy_lz4_frames_are_read() {
    let plain = text(9 << 20);
    let mut packed = b"\x02\x21\x4c\x18".to_vec();
    for block in plain.chunks(8 << 20) {
        let block = lz4_flex::block::compress(block);
        packed.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
        packed.extend(block);
    }
    let twice = [&packed[..], &packed].concat();
    let (got, error) = decode(Codec::Lz4, &twice);
    assert!(error.is_none(), "{error:?}");
    assert!(got == plain.repeat(2));
    let error = decode(Codec::Lz4, &packed[..packed.len() - 1]).1;
    assert!(
        matches!(error, Some(DecodeError::Truncated { decompressed: 8_388_608, .. })),
        "{error:?}"
    );
}

#[test]
fn gzip_headers_are_read_to_their_end() {
    let plain = b"hello";
    let body = encode(Codec::Gzip, plain)[10..].to_vec();
    let mut header = b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff\x03\0abcname\0comment\0".to_vec();
    let mut crc = Crc::new();
    crc.update(&header);
    header.extend_from_slice(&crc.sum().to_le_bytes()[..2]);
    let packed = [&header[..], &body].concat();
    let (got, error) = decode(Codec::Gzip, &packed);
    assert!(error.is_none() && got == plain, "{error:?}");
    let mut wrong = packed;
    wrong[12] ^= 1;
    let error = decode(Codec::Gzip, &wrong).1;
    assert!(matches!(error, Some(DecodeError::Checksum { .. })), "{error:?}");
}
