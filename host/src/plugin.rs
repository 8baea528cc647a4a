//! Plugins: loaded, checked, compiled once, and run in instances. The only code that knows
//! wasmtime.
//!
//! A plugin reaches what the contract lists and nothing else: a component that imports more is
//! refused at load, by name. Knows nothing of files that are processed, or of threads.

mod aggregator;
mod budget;
mod cache;
mod clock;
mod code;
mod compile;
mod contract;
mod engine;
mod error;
mod exports;
mod failure_recorder;
mod fault;
mod features;
mod guest;
mod guest_write;
mod inspect;
mod lease;
mod load;
mod manifest;
mod options;
mod probe;
mod replay;
mod repro;
mod sandbox;
mod sealed;
#[cfg(test)]
mod seeded;
mod shape;
mod transformer;
mod wrap;

pub use budget::Budget;
pub use cache::{Cache, CacheState};
pub use compile::{Compiling, compile_if_asked, warm};
pub use contract::{Entry, Setting};
pub use engine::{Engine, EngineError};
pub use error::LoadError;
pub use inspect::{Inspection, inspect};
pub use load::{Compiled, Plugin};
pub use manifest::Manifest;
pub use options::{Options, Rejects};
pub use probe::{ENGINE_VERSION, cpu_features, probe};
pub use replay::{Replayed, ReproError, replay};
pub use repro::{Bundle, Keeper};
pub use wrap::Binary;
