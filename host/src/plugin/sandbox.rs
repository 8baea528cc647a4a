//! One sandbox: calls within limits, whatever the kind of plugin.

use std::time::Duration;

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Lift, Lower, ResourceAny, TypedFunc,
};
use wasmtime::{AsContextMut, Store};

use super::clock::BeforeCall;
use super::contract::{self, Chunk, Entry, Error, Flaw, Manifest, Source};
use super::fault::{Call, fault, more_memory, out_of_guest_time};
use super::guest::{Guest, Refused, Since};
use super::guest_write::{Beginning, Incoming, Lent, Outgoing, borrowing};
use crate::process::{ChunkReader, Failure, FailureKind, Held, Instance, Opening, Place, Reject};
use crate::settings::limits::{MANIFEST_BYTES_MAX, MESSAGE_BYTES_MAX};

pub(super) type Refusable<T> = (Result<T, Error>,);
pub(super) type Constructor = TypedFunc<(Source,), (ResourceAny,)>;
pub(super) type PushFunc<T> =
    TypedFunc<(ResourceAny, Chunk, &'static Incoming<'static>), Refusable<T>>;
pub(super) type BytesFunc = TypedFunc<(ResourceAny,), Refusable<Outgoing>>;

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

/// An instance that is one sandbox, and nothing more.
pub(super) trait Sandboxed: Instance {
    /// The sandbox.
    fn sandbox(&mut self) -> &mut Sandbox;
}

/// A sandbox, of whatever kind of plugin. Its limits and what it has used of them are in its store.
pub(super) struct Sandbox {
    store: Store<Guest>,
    /// Memory when it was new.
    memory_bytes_new: usize,
    /// Bytes of all chunks that it has taken.
    taken_bytes: u64,
}

impl Sandbox {
    /// Describes and configures a new instance.
    pub(super) fn new(
        instance: &wasmtime::component::Instance,
        mut store: Store<Guest>,
        common: &Common,
        settings: &[Entry],
    ) -> Result<(Self, Manifest), Failure> {
        let manifest = describe(instance, &mut store, common.describe)?;
        let configure: TypedFunc<(&[Entry],), (Result<(), String>,)> =
            typed(instance, &mut store, common.configure, "configure")?;
        let (configured,) = call(&mut store, Call::Configure, 0, &configure, (settings,))?;
        configured.map_err(|message| Failure::new(FailureKind::Start, cut(message)))?;
        let memory_bytes_new = store.data().memory.bytes;
        Ok((Self { store, memory_bytes_new, taken_bytes: 0 }, manifest))
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

    /// Calls a function, which is handed so many bytes, within its limits.
    pub(super) fn call<Params, Return>(
        &mut self,
        which: Call,
        bytes: usize,
        func: &TypedFunc<Params, Return>,
        params: Params,
    ) -> Result<Return, Failure>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        call(&mut self.store, which, bytes, func, params)
    }

    /// Opens a resource by its constructor.
    pub(super) fn open(
        &mut self,
        constructor: &Constructor,
        opening: Opening<'_>,
    ) -> Result<ResourceAny, Failure> {
        let Opening { name, header } = opening;
        let source =
            Source { name: name.to_string(), header: Lent(header.clone()), properties: Vec::new() };
        let (resource,) = self.call(Call::Constructor, 0, constructor, (source,))?;
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
        fill: &mut dyn ChunkReader,
    ) -> Result<(Duration, T), Failure>
    where
        Refusable<T>: ComponentNamedList + Lift,
    {
        self.store.data_mut().begin_chunk(place.offset);
        let bytes = fill.len();
        self.taken_bytes = self.taken_bytes.saturating_add(bytes as u64);
        let mut fill = BeforeCall(fill);
        let incoming = Incoming::new(&mut fill);
        let func = borrowing(push);
        let params = (resource, place.into(), &incoming);
        let called = self.call(Call::Push, bytes, &func, params);
        let filled = incoming.describe();
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
    ) -> Result<Held, Failure> {
        let (result,) = self.call(which, 0, func, (resource,))?;
        match result {
            Ok(given) => Ok(given.kept(self.store.data().budget_of_memory())),
            Err(error) => Err(self.refusal(error, 0)),
        }
    }

