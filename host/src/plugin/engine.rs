//! The engine: what guests may use of wasm, and the clock that stops them.
//!
//! One engine serves all plugins of a process. One thread advances its epoch; nobody else ever does, as that would
//! stop every guest at once.

use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use wasmtime::Config;

use crate::settings::Sandbox;
use crate::settings::limits::{BACKTRACE_FRAMES_MAX, EPOCH_TICK, HOST_STACK_BYTES};

/// The engine with its ticking thread, which ends when this is dropped.
pub struct Engine {
    inner: wasmtime::Engine,
    stop: Arc<Stop>,
    ticker: Option<JoinHandle<()>>,
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

    /// An engine with the features that the supported languages need, and no others; for sandboxes with these limits, of which it
    /// has the stack, and whether fuel is counted. Threads that guests run on have
    /// [`HOST_STACK_BYTES`](crate::settings::limits::HOST_STACK_BYTES) beside that stack.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with(limits: &Sandbox) -> Result<Self, EngineError> {
        Self::started(&config(limits))
    }

    /// The same, but one that compiles on the thread that asks for it alone: however many others there are, it takes one processor.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn single_threaded(limits: &Sandbox) -> Result<Self, EngineError> {
        Self::started(config(limits).parallel_compilation(false))
    }

    fn started(config: &Config) -> Result<Self, EngineError> {
        let inner =
            wasmtime::Engine::new(config).map_err(|error| EngineError(error.to_string()))?;
        let stop = Arc::<Stop>::default();
        let ticker = std::thread::Builder::new()
            .name("epoch".into())
            .spawn({
                let (engine, stop) = (inner.clone(), Arc::clone(&stop));
                move || tick(&engine, &stop)
            })
            .map_err(|error| EngineError(error.to_string()))?;
        Ok(Self { inner, stop, ticker: Some(ticker) })
    }

    /// An engine that compiles on the calling thread alone, and starts none: nothing can be run in it, as nothing would stop it.
    /// What it compiles is for all engines of this process with these limits.
    pub(super) fn to_compile(limits: &Sandbox) -> Result<Self, EngineError> {
        let inner = wasmtime::Engine::new(config(limits).parallel_compilation(false))
            .map_err(|error| EngineError(error.to_string()))?;
        Ok(Self { inner, stop: Arc::default(), ticker: None })
    }

    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        *self.stop.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
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

/// Beyond what is switched here, garbage collection, threads, exceptions and async are not even linked in. Whether fuel is counted is a
/// part of what compiled code is kept under.
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
        .wasm_memory64(false);
    config
}

fn tick(engine: &wasmtime::Engine, stop: &Stop) {
    let mut set = stop.set.lock().unwrap_or_else(PoisonError::into_inner);
    while !*set {
        let waited = stop.changed.wait_timeout(set, EPOCH_TICK);
        set = waited.unwrap_or_else(PoisonError::into_inner).0;
        engine.increment_epoch();
    }
}
