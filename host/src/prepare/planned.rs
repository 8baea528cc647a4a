//! What a plan says: plain data, for people and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::output::PlannedTarget;
use crate::process::{Kind, Order, Scope};

/// A job before it is run.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// What it would read.
    pub sources: PlannedSources,
    /// Where sources are cut into records.
    pub framing: String,
    /// Chains that share one scan, each of plugins that take what the one before them gives.
    pub branches: Vec<Vec<PlannedStage>>,
    /// What runs at the same time: chunks of one source, or only whole sources.
    pub parallel: Parallel,
    /// Worker threads.
    pub threads: usize,
    /// Nominal size of chunks, in bytes.
    pub chunk_bytes: u64,
    /// What is decompressed.
    pub decompress: String,
    /// The encoding of text.
    pub encoding: String,
    /// What it may use.
    pub limits: PlannedLimits,
    /// What it would write.
    pub output: PlannedOutput,
}

/// The sources of a job.
#[derive(Debug, Default, Serialize)]
pub struct PlannedSources {
    /// How many there are.
    pub count: usize,
    /// Bytes of those whose size is known, as they are stored.
    pub bytes: u64,
    /// How many have no size before they are read.
    pub of_unknown_size: usize,
    /// The first names.
    pub first: Vec<String>,
    /// How many of them are members, by archive.
    pub archives: BTreeMap<String, usize>,
    /// The first that cannot be read, with the reason.
    pub unreadable: Vec<String>,
    /// How many cannot be read.
    pub unreadable_count: usize,
    /// Entries that are no regular files.
    pub non_regular: u64,
    /// Done already, as the ledger knows.
    pub skipped: u64,
}

/// A plugin of a job.
#[derive(Debug, Serialize)]
pub struct PlannedStage {
    /// What it is called.
    pub name: String,
    /// Its file.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// What it gives.
    pub kind: Kind,
    /// What it sees.
    pub scope: Scope,
    /// Whether the order of chunks matters to it.
    pub order: Order,
    /// Where it wants sources to be cut.
    pub framing: String,
    /// How many leading records of a source it is given with each chunk.
    pub header_records: u32,
    /// As the plugin receives them, with the defaults of the rest.
    pub settings: BTreeMap<String, String>,
}

/// What runs at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Parallel {
    /// Chunks of one source.
    Chunks,
    /// Chunks up to the stage of a chain that sees a source in order.
    Head,
    /// Sources.
    Sources,
    /// There is one thread.
    Nothing,
}

/// What a job may use.
#[derive(Debug, Serialize)]
pub struct PlannedLimits {
    /// Memory of one sandbox.
    pub memory_bytes: usize,
    /// Time of one call.
    pub timeout_ms: u128,
    /// Longest record.
    pub record_bytes: u64,
    /// Bytes that may come out of one compressed source.
    pub decompressed_bytes: u64,
    /// The same for each byte that goes in.
    pub ratio: u64,
    /// Members of one compressed source, or archive.
    pub members: u64,
    /// How much of a source may be set aside.
    pub rejects: Option<String>,
}

/// Where the output of a job would go.
#[derive(Debug, Serialize)]
pub struct PlannedOutput {
    /// What kind of place that is.
    pub to: PlannedTarget,
    /// Standard output has no path.
    pub path: Option<String>,
    /// What becomes of what is there already.
    pub exists: &'static str,
    /// What it survives.
    pub durable: &'static str,
    /// How it is compressed.
    pub compress: String,
    /// The first sources, and the files that their output goes to, below the path.
    pub first: Vec<PlannedName>,
    /// Outputs that are there already.
    pub there: usize,
    /// The file for records that are set aside.
    pub rejects: Option<String>,
    /// What remembers what is done.
    pub ledger: Option<String>,
    /// The file for figures.
    pub report: Option<String>,
}

/// A source, and what its output is called.
#[derive(Debug, Serialize)]
pub struct PlannedName {
    /// The source.
    pub source: String,
    /// Its output, below the directory.
    pub output: Option<String>,
    /// Why there can be none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
