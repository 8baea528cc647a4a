//! A job that was submitted, as the one who submitted it sees it. Dropping the handle leaves the
//! job alone: it belongs to its host.

use std::sync::{Arc, OnceLock};

use parking_lot::{Condvar, Mutex};

use super::error::{JobError, QuotaExceeded};
use crate::job::Summary;
use crate::process::Failure;
use crate::stats::{MemoryBudget, Report, Stats};
use crate::work::Cancel;

/// A job that was submitted. Its clones are of the same job; when the last is dropped, the job goes
/// on.
#[derive(Clone)]
pub struct JobHandle {
    pub(super) state: Arc<State>,
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Sources, once they are listed.
    pub sources: Option<u64>,
    /// Sources that are done, failed ones and members of archives among them.
    pub done: u64,
    /// Those that failed.
    pub failed: u64,
    /// Bytes that plugins have taken.
    pub bytes_in: u64,
    /// Bytes that plugins have given.
    pub bytes_out: u64,
    /// Whether it has ended.
    pub has_ended: bool,
}

/// How a job ended that came to its end.
#[derive(Debug)]
pub struct Ended {
    /// What was done.
    pub summary: Summary,
    /// The first sources that failed, in their order, as many as are kept.
    pub failures: Vec<(String, Failure)>,
    /// What was counted.
    pub report: Report,
}

/// What a handle and the job's thread share.
#[derive(Default)]
pub(super) struct State {
    pub(super) cancel: Arc<Cancel>,
    pub(super) stats: Arc<Stats>,
    pub(super) sources: OnceLock<u64>,
    /// The quota that ended it.
    pub(super) exceeded: OnceLock<QuotaExceeded>,
    ended: Mutex<Option<Arc<Result<Ended, JobError>>>>,
    changed: Condvar,
}

impl JobHandle {
    /// Asks the job to end. Sources that are done stay done; an output file that is not whole is
    /// not seen.
    pub fn cancel(&self) {
        self.state.cancel.set();
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let State { stats, sources, ended, .. } = &*self.state;
        Progress {
            sources: sources.get().copied(),
            done: stats.sources(),
            failed: stats.failed(),
            bytes_in: stats.bytes(),
            bytes_out: stats.out(),
            has_ended: ended.lock().is_some(),
        }
    }

    /// Waits until it has ended; says how. May be asked by many, and again.
    pub fn wait(&self) -> Arc<Result<Ended, JobError>> {
        let mut ended = self.state.ended.lock();
        loop {
            if let Some(ended) = &*ended {
                return Arc::clone(ended);
            }
            self.state.changed.wait(&mut ended);
        }
    }
}

impl State {
    /// A job whose memory is charged to that.
    pub(super) fn within(memory: Arc<MemoryBudget>) -> Self {
        Self { stats: Arc::new(Stats::within(memory)), ..Self::default() }
    }

    /// Says how the job ended; the first to say so is right.
    pub(super) fn end(&self, how: Result<Ended, JobError>) {
        let mut ended = self.ended.lock();
        ended.get_or_insert_with(|| Arc::new(how));
        self.changed.notify_all();
    }
}
