//! Decoders against encoders that are not ours: whole, joined, cut off, flipped, and far too large.

use std::io::{self, Cursor, Read, Write};
use std::path::Path;

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
    }
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

#[test]
fn every_codec_gives_back_what_went_in() {
    for codec in Codec::ALL {
        for bytes in [0, 1, 1000, 64 << 10, 300_001] {
            let plain = text(bytes);
            let packed = encode(codec, &plain);
            if codec != Codec::Brotli && (codec != Codec::Snappy || bytes > 0) {
                assert_eq!(Codec::detect(&packed, Path::new("x")), Some(codec), "{bytes}");
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
fn what_is_there_is_not_held_back() {
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
    let mut crc = flate2::Crc::new();
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

#[test]
fn a_cut_source_is_named_wherever_it_is_cut() {
    let plain = text(3000);
    for codec in Codec::ALL {
        let packed = encode(codec, &plain);
        // A snappy stream is whole after any chunk; an xz file may not end within its magic number.
        for cut in 0..packed.len() {
            let (got, error) = decode(codec, &packed[..cut]);
            if codec == Codec::Snappy && cut == 10 {
                continue;
            }
            assert!(
                matches!(error, Some(DecodeError::Truncated { .. })),
                "{codec} {cut} {error:?}"
            );
            assert!(plain.starts_with(&got), "{codec} {cut}");
        }
    }
}

#[test]
fn what_follows_the_data_is_named() {
    let plain = text(3000);
    for codec in Codec::ALL {
        if codec == Codec::Snappy {
            continue; // has no end: what follows is a chunk, or a corrupt one
        }
        let packed = encode(codec, &plain);
        let (got, error) = decode(codec, &[&packed[..], b"garbage"].concat());
        let Some(DecodeError::TrailingGarbage { compressed, decompressed, .. }) = error else {
            panic!("{codec} {error:?}")
        };
        assert_eq!((compressed, decompressed), (packed.len() as u64, 3000), "{codec}");
        assert!(got == plain);
    }
}

#[test]
fn something_else_is_named() {
    for codec in Codec::ALL.into_iter().filter(|codec| *codec != Codec::Brotli) {
        let error = error(codec, b"plain text", DecodeLimits::default());
        assert!(
            error.to_string().starts_with(&format!("not {codec} data: it begins with 70 6c 61 69"))
        );
        assert!(error.hint().unwrap().contains("--decompress auto"));
    }
}

#[test]
fn what_comes_before_the_damage_comes_out() {
    let plain = text(300_000);
    for (codec, from_end) in [(Codec::Gzip, 5), (Codec::Lz4, 1), (Codec::Xz, 40), (Codec::Bzip2, 3)]
    {
        let mut packed = encode(codec, &plain);
        let at = packed.len() - from_end;
        packed[at] ^= 1;
        let (got, error) = decode_by(codec, &packed, DecodeLimits::default(), 1 << 20);
        assert!(got == plain, "{codec}");
        assert!(error.unwrap().to_string().contains("300000"), "{codec}");
    }
}

#[test]
fn an_error_stays() {
    let mut decoder =
        Decoder::new(Codec::Gzip, Box::new(&b"\x1f\x8b\x08"[..]), DecodeLimits::default());
    let first = decoder.read(&mut [0; 10]).unwrap_err().to_string();
    assert_eq!(decoder.read(&mut [0; 10]).unwrap_err().to_string(), first);
    assert_eq!(first, "the gzip data is cut off after 0 decompressed bytes");
    decoder.turn_to(Box::new(Cursor::new(encode(Codec::Gzip, b"good"))));
    assert_eq!(drain(&mut decoder, 10).0, b"good");
}

#[test]
fn a_decoder_can_be_used_again() {
    let plain = text(200_000);
    for codec in Codec::ALL {
        let packed = encode(codec, &plain);
        let mut decoder = Decoder::new(codec, Box::new(io::empty()), DecodeLimits::default());
        for cut in [0, 1, packed.len() / 2, packed.len(), packed.len()] {
            decoder.turn_to(Box::new(Cursor::new(packed[..cut].to_vec())));
            let (got, error) = drain(&mut decoder, 5000);
            assert!(plain.starts_with(&got), "{codec} {cut}");
            assert_eq!(error.is_none(), got.len() == plain.len(), "{codec} {cut} {error:?}");
        }
    }
}

#[test]
fn decompressed_size_is_limited_to_the_byte() {
    let plain = text(100_000);
    for codec in Codec::ALL {
        let packed = encode(codec, &plain);
        for chunk_bytes in [1, 4096, 1 << 20] {
            let exact = DecodeLimits { bytes_max: 100_000, ..DecodeLimits::default() };
            let (got, error) = decode_by(codec, &packed, exact, chunk_bytes);
            assert!(error.is_none() && got == plain, "{codec} {error:?}");
            let less = DecodeLimits { bytes_max: 99_999, ..DecodeLimits::default() };
            let (got, error) = decode_by(codec, &packed, less, chunk_bytes);
            let error = error.unwrap();
            assert!(
                matches!(error, DecodeError::TooLarge { bytes_max: 99_999 }),
                "{codec} {error}"
            );
            assert_eq!(error.hint(), Some("raise --max-decompressed"));
            assert_eq!(got.len(), 99_999, "{codec}");
        }
    }
}

#[test]
fn a_bomb_ends_at_its_ratio() {
    let zeros = vec![0; 64 << 20];
    // Deflate and snappy cannot reach 1000 to 1, and lz4 not even 256 to 1.
    let reachable = [
        (Codec::Gzip, 500),
        (Codec::Zstd, 1000),
        (Codec::Lz4, 200),
        (Codec::Bzip2, 1000),
        (Codec::Xz, 1000),
        (Codec::Brotli, 1000),
        (Codec::Snappy, 15),
    ];
    for (codec, ratio_max) in reachable {
        let packed = encode(codec, &zeros);
        let limits = DecodeLimits { ratio_max, ..DecodeLimits::default() };
        let (got, error) = decode_by(codec, &packed, limits, 1 << 20);
        assert!(matches!(error, Some(DecodeError::Ratio { .. })), "{codec} {error:?}");
        assert!(error.unwrap().hint().unwrap().contains("--max-ratio"));
        assert!(got.len() < zeros.len(), "{codec} {}", got.len());
        let free = encode(codec, &zeros[..1 << 20]);
        assert!(decode_by(codec, &free, limits, 1 << 20).1.is_none(), "{codec}: 1 MiB is free");
    }
}

#[test]
fn a_flood_of_empty_members_ends() {
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Lz4, Codec::Bzip2, Codec::Xz] {
        let flood = encode(codec, b"").repeat(1001);
        let limits = DecodeLimits { members_max: 1000, ..DecodeLimits::default() };
        let error = error(codec, &flood, limits);
        assert!(matches!(error, DecodeError::Members { members_max: 1000, .. }), "{codec} {error}");
        assert_eq!(error.hint(), Some("raise --max-members"));
        let enough = DecodeLimits { members_max: 1001, ..DecodeLimits::default() };
        assert!(decode_by(codec, &flood, enough, 10).1.is_none(), "{codec}");
    }
    let limits = DecodeLimits { members_max: 1000, ..DecodeLimits::default() };
    let skips = b"\x50\x2a\x4d\x18\0\0\0\0".repeat(1001);
    assert!(matches!(error(Codec::Zstd, &skips, limits), DecodeError::Members { .. }));
    assert!(matches!(error(Codec::Lz4, &skips, limits), DecodeError::Members { .. }));
}

#[test]
fn a_window_that_is_too_large_is_refused() {
    // A zstd frame with a window of 2^28 bytes: descriptor 0, window descriptor (28 - 10) << 3.
    let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 18 << 3][..], &[1, 0, 0]].concat();
    let refused = error(Codec::Zstd, &frame, DecodeLimits::default());
    assert!(matches!(refused, DecodeError::Window { bytes_max: 134_217_728, .. }), "{refused}");
    let more = DecodeLimits { zstd_window_log_max: 28, ..DecodeLimits::default() };
    assert!(decode_by(Codec::Zstd, &frame, more, 10).1.is_none());

    let packed = encode(Codec::Xz, &text(1000));
    let limits = DecodeLimits { xz_memory_bytes_max: 1 << 20, ..DecodeLimits::default() };
    let refused = error(Codec::Xz, &packed, limits);
    assert!(matches!(refused, DecodeError::Window { bytes_max: 1_048_576, .. }), "{refused}");
}

/// Every outcome of damage is a named error, or the right bytes where it hit nothing that counts. Brotli has no
/// checksum, so wrong bytes can come out of it, but never more than allowed.
#[test]
fn damage_is_an_error_and_never_a_panic() {
    const ROUNDS: usize = 6000;
    let limits = DecodeLimits { bytes_max: 1 << 20, ..DecodeLimits::default() };
    let mut random = Random(42);
    let plain = text(5000);
    for round in 0..ROUNDS {
        let codec = Codec::ALL[round % Codec::ALL.len()];
        let plain = &plain[..random.below(plain.len())];
        let mut packed = encode(codec, plain);
        if random.below(3) == 0 {
            packed.extend_from_within(..);
        }
        match random.below(4) {
            0 => packed.truncate(random.below(packed.len().max(1))),
            1 => {
                let at = random.below(packed.len() + 1);
                let more = random.next().to_le_bytes();
                packed.splice(at..at, more.into_iter().take(1 + random.below(8)));
            }
            _ => {
                for _ in 0..=random.below(4) {
                    let at = random.below(packed.len().max(1));
                    if let Some(byte) = packed.get_mut(at) {
                        *byte ^= 1 << random.below(8);
                    }
                }
            }
        }
        let chunk_bytes = 1 + random.below(10_000);
        let (got, error) = decode_by(codec, &packed, limits, chunk_bytes);
        assert!(got.len() <= 1 << 20);
        if error.is_none() && codec != Codec::Brotli {
            let whole = got == plain || got == plain.repeat(2);
            // What is left of a snappy stream after a cut between chunks cannot be told from a whole one.
            assert!(whole || codec == Codec::Snappy && plain.starts_with(&got), "{codec} {round}");
        }
    }
}
