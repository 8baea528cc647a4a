//! A watch while its ledger is open: one thread that hears, looks, takes in and hands out, and one
//! beside it that runs a job at a time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::append::Rows;
use super::batch::Batch;
use super::begin;
use super::events::{Ears, Signal};
use super::intake::Intake;
use super::pause::Pause;
use super::ran::Ran;
use super::rates::Rate;
use super::ready::{Hint, Rules, Settling, is_unfinished};
use super::tree::{Trees, Unread};
use super::version::Version;
use super::{Inbox, Interrupted, Runs, WatchEnded};
use crate::job::Observer;
use crate::ledger::{self, ArrivalStage, Change, JobId, Ledger, Reader, Versions};
use crate::settings::OnFail;
use crate::settings::limits::{
    WATCH_RESCAN, WATCH_SCAN, WATCH_SCAN_BLIND, WATCH_SCAN_SHARE, WATCH_SIGNALS, WATCH_TURN,
    WATCH_TURN_RUNNING,
};
use crate::spec::{JobSpec, Problem};

/// A watch while its ledger is open.
pub(super) struct Session<'a> {
    pub(super) spec: &'a JobSpec,
    pub(super) ledger: &'a Ledger,
    pub(super) job: JobId,
    pub(super) runs: &'a dyn Runs,
    pub(super) events: &'a Arc<dyn Observer>,
    pub(super) reader: Reader,
    pub(super) trees: Trees,
    pub(super) intake: Intake<'a>,
    /// The file that takes rows, where there is one for all.
    pub(super) rows: Option<Rows>,
    pub(super) rates: [Option<Rate>; 2],
    /// How often files were another when they were processed.
    pub(super) unstable: HashMap<PathBuf, u32>,
    pub(super) ended: WatchEnded,
    pub(super) pause: Pause,
    /// Whether there may be something in the queue.
    pub(super) has_queue: bool,
    /// Whether files may wait for what becomes of them.
    pub(super) has_after: bool,
    /// Whether no job was begun yet.
    pub(super) is_first: bool,
    inbox: &'a Inbox,
    ears: Option<Ears>,
    /// The directories that it listens to.
    heard: Vec<Option<u64>>,
    next_scan: Instant,
    /// Of the last scan.
    unread: String,
}

/// A job that runs.
type Running<'scope, 'a> = (ScopedJoinHandle<'scope, Ran>, Arc<Batch<'a>>);

