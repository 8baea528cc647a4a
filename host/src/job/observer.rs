//! What a job reports while it is prepared and while it runs: a progress bar, a list of failures
//! and a web page all come from here.

use std::fmt::Display;
use std::sync::Arc;

use crate::process::{Failure, LogLevel, trace_line};
use crate::stats::Stats;

/// Receives what a job does. Calls come from several threads; those for one source come in order.
pub trait Observer: Send + Sync {
    /// The job reads from now on: what it counts, and how many bytes there are to read, as far as
    /// they are known.
    fn begins(&self, _stats: &Arc<Stats>, _bytes: Option<u64>) {}

    /// A notice for the user that is no failure; one line of text.
    fn note(&self, _note: &str) {}

    /// A plugin logged a line. Unless somebody takes it, it goes to `tracing`.
    fn logged(&self, plugin: &str, level: LogLevel, line: &str) {
        trace_line(plugin, level, line);
    }

    /// A source failed; or, without a source, the total.
    fn failed(&self, _source: &str, _failure: &Failure) {}

    /// A source is done, whether it failed or not, after so many bytes.
    fn done(&self, _source: &dyn Display, _bytes: u64) {}

    /// The job has read what it reads, and writes no more.
    fn ends(&self) {}
}

/// Nobody listens.
impl Observer for () {}
