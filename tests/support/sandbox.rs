//! Runs a built transformer in a sandbox with nothing around it: what it makes of chunks, and what
//! it sets aside.

use std::path::Path;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, Store};
use wit_component::ComponentEncoder;

use bindings::exports::gristmill::plugin::lifecycle::Entry;
use bindings::exports::gristmill::plugin::transform::Source;
pub(crate) use bindings::exports::gristmill::plugin::transform::{Chunk, Error};
use bindings::gristmill::plugin::{host, types};

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "transformer" });
}

/// A compiled transformer.
pub(crate) struct Compiled {
    engine: Engine,
    component: Component,
}

/// One instance of a transformer.
pub(crate) struct Sandbox {
    store: Store<Asked>,
    plugin: bindings::Transformer,
}

/// What the plugin asked of its host.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Records set aside: where, why, and which.
    pub(crate) rejects: Vec<(u64, String, Vec<u8>)>,
    /// Counters, as they were added to.
    pub(crate) counts: Vec<(String, u64)>,
    /// Lines of the log.
    pub(crate) logs: Vec<String>,
}

impl types::Host for Asked {}

impl host::Host for Asked {
    fn log(&mut self, _: host::Level, message: String) {
        self.logs.push(message);
    }

    fn count(&mut self, counter: String, by: u64) {
        self.counts.push((counter, by));
    }

    fn reject(&mut self, flaw: types::Flaw, data: Vec<u8>) {
        self.rejects.push((flaw.offset, flaw.reason, data));
    }
}

impl Compiled {
    pub(crate) fn new(path: &Path) -> Self {
        let module = std::fs::read(path).unwrap();
        let mut encoder = ComponentEncoder::default().module(&module).unwrap();
        let engine = Engine::new(Config::new().wasm_component_model(true)).unwrap();
        let component = Component::new(&engine, encoder.encode().unwrap()).unwrap();
        Self { engine, component }
    }

    /// An instance with these settings, or why the plugin refuses them.
    pub(crate) fn start(&self, settings: &[(&str, &str)]) -> Result<Sandbox, String> {
        let Self { engine, component } = self;
        let mut linker = Linker::new(engine);
        bindings::Transformer::add_to_linker::<_, HasSelf<Asked>>(&mut linker, |asked| asked)
            .unwrap();
        let mut store = Store::new(engine, Asked::default());
        let plugin = bindings::Transformer::instantiate(&mut store, component, &linker).unwrap();
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| Entry { key: (*key).into(), value: (*value).into() })
            .collect();
        let lifecycle = plugin.gristmill_plugin_lifecycle();
        lifecycle.call_configure(&mut store, &settings).unwrap()?;
        Ok(Sandbox { store, plugin })
    }
}

impl Sandbox {
    /// The output over the chunks of one source that begins with `header`, each seen by a resource
    /// of its own.
    pub(crate) fn transform(&mut self, header: &[u8], chunks: &[&[u8]]) -> Result<Vec<u8>, Error> {
        let (mut output, mut offset) = (Vec::new(), 0);
        for (index, data) in chunks.iter().enumerate() {
            let last = index + 1 == chunks.len();
            let chunk = Chunk { index: index as u64, offset, last };
            output.extend(self.push(header, chunk, data)?);
            offset += data.len() as u64;
        }
        Ok(output)
    }

    /// The output of a resource that sees one chunk.
    pub(crate) fn push(
        &mut self,
        header: &[u8],
        chunk: Chunk,
        data: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let source = Source { name: "test".into(), header: header.into(), properties: Vec::new() };
        let transform = self.plugin.gristmill_plugin_transform().transformer();
        let resource = transform.call_constructor(&mut self.store, &source).unwrap();
        let mut output = transform.call_push(&mut self.store, resource, chunk, data).unwrap()?;
        output.extend(transform.call_finish(&mut self.store, resource).unwrap()?);
        resource.resource_drop(&mut self.store).unwrap();
        Ok(output)
    }

    /// What the plugin asked of its host since the last time, with offsets in the chunk.
    pub(crate) fn asked(&mut self) -> Asked {
        std::mem::take(self.store.data_mut())
    }
}
