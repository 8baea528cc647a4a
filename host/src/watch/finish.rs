//! What becomes of files when their job has ended, and afterwards.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::SystemTime;

use rustix::io::Errno;

use super::after::{self, Outcome, Reason};
use super::batch::{Batch, End, Item};
use super::ran::Ran;
use super::session::Session;
use super::{Interrupted, backoff};
use crate::ledger::{After, Arrival, ArrivalStage, Change};
use crate::name::Shown;
use crate::process::{Failure, FailureKind};
use crate::settings::limits::{WATCH_ACTIONS, WATCH_AFTER_TRIES, WATCH_UNSTABLE};
use crate::settings::{AfterCommit, OnFail};
use crate::source::name_text;

impl<'a> Session<'a> {
    /// Commits what came of a job, and decides about the rest.
    pub(super) fn conclude(
        &mut self,
        (thread, batch): (ScopedJoinHandle<'_, Ran>, Arc<Batch<'a>>),
    ) -> Result<(), Interrupted> {
        self.has_queue = true;
        let ran = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let rest = ran.rest.as_ref().map_or(&End::Unread, |rest| rest);
        let (mut ends, mut changes) = batch.ended(&ran.heard, rest);
        let mut stopped = ran.rest.as_ref().err().cloned();
        let mut appended = None;
        if self.rows.is_some() {
            let is_whole = !ends.iter().any(|end| matches!(end, End::Changed | End::Unread));
            match (is_whole, stopped.is_none()) {
                (true, true) => match self.append(&ran.rows) {
                    Ok(end) => {
                        appended = end;
                        changes.extend(self.appended(end));
                    }
                    Err(error) => stopped = Some(error),
                },
                // Rows of files that are not whole cannot be told from the others.
                _ => stopped = stopped.or(Some(String::new())),
            }
            if stopped.is_some() {
                changes.clear();
                let committed = ends.iter_mut().filter(|end| **end == End::Committed);
                committed.for_each(|end| *end = End::Unread);
            }
        }
        let trouble = stopped.filter(|why| !why.is_empty()).or_else(|| trouble(&ends));
        let each: Vec<_> = batch.items().iter().zip(ends).collect();
        for (item, end) in each {
            changes.extend(self.decide(item, end, trouble.as_deref())?);
        }
        let ticket = self.ledger.change(changes)?;
        if let (Some(rows), Some(end)) = (&mut self.rows, appended) {
            self.ledger.wait(ticket)?;
            rows.settle(end);
        }
        match trouble {
            Some(why) => self.pause.begin(&why, &**self.events),
            None => self.pause.end(&**self.events),
        }
        Ok(())
    }

    /// Puts rows behind those that are committed; where they end, if there are any.
    fn append(&mut self, bytes: &[u8]) -> Result<Option<u64>, String> {
        let Some(rows) = self.rows.as_mut().filter(|_| !bytes.is_empty()) else { return Ok(None) };
        let put = rows.renew().and_then(|warning| {
            if let Some(warning) = warning {
                self.events
                    .note(&format!("{} {warning}: rows go on there", Shown::of(&rows.path())));
            }
            rows.put(bytes)
        });
        put.map(Some).map_err(|error| format!("{}: {error}", Shown::of(&rows.path())))
    }

    /// That rows end there.
    fn appended(&self, end: Option<u64>) -> Option<Change> {
        let path = self.rows.as_ref()?.path().as_os_str().as_bytes().to_vec();
        Some(Change::Appended { job: self.job, path, bytes: end? })
    }

    /// What is to be done about a file.
    fn decide(
        &mut self,
        item: &Item,
        end: End,
        trouble: Option<&str>,
    ) -> Result<Option<Change>, Interrupted> {
        let Arrival { id, attempts, .. } = item.arrival;
        let tries = attempts.saturating_add(1);
        let now = SystemTime::now();
        Ok(match end {
            End::Committed => {
                self.ended.committed += 1;
                self.has_after = true;
                self.unstable.remove(&item.path);
                None
            }
            End::Unread => Some(again(id, now, trouble.unwrap_or("the job ended before it"))),
            End::Failed(failure) if trouble.is_some() && failure.kind == FailureKind::Write => {
                Some(again(id, now, &failure.message))
            }
            End::Gone => Some(ended(id, ArrivalStage::Ignored, "vanished before it was processed")),
            End::Changed => {
                let count = self.unstable.entry(item.path.clone()).or_default();
                *count += 1;
                if *count < WATCH_UNSTABLE {
                    self.intake.again(&item.path)?;
                    return Ok(Some(ended(
                        id,
                        ArrivalStage::Ignored,
                        "changed while it was processed",
                    )));
                }
                self.unstable.remove(&item.path);
                let why = format!("unstable: it changed {WATCH_UNSTABLE} times while it was read");
                Some(self.failed(item, (why, None), tries))
            }
            End::Failed(failure) if tries > self.spec.watch.retries => {
                Some(self.failed(item, (reason(&failure), failure.hint.as_deref()), tries))
            }
            End::Failed(failure) => {
                let pause = backoff(tries);
                let name = Shown::of(&item.named);
                let next = humantime::format_duration(pause);
                self.events.note(&format!("{name}: {failure}; tried again in {next}"));
                let (due, why) = (now + pause, reason(&failure));
                Some(Change::Again { id, due, why, counts: true })
            }
        })
    }

