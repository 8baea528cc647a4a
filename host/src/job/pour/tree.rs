//! An output for each source: a file that is seen when its source is done, and never if that fails.
//!
//! Parts of one source are ordered among themselves; no source waits for another. How sources ended is told in their order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::flight::Flight;
use super::packing::Packing;
use super::{count_rejects, ended};
use crate::job::ends::Ends;
use crate::job::{Error, Job, Saved, Summary, TreeOut};
use crate::output::{CannotPack, Created, FileError, Pending, Window, Written};
use crate::process::{Failure, FailureKind, Reject, spare};
use crate::settings::RejectsMax;
use crate::work::{At, Deliver, Done, End, Slot};

/// The outputs of one job on their way out.
pub(in crate::job) struct Tree<'a> {
    job: &'a Job<'a>,
    out: &'a TreeOut<'a>,
    packing: Packing,
    /// Those of sources in several parts; `None` for one that has ended, and of which parts may still come.
    open: Mutex<Opened>,
    told: Window<At, Told, Ends>,
    error: Mutex<Option<Error>>,
}

/// Outputs by source and member.
type Opened = BTreeMap<(usize, u64), Option<Arc<Output>>>;

/// One output.
struct Output {
    path: PathBuf,
    /// None where there is one already, and that is to be left.
    file: Mutex<Option<Arc<Pending>>>,
    window: Window<At, Part, Writer>,
    flight: Flight,
    /// Why a write failed, seen by whoever ends the file.
    unwritten: Mutex<Option<FileError>>,
}

/// What is used by one thread at a time.
#[derive(Default)]
struct Writer {
    offset: u64,
    bytes_in: u64,
    rejects: Vec<Reject>,
}

struct Part {
    slot: Slot,
    bytes: u64,
    output: Result<Option<Vec<u8>>, Failure>,
    rejects: Vec<Reject>,
}

/// A part and its place in the file.
struct Placed {
    offset: u64,
    bytes: Vec<u8>,
}

/// A source whose parts are all there, or of which one failed.
struct Ended {
    slot: Slot,
    writer: Writer,
    failure: Option<Failure>,
}

/// How a source ended.
struct Told {
    slot: Slot,
    bytes: u64,
    rejects: Vec<Reject>,
    outcome: Outcome,
}

enum Outcome {
    Done(Result<(), Failure>),
    /// It was an archive, and all of its members have been read.
    End,
}

impl<'a> Tree<'a> {
    pub(in crate::job) fn new(job: &'a Job<'a>, out: &'a TreeOut<'a>) -> Self {
        Self {
            job,
            out,
            packing: Packing::new(job.settings.pack),
            open: Mutex::default(),
            told: Window::new(
                At::default(),
                Ends::default(),
                usize::MAX,
                Arc::clone(job.stats.budget()),
            ),
            error: Mutex::default(),
        }
    }

    /// Tells what is left, over gaps where a run was stopped. Outputs that are not whole are gone.
    pub(in crate::job) fn finish(self) -> Result<Summary, Error> {
        let job = self.job;
        let mut ends = self.told.finish(|ends, told| tell(job, ends, &told));
        match self.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => ends.summary(job),
        }
    }

    /// Where the parts of a source go; `None` once it has ended.
    fn output(&self, slot: &Slot) -> Result<Option<Arc<Output>>, Failure> {
        let mut open = self.opened();
        let key = (slot.at.source, slot.at.member);
        if let Some(output) = open.get(&key) {
            return Ok(output.as_ref().map(Arc::clone));
        }
        match self.begin(slot) {
            Ok(output) => {
                let output = Arc::new(output);
                open.insert(key, Some(Arc::clone(&output)));
                Ok(Some(output))
            }
            Err(failure) => {
                open.insert(key, None);
                Err(failure)
            }
        }
    }

    fn begin(&self, slot: &Slot) -> Result<Output, Failure> {
        let path = (self.out.place)(slot.at.source, slot.member.as_deref())?;
        let created = Pending::create(self.out.root, &path, self.out.exists);
        let file = match created.map_err(|error| unwritten(&error))? {
            Created::Pending(file) => Some(Arc::new(file)),
            Created::Skipped => None,
        };
        let share = self.job.settings.window_bytes / self.job.settings.threads.max(1);
        let window = Window::new(
            At { part: 0, ..slot.at },
            Writer::default(),
            share,
            Arc::clone(self.job.stats.budget()),
        );
        let (file, flight) = (Mutex::new(file), Flight::default());
        Ok(Output { path, file, window, flight, unwritten: Mutex::default() })
    }

    /// Brings a part. Whoever brings the last one, or one that failed, ends the output.
    fn bring(&self, output: &Output, part: Part) {
        let held = match &part.output {
            Ok(Some(bytes)) => bytes.len(),
            _ => 0,
        };
        let mut placed = Vec::new();
        let mut ended = None;
        let max = self.job.settings.rejects_max;
        output.window.put(part.slot.at, part, held, |writer, part| {
            let at = part.slot.at;
            ended = ended.take().or_else(|| output.place(writer, part, max, &mut placed));
            match ended {
                // Whatever else comes, it is too late.
                Some(_) => At { part: u64::MAX, ..at },
                None => At { part: at.part + 1, ..at },
            }
        });
        output.land(&mut placed);
        if let Some(ended) = ended {
            output.flight.wait();
            self.end_output(output, ended);
        }
    }

    /// Shows the file, or removes it.
    fn end_output(&self, output: &Output, ended: Ended) {
        let Ended { slot, writer, failure } = ended;
        let Writer { offset, bytes_in, rejects } = writer;
        let landed = output.unwritten.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.opened().insert((slot.at.source, slot.at.member), None);
        let result = match (failure, landed) {
            (Some(failure), _) => Err(failure),
            (None, Some(error)) => Err(unwritten(&error)),
            (None, None) => self.seal(output, offset),
        };
        drop(output.take());
        let result = result.map(|bytes| (output.path.clone(), bytes));
        self.conclude(slot, bytes_in, rejects, result);
    }

    /// Writes the end of an output whose parts are `bytes` bytes long, and shows it; returns the size of the file.
    fn seal(&self, output: &Output, bytes: u64) -> Result<u64, Failure> {
        let written = if bytes > 0 { Written::Something } else { Written::Nothing };
        let end = self.packing.end(written).map_err(|error| unpacked(&error))?;
        let Some(file) = output.take() else { return Ok(bytes) };
        file.write_at(&end, bytes).map_err(|error| unwritten(&error))?;
        let _visible_or_skipped = file.commit().map_err(|error| unwritten(&error))?;
        Ok(bytes + end.len() as u64)
    }

    /// Says how a source ended, and has it remembered where that is wanted.
    fn conclude(
        &self,
        slot: Slot,
        bytes: u64,
        rejects: Vec<Reject>,
        result: Result<(PathBuf, u64), Failure>,
    ) {
        if let Some(save) = self.out.save {
            let saved = Saved {
                at: slot.at,
                is_member: slot.member.is_some(),
                bytes_in: bytes,
                rejects: rejects.len() as u64,
                result: result.as_ref().map(|(path, bytes)| (path.as_path(), *bytes)),
            };
            if let Err(error) = save(&saved) {
                self.fail_all(error);
            }
        }
        let outcome = Outcome::Done(result.map(|_| ()));
        self.tell(Told { slot, bytes, rejects, outcome });
    }

    fn tell(&self, told: Told) {
        let at = At { part: 0, ..told.slot.at };
        self.told.put(at, told, 0, |ends, told| tell(self.job, ends, &told));
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail_all(&self, error: Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.job.cancel.set();
    }
}

