//! One sandbox of a plugin, as the scheduler sees it.

use std::time::Duration;

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Lift, Lower, ResourceAny, TypedFunc,
};
use wasmtime::{AsContextMut, Store};

use super::contract::{self, Chunk, Entry, Error, Flaw, Manifest, Source};
use super::fault::{Call, fault};
use super::fill::{Incoming, borrowing};
use super::guest::Guest;
use super::load::Limits;
use crate::process::{Failure, FailureKind, Fill, Instance, Opening, Place};
use crate::settings::limits::OUTPUT_BYTES;

type Refusable<T> = (Result<T, Error>,);
type PushFunc = TypedFunc<(ResourceAny, Chunk, &'static Incoming<'static>), Refusable<()>>;
type MergeFunc = TypedFunc<(ResourceAny, &'static Incoming<'static>), Refusable<()>>;
type BytesFunc = TypedFunc<(ResourceAny,), Refusable<Vec<u8>>>;

/// Where a plugin's functions are among its exports, found once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exports {
    describe: ComponentExportIndex,
    configure: ComponentExportIndex,
    constructor: ComponentExportIndex,
    push: ComponentExportIndex,
    save: ComponentExportIndex,
    merge: ComponentExportIndex,
    finish: ComponentExportIndex,
}

impl Exports {
    /// The exports of an aggregator; the name of the first that is missing.
    pub(super) fn of(component: &Component) -> Result<Self, String> {
        let aggregate = |name| find(component, contract::AGGREGATE, name);
        Ok(Self {
            describe: find(component, contract::LIFECYCLE, "describe")?,
            configure: find(component, contract::LIFECYCLE, "configure")?,
            constructor: aggregate("[constructor]accumulator")?,
            push: aggregate("[method]accumulator.push")?,
            save: aggregate("[method]accumulator.save")?,
            merge: aggregate("[method]accumulator.merge")?,
            finish: aggregate("[method]accumulator.finish")?,
        })
    }
}

/// Where a function of an interface is among the exports; its full name where it is not.
pub(super) fn find(
    component: &Component,
    interface: &str,
    name: &str,
) -> Result<ComponentExportIndex, String> {
    component
        .get_export_index(None, interface)
        .and_then(|instance| component.get_export_index(Some(&instance), name))
        .ok_or_else(|| format!("{interface}#{name}"))
}

/// A plugin's functions in one instance.
struct Functions {
    constructor: TypedFunc<(Source,), (ResourceAny,)>,
    push: PushFunc,
    save: BytesFunc,
    merge: MergeFunc,
    finish: BytesFunc,
}

/// One sandbox. Its memory limit and what it has used of its time are in its store.
pub(super) struct Sandbox {
    store: Store<Guest>,
    functions: Functions,
    limits: Limits,
    resource: Option<ResourceAny>,
    /// Memory when it was new.
    memory_bytes_new: usize,
}

impl Sandbox {
    /// Describes and configures a new instance.
    pub(super) fn new(
        instance: wasmtime::component::Instance,
        mut store: Store<Guest>,
        exports: &Exports,
        settings: &[Entry],
        limits: Limits,
    ) -> Result<(Self, Manifest), Failure> {
        let functions = Functions {
            constructor: typed(&instance, &mut store, exports.constructor, "constructor")?,
            push: typed(&instance, &mut store, exports.push, "push")?,
            save: typed(&instance, &mut store, exports.save, "save")?,
            merge: typed(&instance, &mut store, exports.merge, "merge")?,
            finish: typed(&instance, &mut store, exports.finish, "finish")?,
        };
        let manifest = describe(&instance, &mut store, exports.describe, limits)?;
        let configure: TypedFunc<(&[Entry],), (Result<(), String>,)> =
            typed(&instance, &mut store, exports.configure, "configure")?;
        let (configured,) =
            call(&mut store, limits.timeout, Call::Configure, &configure, (settings,))?;
        configured.map_err(|message| Failure::new(FailureKind::Start, message))?;
        let memory_bytes_new = store.data().memory_bytes;
        Ok((Self { store, functions, limits, resource: None, memory_bytes_new }, manifest))
    }

    fn resource(&self) -> Result<ResourceAny, Failure> {
        let closed = || Failure::new(FailureKind::Start, "no resource is open in the instance");
        self.resource.ok_or_else(closed)
    }

