//! Keeps the first failures of a job for its report, and passes all of them on to the front end's
//! observer.

use std::fmt::Display;
use std::sync::Arc;

use parking_lot::Mutex;

use super::output::Outlets;
use crate::job::Observer;
use crate::process::Failure;
use crate::settings::limits::FAILURES_REPORTED_MAX;
use crate::settings::{keys, named};
use crate::stats::{Failed, Stats};

/// Listens in between.
pub(super) struct Recorder<'a> {
    events: &'a dyn Observer,
    outlets: &'a dyn Outlets,
    kept: Mutex<Vec<Failed>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(events: &'a dyn Observer, outlets: &'a dyn Outlets) -> Self {
        Self { events, outlets, kept: Mutex::default() }
    }

    /// The first failures.
    pub(super) fn kept(self) -> Vec<Failed> {
        self.kept.into_inner()
    }
}

impl Observer for Recorder<'_> {
    fn begins(&self, stats: &Arc<Stats>, bytes: Option<u64>) {
        self.events.begins(stats, bytes);
    }

    fn note(&self, note: &str) {
        self.events.note(note);
    }

    fn failed(&self, source: &str, failure: &Failure) {
        self.events.failed(source, failure);
        let mut kept = self.kept.lock();
        if kept.len() >= FAILURES_REPORTED_MAX {
            return;
        }
        let name = |key: &str| self.outlets.name(key);
        kept.push(Failed {
            source: source.to_string(),
            kind: failure.kind.word(),
            message: failure.message.clone(),
            hint: failure.hint.as_deref().map(|hint| named(hint, name).into_owned()),
            settings: failure.hint.iter().flat_map(|hint| keys(hint)).map(str::to_string).collect(),
            detail: failure.detail.as_ref().and_then(|it| serde_json::to_value(it).ok()),
        });
    }

    fn done(&self, source: &dyn Display, bytes: u64) {
        self.events.done(source, bytes);
    }

    fn ends(&self) {
        self.events.ends();
    }
}
