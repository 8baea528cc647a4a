//! The output of a source that comes in several parts: ordered in a window of its own, and written
//! by the workers that bring them.
//!
//! The worker with its first bytes creates the file. So a source that fails before it has any
//! leaves no file, and no worker at another source waits for the kernel. If that fails, the error
//! is reported when the source ends.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::job::Job;
use crate::job::sink::destination::{Sink, Writing};
use crate::job::sink::in_flight::InFlightWrites;
use crate::job::sink::{count_rejects, ended};
use crate::output::{Content, Room, Window};
use crate::process::{Failure, Reject, spare};
use crate::stats::{Held, MemoryBudget};
use crate::work::{End, Position, ResultSlot};

/// One output.
pub(super) struct Output {
    pub(super) window: Window<Position, Part, Writer>,
    /// None before it is made, and once it has been taken.
    file: Mutex<Option<Making>>,
    flight: InFlightWrites,
    writing: Writing,
    /// Why a write failed, for the worker that ends the file.
    unwritten: Mutex<Option<Failure>>,
}

/// A file that is written, or was wanted; or why there is none.
pub(super) type Making = Result<Wanted, Failure>;

#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) path: PathBuf,
    /// None where there is one already, and that is to be left.
    pub(super) sink: Option<Sink>,
}

/// What is used by one thread at a time.
#[derive(Default)]
pub(super) struct Writer {
    offset: u64,
    content: Content,
    bytes_in: u64,
    rejected: u64,
    rejects: Vec<Reject>,
}

impl Writer {
    /// Keeps records that are to be written; else one that stands for all.
    fn keep(&mut self, rejects: Vec<Reject>, are_written: bool) {
        match self.rejects.first_mut().filter(|_| !are_written) {
            Some(first) => {
                first.records += Reject::count(&rejects);
                first.bytes += rejects.iter().map(|reject| reject.bytes).sum::<u64>();
            }
            None => self.rejects.extend(rejects),
        }
    }
}

pub(super) struct Part {
    pub(super) slot: ResultSlot,
    pub(super) bytes: u64,
    pub(super) output: Result<Option<Held>, Failure>,
    pub(super) rejects: Vec<Reject>,
}

impl Part {
    /// Whether nothing comes behind it that it does not end.
    pub(super) fn is_all(&self) -> bool {
        self.slot.at.part == 0 && self.slot.end != End::Part && self.output.is_ok()
    }
}

/// A part and its place in the file.
struct Placed {
    offset: u64,
    bytes: Held,
}

/// A source whose parts are all there, or of which one failed.
pub(super) struct Ended {
    pub(super) slot: ResultSlot,
    pub(super) bytes_in: u64,
    pub(super) rejected: u64,
    /// Those that are to be written.
    pub(super) rejects: Vec<Reject>,
}

/// How a source ended: with so many bytes of output, and their digest, or a failure.
type Ending = (Ended, Result<(u64, Content), Failure>);

impl Output {
    /// For the source of `slot`, of which so many bytes may wait for their turn, charged to that
    /// memory.
    pub(super) fn new(
        slot: &ResultSlot,
        window_bytes: usize,
        memory: Arc<MemoryBudget>,
        writing: Writing,
    ) -> Self {
        let first = Position { part: 0, ..slot.at };
        let window = Window::new(first, Writer::default(), window_bytes, memory);
        let (file, flight) = (Mutex::default(), InFlightWrites::default());
        Self { window, file, flight, writing, unwritten: Mutex::default() }
    }

    /// Brings a part. Returns the end of the source to the worker that brings the last part, or one
    /// that failed, when all before it is written.
    pub(super) fn bring(
        &self,
        job: &Job<'_>,
        part: Part,
        make: impl Fn() -> Making,
    ) -> Option<Ending> {
        let held = match &part.output {
            Ok(Some(bytes)) => bytes.len(),
            _ => 0,
        };
        let mut placed = Vec::new();
        let mut ended = None;
        let room = Room { charged: held, beside: size_of::<Part>() };
        self.window.put(part.slot.at, part, room, |writer, part| {
            let at = part.slot.at;
            ended = ended.take().or_else(|| self.place(job, writer, part, &mut placed, &make));
            match ended {
                // Later parts are ignored.
                Some(_) => Position { part: u64::MAX, ..at },
                None => Position { part: at.part + 1, ..at },
            }
        });
        for Placed { offset, bytes } in placed {
            self.write(&bytes, offset, &make);
            spare::give(bytes);
            self.flight.land();
        }
        let (ended, result) = ended?;
        self.flight.wait();
        let landed = lock(&self.unwritten).take().map_or(Ok(()), Err);
        Some((ended, result.and_then(|made| landed.map(|()| made))))
    }

    /// Gives a part its place in the file, and says so when it was the last.
    fn place(
        &self,
        job: &Job<'_>,
        writer: &mut Writer,
        part: Part,
        placed: &mut Vec<Placed>,
        make: impl FnOnce() -> Making,
    ) -> Option<Ending> {
        let Part { slot, bytes, output, mut rejects } = part;
        writer.bytes_in += bytes;
        let counted = count_rejects(writer.rejected, &mut rejects, job.settings.rejects_max);
        writer.rejected += Reject::count(&rejects);
        writer.keep(rejects, job.rejects.is_some());
        let (slot, result) = match counted.and(output) {
            Ok(output) => {
                let bytes = output.unwrap_or_default();
                let offset = writer.offset;
                writer.offset += bytes.len() as u64;
                if job.memory.is_some() {
                    writer.content.add(&bytes);
                }
                if bytes.is_empty() {
                    spare::give(bytes);
                } else if self.writing == Writing::InOrder {
                    self.write(&bytes, offset, make);
                    spare::give(bytes);
                } else {
                    self.flight.start();
                    placed.push(Placed { offset, bytes });
                }
                (slot, Ok(()))
            }
            Err(failure) => (ended(slot), Err(failure)),
        };
        (slot.end != End::Part).then(|| {
            let Writer { offset, content, bytes_in, rejected, rejects } = std::mem::take(writer);
            (Ended { slot, bytes_in, rejected, rejects }, result.map(|()| (offset, content)))
        })
    }

    /// Writes a part to its place.
    fn write(&self, bytes: &[u8], offset: u64, make: impl FnOnce() -> Making) {
        let wanted = self.file().get_or_insert_with(make).clone();
        let written = wanted.and_then(|wanted| match wanted.sink {
            Some(sink) => sink.write(bytes, offset),
            None => Ok(()),
        });
        if let Err(failure) = written {
            lock(&self.unwritten).get_or_insert(failure);
        }
    }

    /// The file, for the worker that ends it: no other has it once all writes are done. None where
    /// nothing was written.
    pub(super) fn take(&self) -> Option<Making> {
        self.file().take()
    }

    fn file(&self) -> MutexGuard<'_, Option<Making>> {
        lock(&self.file)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
