//! Who does what, when: workers take chunks of sources, run instances over them, and merge what comes out.
//!
//! Knows processors only by their trait, and results only as bytes that it delivers. A worker never waits while it
//! holds anything that others wait for: what blocks is taking more work, so ordered output cannot deadlock.

mod cancel;
mod feed;
mod gate;
mod gather;
mod open;
mod ring;
mod settle;
mod tally;
mod threads;
mod times;
mod whole;
mod worker;

#[cfg(test)]
mod tests;

use crate::input::{Access, Cutter, Decoding};
use crate::process::{Failure, Kind, Processor, Reject};
use crate::settings;
use crate::source::Source;
use crate::stats::Stats;

pub use cancel::Cancel;
pub use gate::{Entered, Gate, in_turn};
pub use whole::check_rejected;

use feed::Feed;
use worker::Worker;

/// Takes what workers finish. Called from any worker, in any order.
pub trait Deliver: Sync {
    /// Whether a result is one that can be delivered. Asked of each source's before its state counts.
    ///
    /// # Errors
    /// Why not: the source fails with it.
    fn check(&self, result: &[u8]) -> Result<(), Failure>;

    /// What became of a source, or of a member of one; or a part of what comes out of it. Called once for each; for an archive with its failure, where it
    /// could not be read to its end.
    fn put(&self, slot: Slot, done: Done);

    /// An archive is at its end, behind so many members. Called once for each that did not fail.
    fn end(&self, source: usize, members: u64);

    /// The result over all sources, or why there is none. Called at most once, after all sources.
    fn total(&self, result: Result<Vec<u8>, Failure>);

    /// The result that others wait for, so many of them that nothing should be started but what brings it nearer; `own` is the
    /// source that the caller is at.
    fn blocked_on(&self, own: Option<At>) -> Option<At>;

    /// Waits until [`blocked_on`](Self::blocked_on) is no longer `at`.
    fn wait_while_blocked_on(&self, at: At);
}

/// Where a result stands among all: in the order of the sources, of the members of one, and of what comes out of its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct At {
    /// Position among the sources.
    pub source: usize,
    /// Position among the members of an archive; 0 for what is none.
    pub member: u64,
    /// Position among the chunks; 0 for a result over all.
    pub part: u64,
}

/// What comes after a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The next part of the same.
    Part,
    /// The next member of the same archive, or its end.
    Member,
    /// The next source.
    Source,
}

/// Where a result goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its place.
    pub at: At,
    /// What comes after it.
    pub end: End,
    /// The name, where it is not that of the source.
    pub member: Option<String>,
}

impl Slot {
    /// That of a source.
    pub fn source(index: usize) -> Self {
        let at = At { source: index, ..At::default() };
        Self { at, end: End::Source, member: None }
    }
}

/// What became of a source.
#[derive(Debug)]
pub struct Done {
    /// Bytes that were processed.
    pub bytes: u64,
    /// The result, or what came out of a chunk; `None` where only a total was asked for, or nothing is left to come. Or the first
    /// failure.
    pub result: Result<Option<Vec<u8>>, Failure>,
    /// Records that were set aside. Of a transformer it is for whoever takes them in order to see when they are too many.
    pub rejects: Vec<Reject>,
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
    /// Who says when its workers may work; none where they always may.
    pub gate: Option<&'a dyn Gate>,
}

/// Runs a plan to its end, on `settings.threads` workers.
///
/// # Errors
/// When the threads cannot be started. What goes wrong with a source is delivered; what ends the whole job
/// is in `cancel`.
pub fn run(plan: &Plan<'_>) -> Result<(), std::io::Error> {
    let feed = Feed::new(plan);
    // What gives bytes has no states to be brought together.
    let wanted = plan.settings.show.total && plan.processor.traits().kind == Kind::Aggregator;
    let total = wanted.then(|| tally::gather(plan));
    if plan.sources.is_empty() && total.is_some() {
        tally::empty(plan);
        return Ok(());
    }
    threads::on_each(plan.settings.threads, || Worker::new(plan, &feed, total.as_ref()).run())
}
