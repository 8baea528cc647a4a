//! Features of WebAssembly that are off, by the one list that the engine is switched by: which of
//! them a plugin needs, and why it is not given them.

use wasmparser::{Validator, WasmFeatures};

use super::error::Refusal;

/// What is off, what it is called, and why it is off. The first that a plugin needs is reported; a
/// feature that is part of another comes after it.
const OFF: [(WasmFeatures, &str, &str); 13] = [
    (WasmFeatures::CM_ASYNC, "async functions of the component model", "plugins are synchronous"),
    (
        WasmFeatures::SHARED_EVERYTHING_THREADS,
        "threads that share everything",
        "the host has threads of its own, and gives each a sandbox",
    ),
    (
        WasmFeatures::THREADS,
        "threads (shared memory, atomics)",
        "the host has threads of its own, and gives each a sandbox",
    ),
    (WasmFeatures::LEGACY_EXCEPTIONS, "exceptions of the old kind", "they were never standardised"),
    (WasmFeatures::EXCEPTIONS, "exceptions", "no supported language needs them"),
    (WasmFeatures::MEMORY64, "64-bit memory (memory64)", "a sandbox has at most 4 GiB"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "custom page sizes", "the proposal is not finished"),
    (WasmFeatures::WIDE_ARITHMETIC, "wide arithmetic", "the proposal is not finished"),
    (WasmFeatures::STACK_SWITCHING, "stack switching", "plugins are synchronous"),
    (WasmFeatures::CUSTOM_DESCRIPTORS, "custom descriptors", "the proposal is not finished"),
    (WasmFeatures::GC, "garbage collection (gc)", "its engine is not a part of the host"),
    (
        WasmFeatures::FUNCTION_REFERENCES,
        "typed function references",
        "their engine is not a part of the host",
    ),
    // A switch of the engine's own: without it, externref is off, and with it all that is
    // collected.
    (
        WasmFeatures::GC_TYPES,
        "references to what is not its own (externref)",
        "the engine that keeps them is not a part of the host",
    ),
];

/// All that is off. What the engine has no code for is not off by itself: where it believes that
/// something is on, a plugin that uses it can end the process.
pub(super) fn off() -> WasmFeatures {
    OFF.iter().fold(WasmFeatures::empty(), |off, (feature, ..)| off.union(*feature))
}

/// A refusal that names the feature that keeps a plugin from being compiled; none where it is not
/// that.
pub(super) fn refusal(bytes: &[u8]) -> Option<Refusal> {
    let valid = |features| Validator::new_with_features(features).validate_all(bytes).is_ok();
    let mut given = WasmFeatures::default().difference(off());
    if valid(given) {
        return None;
    }
    // From the back, so that those of which others are a part, or which change what bytes mean,
    // come last.
    let (_, name, why) = OFF.iter().rev().find(|(feature, ..)| {
        given.insert(*feature);
        valid(given)
    })?;
    let refusal = Refusal::new(format!("the plugin uses {name}, which plugins may not: {why}"));
    Some(refusal.hint("build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_is_off_is_refused_by_name() {
        let cases = [
            ("(module (memory 1 1 shared))", "threads"),
            ("(module (tag (param i32)) (func (throw 0 (i32.const 1))))", "exceptions"),
            ("(module (memory i64 1))", "64-bit memory"),
            ("(module (type (struct (field i32))))", "garbage collection"),
            ("(component (core module (memory 1 1 shared)))", "threads"),
            (
                "(module (type $f (func)) (func (call_ref $f (ref.null $f))))",
                "typed function references",
            ),
            ("(module (type (sub (func))))", "garbage collection"),
            ("(module (func (result externref) (ref.null extern)))", "references to what is not"),
            ("(module (memory 1 (pagesize 1)))", "custom page sizes"),
        ];
        for (text, name) in cases {
            let bytes = wat::parse_str(text).unwrap();
            let message = refusal(&bytes).expect(text).at("p".as_ref()).to_string();
            assert!(message.contains(&format!("the plugin uses {name}")), "{message}");
        }
    }

    #[test]
    fn a_feature_that_is_on_is_accepted() {
        for text in [
            "(module (memory 1) (memory 1))",
            "(module (func $f (return_call $f)))",
            "(module (func (result v128) (v128.const i64x2 0 0)))",
            "(module (func (result funcref) (ref.null func)))",
        ] {
            assert!(refusal(&wat::parse_str(text).unwrap()).is_none(), "{text}");
        }
        assert!(refusal(b"\0asm\x01\0\0\0 damaged").is_none());
    }
}
