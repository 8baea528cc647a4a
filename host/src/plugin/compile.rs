//! From the bytes of a plugin file to code: wrapped where they are a core module, compiled or taken from the cache.
//!
//! The compiler cannot be interrupted. It runs on a thread of its own, which is left to itself when time is up: what bounds it then
//! are the size of the file, its number of functions and its shape, which are checked before.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use wasmparser::{Parser, Payload};
use wasmtime::component::Component;

use super::cache::Cache;
use super::engine::Engine;
use super::error::{LoadError, Refusal};
use super::shape;
use super::wrap::{self, Binary};
use super::{code, features};
use crate::settings::Sandbox;
use crate::settings::limits::{HOST_STACK_BYTES, STACK_BYTES_CEILING};

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
        return Err(refusal.hint("raise --component-size").at(path));
    }
    Ok(bytes)
}

/// Compiles a plugin, or takes what it compiled to from the cache.
pub(super) fn compile(
    engine: &Engine,
    bytes: Vec<u8>,
    cache: Option<&Cache>,
    limits: &Sandbox,
) -> Result<Component, Refusal> {
    let wasmtime = engine.wasmtime();
    let Some(binary) = wrap::binary(&bytes) else {
        return Err(Refusal::new(
            "is not WebAssembly: it lacks the preamble of a module or component",
        ));
    };
    let functions = functions(&bytes);
    if functions > limits.functions {
        let max = limits.functions;
        return Err(Refusal::new(format!("has {functions} functions, more than {max}"))
            .hint("raise --functions"));
    }
    let name = Cache::name(wasmtime, &bytes);
    if let Some(component) = cache.and_then(|cache| cache.load(&name)).and_then(|code| {
        let loaded = code::load(wasmtime, &code);
        loaded.inspect_err(|error| tracing::warn!("compiling again: {error:#}")).ok()
    }) {
        return Ok(component);
    }
    shape::check(&bytes)?;
    let engine = wasmtime.clone();
    let component = within(limits.compile_timeout, move || compiled(&engine, binary, &bytes))?;
    if let Some(cache) = cache {
        let code = component.serialize().map_err(|error| Refusal::new(error.to_string()))?;
        if let Err(error) = cache.store(&name, &code) {
            tracing::warn!("compiled code is not kept: {error}");
        }
    }
    Ok(component)
}

fn compiled(engine: &wasmtime::Engine, binary: Binary, bytes: &[u8]) -> Result<Component, Refusal> {
    let refused = |refusal: Refusal| features::refusal(bytes).unwrap_or(refusal);
    let component = match binary {
        Binary::Component => Component::new(engine, bytes),
        Binary::Module => {
            let wrapped = wrap::component(bytes).map_err(|error| refused(unwrappable(&error)))?;
            Component::new(engine, wrapped)
        }
    };
    component.map_err(|error| {
        refused(Refusal::new(format!("does not compile: {error:#}").replace('\n', " ")))
    })
}

/// Compiles the plugin in the file `path` into `cache` for sandboxes with these limits, unless it is there, and leaves no thread
/// behind.
///
/// # Errors
/// When the file cannot be read, or is none that can be compiled.
pub fn warm(path: &Path, cache: &Cache, limits: &Sandbox) -> Result<(), LoadError> {
    let refused = |refusal: Refusal| refusal.at(path);
    let bytes = read(path, limits.component_bytes)?;
    let engine =
        Engine::to_compile(limits).map_err(|error| refused(Refusal::new(error.to_string())))?;
    compile(&engine, bytes, Some(cache), limits).map(|_component| ()).map_err(refused)
}

/// What `work` gives, if it does within that time; then its thread has ended.
fn within<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let (done, ended) = sync_channel(1);
    let worker = move || {
        let _ = done.send(work()); // nobody listens any more where time is up
    };
    let thread = thread::Builder::new()
        .name("compile".into())
        .stack_size(HOST_STACK_BYTES + STACK_BYTES_CEILING)
        .spawn(worker)
        .map_err(|error| Refusal::new(format!("cannot be compiled: {error}")))?;
    match ended.recv_timeout(time) {
        Ok(result) => {
            let _ = thread.join(); // it has given all that it has
            result
        }
        Err(RecvTimeoutError::Timeout) => {
            Err(Refusal::new(format!("is not compiled within {time:?}"))
                .hint("raise --compile-timeout"))
        }
        Err(RecvTimeoutError::Disconnected) => {
            Err(Refusal::new("does not compile: the compiler crashed"))
        }
    }
}

/// How many functions the modules of a plugin have. What cannot be parsed is for the compiler to say.
fn functions(bytes: &[u8]) -> u64 {
    let sections = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    sections
        .map(|payload| match payload {
            Payload::FunctionSection(section) => u64::from(section.count()),
            _ => 0,
        })
        .sum()
}

fn unwrappable(error: &str) -> Refusal {
    let refusal = Refusal::new(format!("a core module that cannot be made a component: {error}"));
    if error.contains("wasi") {
        return refusal.hint("build for wasm32-unknown-unknown: plugins have no WASI");
    }
    refusal.hint("build it with wit-bindgen (the SDK does), which embeds the contract")
}
