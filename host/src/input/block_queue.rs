//! The pieces of a compressed file whose decompressed sizes are unknown: idle workers decode them,
//! in any order but not far ahead, and they are read in their order.
//!
//! A piece that cannot be decoded by itself, or holds too much, is only marked as that: the one who
//! reads decides what becomes of it. There are a few decoded pieces a worker in memory, in buffers
//! that are reused.

use std::collections::VecDeque;
use std::io::empty;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::decode::{Block, BlockSpan, Blocks, Codec, DecodeLimits, DecodedBlock, Decoder};
use super::{Access, Input};
use crate::settings::limits::{
    DECODE_AHEAD_PIECES, DECODE_LZ4_WORKERS_MIN, DECODE_PIECE_BYTES_MAX, WAIT,
};
use crate::stats::{Charge, Held, MemoryBudget};

/// The pieces of one source. One worker reads them, any number decode them.
#[derive(Debug)]
pub struct BlockQueue {
    input: Arc<Input>,
    codec: Codec,
    limits: DecodeLimits,
    /// How many there may be that have been begun and not been read.
    ahead: usize,
    stop: Arc<AtomicBool>,
    /// Held while the next piece is looked for, so that they are begun in their order.
    blocks: Mutex<Blocks>,
    memory: Arc<MemoryBudget>,
    state: Mutex<State>,
    decoded: Condvar,
}

#[derive(Debug)]
struct State {
    /// How many have been read.
    read: usize,
    /// What has been begun and not been read, the next to be read first.
    begun: VecDeque<Slot>,
    /// Whether no more are to be begun: there are none left, or the reader is gone.
    over: bool,
    buffers: Vec<Held>,
    decoders: Vec<(Decoder, Charge)>,
}

#[derive(Debug)]
enum Slot {
    /// Somebody is at it.
    Begun,
    Decoded(Box<DecodedBlock>),
    /// It cannot be decoded by itself.
    Failed,
}

/// What is to be read next.
#[derive(Debug)]
pub(super) enum Next {
    Block(Box<DecodedBlock>),
    /// From here on pieces are of no use.
    Failed,
    /// There are no more.
    End,
    /// The run has been stopped.
    Stopped,
}

impl BlockQueue {
    /// The pieces of `input`, for `workers` at once. `None` where it has one, or has them only as a
    /// whole.
    pub(super) fn of(
        input: Input,
        codec: Codec,
        limits: DecodeLimits,
        workers: usize,
        access: &Access,
    ) -> Option<Self> {
        if codec == Codec::Lz4 && workers < DECODE_LZ4_WORKERS_MIN {
            return None;
        }
        let first = Blocks::of(&input, codec)?.next(&input)?;
        if !first.is_piece(DECODE_PIECE_BYTES_MAX) || first.ends(input.bytes()) {
            return None;
        }
        let blocks = Mutex::new(Blocks::of(&input, codec)?);
        Some(Self {
            input: Arc::new(input),
            codec,
            limits,
            ahead: DECODE_AHEAD_PIECES * workers,
            stop: Arc::clone(&access.stop),
            blocks,
            memory: Arc::clone(&access.memory),
            state: Mutex::new(State {
                read: 0,
                begun: VecDeque::new(),
                over: false,
                buffers: Vec::new(),
                decoders: Vec::new(),
            }),
            decoded: Condvar::new(),
        })
    }

