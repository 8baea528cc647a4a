//! Where in a source the records were of which a later stage of a chain has set some aside.
//!
//! What the stages before make of one record says where that of the next begins. So they are run
//! once more over the chunk, some records at a time, in instances of their own, and what comes out
//! is compared with what the stage was given: where that is another, as it can be of a plugin whose
//! chunks do not stand alone, no place is given.

use std::collections::BTreeMap;

use super::stretch::StageRange;
use crate::process::{ChunkReader, Failure, Header, Held, Instance, Opening, Place, Reject};
use crate::settings::limits::TRACE_RECORDS;
use crate::slices;

/// Asks the stages before the one at `index`.
pub(super) struct Trace<'s> {
    pub(super) stretch: &'s StageRange,
    pub(super) index: usize,
    pub(super) opening: Opening<'s>,
}

/// Neighbouring records of the chunk, and what comes out of them.
struct RecordSpan {
    start: usize,
    end: usize,
    given_start: usize,
}

impl Trace<'_> {
    /// Gives `rejects` their offsets in the source, as far as they can be found. They are within
    /// `given`, which came out of the chunk at `place`.
    pub(super) fn find(
        &self,
        place: Place,
        fill: &mut dyn ChunkReader,
        given: &[u8],
        rejects: &mut [Reject],
    ) -> Result<(), Failure> {
        let mut chunk = vec![0; fill.len()];
        fill.fill(&mut chunk)?;
        let mut wanted: BTreeMap<usize, Vec<&mut Reject>> = BTreeMap::new();
        for reject in rejects {
            let at = usize::try_from(reject.offset.saturating_sub(place.offset));
            wanted.entry(at.unwrap_or(usize::MAX)).or_default().push(reject);
        }
        let mut before = self.start()?;
        let lengths: Vec<usize> = self.stretch.line.framing.records(&chunk).collect();
        let (mut at, mut given_at) = (0, 0);
        for some in lengths.chunks(TRACE_RECORDS) {
            let end = at + some.iter().sum::<usize>();
            let piece = RecordSpan { start: at, end, given_start: given_at };
            let Some(given_end) = before.run(place, &chunk, &piece, given)? else {
                break;
            };
            let found = wanted.range(given_at..given_end).next().is_some();
            if found {
                self.each(place, &chunk, some, &piece, given, &mut wanted)?;
            }
            (at, given_at) = (end, given_end);
            if wanted.range(given_at..).next().is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The same within some records, one at a time.
    fn each(
        &self,
        place: Place,
        chunk: &[u8],
        lengths: &[usize],
        piece: &RecordSpan,
        given: &[u8],
        wanted: &mut BTreeMap<usize, Vec<&mut Reject>>,
    ) -> Result<(), Failure> {
        let mut before = self.start()?;
        let (mut at, mut given_at) = (piece.start, piece.given_start);
        for length in lengths {
            let own = RecordSpan { start: at, end: at + length, given_start: given_at };
            let Some(end) = before.run(place, chunk, &own, given)? else { break };
            for (_, rejects) in wanted.range_mut(given_at..end) {
                for reject in rejects {
                    reject.offset = place.offset + at as u64;
                    reject.is_exact = true;
                }
            }
            (at, given_at) = (own.end, end);
        }
        Ok(())
    }

    fn start(&self) -> Result<Before<'_>, Failure> {
        let mut before = Before(Vec::with_capacity(self.index));
        for stage in self.stretch.line.stages.iter().take(self.index) {
            let mut instance = stage.processor.start()?;
            let asks = stage.processor.traits().header_records > 0;
            instance.open(Opening {
                header: if asks { self.opening.header } else { Header::NONE },
                ..self.opening
            })?;
            before.0.push(instance);
        }
        Ok(before)
    }
}

/// Instances of the stages before. What they count and set aside is forgotten, whatever ends them.
struct Before<'a>(Vec<Box<dyn Instance + 'a>>);

impl Drop for Before<'_> {
    fn drop(&mut self) {
        for instance in &mut self.0 {
            instance.forget();
        }
    }
}

impl Before<'_> {
    /// Where what comes out of a piece ends in `given`; nothing where that is something else.
    fn run(
        &mut self,
        place: Place,
        chunk: &[u8],
        piece: &RecordSpan,
        given: &[u8],
    ) -> Result<Option<usize>, Failure> {
        let own = slices::part(chunk, piece.start..piece.end);
        let mut bytes: Option<Held> = None;
        let is_first = piece.start == 0;
        let index = if is_first { place.index } else { place.index.max(1) };
        let last = place.last && piece.end == chunk.len();
        let place = Place { index, offset: place.offset + piece.start as u64, last };
        for instance in &mut self.0 {
            let mut given = bytes.as_deref().unwrap_or(own);
            bytes = Some(instance.push(place, &mut given)?.output);
        }
        let bytes = bytes.as_deref().unwrap_or(own);
        let end = piece.given_start + bytes.len();
        Ok((given.get(piece.given_start..end) == Some(bytes)).then_some(end))
    }
}
