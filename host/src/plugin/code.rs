//! Turns compiled code, from the cache or a compiler, into something that runs.
#![allow(unsafe_code)]

use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::Trusted;

/// Loads compiled code.
pub(super) fn load(engine: &Engine, code: &Trusted) -> wasmtime::Result<Component> {
    // SAFETY: the engine runs whatever it is given here. A `Trusted` is made by `Cache::load`, from
    // bytes whose keyed MAC was checked on their way into memory that is sealed, or from what a
    // compiler has answered that this process has started: they are what
    // `Engine::precompile_component` returned for the same component, engine and CPU, to a host
    // whose key only this user can read. The engine maps what is sealed, which cannot be changed or
    // cut any more.
    unsafe {
        match code {
            Trusted::Compiled(bytes) => Component::deserialize(engine, bytes),
            Trusted::Kept(sealed) => match Component::deserialize_file(engine, sealed.path()) {
                Ok(component) => Ok(component),
                // There is no /proc, or files in memory must not be run.
                Err(_) => Component::deserialize(engine, sealed.bytes()?),
            },
        }
    }
}
