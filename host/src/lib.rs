//! Gristmill runs `WebAssembly` plugins over files at the speed of native code.
//!
//! The library behind the binary `host`. [`job::run`] takes a list of [sources](source), a
//! [processor](process::Processor) (a [plugin], as a rule) and a writer for the results.
//! `ARCHITECTURE.md` says which module may use which; a test checks it.

pub mod cli;
pub mod input;
pub mod jail;
pub mod job;
pub mod ledger;
pub mod name;
pub mod output;
pub mod pipeline;
pub mod platform;
pub mod plugin;
pub mod prepare;
pub mod process;
mod remote;
pub mod settings;
pub mod slices;
pub mod source;
pub mod spec;
pub mod stats;
pub mod tenant;
pub mod watch;
pub mod work;

#[cfg(test)]
#[path = "../../tests/support/search.rs"]
mod search;
