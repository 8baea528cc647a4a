//! A source that is read from its front, shared by workers: one of them reads ahead, while there is
//! room, and the others run what it has read. A worker on its own runs each chunk as soon as it is
//! read, while the bytes are hot.
//!
//! The reader never stands still while there is room for a chunk and a worker without one. Room is
//! for a few chunks a worker, in buffers that are reused.
//!
//! Where running a chunk takes a fraction of the time of reading it, who has read it runs it, too:
//! to have it fetched from another core's cache would cost more than the two save by working at the
//! same time.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::Position;
use super::gate::Pass;
use super::output_unit::OutputUnit;
use crate::input::{BlockQueue, Chunk, Members, Stream};
use crate::settings::limits::{AHEAD_CHUNKS, AHEAD_SMALL_CHUNKS, LIGHT_RUNNING_RATIO, WAIT};
use crate::stats::{Charge, Held, MemoryBudget};

/// What a source is read through.
#[derive(Debug)]
pub(super) enum Reads<'a> {
    /// It is cut into chunks.
    Stream(Box<Stream>),
    /// Its members are.
    Archive(Box<Archive<'a>>),
}

/// The same, with the charge of what it held when it last was in the ring.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) reads: Reads<'a>,
    charge: Charge,
}

impl Reader<'_> {
    fn settle(&mut self) {
        self.charge.set(match &self.reads {
            Reads::Stream(stream) => stream.held_bytes(),
            Reads::Archive(archive) => archive.members.held_bytes(),
        });
    }
}

/// An archive, and how far it has been read.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    pub(super) members: Members,
    pub(super) path: PathBuf,
    /// The member that it is at, and the position of the chunk that comes next.
    pub(super) at: Option<(Arc<OutputUnit<'a>>, u64)>,
    /// How many members there were.
    pub(super) count: u64,
}

/// A chunk, and what it is a piece of: the source itself, or a member of it.
#[derive(Debug)]
pub(super) struct RingChunk<'a> {
    pub(super) member: Option<Arc<OutputUnit<'a>>>,
    pub(super) chunk: Chunk,
}

/// What a worker at the ring is to do.
#[derive(Debug)]
pub(super) enum Turn<'a> {
    /// Read the next chunk, into this buffer; then [`Ring::put`] it or [`Ring::end`].
    Read(Box<Reader<'a>>, Held),
    /// Run this chunk; then [`Ring::give_back`] its buffer.
    Run(RingChunk<'a>),
    /// Decode a piece of what is read later; then say [`Ring::decoded`].
    Decode(Arc<BlockQueue>),
    /// There is nothing to do now: ask again.
    Later,
    /// All chunks have been given out.
    End,
}

/// The chunks of a stream between the worker that reads and those that run.
#[derive(Debug)]
pub(super) struct Ring<'a> {
    chunk_bytes: usize,
    state: Mutex<State<'a>>,
    changed: Condvar,
    /// What can be decoded before it is read.
    pieces: Option<Arc<BlockQueue>>,
    memory: Arc<MemoryBudget>,
}

#[derive(Debug, Default)]
struct State<'a> {
    /// `None` while a worker reads, and after the end.
    reader: Option<Box<Reader<'a>>>,
    ended: bool,
    ready: VecDeque<RingChunk<'a>>,
    /// Memory of what is ready.
    ready_bytes: usize,
    /// Buffers for reuse.
    free: Vec<Held>,
    workers: usize,
    waiting: usize,
    reading: Pace,
    running: Pace,
    /// Member and position of the last chunk that was given out.
    given: Option<(u64, u64)>,
}

/// How long a byte takes, lately.
#[derive(Debug, Default)]
struct Pace {
    ns_per_kib: u64,
}

impl Pace {
    fn was(&mut self, took: Duration, bytes: usize) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let now = ns.saturating_mul(1024) / (bytes as u64).max(1);
        self.ns_per_kib = match self.ns_per_kib {
            0 => now,
            before => (before.saturating_mul(3).saturating_add(now)) / 4,
        };
    }
}

impl<'a> Ring<'a> {
    /// A ring over what `reads` reads, in chunks of about `chunk_bytes`, behind those that were
    /// read already; decoded from `pieces`, where there are any.
    pub(super) fn new(
        reads: Reads<'a>,
        chunk_bytes: u64,
        first: Option<Chunk>,
        pieces: Option<Arc<BlockQueue>>,
        memory: &Arc<MemoryBudget>,
    ) -> Self {
        let ended = first.as_ref().is_some_and(|first| first.last);
        let mut reader = Reader { reads, charge: memory.hold(0) };
        reader.settle();
        let reader = (!ended).then(|| Box::new(reader));
        let mut state = State { reader, ended, ..State::default() };
        if let Some(chunk) = first {
            state.push(RingChunk { member: None, chunk });
        }
        let chunk_bytes = usize::try_from(chunk_bytes).unwrap_or(usize::MAX);
        Self {
            chunk_bytes,
            state: Mutex::new(state),
            changed: Condvar::new(),
            pieces,
            memory: Arc::clone(memory),
        }
    }

