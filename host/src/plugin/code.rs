//! Turns compiled code from the cache back into something that runs.
#![allow(unsafe_code)]

use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::Trusted;

/// Loads compiled code that this user's host has written.
pub(super) fn load(engine: &Engine, code: &Trusted) -> wasmtime::Result<Component> {
    // SAFETY: the engine runs whatever it is given here. A `Trusted` is only made by `Cache::load`, from bytes whose keyed
    // MAC was checked after they were read: they are what `Component::serialize` returned for the same component,
    // engine and CPU to a host with the same key, which only this user can read.
    unsafe { Component::deserialize(engine, code.bytes()) }
}
