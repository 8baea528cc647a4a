//! A transformer in its sandbox: bytes in, bytes out.
//!
//! Where its scope is a chunk, each chunk has a resource of its own, so what comes out of it cannot
//! depend on which chunks the same instance has seen before.

use wasmtime::Store;
use wasmtime::component::{Component, ResourceAny};

use super::contract::{self, Entry, Manifest};
use super::exports::{Resource, Shared};
use super::fault::Call;
use super::guest::Guest;
use super::guest_write::Outgoing;
use super::sandbox::{BytesFunc, Constructor, PushFunc, Sandbox, Sandboxed, closed};
use crate::process::{
    ChunkReader, Failure, Header, Instance, Opening, Place, Pushed, Reject, Scope,
};

/// Where a transformer's functions are among its exports, found once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exports(Shared);

impl Exports {
    /// Those of a component; the name of the first that is missing.
    pub(super) fn of(component: &Component) -> Result<Self, String> {
        let transformer = Resource { interface: contract::TRANSFORM, name: "transformer" };
        transformer.shared(component).map(Self)
    }
}

/// One instance of a transformer, with at most one resource.
pub(super) struct Transformer {
    sandbox: Sandbox,
    scope: Scope,
    /// What resources are opened for; none when nothing is open.
    source: Option<Source>,
    resource: Option<ResourceAny>,
    constructor: Constructor,
    push: PushFunc<Outgoing>,
    finish: BytesFunc,
}

struct Source {
    name: String,
    header: Header,
}

impl Transformer {
    /// Describes and configures a new instance.
    pub(super) fn new(
        instance: wasmtime::component::Instance,
        store: Store<Guest>,
        exports: &Exports,
        settings: &[Entry],
    ) -> Result<(Self, Manifest), Failure> {
        let (mut sandbox, manifest) = Sandbox::new(&instance, store, &exports.0.common, settings)?;
        let transformer = Self {
            scope: manifest.scope.into(),
            source: None,
            resource: None,
            constructor: sandbox.typed(&instance, exports.0.constructor, "constructor")?,
            push: sandbox.typed(&instance, exports.0.push, "push")?,
            finish: sandbox.typed(&instance, exports.0.finish, "finish")?,
            sandbox,
        };
        Ok((transformer, manifest))
    }

    /// The resource that the next chunk is for.
    fn resource(&mut self) -> Result<ResourceAny, Failure> {
        if let Some(resource) = self.resource {
            return Ok(resource);
        }
        let Source { name, header } = self.source.as_ref().ok_or_else(closed)?;
        let resource = self.sandbox.open(&self.constructor, Opening { name, header })?;
        self.resource = Some(resource);
        Ok(resource)
    }
}

impl Sandboxed for Transformer {
    fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }
}

impl Instance for Transformer {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        // One that was given up halfway may have left its resource.
        self.close()?;
        self.sandbox.begin_source();
        let Opening { name, header } = opening;
        self.source = Some(Source { name: name.to_string(), header: header.clone() });
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let resource = self.resource()?;
        let (filling, Outgoing(output)) = self.sandbox.push(&self.push, resource, place, fill)?;
        let mut output = self.sandbox.held(output);
        if self.scope == Scope::Chunk || place.last {
            let rest = self.sandbox.bytes(Call::Finish, &self.finish, resource)?;
            output.append(rest);
            self.resource = None;
            self.sandbox.close(resource)?;
        }
        Ok(Pushed { filling, output })
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        self.sandbox.take_rejects()
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.source = None;
        match self.resource.take() {
            Some(resource) => self.sandbox.close(resource),
            None => Ok(()),
        }
    }

    fn spent(&self) -> bool {
        self.sandbox.spent()
    }
}
