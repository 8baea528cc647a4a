//! From a file to a plugin: compiled, checked against the contract, and asked what it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use wasmtime::Store;
use wasmtime::component::{Component, InstancePre, Linker};

use super::cache::Cache;
use super::clock;
use super::compile::{Compiling, compile, kept, read};
use super::contract::{self, Entry, IMPORTS};
use super::engine::Engine;
use super::error::{LoadError, Refusal};
use super::failure_recorder::{About, FailureRecorder};
use super::fault::{Call, fault};
use super::guest::{self, Guest};
use super::lease::{SandboxLease, Sandboxes};
use super::manifest::Manifest;
use super::options::Options;
use super::repro::Origin;
use super::sandbox::{Sandboxed, prepare};
use super::{aggregator, transformer};
use crate::process::{
    Failure, FailureKind, Instance, Kind, MemoryBudget, Processor, Scope, Traits,
};
use crate::settings::Isolate;

/// The property of a manifest that maps parameters of a framing to settings.
const FRAMING_SETTINGS: &str = "framing-settings";

/// A plugin file and what it compiled to, of which nothing has run.
#[derive(Clone)]
pub struct Compiled {
    path: PathBuf,
    bytes: Vec<u8>,
    component: Component,
}

impl Compiled {
    /// Compiles the plugin in the file `path`, or takes what it compiled to from the cache.
    ///
    /// # Errors
    /// When the file cannot be read, or does not compile.
    pub fn new(engine: &Engine, path: &Path, with: &Compiling<'_>) -> Result<Self, LoadError> {
        let bytes = read(path, with.limits.component_bytes)?;
        let component = compile(engine, &bytes, with).map_err(|refusal| refusal.at(path))?;
        Ok(Self { path: path.into(), bytes, component })
    }

    /// The same, if it is in the cache; `None` where it has to be compiled.
    ///
    /// # Errors
    /// When the file cannot be read, or is no plugin.
    pub fn kept(
        engine: &Engine,
        path: &Path,
        with: &Compiling<'_>,
    ) -> Result<Option<Self>, LoadError> {
        let bytes = read(path, with.limits.component_bytes)?;
        let component = kept(engine, &bytes, with.cache, with.limits);
        let component = component.map_err(|refusal| refusal.at(path))?;
        Ok(component.map(|component| Self { path: path.into(), bytes, component }))
    }
}

/// A compiled plugin with its settings. Makes instances for any number of workers.
pub struct Plugin {
    linked: Linked,
    exports: Exports,
    settings: Vec<Entry>,
    manifest: Manifest,
    traits: Traits,
    /// The plugin's own bytes, where failures are kept.
    origin: Option<Origin>,
}

impl Plugin {
    /// Loads the plugin in the file `path`, and makes a first instance to see that it starts.
    ///
    /// # Errors
    /// When the file cannot be read, is no plugin of this contract, or does not take its settings.
    pub fn load(
        engine: &Engine,
        path: &Path,
        options: Options,
        cache: Option<&Cache>,
    ) -> Result<Self, LoadError> {
        let Options { sandbox: limits, stats, stop, .. } = &options;
        let compiling = Compiling { limits, cache, memory: stats.memory(), stop };
        let compiled = Compiled::new(engine, path, &compiling)?;
        Self::of(engine, compiled, options)
    }

    /// The same, of one that is compiled.
    ///
    /// # Errors
    /// When it is no plugin of this contract, or does not take its settings.
    pub fn of(engine: &Engine, compiled: Compiled, options: Options) -> Result<Self, LoadError> {
        let Compiled { path, bytes, component } = compiled;
        let path = path.as_path();
        let refused = |refusal: Refusal| refusal.at(path);
        let kept = options.repro.is_some().then_some(bytes);
        let linked = Linked::new(engine, &component, path, options).map_err(refused)?;
        let exports = Exports::of(&component).map_err(refused)?;
        let settings = entries(&linked.options.settings);
        let begun = Instant::now();
        let (_, manifest) = exports
            .start(&linked, &settings)
            .map_err(|failure| LoadError::Start { path: path.to_path_buf(), failure })?;
        linked.options.stats.add_instance(begun.elapsed());
        let manifest = Manifest::from(manifest);
        let traits = manifest.traits(exports.kind(), &linked.options.settings);
        if linked.options.sandbox.isolate == Isolate::Chunk && traits.scope == Scope::Source {
            let refusal = Refusal::new("sees each source in order: no chunk of it can be alone");
            return Err(refusal.hint("⟦isolate⟧ source").at(path));
        }
        let origin = kept.map(|bytes| Origin {
            path: path.into(),
            bytes,
            settings: linked.options.settings.clone(),
        });
        Ok(Self { linked, exports, settings, manifest, traits, origin })
    }

    fn about(&self) -> About<'_> {
        let Options { sandbox, repro, .. } = &self.linked.options;
        About {
            plugin: &self.linked.name,
            limits: sandbox,
            keep: repro.as_deref().zip(self.origin.as_ref()),
        }
    }

    /// What the plugin says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What its settings say of its framing: names that the framing knows, with values that were
    /// given or are defaults. The property `framing-settings` of the manifest pairs those names
    /// with settings: `delimiter=separator quote=quote`.
    pub fn framing_settings(&self) -> Vec<(String, String)> {
        let pairs = self.manifest.property(FRAMING_SETTINGS).unwrap_or_default();
        let paired = |pair: &str| {
            let (name, setting) = pair.split_once('=')?;
            let value = self.manifest.value(setting, &self.linked.options.settings)?;
            Some((name.to_string(), value.to_string()))
        };
        pairs.split_whitespace().filter_map(paired).collect()
    }
}

