//! How a worker reads ahead in a stream: what goes into its ring, and what becomes of a source that
//! cannot be read.

use super::Worker;
use crate::input::{BlockQueue, Chunk, Error, Stream};
use crate::process::{Held, Kind};
use crate::work::open::Open;
use crate::work::output_unit::OutputUnit;
use crate::work::ring::{Reader, Reads, Ring, RingChunk};

/// What was read of a stream.
pub(super) struct Read<'r> {
    pub(super) piece: RingChunk<'r>,
    /// Whether there is more.
    pub(super) more: bool,
}

impl Worker<'_, '_> {
    pub(super) fn decode_ahead(&mut self, ring: &Ring<'_>, pieces: &BlockQueue) {
        pieces.decode_next();
        self.results.times.was_read();
        ring.decoded();
    }

    pub(super) fn read_ahead<'r>(
        &mut self,
        open: &Open<'r>,
        ring: &Ring<'r>,
        mut reader: Box<Reader<'r>>,
        buffer: Held,
    ) {
        let next = match &mut reader.reads {
            Reads::Stream(stream) => self.read_stream(open, stream, buffer),
            Reads::Archive(archive) => self.read_archive(open, archive, buffer),
        };
        let took = self.results.times.was_read();
        match next {
            Some(Read { piece, more }) => {
                ring.put(more.then_some(reader), piece, took);
            }
            None => ring.end(),
        }
    }

    /// The next chunk of a source; `None` when there is none, or it is not worth having.
    fn read_stream<'r>(
        &mut self,
        open: &Open<'_>,
        stream: &mut Stream,
        buffer: Held,
    ) -> Option<Read<'r>> {
        let (whole, index) = (&open.whole, stream.index());
        if self.hopeless(whole, index) {
            self.give_up(whole, index);
            return None;
        }
        let chunk = self.read_chunk(open, whole, index, stream.next(buffer))?;
        let more = !chunk.last;
        Some(Read { piece: RingChunk { member: None, chunk }, more })
    }

    /// What a whole has left from the position `index` on need not be read: one before it has
    /// failed.
    pub(super) fn give_up(&mut self, whole: &OutputUnit<'_>, index: u64) {
        let failed = whole.merge_tree.set_whole(index);
        if self.seat.processor().traits().kind == Kind::Aggregator {
            self.results.merge_failed(whole, failed);
        }
    }

    /// The chunk at `index` of a whole, if it could be read: the failure of the whole if not.
    pub(super) fn read_chunk(
        &mut self,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
        index: u64,
        read: Result<Chunk, Error>,
    ) -> Option<Chunk> {
        match read {
            Ok(chunk) => {
                whole.add_bytes(chunk.bytes().len() as u64);
                if chunk.last {
                    // Before anybody can have seen it: nothing can have failed as a whole yet.
                    whole.merge_tree.set_whole(index + 1);
                    whole.set_parts(index + 1);
                }
                Some(chunk)
            }
            Err(_) if self.plan.cancel.is_set() => None,
            Err(error) if self.seat.processor().traits().kind == Kind::Transformer => {
                self.fail_read(whole, index, error.into());
                // Where that is cancelled, there is no chunk either.
                self.run_tail(open, whole).ok().and(None)
            }
            Err(error) => {
                whole.merge_tree.fail(1, index, error.into());
                let failed = whole.merge_tree.set_whole(index + 1);
                self.results.merge_failed(whole, failed);
                None
            }
        }
    }
}
