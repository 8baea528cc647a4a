//! Whether this machine runs compiled wasm: tried, with the engine that plugins get.

use wasmtime::{Instance, Module, Store};

use super::engine::Engine;

/// The engine's version, which the engine does not export. A test compares it with the one that is
/// built in.
pub const ENGINE_VERSION: &str = "48.0.8";

/// A core module with a memory of one page and a function `f` that gives 42, in the binary format
/// (WebAssembly core specification 2.0, chapter 5).
const ANSWER: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x05\x01\x60\x00\x01\x7f\
    \x03\x02\x01\x00\
    \x05\x03\x01\x00\x01\
    \x07\x05\x01\x01f\x00\x00\
    \x0a\x06\x01\x04\x00\x41\x2a\x0b";

/// Starts the engine, compiles a function, and calls it in an instance with a memory.
///
/// # Errors
/// With what this machine lacks, in the engine's words.
pub fn probe() -> Result<(), String> {
    let engine = Engine::new().map_err(|error| error.to_string())?;
    let answer = || {
        let module = Module::new(engine.wasmtime(), ANSWER)?;
        let mut store = Store::new(engine.wasmtime(), ());
        store.set_epoch_deadline(u64::MAX / 2); // ticks go on, and none of them is the last
        let instance = Instance::new(&mut store, &module, &[])?;
        instance.get_typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ())
    };
    match answer() {
        Ok(42) => Ok(()),
        Ok(other) => Err(format!("compiled code gives {other} where it should give 42")),
        Err(error) => Err(format!("{error:#}").replace('\n', " ")),
    }
}

/// Features of this processor that the engine compiles for where they are there, and whether they
/// are.
#[cfg(target_arch = "x86_64")]
pub fn cpu_features() -> Vec<(&'static str, bool)> {
    vec![
        ("sse3", is_x86_feature_detected!("sse3")),
        ("ssse3", is_x86_feature_detected!("ssse3")),
        ("sse4.1", is_x86_feature_detected!("sse4.1")),
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("popcnt", is_x86_feature_detected!("popcnt")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("bmi1", is_x86_feature_detected!("bmi1")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("lzcnt", is_x86_feature_detected!("lzcnt")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ]
}

/// The same, if the system says nothing about the processor.
#[cfg(not(target_arch = "x86_64"))]
pub fn cpu_features() -> Vec<(&'static str, bool)> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_runs_what_is_compiled() {
        assert_eq!(probe(), Ok(()));
    }

    #[test]
    fn the_version_is_that_of_the_engine_that_is_built_in() {
        let lock = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"wasmtime\"\nversion = \"{ENGINE_VERSION}\"\n");
        assert!(lock.contains(&entry), "the engine has changed: change the constant");
    }
}