    /// A worker comes.
    pub(super) fn enter(&self) {
        self.lock().workers += 1;
    }

    /// A worker goes.
    pub(super) fn leave(&self) {
        self.lock().workers -= 1;
    }

    /// Whether there may be chunks for another worker.
    pub(super) fn has_more(&self) -> bool {
        let state = self.lock();
        !state.ended || !state.ready.is_empty()
    }

    /// Whether the chunk there has been given out.
    pub(super) fn has_given(&self, at: Position) -> bool {
        self.lock().given.is_some_and(|last| (at.member, at.part) <= last)
    }

    /// What the calling worker does next. The turn of `pass` ends where there is nothing yet.
    pub(super) fn turn(&self, pass: &mut Pass<'_>) -> Turn<'a> {
        let mut state = self.lock();
        let pieces = self.pieces.as_ref();
        if self.has_room(&state)
            && !pieces.is_some_and(|pieces| pieces.is_waited_for())
            && let Some(reader) = state.reader.take()
        {
            return Turn::Read(reader, state.free.pop().unwrap_or_default());
        }
        if let Some(piece) = state.ready.pop_front() {
            state.ready_bytes -= piece.chunk.held_bytes();
            let member = piece.member.as_ref().map_or(0, |whole| whole.at.member);
            state.given = Some((member, piece.chunk.index));
            return Turn::Run(piece);
        }
        if state.ended {
            return Turn::End;
        }
        if let Some(pieces) = pieces.filter(|pieces| pieces.has_room()) {
            return Turn::Decode(Arc::clone(pieces));
        }
        pass.leave();
        state.waiting += 1;
        // Waking early is allowed, so the time-out does not matter.
        self.changed.wait_for(&mut state, WAIT);
        state.waiting -= 1;
        Turn::Later
    }

    /// Whether running takes so much less than reading that one worker does both.
    fn is_light(&self, state: &State<'a>) -> bool {
        let (reading, running) = (state.reading.ns_per_kib, state.running.ns_per_kib);
        self.pieces.is_none()
            && running > 0
            && running.saturating_mul(LIGHT_RUNNING_RATIO) < reading
    }

    fn has_room(&self, state: &State<'a>) -> bool {
        match state.workers {
            0 | 1 => state.ready.is_empty(),
            _ if self.memory.is_full() => state.ready.is_empty(),
            _ if self.is_light(state) => state.ready.is_empty(),
            workers => {
                let ahead_bytes = (AHEAD_CHUNKS * workers).saturating_mul(self.chunk_bytes);
                state.ready_bytes < ahead_bytes && state.ready.len() < AHEAD_SMALL_CHUNKS * workers
            }
        }
    }

    /// Says that a piece is decoded: the stream may go on.
    pub(super) fn decoded(&self) {
        self.wake(&self.lock());
    }

    /// Brings a chunk, which it took so long to read, and the reader back, unless it is at its end.
    pub(super) fn put(
        &self,
        mut reader: Option<Box<Reader<'a>>>,
        piece: RingChunk<'a>,
        took: Duration,
    ) {
        if let Some(reader) = &mut reader {
            reader.settle();
        }
        let mut state = self.lock();
        state.reading.was(took, piece.chunk.bytes().len());
        state.ended = reader.is_none();
        state.reader = reader;
        state.push(piece);
        if state.ended || !self.is_light(&state) {
            self.wake(&state);
        }
    }

    /// Ends the stream: nothing more can be read, or needs to be.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        self.wake(&state);
    }

    /// Brings the buffer of a chunk back, which it took so long to run.
    pub(super) fn give_back(&self, chunk: Chunk, took: Duration) {
        let mut state = self.lock();
        state.running.was(took, chunk.bytes().len());
        // Who runs one, who reads another, and those between them.
        if state.free.len() < (AHEAD_CHUNKS + 1) * state.workers {
            state.free.push(chunk.into_buffer());
        }
    }

    fn wake(&self, state: &State<'_>) {
        if state.waiting > 0 {
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock()
    }
}

impl<'a> State<'a> {
    fn push(&mut self, piece: RingChunk<'a>) {
        self.ready_bytes += piece.chunk.held_bytes();
        self.ready.push_back(piece);
    }
}
