//! Descriptions of jobs: one that is accepted means the same once it has been written and read.

use std::path::Path;

use gristmill::spec::{Document, JobSpec};

/// A pipeline file.
///
/// # Panics
/// When a spec that was accepted is another one after it was written.
pub fn toml(data: &[u8]) -> bool {
    let read = Document::read(Path::new("/fuzzed/job.toml"), data, |_| true);
    read.is_ok_and(|document| written_and_read(&document.spec))
}

/// A spec in JSON.
///
/// # Panics
/// When a spec that was accepted is another one after it was written.
pub fn json(data: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(data) else { return false };
    JobSpec::from_json(text).is_ok_and(|spec| written_and_read(&spec))
}

/// Specs are compared as they are written: places in the file are not a part of that.
fn written_and_read(spec: &JobSpec) -> bool {
    let Ok(text) = spec.to_json() else { return false };
    let again = JobSpec::from_json(&text).and_then(|again| again.to_json());
    assert_eq!(again.map_err(|problem| problem.to_string()), Ok(text));
    true
}
