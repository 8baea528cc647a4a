//! libFuzzer's entry to the target `decoders`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gristmill_fuzz::decoders(data);
});
