//! Classes of bytes in a block, by the lanes of the target.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) use super::scalar::masks;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use super::simd128::masks;

/// Bytes of a block: a bit for each fits into a word.
pub(super) const BLOCK_BYTES: usize = 64;

/// Which bytes of a block are of a class: the first byte is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    /// `@`
    pub(super) ats: u64,
    /// `0` to `9`
    pub(super) digits: u64,
    /// `.`
    pub(super) dots: u64,
    /// `:`
    pub(super) colons: u64,
    /// A space, `-` or `+`
    pub(super) gaps: u64,
    /// What may begin an escape, or is written for another character: `\`, `%`, `&`, and bytes that
    /// begin spaces, dashes and wide letters in UTF-8
    pub(super) odd: u64,
    /// Whether any is none of ASCII
    pub(super) beyond_ascii: bool,
}
