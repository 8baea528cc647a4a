//! The engine: what guests may use of wasm, and the clock that stops them.
//!
//! One engine serves all plugins of a process. One thread advances its epoch; nobody else ever
//! does, as that would stop every guest at once.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use wasmtime::{Config, Enabled, PoolingAllocationConfig};

use super::features;
use crate::settings::limits::{
    BACKTRACE_FRAMES_MAX, EPOCH_TICK, HOST_STACK_BYTES, INSTANCE_BYTES, MEMORY_BYTES_CEILING,
    MODULE_MEMORIES, POOL_INSTANCES, POOL_MEMORIES, POOL_RESIDENT_BYTES, POOL_TABLES, POOL_WARM,
    TABLE_ELEMENTS_CEILING,
};
use crate::settings::{Isolate, Sandbox};

/// The engine with its ticking thread, which ends when this is dropped.
pub struct Engine {
    inner: wasmtime::Engine,
    stop: Arc<Stop>,
    ticker: Option<JoinHandle<()>>,
    /// Whether compilers that work for it use all processors.
    is_parallel: bool,
}

#[derive(Default)]
struct Stop {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Engine {
    /// An engine for sandboxes with the limits that they have unless somebody says otherwise.
    ///
    /// # Errors
    /// When this machine cannot run compiled wasm, or the ticking thread cannot be started.
    pub fn new() -> Result<Self, EngineError> {
        Self::with(&Sandbox::default())
    }

    /// An engine with the features that the supported languages need, and no others; for sandboxes
    /// with these limits, of which it has the stack, and whether fuel is counted. Threads that
    /// guests run on have [`HOST_STACK_BYTES`](crate::settings::limits::HOST_STACK_BYTES) beside
    /// that stack.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with(limits: &Sandbox) -> Result<Self, EngineError> {
        Self::started(limits, true)
    }

    /// The same, but one that compiles on the thread that asks for it alone: however many others
    /// there are, it takes one processor.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn single_threaded(limits: &Sandbox) -> Result<Self, EngineError> {
        Self::started(limits, false)
    }

    fn started(limits: &Sandbox, is_parallel: bool) -> Result<Self, EngineError> {
        // Where there is no address space for a pool, each sandbox is mapped when it is made.
        let pooled = wasmtime::Engine::new(config(limits).allocation_strategy(pool(limits)));
        let inner = pooled
            .or_else(|_| wasmtime::Engine::new(&config(limits)))
            .map_err(|error| EngineError(error.to_string()))?;
        let stop = Arc::<Stop>::default();
        let ticker = std::thread::Builder::new()
            .name("epoch".into())
            .spawn({
                let (engine, stop) = (inner.clone(), Arc::clone(&stop));
                move || tick(&engine, &stop)
            })
            .map_err(|error| EngineError(error.to_string()))?;
        Ok(Self { inner, stop, ticker: Some(ticker), is_parallel })
    }

    /// An engine that starts no thread: nothing can be run in it, as nothing would stop it. What is
    /// compiled for it is for all engines with these limits.
    pub(super) fn to_compile(limits: &Sandbox) -> Result<Self, EngineError> {
        Self::to_compile_in(limits, true)
    }

    /// The same, in as many threads as there are processors, or in one.
    pub(super) fn to_compile_in(limits: &Sandbox, is_parallel: bool) -> Result<Self, EngineError> {
        let inner = wasmtime::Engine::new(config(limits).parallel_compilation(is_parallel))
            .map_err(|error| EngineError(error.to_string()))?;
        Ok(Self { inner, stop: Arc::default(), ticker: None, is_parallel })
    }

    pub(super) fn is_parallel(&self) -> bool {
        self.is_parallel
    }

    /// What it is made of: for tests of what the engine itself does with its switches.
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        *self.stop.set.lock() = true;
        self.stop.changed.notify_all();
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join(); // it has nothing to say, and cannot have panicked
        }
    }
}

/// The engine could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the engine: {0}")]
pub struct EngineError(String);

/// Of what is switched off here, garbage collection, threads, exceptions and async are not even
/// linked in. Whether fuel is counted is a part of what compiled code is kept under.
fn config(limits: &Sandbox) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(limits.fuel.is_some())
        .max_wasm_stack(limits.stack_bytes)
        // Of no use here; but the engine wants it to be no less.
        .async_stack_size(limits.stack_bytes + HOST_STACK_BYTES)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        .wasm_component_model(true)
        .wasm_multi_memory(true)
        .wasm_tail_call(true)
        .wasm_features(features::off(), false);
    config
}

/// Places for sandboxes, kept from one to the next: making one maps nothing and stops no other
/// thread. Nothing is refused here that the limits of a sandbox allow; they refuse with a text of
/// ours.
fn pool(limits: &Sandbox) -> PoolingAllocationConfig {
    // Overwriting what nobody has touched would cost a run of few sandboxes more than all else.
    let resident_bytes = match limits.isolate {
        Isolate::Chunk | Isolate::Source => POOL_RESIDENT_BYTES,
        Isolate::Job => 0,
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(POOL_INSTANCES)
        .total_core_instances(POOL_INSTANCES)
        .total_memories(POOL_MEMORIES)
        .total_tables(POOL_TABLES)
        .max_component_instance_size(INSTANCE_BYTES)
        .max_core_instance_size(INSTANCE_BYTES)
        .max_memories_per_module(MODULE_MEMORIES)
        .max_tables_per_module(MODULE_MEMORIES)
        .max_memory_size(MEMORY_BYTES_CEILING)
        .table_elements(TABLE_ELEMENTS_CEILING)
        .linear_memory_keep_resident(resident_bytes)
        .table_keep_resident(resident_bytes)
        .max_unused_warm_slots(POOL_WARM)
        .pagemap_scan(Enabled::No);
    pool
}

fn tick(engine: &wasmtime::Engine, stop: &Stop) {
    let mut set = stop.set.lock();
    while !*set {
        stop.changed.wait_for(&mut set, EPOCH_TICK);
        engine.increment_epoch();
    }
}
