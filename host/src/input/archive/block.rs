//! What a tar archive is made of: blocks of one size (POSIX.1-2017, pax, "ustar Interchange
//! Format").

/// Headers are blocks of this size, and data is filled up to it.
pub(in crate::input) const BLOCK_BYTES: usize = 512;

/// A header, or a part of one.
pub(in crate::input) type Block = [u8; BLOCK_BYTES];

/// The bytes that data of `bytes` bytes takes, with what fills up its last block.
pub(in crate::input) fn padded(bytes: u64) -> Option<u64> {
    bytes.checked_next_multiple_of(BLOCK_BYTES as u64)
}
