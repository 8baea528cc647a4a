//! The figures of a run, as they are written by `--report`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::UnopenedArchives;

/// One run in figures. Field names are the keys of the JSON report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Sources that are done, failed ones among them.
    pub files: u64,
    /// Sources that failed.
    pub failed: u64,
    /// Bytes that the plugin was given.
    pub bytes: u64,
    /// Wall-clock time from the first listing to the last result.
    pub seconds: f64,
    /// Million bytes a second of wall-clock time.
    pub mb_per_second: f64,
    /// Largest resident set of the process so far.
    pub peak_rss_bytes: u64,
    /// The most that the guests' memories, streams, decoders' windows and waiting results came to
    /// at one time.
    pub memory_bytes_peak: u64,
    /// Worker threads.
    pub threads: usize,
    /// Instances that were made.
    pub instances: u64,
    /// What a fresh instance took on average, in microseconds: made, described and configured.
    pub instance_us: f64,
    /// Chunks that failed in a sandbox which had run others, and were run once more in a fresh one.
    pub retries: u64,
    /// Records that the plugin set aside.
    pub rejected: u64,
    /// Times that U+FFFD took the place of bytes that are no text in their encoding.
    pub replaced: u64,
    /// Records that were set aside: of how many sources, and where the first was.
    pub set_aside: SetAside,
    /// Directory entries that were skipped because they are no regular files.
    pub non_regular: u64,
    /// Sources that were not read: the ledger knows them as done, or their output is there and is
    /// to be left.
    pub skipped: u64,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
    /// Sources whose text was brought into UTF-8, or whose mark was taken off, by what they were
    /// in.
    pub encodings: BTreeMap<String, u64>,
    /// Archives that were read as the text of which they are none, as neither their names nor a
    /// flag said so.
    pub unopened_archives: UnopenedArchives,
    /// The plugin's own counters.
    pub counters: BTreeMap<String, u64>,
    /// The first failures, in the order of the sources.
    pub failures: Vec<Failed>,
    /// Where the workers' time went, summed over threads.
    pub thread_seconds: Seconds,
}

/// Records that plugins have set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SetAside {
    /// How many.
    pub records: u64,
    /// Of how many sources, members of archives among them.
    pub sources: u64,
    /// The first, in the order of the sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<FirstSetAside>,
}

/// Where the first record that was set aside was, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstSetAside {
    /// Name of the source.
    pub source: String,
    /// The line that it begins in, from 1, where that is known.
    pub line: Option<u64>,
    /// Where it begins in the source, decompressed, where that is known.
    pub offset: Option<u64>,
    /// The stage that set it aside, in a chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

/// A source that failed.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// Its name.
    pub source: String,
    /// Word of the kind of failure.
    pub kind: &'static str,
    /// What happened.
    pub message: String,
    /// The way out, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The settings that the way out names, as a spec calls them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// Where a plugin failed: call, chunk, limits and backtrace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
}

/// Thread time by what it was spent on.
#[derive(Debug, Serialize)]
pub struct Seconds {
    /// Opening, and reading into sandboxes.
    pub read: f64,
    /// In the guest while it takes chunks, on the way in and out, and finding where to cut.
    pub guest: f64,
    /// Saving and merging states, and finishing results.
    pub merge: f64,
    /// Delivering results.
    pub write: f64,
}

/// Largest resident set of this process so far, 0 where it cannot be had (`VmHWM` of proc(5), in
/// KiB).
pub(super) fn peak_rss_bytes() -> u64 {
    // Not `getrusage`: its figure survives exec and may be that of the parent.
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        })
        .map_or(0, |kib| kib * 1024)
}