impl Sandboxes for Plugin {
    fn fresh(&self) -> Result<Box<dyn Sandboxed + '_>, Failure> {
        let begun = Instant::now();
        match self.exports.start(&self.linked, &self.settings) {
            Ok((instance, _)) => {
                self.linked.options.stats.add_instance(begun.elapsed());
                Ok(instance)
            }
            Err(failure)
                if matches!(failure.kind, FailureKind::Cancelled | FailureKind::JobLimit) =>
            {
                Err(failure)
            }
            Err(failure) => Err(Failure { kind: FailureKind::Start, ..failure }),
        }
    }

    fn report_retry(&self) {
        self.linked.options.stats.add_retry();
    }
}

impl Processor for Plugin {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::clone(self.linked.options.stats.memory())
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        let life = SandboxLease::new(self, self.linked.options.sandbox.isolate)?;
        Ok(Box::new(FailureRecorder::new(Box::new(life), self.about())))
    }
}

/// The functions of a plugin, of whichever kind it is.
enum Exports {
    Aggregator(aggregator::Exports),
    Transformer(transformer::Exports),
}

impl Exports {
    /// Those of a component: its kind is what it exports.
    fn of(component: &Component) -> Result<Self, Refusal> {
        let (exports, world) = match component.get_export_index(None, contract::TRANSFORM) {
            Some(_) => (transformer::Exports::of(component).map(Self::Transformer), "transformer"),
            None => (aggregator::Exports::of(component).map(Self::Aggregator), "aggregator"),
        };
        exports.map_err(|missing| {
            Refusal::new(format!("does not export {missing}"))
                .hint(format!("a plugin exports what the world `{world}` of wit/plugin.wit lists"))
        })
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Aggregator(_) => Kind::Aggregator,
            Self::Transformer(_) => Kind::Transformer,
        }
    }

    /// A new instance, described and configured.
    fn start<'a>(
        &self,
        linked: &'a Linked,
        settings: &[Entry],
    ) -> Result<(Box<dyn Sandboxed + 'a>, contract::Manifest), Failure> {
        let (instance, store) = linked.instantiate()?;
        match self {
            Self::Aggregator(exports) => {
                let (aggregator, manifest) =
                    aggregator::Aggregator::new(instance, store, exports, settings)?;
                Ok((Box::new(aggregator), manifest))
            }
            Self::Transformer(exports) => {
                let (transformer, manifest) =
                    transformer::Transformer::new(instance, store, exports, settings)?;
                Ok((Box::new(transformer), manifest))
            }
        }
    }
}

/// A component that imports only what it is given, ready to be instantiated.
pub(super) struct Linked {
    pre: InstancePre<Guest>,
    name: Arc<str>,
    options: Options,
}

impl Linked {
    pub(super) fn new(
        engine: &Engine,
        component: &Component,
        path: &Path,
        options: Options,
    ) -> Result<Self, Refusal> {
        let foreign = foreign_imports(engine, component);
        if !foreign.is_empty() {
            let names = foreign.join(", ");
            return Err(Refusal::new(format!("imports {names}, which no plugin is given")).hint(
                "a plugin reaches nothing but gristmill:plugin/host: log, count and reject",
            ));
        }
        let mut linker = Linker::new(engine.wasmtime());
        let pre = guest::link(&mut linker)
            .and_then(|()| linker.instantiate_pre(component))
            .map_err(|error| {
                let reason = format!("needs what this host does not have: {error:#}");
                Refusal::new(reason.replace('\n', " "))
                    .hint("it may be built for a newer gristmill")
            })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into();
        Ok(Self { pre, name, options })
    }

    pub(super) fn instantiate(
        &self,
    ) -> Result<(wasmtime::component::Instance, Store<Guest>), Failure> {
        let guest = Guest::new(Arc::clone(&self.name), &self.options);
        let mut store = Store::new(self.pre.engine(), guest);
        store.limiter(|guest| guest);
        let pause = self.options.pause.clone();
        store.epoch_deadline_callback(move |mut cx| {
            if let Some(pause) = &pause {
                let ticked = cx.data_mut().tick()?;
                pause.pause();
                clock::resume();
                return Ok(ticked);
            }
            Ok(cx.data_mut().tick()?)
        });
        prepare(&mut store, Call::Start, 0)?;
        match self.pre.instantiate(&mut store) {
            Ok(instance) => Ok((instance, store)),
            Err(error) => Err(fault(&error, Call::Start, store.data())),
        }
    }
}

/// Interfaces that a component imports beyond what the contract offers.
fn foreign_imports(engine: &Engine, component: &Component) -> Vec<String> {
    let ours = |name: &str| IMPORTS.iter().any(|prefix| name.starts_with(prefix));
    let component_type = component.component_type();
    let names = component_type.imports(engine.wasmtime()).map(|(name, _)| name.to_string());
    names.filter(|name| !ours(name)).collect()
}

fn entries(settings: &[(String, String)]) -> Vec<Entry> {
    let entry = |(key, value): &(String, String)| Entry { key: key.clone(), value: value.clone() };
    settings.iter().map(entry).collect()
}