    /// What a plugin says is wrong; offsets in its chunk become offsets in the source.
    fn refusal(&self, error: Error, chunk_offset: u64) -> Failure {
        let failure = match error {
            Error::InvalidData(Flaw { offset, reason }) => {
                let offset = chunk_offset.saturating_add(offset);
                Failure::new(FailureKind::InvalidData, format!("at byte {offset}: {reason}"))
            }
            Error::Fatal(message) => Failure::new(FailureKind::Fatal, message),
        };
        match self.store.data().refused_bytes {
            Some(_) => failure.hint("raise --memory"),
            None => failure,
        }
    }

    fn bytes(&mut self, which: Call, func: BytesFunc) -> Result<Vec<u8>, Failure> {
        let resource = self.resource()?;
        let (result,) = call(&mut self.store, self.limits.timeout, which, &func, (resource,))?;
        result.map_err(|error| self.refusal(error, 0))
    }
}

impl Instance for Sandbox {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        let Opening { name, header } = opening;
        let source =
            Source { name: name.to_string(), header: header.to_vec(), properties: Vec::new() };
        self.store.data_mut().begin_source();
        let constructor = &self.functions.constructor;
        let (resource,) =
            call(&mut self.store, self.limits.timeout, Call::Constructor, constructor, (source,))?;
        self.resource = Some(resource);
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn Fill) -> Result<Duration, Failure> {
        let resource = self.resource()?;
        let incoming = Incoming::new(fill);
        let func = borrowing(&self.functions.push);
        let called = call(
            &mut self.store,
            self.limits.timeout,
            Call::Push,
            &func,
            (resource, place.into(), &incoming),
        );
        let filled = incoming.told();
        if let Some(failure) = filled.failure {
            return Err(failure);
        }
        let (result,) = called?;
        result.map_err(|error| self.refusal(error, place.offset))?;
        Ok(filled.spent)
    }

    fn save(&mut self) -> Result<Vec<u8>, Failure> {
        self.bytes(Call::Save, self.functions.save)
    }

    fn merge(&mut self, mut state: &[u8]) -> Result<(), Failure> {
        let resource = self.resource()?;
        let incoming = Incoming::new(&mut state);
        let func = borrowing(&self.functions.merge);
        let (result,) =
            call(&mut self.store, self.limits.timeout, Call::Merge, &func, (resource, &incoming))?;
        result.map_err(|error| self.refusal(error, 0))
    }

    fn finish(&mut self) -> Result<Vec<u8>, Failure> {
        let result = self.bytes(Call::Finish, self.functions.finish)?;
        self.close()?;
        Ok(result)
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Some(resource) = self.resource.take() else { return Ok(()) };
        prepare(&mut self.store, self.limits.timeout, Call::Drop);
        resource
            .resource_drop(&mut self.store)
            .map_err(|error| fault(&error, Call::Drop, self.store.data(), self.limits.timeout))
    }

    fn spent(&self) -> bool {
        let grown = self.store.data().memory_bytes.saturating_sub(self.memory_bytes_new);
        grown > self.limits.memory_bytes / 4
    }
}

/// Asks a plugin of either kind what it is.
pub(super) fn describe(
    instance: &wasmtime::component::Instance,
    store: &mut Store<Guest>,
    index: ComponentExportIndex,
    limits: Limits,
) -> Result<Manifest, Failure> {
    let describe = typed::<(), (Manifest,)>(instance, store, index, "describe")?;
    let (manifest,) = call(store, limits.timeout, Call::Describe, &describe, ())?;
    Ok(manifest)
}

/// Looks a function up and checks its type against the contract.
fn typed<Params, Return>(
    instance: &wasmtime::component::Instance,
    store: &mut Store<Guest>,
    index: ComponentExportIndex,
    name: &str,
) -> Result<TypedFunc<Params, Return>, Failure>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift,
{
    instance.get_typed_func(store.as_context_mut(), index).map_err(|error| {
        let message = format!("`{name}` is not of the type that the contract gives it: {error:#}");
        Failure::new(FailureKind::Start, message)
            .hint("build the plugin against wit/plugin.wit of this version")
    })
}

fn call<Params, Return>(
    store: &mut Store<Guest>,
    timeout: Duration,
    which: Call,
    func: &TypedFunc<Params, Return>,
    params: Params,
) -> Result<Return, Failure>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift,
{
    prepare(store, timeout, which);
    func.call(store.as_context_mut(), params)
        .map_err(|error| fault(&error, which, store.data(), timeout))
}

fn prepare(store: &mut Store<Guest>, timeout: Duration, which: Call) {
    store.data_mut().begin_call(timeout);
    // What the guest may give in this call: a state is as large as its memory, a result is not.
    store.set_hostcall_fuel(match which {
        Call::Save => store.data().memory_bytes_max,
        _ => OUTPUT_BYTES,
    });
    store.set_epoch_deadline(1);
}
