//! All sources in one output: a stream, which the worker with the next part writes; a file, into
//! which all workers write at once, each at its offset; or an object of a store, which is written
//! like a stream.
//!
//! A file or object has what came out of whole sources only: where one fails halfway, the next one
//! takes its place. What a stream was given cannot be taken back.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::in_flight::InFlightWrites;
use super::object_writer::commit;
use super::packing::Packing;
use super::{count_rejects, ended, reject_bytes};
use crate::job::source_counts::SourceCounts;
use crate::job::{Error, Job, Summary};
use crate::output::{FileError, Object, ObjectError, Pending, Room, Window, Written};
use crate::process::{Failure, Held, Reject, spare};
use crate::settings::Join;
use crate::settings::limits::WRITE_BYTES;
use crate::source::Way;
use crate::work::{Deliver, Done, End, Position, ResultSlot};

/// What a parked part costs beside its bytes.
const ITEM_BYTES: usize = size_of::<Item>() + 64;

/// The output of one job on its way out.
pub(in crate::job) struct Single<'a> {
    job: &'a Job<'a>,
    window: Window<Position, Item, Writer>,
    packing: Packing,
    file: Option<Pending>,
    flight: InFlightWrites,
    error: Mutex<Option<Error>>,
    failed: AtomicBool,
}

/// What came out of a chunk, or how a source ended.
struct Item {
    slot: ResultSlot,
    bytes: u64,
    outcome: Outcome,
    /// Whether it ends within a record; `None` of nothing.
    is_open: Option<bool>,
    rejects: Vec<Reject>,
}

enum Outcome {
    Part(Result<Option<Held>, Failure>),
    /// It was an archive, and all of its members have been read.
    End,
}

/// What is used by one thread at a time.
struct Writer {
    stream: Option<io::BufWriter<Box<dyn Write + Send>>>,
    object: Option<Object>,
    /// Where the next part goes, in a file; and where the source at hand began.
    offset: u64,
    begun: u64,
    /// The source that has been written to last, whether that ended within a record, and the same
    /// when the source at hand began.
    last: (usize, u64),
    is_open: bool,
    was_open: bool,
    /// Records of the source at hand that were set aside.
    rejected: u64,
    /// What has failed already, where parts come in no order: it fails once.
    failed: BTreeSet<(usize, u64)>,
    ends: SourceCounts,
}

/// A part and its place in the file.
struct Placed {
    offset: u64,
    bytes: Held,
}

impl<'a> Single<'a> {
    /// Into a stream.
    pub(in crate::job) fn stream(job: &'a Job<'a>, out: Box<dyn Write + Send>) -> Self {
        Self::new(job, Some(io::BufWriter::with_capacity(WRITE_BYTES, out)), None, None)
    }

    /// Into an object, which is seen when the job is done.
    pub(in crate::job) fn object(job: &'a Job<'a>, mut object: Object) -> Self {
        if !job.settings.unordered {
            object.mark();
        }
        Self::new(job, None, Some(object), None)
    }

    /// Into a file, which is seen when the job is done.
    pub(in crate::job) fn file(job: &'a Job<'a>, file: Pending) -> Self {
        Self::new(job, None, None, Some(file))
    }

    fn new(
        job: &'a Job<'a>,
        stream: Option<io::BufWriter<Box<dyn Write + Send>>>,
        object: Option<Object>,
        file: Option<Pending>,
    ) -> Self {
        let (rejected, failed, ends) = (0, BTreeSet::new(), SourceCounts::default());
        let (last, is_open, was_open) = ((0, 0), false, false);
        let (offset, begun) = (0, 0);
        let writer = Writer {
            stream,
            object,
            offset,
            begun,
            last,
            is_open,
            was_open,
            rejected,
            failed,
            ends,
        };
        Self {
            job,
            window: Window::new(
                Position::default(),
                writer,
                job.settings.window_bytes,
                Arc::clone(job.stats.memory()),
            ),
            packing: Packing::new(job.settings.pack, job.stats.memory()),
            file,
            flight: InFlightWrites::default(),
            error: Mutex::default(),
            failed: AtomicBool::new(false),
        }
    }

