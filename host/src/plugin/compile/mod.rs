//! From the bytes of a plugin file to code that can be run: looked at, and compiled or taken from the cache.
//!
//! A compiler is a program that runs over what a stranger has written, so it is a guest, too: it runs in a process of its own
//! (`child`), which is the program itself started again (`worker`), with bounds on its memory and time, in a jail, with none of the
//! host's secrets. What is done here, before, is a look at sections that costs next to nothing (`shape`).

mod bulk;
mod child;
mod order;
mod worker;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use wasmtime::component::Component;

use super::cache::{Cache, Trusted};
use super::code;
use super::engine::Engine;
use super::error::{LoadError, Refusal};
use super::shape;
use super::wrap;
use crate::settings::Sandbox;
use order::Order;

pub use worker::compile_if_asked;

/// Reads a plugin file of so many bytes at most.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, LoadError> {
    let failed = |error| LoadError::Read { path: path.to_path_buf(), error };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    let read = bytes.len() as u64;
    if read > bytes_max {
        let size = size.max(read);
        let refusal = Refusal::new(format!("has {size} bytes, more than {bytes_max}"));
        return Err(refusal.hint("raise ⟦component_size⟧").at(path));
    }
    Ok(bytes)
}

/// What a plugin compiled to before, if that is in the cache.
pub(super) fn kept(
    engine: &Engine,
    bytes: &[u8],
    cache: Option<&Cache>,
    limits: &Sandbox,
) -> Result<Option<Component>, Refusal> {
    if wrap::binary(bytes).is_none() {
        return Err(Refusal::new(
            "is not WebAssembly: it lacks the preamble of a module or component",
        ));
    }
    shape::functions(bytes, limits.functions)?;
    let Some(cache) = cache else { return Ok(None) };
    let code = cache.load(&Cache::name(engine.wasmtime(), bytes));
    Ok(code.and_then(|code| {
        let loaded = code::load(engine.wasmtime(), &code);
        loaded.inspect_err(|error| tracing::warn!("compiling again: {error:#}")).ok()
    }))
}

/// Compiles a plugin, or takes what it compiled to from the cache. Ends early where `stop` is set.
pub(super) fn compile(
    engine: &Engine,
    bytes: &[u8],
    cache: Option<&Cache>,
    limits: &Sandbox,
    stop: &AtomicBool,
) -> Result<Component, Refusal> {
    if let Some(component) = kept(engine, bytes, cache, limits)? {
        return Ok(component);
    }
    shape::check(bytes)?;
    let order = Order::new(limits, engine.is_parallel());
    let code = child::compile(&order, bytes, stop)?;
    if let Some(cache) = cache
        && let Err(error) = cache.store(&Cache::name(engine.wasmtime(), bytes), &code)
    {
        tracing::warn!("compiled code is not kept: {error}");
    }
    code::load(engine.wasmtime(), &Trusted::Compiled(code)).map_err(|error| {
        let refusal = Refusal::new(format!("was not compiled for this program: {error:#}"));
        refusal.hint("the program that compiles is of another version; build both anew")
    })
}

/// Compiles the plugin in the file `path` for sandboxes with these limits, or takes what it compiled to from `cache`, into `memory`.
/// Starts no thread.
///
/// # Errors
/// When the file cannot be read, or does not compile.
pub fn warm(
    path: &Path,
    cache: Option<&Cache>,
    memory: &Cache,
    limits: &Sandbox,
) -> Result<(), LoadError> {
    let refused = |refusal: Refusal| refusal.at(path);
    let failed = |error: String| refused(Refusal::new(error));
    let bytes = read(path, limits.component_bytes)?;
    let engine = Engine::to_compile(limits).map_err(|error| failed(error.to_string()))?;
    let compiled = compile(&engine, &bytes, cache, limits, &AtomicBool::new(false));
    let code = compiled.map_err(refused)?.serialize().map_err(|error| failed(error.to_string()))?;
    let kept = memory.store(&Cache::name(engine.wasmtime(), &bytes), &code);
    kept.map_err(|error| failed(error.to_string()))
}
