//! Sources that are outputs: what lies below the output where a directory that is read holds that,
//! what an earlier run of the same job has made beside its sources, and temporary files of runs
//! that were killed. They were not meant.

use std::path::{Path, PathBuf};

use super::output::is_tree;
use super::resolved::resolved;
use crate::job::Observer;
use crate::output::is_temporary;
use crate::settings::Key;
use crate::source::{Address, Listing};

/// Takes what lies below the directory `out` from the listing, where one of `inputs` holds it, and
/// temporary files; says so.
pub(super) fn remove_below(
    listing: &mut Listing,
    inputs: &[PathBuf],
    out: &Path,
    events: &dyn Observer,
) {
    let all = listing.sources.len();
    listing.sources.retain(|source| {
        let name = source.path.end().file_name().unwrap_or_default();
        !is_temporary(name.as_encoded_bytes())
            || inputs.iter().any(|input| *input == source.path.to_path())
    });
    note_count(events, all - listing.sources.len(), "temporary files of other runs were not read");
    if out.as_os_str() == "-" || Address::of(out).is_some() || !is_tree(out) {
        return;
    }
    let out = resolved(out);
    let all = listing.sources.len();
    for input in directories(inputs) {
        let Ok(below) = out.strip_prefix(&input.real) else { continue };
        if !below.as_os_str().is_empty() {
            let own = input.named.join(below);
            listing.sources.retain(|source| !source.path.to_path().starts_with(&own));
        }
    }
    let what = format!("files below {} were not read, as they are outputs", Key("out"));
    note_count(events, all - listing.sources.len(), &what);
}

/// Removes outputs from the listing (`is_output` decides by the absolute path), with a note to the
/// user.
pub(super) fn remove_outputs(
    listing: &mut Listing,
    inputs: &[PathBuf],
    is_output: impl Fn(&Path) -> bool,
    events: &dyn Observer,
) {
    let all = listing.sources.len();
    for input in directories(inputs) {
        listing.sources.retain(|source| {
            let path = source.path.to_path();
            let below = path.strip_prefix(input.named);
            !below.is_ok_and(|below| is_output(&input.real.join(below)))
        });
    }
    note_count(
        events,
        all - listing.sources.len(),
        "files were not read, as they are outputs of this job",
    );
}

/// A directory that is read.
struct Directory<'a> {
    named: &'a Path,
    real: PathBuf,
}

fn directories(inputs: &[PathBuf]) -> impl Iterator<Item = Directory<'_>> {
    let local = inputs.iter().filter(|input| Address::of(input).is_none() && input.is_dir());
    local.map(|input| Directory { named: input, real: resolved(input) })
}

fn note_count(events: &dyn Observer, count: usize, what: &str) {
    if count > 0 {
        events.note(&format!("{count} {what}"));
    }
}
