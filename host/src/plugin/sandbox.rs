//! One sandbox: calls within limits, whatever the kind of plugin.

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
use crate::process::{Failure, FailureKind, Fill, Opening, Place, Reject};
use crate::settings::limits::OUTPUT_BYTES;

pub(super) type Refusable<T> = (Result<T, Error>,);
pub(super) type Constructor = TypedFunc<(Source,), (ResourceAny,)>;
pub(super) type PushFunc<T> =
    TypedFunc<(ResourceAny, Chunk, &'static Incoming<'static>), Refusable<T>>;
pub(super) type BytesFunc = TypedFunc<(ResourceAny,), Refusable<Vec<u8>>>;

/// Where the functions are that every plugin exports, found once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    pub(super) describe: ComponentExportIndex,
    configure: ComponentExportIndex,
}

impl Common {
    /// Those of a component; the name of the first that is missing.
    pub(super) fn of(component: &Component) -> Result<Self, String> {
        Ok(Self {
            describe: find(component, contract::LIFECYCLE, "describe")?,
            configure: find(component, contract::LIFECYCLE, "configure")?,
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

/// A sandbox, of whatever kind of plugin. Its memory limit and what it has used of its time are in its store.
pub(super) struct Sandbox {
    store: Store<Guest>,
    timeout: Duration,
    memory_bytes: usize,
    /// Memory when it was new.
    memory_bytes_new: usize,
}

impl Sandbox {
    /// Describes and configures a new instance.
    pub(super) fn new(
        instance: &wasmtime::component::Instance,
        mut store: Store<Guest>,
        common: &Common,
        settings: &[Entry],
        limits: Limits,
    ) -> Result<(Self, Manifest), Failure> {
        let Limits { memory_bytes, timeout } = limits;
        let manifest = describe(instance, &mut store, common.describe, limits)?;
        let configure: TypedFunc<(&[Entry],), (Result<(), String>,)> =
            typed(instance, &mut store, common.configure, "configure")?;
        let (configured,) = call(&mut store, timeout, Call::Configure, &configure, (settings,))?;
        configured.map_err(|message| Failure::new(FailureKind::Start, message))?;
        let memory_bytes_new = store.data().memory_bytes;
        Ok((Self { store, timeout, memory_bytes, memory_bytes_new }, manifest))
    }

    /// Looks a function up and checks its type against the contract.
    pub(super) fn typed<Params, Return>(
        &mut self,
        instance: &wasmtime::component::Instance,
        index: ComponentExportIndex,
        name: &str,
    ) -> Result<TypedFunc<Params, Return>, Failure>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        typed(instance, &mut self.store, index, name)
    }

    /// Calls a function within its limits.
    pub(super) fn call<Params, Return>(
        &mut self,
        which: Call,
        func: &TypedFunc<Params, Return>,
        params: Params,
    ) -> Result<Return, Failure>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        call(&mut self.store, self.timeout, which, func, params)
    }

    /// Opens a resource by its constructor.
    pub(super) fn open(
        &mut self,
        constructor: &Constructor,
        opening: Opening<'_>,
    ) -> Result<ResourceAny, Failure> {
        let Opening { name, header } = opening;
        let source =
            Source { name: name.to_string(), header: header.to_vec(), properties: Vec::new() };
        let (resource,) = self.call(Call::Constructor, constructor, (source,))?;
        Ok(resource)
    }

    /// Gives the next source its share of the log.
    pub(super) fn begin_source(&mut self) {
        self.store.data_mut().begin_source();
    }

    /// Hands a chunk to a resource.
    pub(super) fn push<T>(
        &mut self,
        push: &PushFunc<T>,
        resource: ResourceAny,
        place: Place,
        fill: &mut dyn Fill,
    ) -> Result<(Duration, T), Failure>
    where
        Refusable<T>: ComponentNamedList + Lift,
    {
        self.store.data_mut().begin_chunk(place.offset);
        let incoming = Incoming::new(fill);
        let func = borrowing(push);
        let called = self.call(Call::Push, &func, (resource, place.into(), &incoming));
        let filled = incoming.told();
        if let Some(failure) = filled.failure {
            return Err(failure);
        }
        let (result,) = called?;
        let value = result.map_err(|error| self.refusal(error, place.offset))?;
        Ok((filled.spent, value))
    }

    /// Calls a function that gives bytes.
    pub(super) fn bytes(
        &mut self,
        which: Call,
        func: &BytesFunc,
        resource: ResourceAny,
    ) -> Result<Vec<u8>, Failure> {
        let (result,) = self.call(which, func, (resource,))?;
        result.map_err(|error| self.refusal(error, 0))
    }

    /// Drops a resource.
    pub(super) fn close(&mut self, resource: ResourceAny) -> Result<(), Failure> {
        prepare(&mut self.store, self.timeout, Call::Drop);
        resource
            .resource_drop(&mut self.store)
            .map_err(|error| fault(&error, Call::Drop, self.store.data(), self.timeout))
    }

    /// What a plugin says is wrong; offsets in its chunk become offsets in the source.
    pub(super) fn refusal(&self, error: Error, chunk_offset: u64) -> Failure {
        let failure = match error {
            Error::InvalidData(Flaw { offset, reason }) => {
                let offset = chunk_offset.saturating_add(offset);
                Failure::new(FailureKind::InvalidData, format!("at byte {offset}: {reason}"))
            }
            Error::Fatal(message) => Failure::new(FailureKind::Fatal, message),
        };
        match self.store.data().refused_bytes {
            Some(_) => failure.hint(self.store.data().raise),
            None => failure,
        }
    }

    /// The records that the guest has set aside.
    pub(super) fn take_rejects(&mut self) -> Vec<Reject> {
        self.store.data_mut().take_rejects()
    }

    /// Whether it has grown so much that a new one should take its place.
    pub(super) fn spent(&self) -> bool {
        let grown = self.store.data().memory_bytes.saturating_sub(self.memory_bytes_new);
        grown > self.memory_bytes / 4
    }
}

/// That no resource is open.
pub(super) fn closed() -> Failure {
    Failure::new(FailureKind::Start, "no resource is open in the instance")
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