    /// A file has failed for good.
    fn failed(&mut self, item: &Item, (why, hint): (String, Option<&str>), tries: u32) -> Change {
        self.ended.failed += 1;
        let name = Shown::of(&item.named);
        let times = if tries == 1 { String::new() } else { format!(" ({tries} times)") };
        let hint = hint.map(|hint| format!("; hint: {hint}")).unwrap_or_default();
        self.events.note(&format!("{name}: {why}{times}{hint}"));
        let moves = self.spec.watch.on_fail != OnFail::Keep;
        self.has_after |= moves;
        let after = moves.then_some(After::Pending);
        Change::Ended { id: item.arrival.id, stage: ArrivalStage::Failed, why, after }
    }

    /// Does what is to be done with files that are done.
    pub(super) fn act(&mut self) -> Result<(), Interrupted> {
        if !self.has_after {
            return Ok(());
        }
        self.ledger.flush()?;
        let until = SystemTime::now().checked_sub(self.spec.watch.after_delay.0);
        let until = until.unwrap_or(SystemTime::UNIX_EPOCH);
        let pending = self.reader.after_pending(self.job, until, WATCH_ACTIONS)?;
        if pending.is_empty() {
            self.has_after = self.reader.counts(self.job)?.after > 0;
            return Ok(());
        }
        let changes = pending.iter().map(|arrival| Change::After(arrival.id, self.act_on(arrival)));
        let changes = changes.collect();
        self.ledger.change(changes)?;
        Ok(())
    }

    fn act_on(&self, arrival: &Arrival) -> After {
        let path = Path::new(OsStr::from_bytes(&arrival.path));
        let Some(below) = self.trees.below(path) else {
            return After::Failed("is not watched any more".into());
        };
        let mut tried = Ok(Outcome::Gone);
        for _ in 0..WATCH_AFTER_TRIES {
            tried = self.try_on(arrival, path, below);
            if tried.is_ok() {
                break;
            }
        }
        match tried {
            Ok(Outcome::Done | Outcome::Gone) => After::Done,
            Ok(Outcome::Changed) => After::Failed("it is another version now".into()),
            Err(error) => {
                let name = name_text(&arrival.path);
                self.events.note(&format!("{name}: is done, but stays: {error}"));
                After::Failed(error.to_string())
            }
        }
    }

    fn try_on(&self, arrival: &Arrival, path: &Path, below: &Path) -> io::Result<Outcome> {
        let watch = &self.spec.watch;
        let (outcome, to) = match (arrival.stage, &watch.after, &watch.on_fail) {
            (ArrivalStage::Failed, _, OnFail::Move(directory)) => {
                let to = directory.join(below);
                let reason = Reason {
                    source: name_text(&arrival.path).into_owned(),
                    error: arrival.why.as_deref().unwrap_or_default(),
                    attempts: arrival.attempts,
                    version: arrival.version.as_str(),
                };
                after::explain(&to, &reason)?;
                (after::relocate(path, &to, &arrival.version)?, Some(to))
            }
            (ArrivalStage::Committed, AfterCommit::Delete, _) => {
                (after::delete(path, &arrival.version)?, None)
            }
            (ArrivalStage::Committed, AfterCommit::Move(template), _) => {
                let to = after::target(template, below);
                (after::relocate(path, &to, &arrival.version)?, Some(to))
            }
            _ => return Ok(Outcome::Gone),
        };
        // A marker goes with its file.
        if let Some(marker) = self.intake.rules.marker(path)
            && outcome == Outcome::Done
        {
            let moved = match &to {
                None => std::fs::remove_file(&marker),
                Some(to) => std::fs::rename(
                    &marker,
                    to.with_file_name(marker.file_name().unwrap_or_default()),
                ),
            };
            moved.or_else(
                |error| if super::version::is_gone(&error) { Ok(()) } else { Err(error) },
            )?;
        }
        Ok(outcome)
    }
}

/// What is kept of a failure; its hint is for who reads it at once.
fn reason(failure: &Failure) -> String {
    format!("{}: {failure}", failure.kind.word())
}

fn again(id: crate::ledger::ArrivalId, due: SystemTime, why: &str) -> Change {
    Change::Again { id, due, why: why.into(), counts: false }
}

fn ended(id: crate::ledger::ArrivalId, stage: ArrivalStage, why: &str) -> Change {
    Change::Ended { id, stage, why: why.into(), after: None }
}

/// The disk is full, may not be written, or fails. None of that is a fault of a source.
const OF_THE_DISK: [Errno; 4] = [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::IO];

/// Why outputs cannot be written, where it is the disk.
fn trouble(ends: &[End]) -> Option<String> {
    ends.iter().find_map(|end| match end {
        End::Failed(failure) if failure.kind == FailureKind::Write => {
            let code = failure.os_error?;
            let is_of_the_disk = OF_THE_DISK.iter().any(|errno| errno.raw_os_error() == code);
            is_of_the_disk.then(|| failure.message.clone())
        }
        _ => None,
    })
}
