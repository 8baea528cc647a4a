//! Cut off, followed by something else, damaged: a name for each, and never a panic.

use std::io::{self, Cursor};

use super::*;

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
        assert!(error.hint().unwrap().contains("⟦decompress⟧ auto"));
    }
}

#[test]
fn data_before_the_damage_comes_out() {
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

/// Chunks of any size, so that codecs are stopped within what they write, and not stopped at all.
#[test]
fn damage_is_reported_at_the_same_place_for_any_room() {
    let plain = text(400_000);
    let mut random = Random(5);
    for codec in Codec::ALL {
        let one = encode(codec, &plain);
        let several = match codec {
            Codec::Brotli | Codec::Snappy | Codec::Lzma | Codec::Zlib => one.clone(),
            _ => plain.chunks(70_000).flat_map(|part| encode(codec, part)).collect(),
        };
        for round in 0..60 {
            let mut packed = if round % 2 == 0 { one.clone() } else { several.clone() };
            // The end, where checksums are, and anywhere.
            let from_end = if round < 12 { round / 2 + 1 } else { 1 + random.below(packed.len()) };
            let at = packed.len() - from_end;
            packed[at] ^= 1 << random.below(8);
            let said = |room| {
                let (got, error) = decode_by(codec, &packed, DecodeLimits::default(), room);
                (got.len(), error.map(|error| error.to_string()))
            };
            let expected = said(1 << 20);
            for room in [777, 4096, 70_000, 131_072] {
                assert_eq!(said(room), expected, "{codec}, byte {at}, room for {room}");
            }
        }
    }
}

#[test]
fn a_wrong_checksum_is_reported_at_the_end_of_its_frame() {
    let plain = text(300_000);
    for (from_end, room) in [(1, 100), (1, 1 << 20), (4, 131_072)] {
        let mut packed = encode(Codec::Zstd, &plain);
        let at = packed.len() - from_end;
        packed[at] ^= 1;
        let (got, error) = decode_by(Codec::Zstd, &packed, DecodeLimits::default(), room);
        assert!(got == plain, "{room}");
        let expected = "corrupt zstd data within the first 300000 decompressed bytes: \
            the content checksum of a frame does not match";
        assert_eq!(error.unwrap().to_string(), expected);
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

/// Every outcome of damage is a named error, or the right bytes where it hit nothing that counts.
/// Brotli has no checksum, so wrong bytes can come out of it, but never more than allowed.
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
            // What is left of a snappy stream after a cut between chunks cannot be told from a
            // whole one.
            assert!(whole || codec == Codec::Snappy && plain.starts_with(&got), "{codec} {round}");
        }
    }
}
