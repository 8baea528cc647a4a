//! Bombs and floods: every limit is reached.

use super::*;

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
            assert_eq!(error.hint(), Some("raise ⟦max_decompressed⟧"));
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
        assert!(error.unwrap().hint().unwrap().contains("⟦max_ratio⟧"));
        assert!(got.len() < zeros.len(), "{codec} {}", got.len());
        let free = encode(codec, &zeros[..1 << 20]);
        assert!(decode_by(codec, &free, limits, 1 << 20).1.is_none(), "{codec}: 1 MiB is free");
    }
}

#[test]
fn a_flood_of_empty_members_ends() {
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Lz4, Codec::Xz] {
        let flood = encode(codec, b"").repeat(1001);
        let limits = DecodeLimits { members_max: 1000, ..DecodeLimits::default() };
        let error = error(codec, &flood, limits);
        assert!(matches!(error, DecodeError::Members { members_max: 1000, .. }), "{codec} {error}");
        assert_eq!(error.hint(), Some("raise ⟦max_members⟧"));
        let enough = DecodeLimits { members_max: 1001, ..DecodeLimits::default() };
        assert!(decode_by(codec, &flood, enough, 10).1.is_none(), "{codec}");
    }
    // A small bzip2 stream counts for 256.
    let limits = DecodeLimits { members_max: 2560, ..DecodeLimits::default() };
    let small = encode(Codec::Bzip2, b"x");
    assert!(decode_by(Codec::Bzip2, &small.repeat(10), limits, 10).1.is_none());
    let refused = error(Codec::Bzip2, &small.repeat(11), limits);
    assert!(matches!(refused, DecodeError::Members { .. }), "{refused}");
    let less = encode(Codec::Bzip2, &text((64 << 10) - 1));
    let refused = error(Codec::Bzip2, &less.repeat(11), limits);
    assert!(matches!(refused, DecodeError::Members { .. }), "{refused}");
    let large = encode(Codec::Bzip2, &text(64 << 10));
    assert!(decode_by(Codec::Bzip2, &large.repeat(11), limits, 10_000).1.is_none());

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
