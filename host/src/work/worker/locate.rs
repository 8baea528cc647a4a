//! In which lines of their source the records are that a plugin has set aside.

use super::Worker;
use crate::input::{Chunk, LineCount, Offsets};
use crate::process::Reject;
use crate::slices;
use crate::work::Locate;
use crate::work::open::Open;
use crate::work::output_unit::OutputUnit;

impl Worker<'_, '_> {
    /// For records of a chunk that was found by its place.
    pub(super) fn locate_placed(
        &mut self,
        open: &Open<'_>,
        whole: &OutputUnit<'_>,
        rejects: &mut [Reject],
    ) {
        let all = self.plan.locate == Locate::All;
        // What is remote would have to come twice, and what is decoded in pieces be decoded once
        // more.
        if open.input.is_remote() || (open.input.is_decoded() && !all) {
            return shift(whole, rejects);
        }
        let framing = self.plan.cutter.framing;
        for reject in self.to_locate(whole, rejects) {
            // A source that can no longer be read fails with its next chunk, or at its end.
            reject.line =
                open.lines.at(&open.input, framing, reject.offset, &mut self.sight.scan).ok();
        }
        shift(whole, rejects);
    }

    /// For records of a chunk of a stream.
    pub(super) fn locate_streamed(
        &self,
        chunk: &Chunk,
        whole: &OutputUnit<'_>,
        rejects: &mut [Reject],
    ) {
        let begun = || LineCount::from(self.plan.cutter.framing, chunk.lines_before);
        let (mut at, mut lines) = (0, begun());
        for reject in self.to_locate(whole, rejects) {
            let to = usize::try_from(reject.offset.saturating_sub(chunk.offset));
            let to = to.unwrap_or(usize::MAX).min(chunk.bytes().len());
            if to < at {
                (at, lines) = (0, begun());
            }
            lines.add(slices::part(chunk.bytes(), at..to));
            at = to;
            reject.line = Some(lines.ended() + 1);
        }
        shift(whole, rejects);
    }

    /// Those whose lines are reported.
    fn to_locate<'r>(
        &self,
        whole: &OutputUnit<'_>,
        rejects: &'r mut [Reject],
    ) -> impl Iterator<Item = &'r mut Reject> + use<'r> {
        let has_lines = self.plan.cutter.framing.has_lines();
        let first = rejects.first().filter(|first| has_lines && first.is_exact);
        let tells_first = first.is_some_and(|first| whole.is_first_rejected(first.offset));
        let count = match () {
            () if !has_lines => 0,
            () if self.plan.locate == Locate::All => rejects.len(),
            () => usize::from(tells_first),
        };
        rejects.iter_mut().take(count).filter(|reject| reject.is_exact)
    }
}

/// From now on their offsets are those in the source, of which plugins see the text; for a text in
/// another encoding none are reported.
fn shift(whole: &OutputUnit<'_>, rejects: &mut [Reject]) {
    for reject in rejects {
        match whole.offsets {
            Offsets::Behind(bytes) => reject.offset += bytes,
            Offsets::OfText => reject.is_exact = false,
        }
    }
}