    pub(super) fn input(&self) -> &Arc<Input> {
        &self.input
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    pub(super) fn limits(&self) -> DecodeLimits {
        self.limits
    }

    /// Whether there is a piece to be decoded, and room for it.
    pub fn has_room(&self) -> bool {
        self.is_room_in(&self.lock())
    }

    /// Where all memory is in use only the piece that is read next is decoded.
    fn is_room_in(&self, state: &State) -> bool {
        let begun = state.begun.len();
        !state.over && begun < self.ahead && (begun == 0 || !self.memory.is_full())
    }

    /// Whether who reads on could do nothing now but wait for others.
    pub fn is_waited_for(&self) -> bool {
        let state = self.lock();
        !self.is_room_in(&state) && matches!(state.begun.front(), Some(Slot::Begun))
    }

    /// Decodes the next piece that no worker has begun; false if there is none, or no room.
    pub fn decode_next(&self) -> bool {
        let Some((at, block)) = self.begin() else { return false };
        let slot = match block {
            Some(block) => {
                self.decode(block).map_or(Slot::Failed, |piece| Slot::Decoded(Box::new(piece)))
            }
            None => Slot::Failed,
        };
        let mut state = self.lock();
        state.over |= matches!(slot, Slot::Failed);
        let place = at.checked_sub(state.read);
        if let Some(begun) = place.and_then(|place| state.begun.get_mut(place)) {
            *begun = slot;
        }
        drop(state);
        self.decoded.notify_all();
        true
    }

    /// Looks for the next piece and takes a place for it: its number, and what it is, if one that
    /// can be decoded.
    fn begin(&self) -> Option<(usize, Option<Block>)> {
        let mut blocks = self.blocks.lock();
        if !self.has_room() {
            return None;
        }
        let found = blocks.next(&self.input);
        let mut state = self.lock();
        if state.over {
            return None;
        }
        let Some(block) = found else {
            state.over = true;
            return None;
        };
        state.begun.push_back(Slot::Begun);
        let at = state.read + state.begun.len() - 1;
        Some((at, Some(block).filter(|block| block.is_piece(DECODE_PIECE_BYTES_MAX))))
    }

    fn decode(&self, block: Block) -> Option<DecodedBlock> {
        let (decoder, buffer) = {
            let mut state = self.lock();
            (state.decoders.pop(), state.buffers.pop())
        };
        let buffer = buffer.unwrap_or_else(|| Held::buffer(&self.memory));
        let fresh = || Decoder::new(self.codec, Box::new(empty()), self.limits);
        let fresh = || (fresh().within(self.input.bytes()), self.memory.hold(0));
        let (mut decoder, mut held) = decoder.unwrap_or_else(fresh);
        held.set(decoder.held_bytes());
        let (offset, bytes) = (block.compressed_offset, block.compressed_bytes);
        let source = BlockSpan::new(Arc::clone(&self.input), offset, bytes);
        let piece = DecodedBlock::decode(&mut decoder, block, Box::new(source), buffer);
        held.set(decoder.held_bytes());
        decoder.turn_to(Box::new(empty()));
        self.lock().decoders.push((decoder, held));
        piece
    }

    /// The next piece in order. Who has to wait for it decodes another meanwhile.
    pub(super) fn next(&self) -> Next {
        while !self.stop.load(Ordering::Acquire) {
            let state = self.lock();
            let waits = match state.begun.front() {
                Some(Slot::Begun) => true,
                Some(_) => return take(state),
                None if state.over => return Next::End,
                None => false,
            };
            drop(state);
            if !self.decode_next() && waits {
                self.wait();
            }
        }
        Next::Stopped
    }

    /// Waits until the next piece may have been decoded.
    fn wait(&self) {
        let mut state = self.lock();
        if matches!(state.begun.front(), Some(Slot::Begun)) {
            // Waking early is allowed, so the time-out does not matter.
            self.decoded.wait_for(&mut state, WAIT);
        }
    }

    /// Brings the buffer of a piece back.
    pub(super) fn give_back(&self, piece: DecodedBlock) {
        self.lock().buffers.push(piece.into_buffer());
    }

    /// Ends decoding: the reader is gone.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.over = true;
        state.begun.clear();
        state.buffers.clear();
        state.decoders.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

fn take(mut state: MutexGuard<'_, State>) -> Next {
    match state.begun.pop_front() {
        Some(Slot::Decoded(piece)) => {
            state.read += 1;
            Next::Block(piece)
        }
        _ => Next::Failed,
    }
}
