//! Features of WebAssembly that are off: which of them a plugin needs, and why it is not given them.

use wasmparser::{Validator, WasmFeatures};

use super::error::Refusal;

/// What is off, what it is called, and why it is off. The first that a plugin needs is told.
const OFF: [(WasmFeatures, &str, &str); 8] = [
    (
        WasmFeatures::THREADS,
        "threads (shared memory, atomics)",
        "the host has threads of its own, and gives each a sandbox",
    ),
    (WasmFeatures::EXCEPTIONS, "exceptions", "no supported language needs them"),
    (WasmFeatures::LEGACY_EXCEPTIONS, "exceptions of the old kind", "they were never standardised"),
    (WasmFeatures::MEMORY64, "64-bit memory (memory64)", "a sandbox has at most 4 GiB"),
    (WasmFeatures::GC, "garbage collection (gc)", "its engine is not a part of the host"),
    (
        WasmFeatures::FUNCTION_REFERENCES,
        "typed function references",
        "their engine is not a part of the host",
    ),
    (WasmFeatures::STACK_SWITCHING, "stack switching", "plugins are synchronous"),
    (WasmFeatures::CM_ASYNC, "async functions of the component model", "plugins are synchronous"),
];

/// A refusal that names the feature that keeps a plugin from being compiled; none where it is not that.
pub(super) fn refusal(bytes: &[u8]) -> Option<Refusal> {
    let valid = |features| Validator::new_with_features(features).validate_all(bytes).is_ok();
    let all = WasmFeatures::all();
    if !valid(all) {
        return None;
    }
    let (_, name, why) = OFF.iter().find(|(feature, ..)| !valid(all.difference(*feature)))?;
    let refusal = Refusal::new(format!("the plugin uses {name}, which plugins may not: {why}"));
    Some(refusal.hint("build it without that feature; SIMD, bulk memory, reference types, multi-memory and tail calls are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_is_told_by_name() {
        let cases = [
            ("(module (memory 1 1 shared))", "threads"),
            ("(module (tag (param i32)) (func (throw 0 (i32.const 1))))", "exceptions"),
            ("(module (memory i64 1))", "64-bit memory"),
            ("(module (type (struct (field i32))))", "garbage collection"),
            ("(component (core module (memory 1 1 shared)))", "threads"),
        ];
        for (text, name) in cases {
            let bytes = wat::parse_str(text).unwrap();
            let told = refusal(&bytes).expect(text).at("p".as_ref()).to_string();
            assert!(told.contains(&format!("the plugin uses {name}")), "{told}");
        }
    }

    #[test]
    fn what_is_on_is_not() {
        for text in [
            "(module (memory 1) (memory 1))",
            "(module (func $f (return_call $f)))",
            "(module (func (result v128) (v128.const i64x2 0 0)))",
            "(module (func (result externref) (ref.null extern)))",
        ] {
            assert!(refusal(&wat::parse_str(text).unwrap()).is_none(), "{text}");
        }
        assert!(refusal(b"\0asm\x01\0\0\0 damaged").is_none());
    }
}