    /// What the guest has given, charged to what its memory is charged to.
    pub(super) fn held(&self, bytes: Vec<u8>) -> Held {
        Held::within(self.store.data().budget_of_memory(), bytes)
    }

    /// Drops a resource.
    pub(super) fn close(&mut self, resource: ResourceAny) -> Result<(), Failure> {
        prepare(&mut self.store, Call::Drop, 0)?;
        resource
            .resource_drop(&mut self.store)
            .map_err(|error| fault(&error, Call::Drop, self.store.data()))
    }

    /// What a plugin says is wrong; offsets in its chunk become offsets in the source.
    pub(super) fn refusal(&self, error: Error, chunk_offset: u64) -> Failure {
        let failure = match error {
            Error::InvalidData(Flaw { offset, reason: Beginning(reason) }) => {
                let offset = chunk_offset.saturating_add(offset);
                Failure::new(FailureKind::InvalidData, format!("at byte {offset}: {}", cut(reason)))
            }
            Error::Fatal(Beginning(message)) => Failure::new(FailureKind::Fatal, cut(message)),
        };
        match self.store.data().refused {
            Some(Refused::Memory(_)) => failure.hint(more_memory(self.store.data())),
            Some(Refused::Total(_)) => failure.hint("raise ⟦memory_total⟧"),
            Some(Refused::Table(_) | Refused::Tables(_)) => failure.hint("raise ⟦table_elements⟧"),
            None => failure,
        }
    }

    /// The records that the guest has set aside.
    pub(super) fn take_rejects(&mut self) -> Vec<Reject> {
        self.store.data_mut().take_rejects()
    }

    /// Counts nothing of what the guest has done since then: it is done again elsewhere.
    pub(super) fn forget(&mut self, since: Since) {
        self.store.data_mut().forget(since);
    }

    /// Whether it has grown so much, or taken so much, that a new one should take its place.
    pub(super) fn spent(&self) -> bool {
        let guest = self.store.data();
        let grown = guest.memory.bytes.saturating_sub(self.memory_bytes_new);
        grown > guest.limits.memory_bytes / 4 || self.taken_bytes >= guest.limits.recycle_bytes
    }
}

/// That no resource is open.
pub(super) fn closed() -> Failure {
    Failure::new(FailureKind::Start, "no resource is open in the instance")
}

/// What is shown of a plugin's own message.
fn cut(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    message.shrink_to_fit();
    message
}

/// Asks a plugin of either kind what it is.
pub(super) fn describe(
    instance: &wasmtime::component::Instance,
    store: &mut Store<Guest>,
    index: ComponentExportIndex,
) -> Result<Manifest, Failure> {
    let describe = typed::<(), (Manifest,)>(instance, store, index, "describe")?;
    let (manifest,) = call(store, Call::Describe, 0, &describe, ())?;
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
    which: Call,
    bytes: usize,
    func: &TypedFunc<Params, Return>,
    params: Params,
) -> Result<Return, Failure>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift,
{
    prepare(store, which, bytes)?;
    let called = func.call(store.as_context_mut(), params);
    store.data_mut().end_call();
    called.map_err(|error| fault(&error, which, store.data()))
}

/// Gives a call, which is handed so many bytes, what it may use.
pub(super) fn prepare(store: &mut Store<Guest>, which: Call, bytes: usize) -> Result<(), Failure> {
    let guest = store.data_mut();
    guest.begin_call(bytes);
    // A state is as large as its memory, a result is not, and what it says of itself is read by
    // people.
    match which {
        Call::Save => guest.output_bytes_max = guest.limits.memory_bytes,
        Call::Describe | Call::Configure => guest.output_bytes_max = MANIFEST_BYTES_MAX,
        _ => {}
    }
    if !guest.has_time() {
        return Err(out_of_guest_time(guest));
    }
    let (output_bytes, fuel) = (guest.output_bytes_max, guest.limits.fuel);
    store.set_hostcall_fuel(output_bytes);
    store.set_epoch_deadline(1);
    if let Some(fuel) = fuel {
        // The only way that this fails is an engine that counts no fuel: no job has both.
        store
            .set_fuel(fuel)
            .map_err(|error| Failure::new(FailureKind::Start, format!("fuel: {error:#}")))?;
    }
    Ok(())
}
