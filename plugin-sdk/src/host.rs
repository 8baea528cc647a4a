//! What a plugin may ask of the host. In WebAssembly this calls the contract's `host` interface; on
//! other targets the calls are recorded, for tests to look at.

#[cfg(target_family = "wasm")]
use crate::bindings::calls as backend;
#[cfg(not(target_family = "wasm"))]
use crate::testing::recorder as backend;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the author of the plugin.
    Debug,
    /// For users who want to see what the plugin does.
    Info,
    /// Something is odd, and the plugin goes on.
    Warn,
    /// Something is wrong.
    Error,
}

/// Adds `by` to a counter that the host reports and exports as a metric. Count once a chunk, not
/// once a record: a call costs about as much as reading a kilobyte.
pub fn count(counter: &str, by: u64) {
    backend::count(counter, by);
}

/// Sets one bad record aside, in the job's reject sink, and goes on. `offset` is where in the chunk
/// the record begins, in bytes: [`records::offset`](crate::records::offset) tells.
pub fn reject(offset: u64, reason: &str, data: &[u8]) {
    backend::reject(crate::call::in_chunk(offset), reason, data);
}

pub(crate) fn log(level: Level, message: &str) {
    backend::log(level, message);
}
