//! The engine: what guests may use of wasm, and the clock that stops them.
//!
//! One engine serves all plugins of a process. One thread advances its epoch; nobody else ever does, as that would
//! stop every guest at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use wasmtime::Config;

use crate::settings::limits::{EPOCH_TICK, STACK_BYTES};

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
    /// An engine with the features that the supported languages need, and no others.
    ///
    /// # Errors
    /// When this machine cannot run compiled wasm, or the ticking thread cannot be started.
    pub fn new() -> Result<Self, EngineError> {
        Self::of(&config())
    }

    /// One that compiles on the thread that asks for it alone, which is then charged for it.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn single_threaded() -> Result<Self, EngineError> {
        Self::of(config().parallel_compilation(false))
    }

    fn of(config: &Config) -> Result<Self, EngineError> {
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

/// Beyond what is switched here, garbage collection, threads, exceptions and async are not even linked in.
fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
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
