//! The only `unsafe` of this plugin: loading a lane, and entering code for a processor that was
//! asked.
#![allow(unsafe_code, reason = "loads and detected features")]

/// A lane of WebAssembly.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline]
pub(super) fn lane16(bytes: &[u8; 16]) -> core::arch::wasm32::v128 {
    // SAFETY: the reference covers the 16 bytes that are read, and `v128_load` needs no alignment.
    unsafe { core::arch::wasm32::v128_load(bytes.as_ptr().cast()) }
}

/// A lane of AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt,bmi1")]
#[inline]
pub(super) fn lane32(bytes: &[u8; 32]) -> core::arch::x86_64::__m256i {
    // SAFETY: the reference covers the 32 bytes that are read, and `loadu` needs no alignment.
    unsafe { core::arch::x86_64::_mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Line feeds and words, if the processor has AVX2 and what came with it.
#[cfg(target_arch = "x86_64")]
pub(super) fn with_avx2(data: &[u8]) -> Option<(u64, u64)> {
    let detected = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("bmi1");
    if !detected {
        return None;
    }
    // SAFETY: the processor has the features that the function is compiled with.
    Some(unsafe { super::avx2::lines_and_words(data) })
}
