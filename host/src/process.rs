//! The seam between work and sandboxes: what the scheduler may ask of a processor, and how a call
//! may fail.
//!
//! Knows no wasm, no file and no thread, and of what is counted the memory alone, so `work/` and
//! `job.rs` are tested with processors that are a few lines of plain Rust. Implemented for real by
//! `plugin/`.

pub mod branches;
mod detail;
mod failure;
mod header;
mod log;
mod reject;

use std::sync::Arc;
use std::time::Duration;

pub use detail::{ChunkPlace, Detail};
pub use failure::{Failure, FailureKind};
pub use header::Header;
pub use log::{LOG_TARGET, LogLevel, LogSink, trace_line};
pub use reject::Reject;

pub use crate::stats::{Charge, Charged, Held, MemoryBudget, spare};

/// The results of the chunks of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One result: bytes in, one result out.
    Aggregator,
    /// Something of each: bytes in, bytes out.
    Transformer,
}

/// How far the chunks of one source may be spread (`scope` of the contract).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Chunks of one source run in parallel.
    Chunk,
    /// One resource sees every chunk of a source, in order.
    Source,
}

/// Whether the order of chunks matters to the result (`order` of the contract).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// A state is merged with its right-hand neighbour only.
    Kept,
    /// States are merged as they come.
    Any,
}

/// What the scheduler needs to know of a processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    /// The results of chunks.
    pub kind: Kind,
    /// How far chunks may be spread.
    pub scope: Scope,
    /// Whether their order matters.
    pub order: Order,
    /// How many leading records every resource is given as its header.
    pub header_records: u32,
}

/// What a resource is opened for. A total over sources has an empty name.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Name of the source, as the user gave it.
    pub name: &'a str,
    /// Its first records, as many as [`Traits::header_records`] asks for.
    pub header: &'a Header,
}

impl Default for Opening<'_> {
    fn default() -> Self {
        Self { name: "", header: Header::NONE }
    }
}

/// Where a chunk stands in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Position among the chunks of the source, from 0.
    pub index: u64,
    /// Offset of the first byte in the source.
    pub offset: u64,
    /// Whether this is the last chunk of the source.
    pub last: bool,
}

/// What came of a chunk.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// How much of the call went into filling the chunk.
    pub filling: Duration,
    /// What comes out of it; nothing of an aggregator.
    pub output: Held,
}

/// Told at each tick of the engine that a guest runs on the calling thread.
pub trait Pause: Send + Sync + std::fmt::Debug {
    /// Returns when the guest may go on. What it takes is no time of the guest's.
    fn pause(&self);
}

/// A promise to write bytes: the length is known before the sandbox is entered, the bytes are
/// written once the guest has allocated room for them.
pub trait ChunkReader: Send {
    /// How many bytes will be written.
    fn len(&self) -> usize;

    /// Whether there is nothing to write.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes all of `into`, which is [`len`](ChunkReader::len) bytes long. Called once by a call;
    /// once more where that has failed and the chunk is run again in a fresh sandbox, or its bytes
    /// are to be kept.
    ///
    /// # Errors
    /// When the bytes cannot be had: the source fails, and the instance that was being filled is
    /// dropped.
    fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure>;
}

/// Bytes that are in memory already.
impl ChunkReader for &[u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure> {
        into.copy_from_slice(self);
        Ok(())
    }
}

/// A processor in two, where only what comes behind has to see a source in order. Resources of both
/// are opened with the same header.
#[derive(Clone, Copy)]
pub struct Split<'a> {
    /// A transformer whose chunks run in parallel.
    pub head: &'a dyn Processor,
    /// Takes what comes out of that, chunk by chunk, in the order of the source.
    pub tail: &'a dyn Processor,
}

/// A compiled plugin with its settings, shared by all workers.
/// ```no_run
#[doc = include_str!("../examples/own_processor.rs")]
/// ```
pub trait Processor: Sync {
    /// What the scheduler needs to know.
    fn traits(&self) -> &Traits;

    /// The same in two; `None` where its scope says all.
    fn split(&self) -> Option<Split<'_>> {
        None
    }

    /// What is held because of it is charged to that.
    fn memory(&self) -> Arc<MemoryBudget>;

    /// A new instance, owned by the calling worker.
    ///
    /// # Errors
    /// When the sandbox cannot be made or refuses its settings.
    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure>;
}

/// One sandbox with at most one open resource. After any error it must be dropped, and before that
/// only [`forget`](Self::forget) may be called: the guest may be halfway through anything. It
/// belongs to one worker at a time, which may hand it on between calls.
pub trait Instance: Send {
    /// Opens the resource that the next calls are for.
    ///
    /// # Errors
    /// When the guest traps or overruns a limit, here and in every method below.
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure>;

    /// Hands over one chunk. With the last chunk of a source, a transformer says all that is left
    /// to say.
    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure>;

    /// The records that were set aside since the last call of this method.
    fn take_rejects(&mut self) -> Vec<Reject> {
        Vec::new()
    }

    /// All since the open resource was opened is done again in another instance: its counts and
    /// rejects since then are discarded, and its failure is not reported. The one method that may
    /// be called after an error.
    fn forget(&mut self) {}

    /// The chunk that has failed is done again in another instance: what it has counted and set
    /// aside counts for nothing. May be called after an error, as [`forget`](Self::forget).
    fn forget_chunk(&mut self) {}

    /// The open resource as one that has a state and a result, which those of aggregators are. A
    /// transformer leaves it at this.
    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        let message = "a transformer has neither states nor results";
        Err(Failure::new(FailureKind::Start, message))
    }

    /// Closes the open resource without asking for a result.
    fn close(&mut self) -> Result<(), Failure>;

    /// Whether the instance should make room for a new one now that nothing is open in it.
    fn spent(&self) -> bool;
}

/// What an aggregator has open in its instance.
pub trait Accumulate {
    /// Its state; it stays open.
    ///
    /// # Errors
    /// As those of [`Instance`], here and below.
    fn save(&mut self) -> Result<Held, Failure>;

    /// Takes in the state that stands right after its own.
    fn merge(&mut self, state: &[u8]) -> Result<(), Failure>;

    /// Its result; it is closed.
    fn finish(&mut self) -> Result<Held, Failure>;
}
