//! libFuzzer's entry to the target `toml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gristmill_fuzz::toml(data);
});
