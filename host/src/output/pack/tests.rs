//! Packed bytes against decoders: joined, empty, incompressible, and the same from a packer of any
//! past.

use std::io::Read;

use proptest::prelude::*;

use super::*;

const KINDS: [Pack; 10] = [
    Pack::None,
    Pack::Gzip(1),
    Pack::Gzip(6),
    Pack::Gzip(9),
    Pack::Zstd(1),
    Pack::Zstd(3),
    Pack::Zstd(22),
    Pack::Lz4,
    Pack::Bgzf(1),
    Pack::Bgzf(6),
];

/// All chunks as one file.
fn file(pack: Pack, chunks: &[&[u8]]) -> Vec<u8> {
    let mut packer = Packer::new(pack).unwrap();
    let mut out = Vec::new();
    for chunk in chunks {
        packer.pack(chunk, &mut out).unwrap();
    }
    let written = if out.is_empty() { Written::Nothing } else { Written::Something };
    packer.end(written, &mut out).unwrap();
    out
}

fn decoded(pack: Pack, packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match pack {
        Pack::None => plain.extend_from_slice(packed),
        Pack::Gzip(_) | Pack::Bgzf(_) => {
            assert!(!packed.is_empty());
            flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut plain).unwrap();
        }
        Pack::Zstd(_) => {
            assert!(!packed.is_empty());
            let mut rest = packed;
            while !rest.is_empty() {
                let bytes = zstd_safe::find_frame_compressed_size(rest).unwrap();
                let (frame, behind) = rest.split_at(bytes);
                let content = zstd_safe::get_frame_content_size(frame).unwrap().unwrap();
                let mut part = vec![0; usize::try_from(content).unwrap()];
                assert_eq!(zstd_safe::decompress(&mut part[..], frame), Ok(part.len()));
                plain.append(&mut part);
                rest = behind;
            }
        }
        Pack::Lz4 => {
            assert!(!packed.is_empty());
            let mut rest = packed;
            while !rest.is_empty() {
                let mut frame = lz4_flex::frame::FrameDecoder::new(&mut rest);
                frame.read_to_end(&mut plain).unwrap();
            }
        }
    }
    plain
}

/// Bytes that no codec makes smaller, the same each time.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(bytes).collect()
}

/// Lines that look like a log.
fn text(bytes: usize) -> Vec<u8> {
    let line = |n: usize| format!("{n} GET /items/{:x} 200\n", n.wrapping_mul(2_654_435_761));
    (0..).flat_map(|n| line(n).into_bytes()).take(bytes).collect()
}

#[test]
fn chunks_joined_are_one_file() {
    let (text, noise) = (text(300_000), noise(200_000));
    for pack in KINDS {
        let chunks = [&text[..], b"", b"x", &noise, &text[..100]];
        assert!(decoded(pack, &file(pack, &chunks)) == chunks.concat(), "{pack}");
    }
}

#[test]
fn a_file_without_content_is_valid_and_decodes_to_nothing() {
    for pack in KINDS {
        for chunks in [&[][..], &[&b""[..], b""]] {
            let packed = file(pack, chunks);
            assert_eq!(packed.is_empty(), pack == Pack::None, "{pack}");
            assert_eq!(decoded(pack, &packed), b"", "{pack}");
        }
    }
}

#[test]
fn what_does_not_shrink_grows_little() {
    for pack in KINDS {
        for bytes in [1, 100, 65_279, 65_280, 65_281, 1 << 20, (1 << 20) + 1] {
            let plain = noise(bytes);
            let packed = file(pack, &[&plain]);
            assert!(decoded(pack, &packed) == plain, "{pack}, {bytes} bytes");
            // A block of BGZF has 31 bytes around 65,280.
            let room = bytes + bytes / 1000 + 100;
            assert!(packed.len() <= room, "{pack}: {bytes} bytes became {}", packed.len());
        }
    }
}

/// The sizes of BGZF blocks, as they say themselves.
fn blocks(mut packed: &[u8]) -> Vec<usize> {
    let mut sizes = Vec::new();
    while !packed.is_empty() {
        assert_eq!(packed[..4], [0x1f, 0x8b, 8, 4]);
        assert_eq!(packed[10..16], [6, 0, b'B', b'C', 2, 0]);
        let size = usize::from(u16::from_le_bytes([packed[16], packed[17]])) + 1;
        sizes.push(u32::from_le_bytes(packed[size - 4..size].try_into().unwrap()) as usize);
        packed = &packed[size..];
    }
    sizes
}

#[test]
fn bgzf_is_cut_into_blocks_that_fit_and_has_its_end() {
    let plain = noise(2 * 65_280 + 1);
    for level in Pack::DEFLATE_LEVELS {
        let packed = file(Pack::Bgzf(level), &[&plain]);
        assert_eq!(blocks(&packed), [65_280, 65_280, 1, 0]);
        assert!(packed.ends_with(&deflate::BGZF_END));
    }
    assert_eq!(file(Pack::Bgzf(6), &[]), deflate::BGZF_END);
}

#[test]
fn what_deflate_would_make_longer_is_stored() {
    // The fastest level takes 9 bits for each of these bytes.
    let high: Vec<u8> = noise(200_000).iter().map(|byte| 144 + byte % 112).collect();
    let packed = file(Pack::Bgzf(1), &[&high[..65_280]]);
    assert_eq!(packed.len(), 18 + 5 + 65_280 + 8 + 28);
    assert!(decoded(Pack::Bgzf(1), &packed) == high[..65_280]);

    let packed = file(Pack::Gzip(1), &[&high]);
    assert_eq!(packed.len(), 10 + 4 * 5 + 200_000 + 8);
    assert!(decoded(Pack::Gzip(1), &packed) == high);
}

#[test]
fn a_large_chunk_becomes_several_members() {
    let plain = text(PACK_BYTES_MAX + 1);
    for pack in [Pack::Gzip(1), Pack::Zstd(1), Pack::Lz4] {
        let halves = file(pack, &[&plain[..PACK_BYTES_MAX], &plain[PACK_BYTES_MAX..]]);
        assert!(file(pack, &[&plain]) == halves, "{pack}");
        assert!(decoded(pack, &halves) == plain, "{pack}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_depend_on_the_chunk_alone(
        kind in prop::sample::select(&KINDS[..]),
        before in prop::collection::vec(0..200_000_usize, 0..3),
        parts in prop::collection::vec((any::<bool>(), 0..100_000_usize), 0..4),
        room in 0..300_000_usize,
    ) {
        let (texts, noises) = (text(200_000), noise(100_000));
        let chunk: Vec<u8> = parts
            .iter()
            .flat_map(|&(is_text, bytes)| if is_text { &texts[..bytes] } else { &noises[..bytes] })
            .copied()
            .collect();
        let mut fresh = Vec::new();
        Packer::new(kind).unwrap().pack(&chunk, &mut fresh).unwrap();

        let mut used = Packer::new(kind).unwrap();
        for bytes in before {
            used.pack(&texts[texts.len() - bytes..], &mut Vec::new()).unwrap();
        }
        let mut again = Vec::with_capacity(room);
        used.pack(&chunk, &mut again).unwrap();
        prop_assert!(fresh == again);
        if !chunk.is_empty() {
            prop_assert!(decoded(kind, &fresh) == chunk);
        }
    }
}
