//! Files as they arrive, each processed once: a watch goes on with one job for as long as it is
//! left running, across crashes, storms of files and full disks.
//!
//! The list of a directory is the truth. Events only shorten the wait for the next one: they are
//! lost where a queue overflows, where a directory is made and filled at once, and on network file
//! systems. Each version of each file has a row in the ledger; nothing is concluded from times, or
//! from the order in which files come.
//!
//! # What holds after a kill at any instant
//! A file is committed when its output is in place, in one transaction with what is remembered of
//! it. One that was only begun is processed again, and its output replaces the same. A file is
//! removed or moved after its commit, and only in the version that was committed.

mod accepted;
mod after;
mod append;
mod batch;
mod begin;
mod events;
mod explain;
mod finish;
mod follow;
mod intake;
mod pause;
mod ran;
mod rates;
mod ready;
mod session;
mod take;
mod tree;
mod version;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::job::Observer;
use crate::ledger::{self, Ledger};
use crate::prepare::{self, FoundSource, JobEnded, Plan, Remembers};
use crate::settings::limits::{WATCH_BACKOFF, WATCH_BACKOFF_MAX, WATCH_EVENTS};
use crate::spec::{JobSpec, Problem};
pub use accepted::identity;
pub use explain::{explain, is_inode, is_version, real};

use accepted::is_tree;
use events::Signal;
use follow::Follow;
use session::Session;

/// How a front end runs a job.
pub trait Runs: Sync {
    /// Shows what a job would do, without a look at any source.
    ///
    /// # Errors
    /// When it cannot be run.
    fn plan(&self, spec: &JobSpec) -> Result<Plan, Problem>;

    /// What the output of a source is called, below the directory for all.
    ///
    /// # Errors
    /// When there can be none.
    fn output_name(
        &self,
        spec: &JobSpec,
        named: &[PathBuf],
        source: &Path,
    ) -> Result<PathBuf, Problem>;

    /// Runs it to its end; `out` is what it has for standard output.
    ///
    /// # Errors
    /// When it cannot be run.
    fn run(
        &self,
        spec: &JobSpec,
        given: &Given<'_>,
        events: &Arc<dyn Observer>,
        out: Box<dyn Write + Send>,
    ) -> Result<JobEnded, Problem>;

    /// Stack of the thread that it is run on, in bytes.
    fn stack_bytes(&self) -> usize;
}

/// What a watch gives a job beside its spec.
pub struct Given<'a> {
    /// The directories that outputs are named from.
    pub named: &'a [PathBuf],
    /// Who remembers what becomes of sources.
    pub remembers: Option<&'a dyn Remembers>,
    /// The source, where it is not what the spec names.
    pub found: Option<FoundSource>,
}

/// How a watch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WatchEnded {
    /// Files that were committed meanwhile.
    pub committed: u64,
    /// Files that have failed for good meanwhile.
    pub failed: u64,
    /// Files that are left for the next time, as they still change.
    pub unsettled: u64,
    /// Bytes that were processed of files that grow.
    pub bytes: u64,
}

/// Where a watch is woken and told to end.
#[derive(Debug)]
pub struct Inbox {
    signals: SyncSender<Signal>,
    received: Receiver<Signal>,
    is_stopping: Arc<AtomicBool>,
}

/// Ends a watch, from any thread.
#[derive(Debug, Clone)]
pub struct Stopper {
    signals: SyncSender<Signal>,
    is_stopping: Arc<AtomicBool>,
}

impl Stopper {
    /// Asks for the end: what runs is brought to its end, and nothing more is begun.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        // Where it is full, there is enough that wakes it.
        let _ = self.signals.try_send(Signal::Stop);
    }
}

impl Default for Inbox {
    fn default() -> Self {
        let (signals, received) = sync_channel(WATCH_EVENTS);
        Self { signals, received, is_stopping: Arc::default() }
    }
}

impl Inbox {
    /// What ends the watch.
    pub fn stopper(&self) -> Stopper {
        Stopper { signals: self.signals.clone(), is_stopping: Arc::clone(&self.is_stopping) }
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }
}

/// Watches the directories of a spec, until it is told to stop, or, once, until all is done.
///
/// # Errors
/// When it cannot be begun. Once it is, it waits for disks that are full, and goes on by itself.
pub fn watch(
    spec: &JobSpec,
    ledger: &Path,
    runs: &dyn Runs,
    events: &Arc<dyn Observer>,
    inbox: &Inbox,
) -> Result<WatchEnded, Problem> {
    let spec = &accepted::as_watched(spec)?;
    accepted::check(spec, || runs.plan(spec))?;
    let (digest, description) = prepare::identify(spec)?;
    let (mut ended, mut pause, mut is_begun) = (WatchEnded::default(), WATCH_BACKOFF, false);
    loop {
        let opened = Ledger::open(ledger);
        let went = opened.map_err(Interrupted::from).and_then(|ledger| {
            let job = ledger.job(digest, &description)?;
            let mut begun = || {
                is_begun = true;
                pause = WATCH_BACKOFF;
            };
            if spec.watch.append {
                let mut follow = Follow::begin(spec, (&ledger, job), runs, events, inbox)?;
                begun();
                let went = follow.run();
                ended.add(follow.ended());
                drop(follow);
                went?;
            } else {
                let mut session = Session::begin(spec, (&ledger, job), runs, events, inbox)?;
                begun();
                let went = session.run();
                ended.add(session.ended());
                drop(session);
                went?;
            }
            Ok(ledger.close()?)
        });
        match went {
            Ok(()) => return Ok(ended),
            Err(Interrupted::Problem(problem)) => return Err(problem),
            Err(Interrupted::Ledger(error)) if is_begun && error.is_of_the_disk() => {
                let message = format!("{error}: it goes on when it can");
                events.note(&message);
            }
            Err(Interrupted::Ledger(error)) => return Err(error.into()),
        }
        if inbox.is_stopping() {
            return Ok(ended);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(WATCH_BACKOFF_MAX);
    }
}

/// Does something on a thread that has the stack for a job.
pub(crate) fn on_a_stack<T: Send>(
    runs: &dyn Runs,
    work: impl FnOnce() -> T + Send,
) -> Result<T, Problem> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("job".into()).stack_size(runs.stack_bytes());
        let thread = thread.spawn_scoped(scope, work).map_err(Problem::new)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Why a session ended early.
enum Interrupted {
    /// The ledger takes nothing more: it may be opened again later.
    Ledger(ledger::Error),
    /// Nothing will help.
    Problem(Problem),
}

impl From<ledger::Error> for Interrupted {
    fn from(error: ledger::Error) -> Self {
        Self::Ledger(error)
    }
}

impl From<Problem> for Interrupted {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl WatchEnded {
    fn add(&mut self, other: Self) {
        self.committed += other.committed;
        self.failed += other.failed;
        self.bytes += other.bytes;
        self.unsettled = other.unsettled;
    }
}

/// How long it is until something that failed so often is tried again.
fn backoff(tries: u32) -> Duration {
    let factor = 4_u32.saturating_pow(tries.saturating_sub(1).min(8));
    WATCH_BACKOFF.saturating_mul(factor).min(WATCH_BACKOFF_MAX)
}
