//! Who remembers what becomes of sources, where that is not the ledger of a run: a watch, whose
//! ledger outlives each of its jobs.

use std::path::Path;

use super::ledger_mode::LedgerMode;
use super::output::is_tree;
use super::{identity, owned};
use crate::job::{Error, Made, Saved};
use crate::ledger::{Digest, Kept, Needs};
use crate::process::{Failure, Held};
use crate::source::Source;
use crate::spec::{JobSpec, Problem};

/// Receives the end of each source, from several threads.
pub trait Remembers: Sync {
    /// Whether it is the first job of several into one directory: what jobs that were killed have
    /// left there is removed by that one.
    fn is_first(&self) -> bool;

    /// Refuses an output that is another source's, as long as that is there.
    ///
    /// # Errors
    /// With what is said of the source instead.
    fn guard(&self, source: &Source, output: &Path) -> Result<(), Failure>;

    /// Remembers what became of a source. A file is in place by then.
    ///
    /// # Errors
    /// When it cannot be remembered: the job ends.
    fn save(&self, source: &Source, saved: Saved<'_>) -> Result<(), Error>;
}

/// What a ledger keeps of what came of a source, and how many bytes those are; outputs lie below
/// the real directory `out`.
pub fn kept(out: &Path, made: Made<'_>) -> (Kept, u64) {
    match made {
        Made::File { path, bytes, digest } => {
            let output = owned::remembered(out.join(path), bytes, digest);
            (Kept { output: Some(output), ..Kept::default() }, bytes)
        }
        Made::Result { result, state } => {
            let bytes = result.as_ref().map_or(0, |result| result.len()) as u64;
            (of_result(result, state), bytes)
        }
    }
}

/// What is kept of a source, charged until it is written.
fn of_result(result: Option<Held>, state: Option<Held>) -> Kept {
    let apart = |held: Option<Held>| held.map(Held::apart).unzip();
    let ((result, of_result), (saved, of_state)) = (apart(result), apart(state));
    let charged = [of_result.unwrap_or_default(), of_state.unwrap_or_default()];
    Kept { result, saved, output: None, charged }
}

/// What identifies a job that continues with new files, and the same for people: all that its
/// outputs depend on, and where they go.
///
/// # Errors
/// When a plugin cannot be read.
pub fn identify(spec: &JobSpec) -> Result<(Digest, String), Problem> {
    let results = Needs { result: true, saved: true, rejects_max: u64::MAX };
    let mode =
        if is_tree(&spec.output.out) { LedgerMode::Outputs } else { LedgerMode::Results(results) };
    let job = identity::decisive(spec, mode)?.canonical()?;
    let out = super::resolved::resolved(&spec.output.out);
    let digest = Digest::of([b"watch", job.as_bytes(), out.as_os_str().as_encoded_bytes()]);
    Ok((digest, identity::description(spec, LedgerMode::Outputs)))
}
