//! From the bytes of a plugin file to code: wrapped where they are a core module, compiled or taken from the cache.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use wasmtime::component::Component;

use super::cache::Cache;
use super::code;
use super::engine::Engine;
use super::error::{LoadError, Refusal};
use super::shape;
use super::wrap::{self, Binary};
use crate::settings::limits::COMPONENT_BYTES_MAX;

/// Reads a plugin file, up to the largest that is accepted.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let failed = |error| LoadError::Read { path: path.to_path_buf(), error };
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(failed)?.take(COMPONENT_BYTES_MAX + 1);
    file.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > COMPONENT_BYTES_MAX {
        let most = COMPONENT_BYTES_MAX >> 20;
        return Err(
            Refusal::new(format!("larger than {most} MiB, the most that a plugin may be")).at(path)
        );
    }
    Ok(bytes)
}

/// Compiles a plugin, or takes what it compiled to from the cache.
pub(super) fn compile(
    engine: &Engine,
    bytes: &[u8],
    cache: Option<&Cache>,
) -> Result<Component, Refusal> {
    let wasmtime = engine.wasmtime();
    let Some(binary) = wrap::binary(bytes) else {
        return Err(Refusal::new(
            "is not WebAssembly: it lacks the preamble of a module or component",
        ));
    };
    let name = Cache::name(wasmtime, bytes);
    if let Some(component) = cache.and_then(|cache| cache.load(&name)).and_then(|code| {
        let loaded = code::load(wasmtime, &code);
        loaded.inspect_err(|error| tracing::warn!("compiling again: {error:#}")).ok()
    }) {
        return Ok(component);
    }
    shape::check(bytes)?;
    let component = match binary {
        Binary::Component => Component::new(wasmtime, bytes),
        Binary::Module => {
            let wrapped = wrap::component(bytes).map_err(|error| unwrappable(&error))?;
            Component::new(wasmtime, wrapped)
        }
    }
    .map_err(|error| Refusal::new(format!("does not compile: {error:#}").replace('\n', " ")))?;
    if let Some(cache) = cache {
        let code = component.serialize().map_err(|error| Refusal::new(error.to_string()))?;
        if let Err(error) = cache.store(&name, &code) {
            tracing::warn!("compiled code is not kept: {error}");
        }
    }
    Ok(component)
}

fn unwrappable(error: &str) -> Refusal {
    let refusal = Refusal::new(format!("a core module that cannot be made a component: {error}"));
    if error.contains("wasi") {
        return refusal.hint("build for wasm32-unknown-unknown: plugins have no WASI");
    }
    refusal.hint("build it with wit-bindgen (the SDK does), which embeds the contract")
}
