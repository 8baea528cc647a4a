//! libFuzzer's entry to the target `zip`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gristmill_fuzz::zip(data);
});
