//! Describes a plugin file without running it over data.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use wasmparser::{Validator, WasmFeatures};

use super::compile::{Compiling, compile, read};
use super::contract;
use super::engine::Engine;
use super::error::LoadError;
use super::load::Linked;
use super::manifest::Manifest;
use super::options::Options;
use super::sandbox::{describe, find};
use super::wrap::{self, Binary};
use crate::process::{Failure, Kind};
use crate::settings::Sandbox;

/// A page of a linear memory (WebAssembly core specification 2.0, section 4.2.8).
const PAGE_BYTES: u64 = 64 << 10;

/// What is known of a plugin file. Field names are the keys of the JSON form.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// What kind of plugin it is; `None` when it is none.
    pub kind: Option<Kind>,
    /// Whether the file is a `component` or a core `module`, which is wrapped when it is loaded.
    pub binary: Binary,
    /// Size of the file.
    pub bytes: u64,
    /// Size of the compiled code.
    pub code_bytes: u64,
    /// Whether it uses 128-bit vector instructions.
    pub simd: bool,
    /// Interfaces that it imports.
    pub imports: Vec<String>,
    /// Interfaces that it exports.
    pub exports: Vec<String>,
    /// Linear memories, over all its core modules.
    pub memories: u32,
    /// The largest memory that it starts with, in bytes.
    pub memory_bytes_initial: u64,
    /// Tables, over all its core modules.
    pub tables: u32,
    /// What it says of itself; `None` when it cannot be asked.
    pub manifest: Option<Manifest>,
    /// Why it would not run, if so.
    pub trouble: Option<String>,
}

/// Looks at the plugin in the file `path`. Of the plugin's own code only `describe` is run.
///
/// # Errors
/// When the file cannot be read or does not compile.
pub fn inspect(engine: &Engine, path: &Path) -> Result<Inspection, LoadError> {
    let limits = Sandbox::default();
    let bytes = read(path, limits.component_bytes)?;
    let (memory, stop) = (&Arc::default(), &AtomicBool::new(false));
    let with = Compiling { limits: &limits, cache: None, memory, stop };
    let component = compile(engine, &bytes, &with).map_err(|refusal| refusal.at(path))?;
    let component_type = component.component_type();
    let exports = |name| component.get_export_index(None, name).is_some();
    let kind = match () {
        () if exports(contract::AGGREGATE) => Some(Kind::Aggregator),
        () if exports(contract::TRANSFORM) => Some(Kind::Transformer),
        () => None,
    };
    let asked = Linked::new(engine, &component, path, Options::default())
        .map_err(|refusal| refusal.at(path).to_string())
        .and_then(|linked| ask(&component, &linked));
    let (manifest, trouble) = match asked {
        Ok(manifest) => (Some(manifest), None),
        Err(trouble) => (None, Some(trouble)),
    };
    // In the order of their names: a component has them in any.
    let names = component_type.exports(engine.wasmtime()).map(|(name, _)| name.to_string());
    let mut exported: Vec<_> = names.collect();
    exported.sort_unstable();
    let needs = component.resources_required();
    let code = component.image_range();
    Ok(Inspection {
        kind,
        binary: wrap::binary(&bytes).unwrap_or(Binary::Component),
        bytes: bytes.len() as u64,
        code_bytes: (code.end.addr() - code.start.addr()) as u64,
        simd: uses_simd(&bytes),
        imports: component_type.imports(engine.wasmtime()).map(|(n, _)| n.to_string()).collect(),
        exports: exported,
        memories: needs.as_ref().map_or(0, |needs| needs.num_memories),
        memory_bytes_initial: needs
            .as_ref()
            .and_then(|needs| needs.max_initial_memory_size)
            .map_or(0, |pages| pages.saturating_mul(PAGE_BYTES)),
        tables: needs.as_ref().map_or(0, |needs| needs.num_tables),
        manifest,
        trouble,
    })
}

fn ask(component: &wasmtime::component::Component, linked: &Linked) -> Result<Manifest, String> {
    let index = find(component, contract::LIFECYCLE, "describe")
        .map_err(|missing| format!("does not export {missing}"))?;
    let failed = |failure: Failure| failure.message;
    let (instance, mut store) = linked.instantiate().map_err(failed)?;
    let manifest = describe(&instance, &mut store, index).map_err(failed)?;
    Ok(manifest.into())
}

/// Whether a valid binary is invalid without vector instructions.
fn uses_simd(bytes: &[u8]) -> bool {
    let valid = |features| Validator::new_with_features(features).validate_all(bytes).is_ok();
    let all = WasmFeatures::all();
    let scalar = all.difference(WasmFeatures::SIMD.union(WasmFeatures::RELAXED_SIMD));
    valid(all) && !valid(scalar)
}