impl Output {
    /// Gives a part its place in the file, and says so when it was the last.
    fn place(
        &self,
        writer: &mut Writer,
        part: Part,
        max: Option<RejectsMax>,
        placed: &mut Vec<Placed>,
    ) -> Option<Ended> {
        let Part { slot, bytes, output, mut rejects } = part;
        writer.bytes_in += bytes;
        let counted = count_rejects(writer.rejects.len() as u64, &mut rejects, max);
        writer.rejects.extend(rejects);
        let failure = match counted.and(output) {
            Ok(output) => {
                let bytes = output.unwrap_or_default();
                let offset = writer.offset;
                writer.offset += bytes.len() as u64;
                self.flight.start();
                placed.push(Placed { offset, bytes });
                None
            }
            Err(failure) => Some(failure),
        };
        let slot = if failure.is_some() { ended(slot) } else { slot };
        (slot.end != End::Part).then(|| Ended { slot, writer: std::mem::take(writer), failure })
    }

    /// Writes parts to their places.
    fn land(&self, placed: &mut Vec<Placed>) {
        for Placed { offset, bytes } in placed.drain(..) {
            let file = self.file().as_ref().map(Arc::clone);
            if let Some(file) = file
                && let Err(error) = file.write_at(&bytes, offset)
            {
                let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
                unwritten.get_or_insert(error);
            }
            spare::give(bytes);
            self.flight.land();
        }
    }

    /// The file, for whoever ends it: nobody else has it once all writes have landed.
    fn take(&self) -> Option<Pending> {
        self.file().take().and_then(Arc::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, Option<Arc<Pending>>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells how a source ended, and says which comes next.
fn tell(job: &Job<'_>, ends: &mut Ends, told: &Told) -> At {
    let Told { slot, bytes, rejects, outcome } = told;
    if let Outcome::Done(result) = outcome {
        ends.reject(job, slot, rejects);
        ends.count_poured(job, slot, *bytes, result.as_ref().err());
    }
    ends.after(slot)
}

fn unwritten(error: &FileError) -> Failure {
    let failure = Failure::new(FailureKind::Write, error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn unpacked(error: &CannotPack) -> Failure {
    Failure::new(FailureKind::Write, error.to_string())
}

impl Deliver for Tree<'_> {
    fn check(&self, _result: &[u8]) -> Result<(), Failure> {
        Ok(())
    }

    fn put(&self, slot: Slot, done: Done) {
        let Done { bytes, result, rejects } = done;
        let output = result.and_then(|output| {
            let packed = output.map(|output| self.packing.pack(output)).transpose();
            packed.map_err(|error| unpacked(&error))
        });
        match self.output(&slot) {
            Ok(Some(to)) => self.bring(&to, Part { slot, bytes, output, rejects }),
            Ok(None) => {}
            Err(failure) => {
                let failure = output.err().unwrap_or(failure);
                self.conclude(ended(slot), 0, rejects, Err(failure));
            }
        }
    }

    fn end(&self, source: usize, members: u64) {
        let at = At { source, member: members, part: 0 };
        let slot = Slot { at, end: End::Source, member: None };
        self.tell(Told { slot, bytes: 0, rejects: Vec::new(), outcome: Outcome::End });
    }

    fn total(&self, _result: Result<Vec<u8>, Failure>) {}

    fn blocked_on(&self, own: Option<At>) -> Option<At> {
        let own = own?;
        let of_own = (own.source, 0)..=(own.source, u64::MAX);
        let open = self.opened();
        open.range(of_own).find_map(|(_, output)| output.as_ref()?.window.blocked_on())
    }

    fn wait_while_blocked_on(&self, at: At) {
        let output = self.opened().get(&(at.source, at.member)).cloned().flatten();
        if let Some(output) = output {
            output.window.wait_while_blocked_on(at);
        }
    }
}
