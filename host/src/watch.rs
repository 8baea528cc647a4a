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

mod after;
mod append;
mod batch;
mod begin;
mod events;
mod finish;
mod intake;
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
use std::time::{Duration, SystemTime};

use crate::job::Observer;
use crate::ledger::{self, Digest, Ledger};
use crate::prepare::{self, JobEnded, Plan, Remembers};
use crate::process::Kind;
use crate::settings::limits::{WATCH_BACKOFF, WATCH_BACKOFF_MAX, WATCH_EVENTS, WATCH_QUIET};
use crate::settings::{Exists, Format};
use crate::source::Address;
use crate::spec::{JobSpec, Problem};
use events::Signal;
use session::Session;
use version::Version;

/// How a front end runs a job.
pub trait Runs: Sync {
    /// Shows what a job would do, without a look at any source.
    ///
    /// # Errors
    /// When it cannot be run.
    fn plan(&self, spec: &JobSpec) -> Result<Plan, Problem>;

    /// Runs it to its end; `out` is what it has for standard output. Outputs are named as of
    /// sources in the directories `named`.
    ///
    /// # Errors
    /// When it cannot be run.
    fn run(
        &self,
        spec: &JobSpec,
        named: &[PathBuf],
        remembers: &dyn Remembers,
        events: &Arc<dyn Observer>,
        out: Box<dyn Write + Send>,
    ) -> Result<JobEnded, Problem>;

    /// Stack of the thread that it is run on, in bytes.
    fn stack_bytes(&self) -> usize;
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

/// The real path of a file, as a watch knows it.
pub fn real(file: &Path) -> PathBuf {
    let directory = file.parent().filter(|it| !it.as_os_str().is_empty());
    match file.file_name() {
        Some(name) => tree::real(directory.unwrap_or(Path::new("."))).join(name),
        None => tree::real(file),
    }
}

/// Whether the file at a real path is of that version now.
pub fn is_version(path: &Path, version: &ledger::Identity) -> bool {
    Version::at(path).is_ok_and(|found| found.is_some_and(|found| found.identity() == *version))
}

/// Why the file at a real path may not have been taken yet, as far as the file itself tells.
pub fn explain(path: &Path) -> String {
    match Version::at(path) {
        Err(error) => error.to_string(),
        Ok(None) => "there is no such file".into(),
        Ok(Some(_)) if ready::is_unfinished(path) => {
            "names like this one are never taken, as programs give them to unfinished files".into()
        }
        Ok(Some(found)) => match found.quiet_for(SystemTime::now()) {
            None => "its times are ahead of the clock".into(),
            Some(quiet) if quiet < WATCH_QUIET => {
                format!("it has changed {} ms ago", quiet.as_millis())
            }
            Some(quiet) => {
                let quiet = Duration::from_secs(quiet.as_secs());
                let quiet = humantime::format_duration(quiet);
                format!("it has not changed for {quiet}; no watch of its directory has seen it")
            }
        },
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
    let spec = &as_watched(spec)?;
    check(spec, &runs.plan(spec)?)?;
    let (digest, description) = prepare::identify(spec)?;
    let (mut ended, mut pause, mut is_begun) = (WatchEnded::default(), WATCH_BACKOFF, false);
    loop {
        let opened = Ledger::open(ledger);
        let went = opened.map_err(Interrupted::from).and_then(|ledger| {
            let job = ledger.job(digest, &description)?;
            let mut session = Session::begin(spec, (&ledger, job), runs, events, inbox)?;
            is_begun = true;
            pause = WATCH_BACKOFF;
            let went = session.run();
            ended.add(session.ended());
            drop(session);
            went?;
            Ok(ledger.close()?)
        });
        match went {
            Ok(()) => return Ok(ended),
            Err(Interrupted::Problem(problem)) => return Err(problem),
            Err(Interrupted::Ledger(error)) if is_begun && error.is_of_the_disk() => {
                let told = format!("{error}: it goes on when it can");
                events.note(&told);
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
        self.unsettled = other.unsettled;
    }
}

/// What tells this watch from others: its job, and the directories.
///
/// # Errors
/// When a plugin or a directory cannot be read.
pub fn identity(spec: &JobSpec) -> Result<Digest, Problem> {
    let (job, _) = prepare::identify(&as_watched(spec)?)?;
    let mut parts = vec![job.to_string().into_bytes()];
    let directories = spec.inputs.files.iter().map(|path| tree::real(path));
    parts.extend(directories.map(|path| path.into_os_string().into_encoded_bytes()));
    Ok(Digest::of(parts))
}

/// The spec with what a watch brings itself.
fn as_watched(spec: &JobSpec) -> Result<JobSpec, Problem> {
    let mut spec = spec.clone();
    let output = &mut spec.output;
    let refused = |key: &'static str, why: &str, hint: &str| {
        Err(Problem::new(format!("⟦{key}⟧: {why}")).of(key).hint(Some(hint)))
    };
    if output.is_stream() {
        return refused(
            "out",
            "what comes of files as they arrive cannot be taken back from standard output",
            "⟦out⟧ DIR/ takes a file for each, ⟦out⟧ FILE.jsonl a row for each",
        );
    }
    if output.report.is_some() {
        return refused("report", "a watch does not end", "`host ledger show` tells what is done");
    }
    if output.total {
        return refused("total", "a watch does not end", "⟦out⟧ FILE.jsonl takes a row a file");
    }
    if spec.inputs.files_from.is_some() {
        return refused("files_from", "directories are watched", "name directories");
    }
    if output.delete_vanished {
        return refused("delete_vanished", "is for runs", "leave it out");
    }
    output.ledger = None;
    output.exists = Some(Exists::Replace);
    Ok(spec)
}

/// Refuses what a job gives that its output does not take as files arrive.
fn check(spec: &JobSpec, plan: &Plan) -> Result<(), Problem> {
    let output = &spec.output;
    let gives_bytes = plan
        .branches
        .iter()
        .any(|chain| chain.last().is_some_and(|stage| stage.kind == Kind::Transformer));
    let refused = |message: &str, hint: &str| Err(Problem::new(message).hint(Some(hint)));
    if gives_bytes && !is_tree(&output.out) {
        let hint = "⟦out⟧ DIR/, with a slash at its end, takes a file for each";
        return refused("⟦out⟧: the plugin gives bytes, which need a file for each source", hint);
    }
    if !gives_bytes && Address::of(&output.out).is_some() {
        return refused("⟦out⟧: rows go to a file of this machine", "⟦out⟧ FILE.jsonl");
    }
    if !gives_bytes && !matches!(output.format, None | Some(Format::Jsonl)) {
        return refused("⟦format⟧: rows are appended as JSON lines", "leave it out");
    }
    Ok(())
}

/// Whether there is an output for each file.
fn is_tree(out: &Path) -> bool {
    out.as_os_str().as_encoded_bytes().ends_with(b"/") || out.is_dir() || Address::of(out).is_some()
}

/// How long it is until something that failed so often is tried again.
fn backoff(tries: u32) -> Duration {
    let factor = 4_u32.saturating_pow(tries.saturating_sub(1).min(8));
    WATCH_BACKOFF.saturating_mul(factor).min(WATCH_BACKOFF_MAX)
}