    /// Writes the end. If the run was stopped, parts behind a gap are dropped and the file stays
    /// invisible; failures are reported.
    pub(in crate::job) fn finish(self) -> Result<Summary, Error> {
        let Self { job, window, packing, file, error, .. } = self;
        let mut writer = window.finish(|writer, item| report_lost(job, writer, item));
        if let Some(error) = error.into_inner() {
            return Err(error);
        }
        let summary = writer.ends.summary(job)?;
        let written = if writer.offset > 0 { Written::Something } else { Written::Nothing };
        let mut end = match record_end(job).filter(|_| writer.is_open) {
            Some(end) => packing.pack_end(end)?.release(),
            None => Vec::new(),
        };
        end.extend(packing.end(written)?);
        if let Some(stream) = &mut writer.stream {
            stream.write_all(&end).and_then(|()| stream.flush()).map_err(Error::Write)?;
        }
        if let Some(mut object) = writer.object
            && !job.cancel.is_set()
        {
            match object.append(&end) {
                Err(error) if error.is_stop() => {}
                appended => appended.map_err(Error::from).and_then(|()| commit(object))?,
            }
        }
        if let Some(file) = file
            && !job.cancel.is_set()
        {
            file.write_at(&end, writer.offset)?;
            file.truncate(writer.offset + end.len() as u64)?;
            // Where another came in between, it was said to be left.
            let _visible_or_skipped = file.commit()?;
        }
        Ok(summary)
    }

    fn bring(&self, item: Item) {
        let output = match &item.outcome {
            Outcome::Part(Ok(Some(output))) => output.len(),
            Outcome::Part(_) | Outcome::End => 0,
        };
        let charged = output + reject_bytes(&item.rejects);
        let room = Room { charged, beside: ITEM_BYTES };
        let mut placed = Vec::new();
        let commit = |writer: &mut Writer, item: Item| self.commit(writer, item, &mut placed);
        if self.job.settings.unordered {
            self.window.put_unordered(item, commit);
        } else {
            self.window.put(item.slot.at, item, room, commit);
        }
        self.land(&mut placed);
    }

    fn commit(&self, writer: &mut Writer, item: Item, placed: &mut Vec<Placed>) -> Position {
        let Item { mut slot, bytes, outcome, is_open, mut rejects } = item;
        if let Outcome::Part(mut output) = outcome {
            let unordered = self.job.settings.unordered;
            let max = self.job.settings.rejects_max;
            if !unordered && let Err(failure) = count_rejects(writer.rejected, &mut rejects, max) {
                output = Err(failure);
            }
            writer.rejected += Reject::count(&rejects);
            if output.is_err() {
                slot = ended(slot);
                if unordered && !writer.failed.insert((slot.at.source, slot.at.member)) {
                    return slot.at;
                }
            }
            writer.ends.reject(self.job, &slot, &rejects);
            writer.ends.count_poured(self.job, &slot, bytes, output.as_ref().err());
            match output {
                Ok(Some(output)) => {
                    if let Some(is_open) = is_open {
                        self.join(writer, (slot.at.source, slot.at.member), placed);
                        writer.is_open = is_open;
                    }
                    self.write(writer, output, placed);
                    if is_live(self.job, &slot) {
                        self.flush(writer);
                    }
                }
                Ok(None) => {}
                Err(_) => self.take_back(writer, placed),
            }
            if slot.end != End::Part {
                if let Some(object) = writer.object.as_mut().filter(|_| !unordered) {
                    object.mark();
                }
                (writer.begun, writer.was_open) = (writer.offset, writer.is_open);
                writer.rejected = 0;
            }
        }
        writer.ends.after(&slot)
    }

    /// Shows what there is of a source that comes when it comes: its reader may wait for no more
    /// than that.
    fn flush(&self, writer: &mut Writer) {
        if let Some(stream) = &mut writer.stream
            && let Err(error) = stream.flush()
        {
            self.fail(Error::Write(error));
        }
    }

    /// Ends the record that the source before has left open. Where parts come in no order, each is
    /// one of its own.
    fn join(&self, writer: &mut Writer, next: (usize, u64), placed: &mut Vec<Placed>) {
        let Some(end) = record_end(self.job) else { return };
        let is_another = std::mem::replace(&mut writer.last, next) != next;
        if writer.is_open && (is_another || self.job.settings.unordered) {
            match self.packing.pack_end(end) {
                Ok(bytes) => self.write(writer, bytes, placed),
                Err(error) => self.fail(error.into()),
            }
        }
    }

