//! Who does what, when: workers take chunks of sources, run instances over them, and merge what
//! comes out.
//!
//! Knows processors only by their trait, and results only as bytes that it delivers. A worker never
//! waits while it holds anything that others wait for: what blocks is taking more work, so ordered
//! output cannot deadlock.

mod ahead;
mod cancel;
mod fault;
mod feed;
mod gate;
mod layout;
mod merge_into;
mod merge_tree;
mod open;
mod output_unit;
mod queue;
mod ring;
mod threads;
mod times;
mod total_share;
mod worker;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::input::{Access, Cutter, Decoding};
use crate::process::{Failure, Held, Kind, Processor, Reject, Scope, Split};
use crate::settings;
use crate::settings::limits::HOST_STACK_BYTES;
use crate::source::Source;
use crate::stats::Stats;

pub use cancel::Cancel;
pub use gate::{Entered, Gate, in_turn, renew_turn};
pub use output_unit::check_rejected;

use feed::Feed;
use queue::Queue;
use worker::Worker;

/// Takes what workers finish. Called from any worker, in any order.
pub trait Deliver: Sync {
    /// Whether a result is one that can be delivered. Asked of each source's before its state
    /// counts.
    ///
    /// # Errors
    /// Why not: the source fails with it.
    fn check(&self, result: &[u8]) -> Result<(), Failure>;

    /// What became of a source, or of a member of one; or a part of what comes out of it. Called
    /// once for each; for an archive with its failure, where it could not be read to its end.
    fn put(&self, slot: ResultSlot, done: Done);

    /// An archive is at its end, behind so many members. Called once for each that did not fail.
    fn end(&self, source: usize, members: u64);

    /// The result over all sources, or why there is none. Called at most once, after all sources.
    fn total(&self, result: Result<Held, Failure>);

    /// The result that others wait for, so many of them that nothing should be started but what
    /// brings it nearer; `own` is the source that the caller is at.
    fn next_required(&self, own: Option<Position>) -> Option<Position>;

    /// Waits until [`next_required`](Self::next_required) is no longer `at`.
    fn wait_for_next_required(&self, at: Position);
}

/// Where a result stands among all: in the order of the sources, of the members of one, and of what
/// comes out of its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
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
pub struct ResultSlot {
    /// Its place.
    pub at: Position,
    /// What comes after it.
    pub end: End,
    /// The path of a member that was found in the source, as that of a source of its own; its name
    /// is bytes.
    pub member: Option<PathBuf>,
}

impl ResultSlot {
    /// That of a source.
    pub fn source(index: usize) -> Self {
        let at = Position { source: index, ..Position::default() };
        Self { at, end: End::Source, member: None }
    }
}

/// What became of a source.
#[derive(Debug)]
pub struct Done {
    /// Bytes that were processed.
    pub bytes: u64,
    /// The result, or what came out of a chunk; `None` where only a total was asked for, or nothing
    /// is left to come. Or the first failure.
    pub result: Result<Option<Held>, Failure>,
    /// The state of an aggregator, where a total is asked for.
    pub state: Option<Held>,
    /// Records that were set aside. For a transformer, the consumer that takes them in order checks
    /// when they are too many.
    pub rejects: Vec<Reject>,
    /// How that is known.
    pub origin: Origin,
}

/// How it is known what became of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was processed.
    Processed,
    /// An earlier run has left it.
    Recalled,
}

/// What an earlier run has left of a source, which is what this one would make of it. What is not
/// wanted is not there.
#[derive(Debug, PartialEq, Eq)]
pub struct Recalled {
    /// Bytes that were processed.
    pub bytes: u64,
    /// The result.
    pub result: Option<Held>,
    /// The state.
    pub state: Option<Held>,
}

/// Gives what an earlier run has left of the source at an index, if it has. Called at most once for
/// each, by any worker.
pub type Recall<'a> = dyn Fn(usize) -> Option<Recalled> + Sync + 'a;

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
    /// What need not be processed, where anything is known.
    pub recall: Option<&'a Recall<'a>>,
    /// Where results go.
    pub deliver: &'a dyn Deliver,
    /// Who says when its workers may work; none where they always may.
    pub gate: Option<&'a dyn Gate>,
    /// Which rejected records are looked up in their sources, to report their lines.
    pub locate: Locate,
}

/// Some of the records that are set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locate {
    /// The first of each source.
    First,
    /// Every one.
    All,
}

impl<'a> Plan<'a> {
    /// The processor in two. One worker runs all stages over a chunk while it is hot.
    fn split(&self) -> Option<Split<'a>> {
        if self.settings.threads > 1 { self.processor.split() } else { None }
    }

    /// Notes that a source is an archive whose bytes plugins are given as text: nothing in its name
    /// said that it is one, or it is in another. Where records are no text, as those of a checksum,
    /// all bytes of a file are what is wanted.
    fn note_archive(&self, whole: &output_unit::OutputUnit<'_>) {
        if self.settings.archives && self.cutter.framing.is_text() {
            self.stats.add_unopened(whole.at.source, whole.at.member, whole.name());
        }
    }

    /// How far workers spread the chunks of a source.
    fn scope(&self) -> Scope {
        match self.split() {
            Some(split) => split.head.traits().scope,
            None => self.processor.traits().scope,
        }
    }
}

/// Runs a plan to its end, on `settings.threads` workers.
///
/// # Errors
/// When the threads cannot be started. What goes wrong with a source is delivered; what ends the
/// whole job is in `cancel`.
pub fn run(plan: &Plan<'_>) -> Result<(), std::io::Error> {
    let feed = Feed::new(plan);
    // What gives bytes has no states to be brought together.
    let wanted = plan.settings.show.total && plan.processor.traits().kind == Kind::Aggregator;
    let total = wanted.then(|| total_share::tree(plan));
    if plan.sources.is_empty() && total.is_some() {
        total_share::empty(plan);
        return Ok(());
    }
    let (window_bytes, memory) = (plan.settings.window_bytes, plan.stats.memory());
    let queue = plan.split().map(|split| Queue::new(split, window_bytes, memory));
    let worker = || Worker::new(plan, &feed, queue.as_ref(), total.as_ref());
    let stack_bytes = plan.settings.sandbox.stack_bytes + HOST_STACK_BYTES;
    threads::on_each(plan.settings.threads, stack_bytes, || worker().run())
}
