//! What memory a job can come to hold: the most of its instances, and what streams, decoders and
//! waiting results take as a rule.

use crate::process::Kind;
use crate::settings::limits::{AHEAD_CHUNKS, DECODER_BYTES, WINDOW_PART};
use crate::settings::{Isolate, Run};
use crate::stats::Need;

/// What a job of so many plugins, the last of that kind, needs.
///
/// A worker has an instance of each plugin, and another of each for its share of a total.
pub fn need(plugins: usize, kind: Kind, settings: &Run) -> Need {
    let shares = if kind == Kind::Aggregator && settings.show.total { 2 } else { 1 };
    // Where sandboxes are alone with a source or a chunk, the next is there before the last is
    // gone.
    let next = usize::from(settings.sandbox.isolate != Isolate::Job);
    let instances = (plugins.max(1) * (shares + next)) as u64;
    // Those that are read ahead, one that is run, and one that is free.
    let chunks = (AHEAD_CHUNKS as u64 + 2).saturating_mul(settings.chunk_bytes);
    Need {
        once_bytes: settings.window_bytes as u64,
        worker_bytes: instances
            .saturating_mul(settings.sandbox.memory_bytes as u64)
            .saturating_add(chunks)
            .saturating_add(DECODER_BYTES),
        workers: settings.threads,
    }
}

/// Lets no more results wait than there is memory for.
pub fn fit_window(settings: &mut Run, memory_bytes: u64) {
    let share = usize::try_from(memory_bytes / WINDOW_PART).unwrap_or(usize::MAX);
    settings.window_bytes = settings.window_bytes.min(share);
}
