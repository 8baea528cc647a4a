//! Who does what, when: workers take chunks of sources, run instances over them, and merge what comes out.
//!
//! Knows processors only by their trait, and results only as bytes that it delivers. A worker never waits while it
//! holds anything that others wait for: what blocks is taking more work, so ordered output cannot deadlock.

mod cancel;
mod feed;
mod gather;
mod open;
mod ring;
mod settle;
mod tally;
mod threads;
mod times;
mod worker;

#[cfg(test)]
mod tests;

use crate::input::{Access, Cutter, Decoding};
use crate::process::{Failure, Processor};
use crate::settings;
use crate::source::Source;
use crate::stats::Stats;

pub use cancel::Cancel;

use feed::Feed;
use gather::Gather;
use worker::Worker;

/// Takes what workers finish. Called from any worker, in any order, once for each source.
pub trait Deliver: Sync {
    /// Whether a result is one that can be delivered. Asked of each source's before its state counts.
    ///
    /// # Errors
    /// Why not: the source fails with it.
    fn check(&self, result: &[u8]) -> Result<(), Failure>;

    /// What became of the source at `index`: its result, where one was asked for, or why it failed.
    fn source(&self, index: usize, done: Done);

    /// The result over all sources, or why there is none. Called at most once, after all sources.
    fn total(&self, result: Result<Vec<u8>, Failure>);

    /// Whether so many results wait for their turn that no more should be started, but for the source
    /// that they wait for: its index.
    fn blocked_on(&self) -> Option<usize>;

    /// Waits until [`blocked_on`](Self::blocked_on) is no longer `index`.
    fn wait_while_blocked_on(&self, index: usize);
}

/// What became of a source.
#[derive(Debug)]
pub struct Done {
    /// Bytes that were processed.
    pub bytes: u64,
    /// The result, `None` where only a total was asked for; or the first failure.
    pub result: Result<Option<Vec<u8>>, Failure>,
}

/// Everything that a pass over sources needs.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// What to read, in the order of the results.
    pub sources: &'a [Source],
    /// What to do with it.
    pub processor: &'a dyn Processor,
    /// Where to cut.
    pub cutter: Cutter,
    /// How sources are opened.
    pub access: &'a Access,
    /// What to decompress.
    pub decoding: Decoding,
    /// How to go about it.
    pub settings: &'a settings::Run,
    /// How to stop.
    pub cancel: &'a Cancel,
    /// What is counted.
    pub stats: &'a Stats,
    /// Where results go.
    pub deliver: &'a dyn Deliver,
}

/// Runs a plan to its end, on `settings.threads` workers.
///
/// # Errors
/// When the threads cannot be started. What goes wrong with a source is delivered; what ends the whole job
/// is in `cancel`.
pub fn run(plan: &Plan<'_>) -> Result<(), std::io::Error> {
    let feed = Feed::new(plan);
    let total = plan
        .settings
        .show
        .total
        .then(|| Gather::new(Some(plan.sources.len() as u64), plan.processor.traits().order));
    if plan.sources.is_empty() && total.is_some() {
        tally::empty(plan);
        return Ok(());
    }
    threads::on_each(plan.settings.threads, || Worker::new(plan, &feed, total.as_ref()).run())
}
