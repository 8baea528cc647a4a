//! An aggregator in its sandbox: bytes in, one result out.

use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, ResourceAny, TypedFunc};

use super::contract::{self, Entry, Manifest};
use super::exports::{Resource, Shared};
use super::fault::Call;
use super::guest::Guest;
use super::guest_write::{Incoming, borrowing};
use super::sandbox::{BytesFunc, Constructor, PushFunc, Refusable, Sandbox, Sandboxed, closed};
use crate::process::{
    Accumulate, ChunkReader, Failure, Held, Instance, Opening, Place, Pushed, Reject,
};

type MergeFunc = TypedFunc<(ResourceAny, &'static Incoming<'static>), Refusable<()>>;

/// Where an aggregator's functions are among its exports, found once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exports {
    shared: Shared,
    save: ComponentExportIndex,
    merge: ComponentExportIndex,
}

impl Exports {
    /// Those of a component; the name of the first that is missing.
    pub(super) fn of(component: &Component) -> Result<Self, String> {
        let accumulator = Resource { interface: contract::AGGREGATE, name: "accumulator" };
        Ok(Self {
            shared: accumulator.shared(component)?,
            save: accumulator.method(component, "save")?,
            merge: accumulator.method(component, "merge")?,
        })
    }
}

/// One instance of an aggregator, with at most one accumulator.
pub(super) struct Aggregator {
    sandbox: Sandbox,
    accumulator: Option<ResourceAny>,
    constructor: Constructor,
    push: PushFunc<()>,
    save: BytesFunc,
    merge: MergeFunc,
    finish: BytesFunc,
}

impl Aggregator {
    /// Describes and configures a new instance.
    pub(super) fn new(
        instance: wasmtime::component::Instance,
        store: Store<Guest>,
        exports: &Exports,
        settings: &[Entry],
    ) -> Result<(Self, Manifest), Failure> {
        let (mut sandbox, manifest) =
            Sandbox::new(&instance, store, &exports.shared.common, settings)?;
        let aggregator = Self {
            accumulator: None,
            constructor: sandbox.typed(&instance, exports.shared.constructor, "constructor")?,
            push: sandbox.typed(&instance, exports.shared.push, "push")?,
            save: sandbox.typed(&instance, exports.save, "save")?,
            merge: sandbox.typed(&instance, exports.merge, "merge")?,
            finish: sandbox.typed(&instance, exports.shared.finish, "finish")?,
            sandbox,
        };
        Ok((aggregator, manifest))
    }

    fn resource(&self) -> Result<ResourceAny, Failure> {
        self.accumulator.ok_or_else(closed)
    }
}

impl Sandboxed for Aggregator {
    fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }
}

impl Instance for Aggregator {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        self.sandbox.begin_source();
        self.accumulator = Some(self.sandbox.open(&self.constructor, opening)?);
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let accumulator = self.resource()?;
        let (filling, ()) = self.sandbox.push(&self.push, accumulator, place, fill)?;
        Ok(Pushed { filling, output: Held::default() })
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        self.sandbox.take_rejects()
    }

    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        Ok(self)
    }

    fn close(&mut self) -> Result<(), Failure> {
        match self.accumulator.take() {
            Some(accumulator) => self.sandbox.close(accumulator),
            None => Ok(()),
        }
    }

    fn spent(&self) -> bool {
        self.sandbox.spent()
    }
}

impl Accumulate for Aggregator {
    fn save(&mut self) -> Result<Held, Failure> {
        let accumulator = self.resource()?;
        self.sandbox.bytes(Call::Save, &self.save, accumulator)
    }

    fn merge(&mut self, mut state: &[u8]) -> Result<(), Failure> {
        let accumulator = self.resource()?;
        let bytes = state.len();
        let incoming = Incoming::new(&mut state);
        let (merge, params) = (borrowing(&self.merge), (accumulator, &incoming));
        let (result,) = self.sandbox.call(Call::Merge, bytes, &merge, params)?;
        result.map_err(|error| self.sandbox.refusal(error, 0))
    }

    fn finish(&mut self) -> Result<Held, Failure> {
        let accumulator = self.resource()?;
        let result = self.sandbox.bytes(Call::Finish, &self.finish, accumulator)?;
        self.close()?;
        Ok(result)
    }
}