    /// Writes to the stream, or gives a place in the file.
    fn write(&self, writer: &mut Writer, bytes: Held, placed: &mut Vec<Placed>) {
        if self.failed.load(Ordering::Acquire) {
            return;
        }
        let offset = writer.offset;
        writer.offset += bytes.len() as u64;
        if let Some(stream) = &mut writer.stream {
            if let Err(error) = stream.write_all(&bytes) {
                self.fail(Error::Write(error));
            }
            spare::give(bytes);
        } else if let Some(object) = &mut writer.object {
            self.check(object.append(&bytes));
            spare::give(bytes);
        } else {
            self.flight.start();
            placed.push(Placed { offset, bytes });
        }
    }

    /// Forgets what came out of the source at hand, where that can be: no write to its place may be
    /// on its way any more.
    fn take_back(&self, writer: &mut Writer, placed: &mut Vec<Placed>) {
        if writer.stream.is_some() || self.job.settings.unordered {
            return;
        }
        if let Some(object) = &mut writer.object {
            self.check(object.take_back());
        }
        self.land(placed);
        self.flight.wait();
        (writer.offset, writer.is_open) = (writer.begun, writer.was_open);
    }

    /// Writes parts to their places in the file.
    fn land(&self, placed: &mut Vec<Placed>) {
        let Some(file) = &self.file else { return };
        for Placed { offset, bytes } in placed.drain(..) {
            let written = file.write_at(&bytes, offset);
            spare::give(bytes);
            self.flight.land();
            if let Err(error) = written {
                self.fail(error.into());
            }
        }
    }

    /// Fails where a store takes no more; one that was stopped is given no more, and not seen.
    fn check(&self, given: Result<(), ObjectError>) {
        match given {
            Ok(()) => {}
            Err(error) if error.is_stop() => self.failed.store(true, Ordering::Release),
            Err(error) => self.fail(error.into()),
        }
    }

    fn fail(&self, error: Error) {
        self.failed.store(true, Ordering::Release);
        self.error.lock().get_or_insert(error);
        self.job.cancel.set();
    }
}

/// Whether a source is one that others write while it is read.
fn is_live(job: &Job<'_>, slot: &ResultSlot) -> bool {
    let way = job.sources.get(slot.at.source).map(|source| &source.way);
    matches!(way, Some(Way::StandardInput | Way::Fifo))
}

/// What ends a record, where each source is to end with one.
fn record_end(job: &Job<'_>) -> Option<u8> {
    job.record_end.filter(|_| job.settings.join == Join::Record)
}

/// Reports a failed part behind a gap; it is not written.
fn report_lost(job: &Job<'_>, writer: &mut Writer, item: Item) -> Position {
    let Item { slot, bytes, outcome: Outcome::Part(Err(failure)), rejects, .. } = item else {
        return item.slot.at;
    };
    let slot = ended(slot);
    writer.ends.reject(job, &slot, &rejects);
    writer.ends.count_poured(job, &slot, bytes, Some(&failure));
    writer.ends.after(&slot)
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl Deliver for Single<'_> {
    fn check(&self, _result: &[u8]) -> Result<(), Failure> {
        Ok(())
    }

    fn put(&self, slot: ResultSlot, done: Done) {
        let Done { bytes, result, rejects, .. } = done;
        let last = result.as_ref().ok().and_then(|output| output.as_ref()?.last().copied());
        let is_open = last.map(|last| self.job.record_end.is_some_and(|end| end != last));
        let packed = result.map(|output| {
            let packed = output.map(|output| self.packing.pack(output)).transpose();
            packed.unwrap_or_else(|error| {
                self.fail(error.into());
                None
            })
        });
        self.bring(Item { slot, bytes, outcome: Outcome::Part(packed), is_open, rejects });
    }

    fn end(&self, source: usize, members: u64) {
        let at = Position { source, member: members, part: 0 };
        let slot = ResultSlot { at, end: End::Source, member: None };
        let (outcome, is_open, rejects) = (Outcome::End, None, Vec::new());
        self.bring(Item { slot, bytes: 0, outcome, is_open, rejects });
    }

    fn total(&self, _result: Result<Held, Failure>) {}

    fn next_required(&self, _own: Option<Position>) -> Option<Position> {
        self.window.next_required()
    }

    fn wait_for_next_required(&self, at: Position) {
        self.window.wait_for_next_required(at);
    }
}
