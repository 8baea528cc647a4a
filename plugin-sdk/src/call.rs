//! The calls of a plugin that come from a host, in WebAssembly and in tests: what is the same for
//! all plugins is done here, before and after the plugin's own.

use std::any::TypeId;
use std::cell::Cell;

use crate::manifest::Reads;
use crate::{Aggregator, Chunk, Error, Manifest, Source, Transformer, text};

thread_local! {
    /// Bytes that were dropped from the front of the chunk of the call.
    static DROPPED: Cell<u64> = const { Cell::new(0) };

    /// What the plugin that was called last reads.
    static READS: Cell<Option<(TypeId, Reads)>> = const { Cell::new(None) };
}

/// The offset in the chunk that the host knows, of one in what is left of it.
pub(crate) fn in_chunk(offset: u64) -> u64 {
    offset + DROPPED.get()
}

/// What a plugin reads. To make its manifest for that takes as long as counting the words of a
/// small source.
fn reads<Plugin: 'static>(manifest: fn() -> Manifest) -> Reads {
    let plugin = TypeId::of::<Plugin>();
    if let Some((known, reads)) = READS.get()
        && known == plugin
    {
        return reads;
    }
    let reads = manifest().reads;
    READS.set(Some((plugin, reads)));
    reads
}

/// The source as an aggregator sees it.
pub(crate) fn aggregated<A: Aggregator>(source: Source) -> Source {
    without_mark(reads::<A>(A::manifest), source)
}

/// The source as a transformer sees it.
pub(crate) fn transformed<T: Transformer>(source: Source) -> Source {
    without_mark(reads::<T>(T::manifest), source)
}

fn without_mark(reads: Reads, mut source: Source) -> Source {
    let mark = text::mark_bytes(reads, &source.header);
    source.header.drain(..mark);
    source
}

/// [`Transformer::push`]
pub(crate) fn transform<T: Transformer>(
    plugin: &T,
    state: &mut T::State,
    chunk: Chunk,
    mut data: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    if chunk.offset > 0 {
        return plugin.push(state, chunk, data);
    }
    let front = text::front(reads::<T>(T::manifest), chunk, &data)?;
    data.drain(..front);
    behind(front, || plugin.push(state, chunk, data))
}

/// [`Aggregator::push`]
pub(crate) fn aggregate<A: Aggregator>(
    plugin: &A,
    state: &mut A::State,
    chunk: Chunk,
    data: &[u8],
) -> Result<(), Error> {
    if chunk.offset > 0 {
        return plugin.push(state, chunk, data);
    }
    let front = text::front(reads::<A>(A::manifest), chunk, data)?;
    behind(front, || plugin.push(state, chunk, data.get(front..).unwrap_or_default()))
}

/// Makes a call over what is left of a chunk: the offsets in its errors become those of the whole
/// chunk.
fn behind<T>(front: usize, call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    DROPPED.set(front as u64);
    let result = call().map_err(|error| match error {
        Error::InvalidData { offset, reason } => {
            Error::InvalidData { offset: in_chunk(offset), reason }
        }
        other @ Error::Fatal(_) => other,
    });
    DROPPED.set(0);
    result
}
