//! Counting, as fast as the bytes come.
//!
//! Bytes are taken 64 at a time, in lanes of 16 in WebAssembly and of 32 on x86-64 with AVX2. In a
//! lane, two compares find the white space and one the line feeds. The white space of all lanes
//! goes into one word of 64 bits: a word begins at a byte that is no white space after one that is,
//! so its beginnings are those bits moved up by one, without themselves. Line feeds are -1 in a
//! byte-wide mask, which is subtracted from byte-wide counters that are summed before they
//! overflow: so the two counts are made in different units of the processor.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod count;
mod load;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

pub use count::count;