impl<'a> Session<'a> {
    /// Opens what is watched, brings what a crash has left in order, and begins to listen.
    pub(super) fn begin(
        spec: &'a JobSpec,
        (ledger, job): (&'a Ledger, JobId),
        runs: &'a dyn Runs,
        events: &'a Arc<dyn Observer>,
        inbox: &'a Inbox,
    ) -> Result<Self, Interrupted> {
        let watch = &spec.watch;
        let trees = begin::open(spec, ledger)?;
        let reader = ledger.reader()?;
        let begun = begin::founded(spec, ledger, &reader, job)?;
        let attempts_max = watch.retries.saturating_add(1);
        let ticket = ledger.change(vec![Change::Recovered { job, attempts_max }])?;
        ledger.wait(ticket)?;
        let rows = begin::rows(spec, &reader, job, &**events)?;
        let heard = trees.inodes();
        let ears = begin::listen(&trees, inbox, &**events);
        let rate = |per_second: Option<u64>| per_second.map(|it| Rate::new(it, Instant::now()));
        begin::announce("watching", &trees, ledger, &**events);
        let intake = Intake {
            ledger,
            job,
            rules: Rules { settle: watch.settle.0, mode: watch.settle_mode.clone() },
            changed: watch.changed,
            existing: (watch.existing, begun),
            events: Arc::clone(events),
            versions: Versions::of(&reader, job)?,
            settling: Settling::default(),
            is_live: false,
            moves_failed: watch.on_fail != OnFail::Keep,
            failed: 0,
            waiting: Vec::new(),
        };
        Ok(Self {
            spec,
            ledger,
            job,
            runs,
            events,
            reader,
            trees,
            intake,
            rows,
            rates: [
                rate(watch.max_files_per_second.map(u64::from)),
                rate(watch.max_bytes_per_second.map(|size| size.0)),
            ],
            unstable: HashMap::new(),
            ended: WatchEnded::default(),
            pause: Pause::default(),
            has_queue: true,
            has_after: true,
            is_first: true,
            inbox,
            heard,
            ears,
            next_scan: Instant::now(),
            unread: String::new(),
        })
    }

    /// What became of files so far.
    pub(super) fn ended(&self) -> WatchEnded {
        let failed = self.ended.failed + self.intake.failed;
        let unsettled = self.intake.settling.len() as u64;
        WatchEnded { failed, unsettled, ..self.ended }
    }

    /// Goes on until it is told to stop, or there is nothing left to do where that is the end.
    pub(super) fn run(&mut self) -> Result<(), Interrupted> {
        thread::scope(|scope| {
            let mut running = None;
            loop {
                self.hear(running.is_some())?;
                if Instant::now() >= self.next_scan {
                    self.scan()?;
                }
                self.intake.settle()?;
                if self.intake.flush()? {
                    (self.has_queue, self.has_after) = (true, true);
                }

                if let Some(ended) = running.take_if(|it: &mut Running<'_, '_>| it.0.is_finished())
                {
                    self.conclude(ended)?;
                }
                let is_stopping = self.inbox.is_stopping();
                if running.is_none() && !is_stopping && !self.pause.is_on() {
                    running = self.start(scope)?;
                }
                self.act()?;
                if running.is_none() && (is_stopping || self.is_drained()?) {
                    return Ok(());
                }
            }
        })
    }

    /// Begins a job over what is next, if anything is.
    fn start<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<Option<Running<'scope, 'a>>, Interrupted>
    where
        'a: 'scope,
    {
        let Some((batch, spec)) = self.take()? else { return Ok(None) };
        let batch = Arc::new(batch);
        let (runs, named) = (self.runs, self.trees.named());
        let (mine, events) = (Arc::clone(&batch), Arc::clone(self.events));
        let signals = self.inbox.signals.clone();
        let run = move || {
            let ran = Ran::of(runs, &spec, &named, &mine, &events);
            let _ = signals.try_send(Signal::Ended); // where it is full, it is awake
            ran
        };
        let thread = thread::Builder::new().name("job".into()).stack_size(runs.stack_bytes());
        let thread = thread.spawn_scoped(scope, run).map_err(Problem::new)?;
        Ok(Some((thread, batch)))
    }

    /// Takes what has been heard; waits for the first of it where there is nothing else to do.
    fn hear(&mut self, is_running: bool) -> Result<(), Interrupted> {
        let mut wait = if is_running { WATCH_TURN_RUNNING } else { self.wait()? };
        if self.inbox.is_stopping() {
            wait = wait.min(WATCH_TURN_RUNNING);
        }
        let mut signal = self.inbox.received.recv_timeout(wait).ok();
        for _ in 0..WATCH_SIGNALS {
            match signal {
                Some(Signal::File(path, hint)) => self.heard(&path, hint)?,
                Some(Signal::Directory(path)) => {
                    self.look_below(&path)?;
                    let again = Instant::now() + WATCH_RESCAN;
                    self.next_scan = self.next_scan.min(again);
                }
                Some(Signal::Lost) => self.lost(),
                Some(Signal::Ended | Signal::Stop) => {}
                None => break,
            }
            signal = self.inbox.received.try_recv().ok();
        }
        if let Some(signal) = signal {
            // The rest waits for the next turn.
            if let Signal::File(path, hint) = signal {
                self.heard(&path, hint)?;
            } else {
                self.next_scan = Instant::now();
            }
        }
        if self.ears.as_ref().is_some_and(Ears::overflowed) {
            self.lost();
        }
        Ok(())
    }

    /// Events were lost.
    fn lost(&mut self) {
        self.next_scan = Instant::now();
        self.intake.settling.doubt(self.next_scan);
    }

    fn heard(&mut self, path: &Path, hint: Hint) -> Result<(), Interrupted> {
        if self.intake.rules.is_marker(path) {
            if let Some(directory) = path.parent().filter(|_| !is_unfinished(path)) {
                self.look_below(directory)?;
            }
            return Ok(());
        }
        if !self.trees.takes(path) {
            return Ok(());
        }
        if matches!(hint, Hint::Made | Hint::Opened | Hint::Touched) {
            self.intake.touched(path, hint);
        } else if let Ok(Some(version)) = Version::at(path) {
            self.intake.found(path, version, hint)?;
        }
        Ok(())
    }

    /// Looks at all files below a directory.
    fn look_below(&mut self, directory: &Path) -> Result<(), Interrupted> {
        let (mut failed, mut unread) = (None, Unread::default());
        let intake = &mut self.intake;
        let mut visit = |path: PathBuf, version| {
            if !intake.rules.is_marker(&path)
                && let Err(error) = intake.found(&path, version, Hint::Found)
            {
                failed.get_or_insert(error);
            }
        };
        self.trees.descend(directory, &mut visit, &mut unread);
        failed.map_or(Ok(()), |error: ledger::Error| Err(error.into()))
    }

    /// Listens to directories that have taken the place of others.
    fn listen_again(&mut self) {
        let now = self.trees.inodes();
        if now != self.heard && now.iter().all(Option::is_some) {
            self.heard = now;
            self.ears = begin::listen(&self.trees, self.inbox, &**self.events);
        }
    }

    /// Looks at all files.
    fn scan(&mut self) -> Result<(), Interrupted> {
        self.listen_again();
        let begun = Instant::now();
        let (mut failed, intake) = (None, &mut self.intake);
        let seen = self.trees.scan(|path, version| {
            if failed.is_none()
                && !intake.rules.is_marker(&path)
                && let Err(error) = intake.found(&path, version, Hint::Found)
            {
                failed = Some(error);
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        let unread = seen.err().map(|unread| unread.describe()).unwrap_or_default();
        if unread != self.unread && !unread.is_empty() {
            self.events.note(&format!("cannot be read, and is left until it can be: {unread}"));
        }
        self.unread = unread;
        self.intake.is_live = true;
        let pause = if self.ears.is_some() { WATCH_SCAN } else { WATCH_SCAN_BLIND };
        let pause = pause.max(begun.elapsed().saturating_mul(WATCH_SCAN_SHARE));
        self.next_scan = Instant::now() + pause;
        Ok(())
    }

    /// How long there is nothing to do.
    fn wait(&mut self) -> Result<Duration, Interrupted> {
        let now = Instant::now();
        let mut wakes = vec![self.next_scan];
        wakes.extend(self.intake.settling.wakes());
        match self.pause.until() {
            Some(until) => wakes.push(until),
            None if self.has_queue => wakes.extend(self.next_begin(now)?),
            None => {}
        }
        let next = wakes.into_iter().min().unwrap_or(now);
        Ok(next.saturating_duration_since(now).min(WATCH_TURN))
    }

    /// When the next file may be begun.
    fn next_begin(&mut self, now: Instant) -> Result<Option<Instant>, Interrupted> {
        let Some(due) = self.reader.next_due(self.job)? else {
            self.has_queue = false;
            return Ok(None);
        };
        let mut wait = due.duration_since(SystemTime::now()).unwrap_or_default();
        for rate in self.rates.iter_mut().flatten() {
            wait = wait.max(rate.wait(now));
        }
        Ok(Some(now + wait))
    }

    /// Whether all is done that will ever be, where that is the end.
    fn is_drained(&mut self) -> Result<bool, Interrupted> {
        if !self.spec.watch.once || !self.intake.is_live || self.pause.until().is_some() {
            return Ok(false);
        }
        let is_settled = self.intake.settling.len() == 0 || self.intake.settling.all_change();
        if !is_settled {
            return Ok(false);
        }
        self.ledger.flush()?;
        let counts = self.reader.counts(self.job)?;
        let open = [ArrivalStage::Queued, ArrivalStage::Running].map(|stage| counts.of(stage));
        let delayed = !self.spec.watch.after_delay.0.is_zero();
        Ok(open == [0, 0] && (counts.after == 0 || delayed))
    }
}
