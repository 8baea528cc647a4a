//! A source that is read from its front, shared by workers: one of them reads ahead, while there is room, and the others
//! run what it has read. A worker on its own runs each chunk as soon as it is read, while the bytes are hot.
//!
//! The stream never stands still while there is room for a chunk and a worker without one. Room is for a few chunks a
//! worker, in buffers that are reused.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::input::{Chunk, Pieces, Stream};
use crate::settings::limits::{AHEAD_CHUNKS, WAIT};

/// What a worker at the ring is to do.
#[derive(Debug)]
pub(super) enum Turn {
    /// Read the next chunk, into this buffer; then [`Ring::put`] it or [`Ring::end`].
    Read(Box<Stream>, Vec<u8>),
    /// Run this chunk; then [`Ring::give_back`] its buffer.
    Run(Chunk),
    /// Decode a piece of what is read later; then say [`Ring::decoded`].
    Decode(Arc<Pieces>),
    /// There is nothing to do now: ask again.
    Later,
    /// All chunks have been given out.
    End,
}

/// The chunks of a stream between the worker that reads and those that run.
#[derive(Debug)]
pub(super) struct Ring {
    state: Mutex<State>,
    changed: Condvar,
    /// What can be decoded before it is read.
    pieces: Option<Arc<Pieces>>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` while a worker reads, and after the end.
    stream: Option<Box<Stream>>,
    ended: bool,
    /// Bytes of all chunks so far.
    bytes: u64,
    ready: VecDeque<Chunk>,
    free: Vec<Vec<u8>>,
    workers: usize,
    waiting: usize,
}

impl Ring {
    /// A ring with its first chunk, which was read when the source was opened, and the pieces that the stream is read from, if
    /// it has any.
    pub(super) fn new(stream: Stream, first: Chunk, pieces: Option<Arc<Pieces>>) -> Self {
        let ended = first.last;
        let stream = (!ended).then(|| Box::new(stream));
        let bytes = first.bytes().len() as u64;
        let ready = VecDeque::from([first]);
        let state = State { stream, ended, bytes, ready, ..State::default() };
        Self { state: Mutex::new(state), changed: Condvar::new(), pieces }
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

    /// Bytes of all chunks so far.
    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// What the calling worker does next.
    pub(super) fn turn(&self) -> Turn {
        let mut state = self.lock();
        let room = if state.workers > 1 { AHEAD_CHUNKS * state.workers } else { 1 };
        let pieces = self.pieces.as_ref();
        if state.ready.len() < room
            && !pieces.is_some_and(|pieces| pieces.is_waited_for())
            && let Some(stream) = state.stream.take()
        {
            return Turn::Read(stream, state.free.pop().unwrap_or_default());
        }
        if let Some(chunk) = state.ready.pop_front() {
            return Turn::Run(chunk);
        }
        if state.ended {
            return Turn::End;
        }
        if let Some(pieces) = pieces.filter(|pieces| pieces.has_room()) {
            return Turn::Decode(Arc::clone(pieces));
        }
        state.waiting += 1;
        // Waking early is allowed, so the time-out does not matter.
        let waited = self.changed.wait_timeout(state, WAIT);
        waited.unwrap_or_else(PoisonError::into_inner).0.waiting -= 1;
        Turn::Later
    }

    /// Brings a chunk that was read, and the stream back.
    pub(super) fn put(&self, stream: Box<Stream>, chunk: Chunk) {
        let mut state = self.lock();
        state.ended = chunk.last;
        state.bytes += chunk.bytes().len() as u64;
        state.stream = (!chunk.last).then_some(stream);
        state.ready.push_back(chunk);
        self.wake(&state);
    }

    /// Says that a piece is decoded: the stream may go on.
    pub(super) fn decoded(&self) {
        self.wake(&self.lock());
    }

    /// Ends the stream early: nothing more can be read, or needs to be.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        self.wake(&state);
    }

    /// Brings the buffer of a chunk back.
    pub(super) fn give_back(&self, chunk: Chunk) {
        self.lock().free.push(chunk.into_buffer());
    }

    fn wake(&self, state: &State) {
        if state.waiting > 0 {
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
