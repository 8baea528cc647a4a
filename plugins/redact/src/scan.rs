//! Where something might be: a look at every byte, 64 at a time, that says where a closer look is
//! needed.
//!
//! A class of bytes is a word with a bit for each byte of a block, and "this after that" is a word
//! moved up by one, with what falls out of the block before. Every match has a place of its kind
//! inside; most places have a match.

mod block;
mod masks;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

pub(crate) use block::{Before, Bytes, Kind, Kinds, Odd, Strictness, places};
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use scalar::digits_and_dots;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd128::digits_and_dots;
