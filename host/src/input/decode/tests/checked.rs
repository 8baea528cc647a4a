//! Deflate as it is in zip files: bare, with a size and a checksum that stand elsewhere.

use super::*;

fn expected(plain: &[u8]) -> Expected {
    let mut crc = Crc::new();
    crc.update(plain);
    Expected { bytes: plain.len() as u64, crc32: crc.sum() }
}

/// What comes out before the end or the error.
fn check(
    packed: &[u8],
    expected: Expected,
    limits: DecodeLimits,
    chunk_bytes: usize,
) -> (Vec<u8>, Option<DecodeError>) {
    let source = Box::new(Cursor::new(packed.to_vec()));
    let mut checked = Checked::new(Decoder::new(Codec::Deflate, source, limits), expected);
    let (mut plain, mut chunk) = (Vec::new(), vec![0; chunk_bytes]);
    loop {
        match checked.read(&mut chunk) {
            Ok(0) => return (plain, None),
            Ok(bytes) => plain.extend_from_slice(&chunk[..bytes]),
            Err(error) => return (plain, Some(error)),
        }
    }
}

#[test]
fn data_that_matches_its_checksum_comes_out() {
    for bytes in [0, 1, 1000, 300_001] {
        let plain = text(bytes);
        let packed = encode(Codec::Deflate, &plain);
        for chunk_bytes in [1, 1000, 1 << 20] {
            let (got, error) =
                check(&packed, expected(&plain), DecodeLimits::default(), chunk_bytes);
            assert!(error.is_none() && got == plain, "{bytes} {chunk_bytes}: {error:?}");
        }
    }
}

#[test]
fn data_that_does_not_match_is_reported() {
    let plain = text(100_000);
    let packed = encode(Codec::Deflate, &plain);
    let right = expected(&plain);
    let message = |packed: &[u8], expected| {
        let (got, error) = check(packed, expected, DecodeLimits::default(), 4096);
        assert!(got.len() <= plain.len());
        error.unwrap().to_string()
    };
    let wrong = message(&packed, Expected { crc32: !right.crc32, ..right });
    assert!(wrong.ends_with("the CRC-32 of the member does not match"), "{wrong}");
    let more = message(&packed, Expected { bytes: 1000, ..right });
    assert!(more.ends_with("more comes out than the directory of its archive says"), "{more}");
    let less = message(&packed, Expected { bytes: right.bytes + 1, ..right });
    assert!(less.ends_with("less comes out than the directory of its archive says"), "{less}");
    let cut = message(&packed[..packed.len() - 1], right);
    assert!(cut.starts_with("the deflate data is cut off after "), "{cut}");
    let behind = message(&[&packed[..], b"x"].concat(), right);
    assert!(behind.ends_with("and is followed by something else"), "{behind}");
    let nothing = message(b"", right);
    assert_eq!(nothing, "the deflate data is cut off after 0 decompressed bytes");
    let mut block = packed.clone();
    block[0] |= 6; // a block of the type that there is not
    assert!(message(&block, right).ends_with("invalid deflate data"));
}

#[test]
fn limits_are_those_of_other_codecs() {
    let zeros = vec![0; 32 << 20];
    let packed = encode(Codec::Deflate, &zeros);
    let ratio = DecodeLimits { ratio_max: 500, ..DecodeLimits::default() };
    let (_, error) = check(&packed, expected(&zeros), ratio, 1 << 20);
    assert!(matches!(error, Some(DecodeError::Ratio { ratio_max: 500, .. })), "{error:?}");
    let bytes = DecodeLimits { bytes_max: 1 << 20, ratio_max: 2000, ..DecodeLimits::default() };
    let (got, error) = check(&packed, expected(&zeros), bytes, 1 << 16);
    assert!(matches!(error, Some(DecodeError::TooLarge { .. })), "{error:?}");
    assert_eq!(got.len(), 1 << 20);
}
