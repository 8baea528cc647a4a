//! A chunk of which more comes out than one call may give: it is run again in two halves, and those
//! in halves, down to one record.

use super::Worker;
use crate::process::{ChunkReader, Failure, FailureKind, Place, Pushed, Reject, Scope};
use crate::settings::limits::HALVED_OUTPUT_RATIO;
use crate::work::output_unit::OutputUnit;

/// What came out of a chunk, and what of it was set aside.
pub(super) type Run = (Pushed, Vec<Reject>);

impl Worker<'_, '_> {
    /// Runs one chunk.
    pub(super) fn run_chunk(
        &mut self,
        whole: &OutputUnit<'_>,
        fresh: bool,
        place: Place,
        fill: &mut dyn ChunkReader,
    ) -> Result<Run, Failure> {
        match self.run_once(whole, fresh, place, fill) {
            // One that sees its source in order has seen what comes before, which is gone.
            Err(failure) if is_too_much(&failure) && self.scope() == Scope::Chunk => {
                let mut chunk = vec![0; fill.len()];
                fill.fill(&mut chunk)?;
                let most =
                    self.plan.settings.sandbox.output_bytes.saturating_mul(HALVED_OUTPUT_RATIO);
                self.run_halves(whole, place, &chunk, failure, most)
            }
            run => run,
        }
    }

    fn run_halves(
        &mut self,
        whole: &OutputUnit<'_>,
        place: Place,
        chunk: &[u8],
        failure: Failure,
        most: usize,
    ) -> Result<Run, Failure> {
        let Some(middle) = self.plan.cutter.framing.middle(chunk) else { return Err(failure) };
        self.plan.stats.add_retry();
        let (first, rest) = chunk.split_at(middle);
        // What is not the first chunk of its source must not take itself for that.
        let index = place.index.max(1);
        let halves = [
            (Place { last: false, ..place }, first),
            (Place { index, offset: place.offset + middle as u64, ..place }, rest),
        ];
        let (mut all, mut set_aside) = (Pushed::default(), Vec::new());
        for (place, mut half) in halves {
            let fresh = self.seat.is_empty();
            let run = match self.run_once(whole, fresh, place, &mut half) {
                Err(failure) if is_too_much(&failure) => {
                    self.run_halves(whole, place, half, failure, most)
                }
                run => run,
            };
            let (pushed, rejects) = run?;
            all.filling += pushed.filling;
            all.output.append(pushed.output);
            set_aside.extend(rejects);
            if all.output.len() > most {
                return Err(failure);
            }
        }
        Ok((all, set_aside))
    }

    fn run_once(
        &mut self,
        whole: &OutputUnit<'_>,
        fresh: bool,
        place: Place,
        fill: &mut dyn ChunkReader,
    ) -> Result<Run, Failure> {
        let mut instance = self.seat.accumulator(whole.opening(), fresh)?;
        let pushed = instance.push(place, fill).inspect_err(|failure| {
            if is_too_much(failure) && self.scope() == Scope::Chunk {
                instance.forget_chunk();
            }
        })?;
        let rejects = instance.take_rejects();
        self.seat.put(instance);
        Ok((pushed, rejects))
    }
}

fn is_too_much(failure: &Failure) -> bool {
    failure.kind == FailureKind::Output
}
