//! From the bytes of a plugin file to code that can be run: looked at, and compiled or taken from
//! the cache.
//!
//! A compiler is a program that runs over what a stranger has written, so it is a guest, too: it
//! runs in a process of its own (`child`), which is the program itself started again (`worker`),
//! with bounds on its memory and time, in a jail, with none of the host's secrets. What is done
//! here, before, is a look at sections that costs next to nothing (`shape`).

mod bulk;
mod child;
mod order;
mod worker;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use wasmtime::component::Component;

use super::cache::{Cache, Trusted};
use super::code;
use super::engine::Engine;
use super::error::{LoadError, Refusal};
use super::shape;
use super::wrap;
use crate::settings::Sandbox;
use crate::stats::{MemoryBudget, Need};
use order::Order;

pub use worker::compile_if_asked;

/// What plugins are compiled with.
#[derive(Clone, Copy)]
pub struct Compiling<'a> {
    /// Those of its sandboxes, and of the compiler.
    pub limits: &'a Sandbox,
    /// Where what was compiled before is kept, if anywhere.
    pub cache: Option<&'a Cache>,
    /// What a compiler takes its memory of: waits until there is as much as it may take.
    pub memory: &'a Arc<MemoryBudget>,
    /// Set when nobody waits for it any more.
    pub stop: &'a AtomicBool,
}

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

/// Compiles a plugin, or takes what it compiled to from the cache.
pub(super) fn compile(
    engine: &Engine,
    bytes: &[u8],
    with: &Compiling<'_>,
) -> Result<Component, Refusal> {
    let Compiling { limits, cache, .. } = *with;
    if let Some(component) = kept(engine, bytes, cache, limits)? {
        return Ok(component);
    }
    shape::check(bytes)?;
    let code = compiled(bytes, engine.is_parallel(), with)?;
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

/// The code of a plugin, by a compiler for which memory is set aside meanwhile.
fn compiled(bytes: &[u8], is_parallel: bool, with: &Compiling<'_>) -> Result<Vec<u8>, Refusal> {
    let Compiling { limits, memory, stop, .. } = *with;
    let once_bytes = limits.compile_memory_bytes.min(memory.bytes_max());
    let need = Need { once_bytes, worker_bytes: 0, workers: 1 };
    let reserved = memory.reserve(need, stop);
    let reserved = reserved.map_err(|error| Refusal::new(error.to_string()))?;
    let Some(_reserved) = reserved else { return Err(child::cancelled()) };
    let left_bytes = memory.bytes_max().saturating_sub(memory.charged());
    child::compile(&Order::new(limits, is_parallel, left_bytes), bytes, stop)
}

/// Compiles the plugin in the file `path`, or takes what it compiled to from the cache, into
/// `code`. Starts no thread.
///
/// # Errors
/// When the file cannot be read, or does not compile.
pub fn warm(path: &Path, code: &Cache, with: &Compiling<'_>) -> Result<(), LoadError> {
    let refused = |refusal: Refusal| refusal.at(path);
    let failed = |error: String| refused(Refusal::new(error));
    let bytes = read(path, with.limits.component_bytes)?;
    let engine = Engine::to_compile(with.limits).map_err(|error| failed(error.to_string()))?;
    let compiled = compile(&engine, &bytes, with).map_err(refused)?;
    let compiled = compiled.serialize().map_err(|error| failed(error.to_string()))?;
    let kept = code.store(&Cache::name(engine.wasmtime(), &bytes), &compiled);
    kept.map_err(|error| failed(error.to_string()))
}
