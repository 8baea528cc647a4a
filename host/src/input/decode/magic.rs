//! The bytes that compressed files begin with, by which they are known.

/// RFC 1952 section 2.3.1: ID1, ID2, and CM, which has one value only.
pub(super) const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
/// RFC 8878 section 3.1.1: `Magic_Number`, little-endian.
pub(super) const ZSTD: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
/// LZ4 frame format, "General structure of LZ4 frame format".
pub(super) const LZ4: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
/// LZ4 frame format, "Legacy frame".
pub(super) const LZ4_LEGACY: [u8; 4] = 0x184c_2102_u32.to_le_bytes();
/// The bytes of a bzip2 stream up to its level, which is a digit from 1 to 9.
pub(super) const BZIP2: [u8; 3] = *b"BZh";
/// What follows the level: the digits of pi before a block, those of its square root before the end
/// of a stream.
pub(super) const BZIP2_BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
/// See [`BZIP2_BLOCK`].
pub(super) const BZIP2_END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
/// .xz file format section 2.1.1.1: Header Magic Bytes.
pub(super) const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
/// Snappy framing format section 4.1: Stream identifier, with the header of its chunk.
pub(super) const SNAPPY: [u8; 10] = *b"\xff\x06\x00\x00sNaPpY";
/// draft-diaz-lzip-09, section 2: ID string, and the only version there is.
pub(super) const LZIP: [u8; 5] = *b"LZIP\x01";

/// Whether four bytes begin a skippable frame, which zstd (RFC 8878 section 3.1.2) and lz4 share.
pub(super) fn is_skippable(magic: [u8; 4]) -> bool {
    u32::from_le_bytes(magic) & 0xffff_fff0 == 0x184d_2a50
}

/// Whether `bytes` are the beginning of `magic`, and not all of it.
pub(super) fn is_cut_off(bytes: &[u8], magic: &[u8]) -> bool {
    bytes.len() < magic.len() && magic.starts_with(bytes)
}
