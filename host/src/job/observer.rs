//! What a job tells while it is prepared and while it runs: the one way to a bar, a list of
//! failures, a page.

use std::fmt::Display;
use std::sync::Arc;

use crate::process::{Failure, LogLevel, trace_line};
use crate::stats::Stats;

/// Is told what a job does. What it is told comes from several threads, but of one source in its
/// order.
pub trait Observer: Send + Sync {
    /// The job reads from now on: what it counts, and how many bytes there are to read, as far as
    /// they are known.
    fn begins(&self, _stats: &Arc<Stats>, _bytes: Option<u64>) {}

    /// Something that is no failure, and that whoever started the job would want to know; a line of
    /// text.
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
