//! The instances of neighbouring stages of a chain: one call runs all of them over a chunk.

use std::sync::Arc;

use super::reframe::Reframe;
use super::stretch::{Joint, Stage, StageRange};
use super::trace::Trace;
use crate::input::Framing;
use crate::process::{
    Accumulate, ChunkReader, Failure, FailureKind, Header, Held, Instance, MemoryBudget, Opening,
    Place, Processor, Pushed, Reject, Scope, Traits, spare,
};

impl Processor for StageRange {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        self.own().first().map(|stage| stage.processor.memory()).unwrap_or_default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(Links::start(self)?))
    }
}

/// The instances of neighbouring stages.
struct Links<'a> {
    stretch: &'a StageRange,
    /// In their order.
    row: Vec<Link<'a>>,
    /// Name of the source at hand, and its first records.
    opened: (String, Header),
    rejects: Vec<Reject>,
    /// So many of the links have seen the chunk at hand.
    reached: usize,
}

/// A stage at its place in the chain.
struct Link<'a> {
    index: usize,
    stage: &'a Stage,
    instance: Box<dyn Instance + 'a>,
    /// Where what it takes is cut anew.
    reframe: Option<Reframe>,
}

impl<'a> Links<'a> {
    fn start(stretch: &'a StageRange) -> Result<Self, Failure> {
        let link = |(index, stage): (usize, &'a Stage)| {
            let started = stage.processor.start();
            let instance = started.map_err(|failure| stretch.named(stage, failure))?;
            let reframe = (stretch.line.joint(index) == Joint::Reframed).then(|| {
                let memory = stage.processor.memory();
                Reframe::new(stage.framing, stretch.line.record_bytes_max, memory)
            });
            Ok(Link { index, stage, instance, reframe })
        };
        let links: Result<_, Failure> =
            (stretch.own.start..).zip(stretch.own()).map(link).collect();
        Ok(Self {
            stretch,
            row: links?,
            opened: Default::default(),
            rejects: Vec::new(),
            reached: 0,
        })
    }

    /// Calls the last stage.
    fn last<T>(
        &mut self,
        call: impl FnOnce(&mut (dyn Instance + 'a)) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(link) = self.row.last_mut() else {
            return Err(Failure::new(FailureKind::Start, "a chain of no plugins"));
        };
        let (stage, stretch) = (link.stage, self.stretch);
        call(&mut *link.instance).map_err(|failure| stretch.named(stage, failure))
    }

    /// Where in the source the records were that a stage set aside: that is only told by what the
    /// stages before it make of each.
    fn locate(
        &self,
        index: usize,
        place: Place,
        fill: &mut dyn ChunkReader,
        given: &[u8],
        rejects: &mut [Reject],
    ) {
        for reject in &mut *rejects {
            reject.is_exact = false;
        }
        // Whoever runs the stages: where the chain is taken in two, the source's bytes are only
        // known before the first that sees it in order.
        let mut so_far = self.stretch.line.stages.iter().take(index + 1);
        if self.stretch.line.joint(index) == Joint::Same
            && so_far.all(|stage| stage.processor.traits().scope == Scope::Chunk)
        {
            let (name, header) = &self.opened;
            let opening = Opening { name, header };
            // If it cannot be found, the place of the chunk is given.
            let _ =
                Trace { stretch: self.stretch, index, opening }.find(place, fill, given, rejects);
        }
        for reject in rejects.iter_mut().filter(|reject| !reject.is_exact) {
            reject.offset = place.offset;
        }
    }
}

impl Link<'_> {
    /// Opens the stage for a source; where it is reframed and asks for a header, once that has
    /// come. The header of the source is that of the first stage: any other that asks for one is
    /// reframed.
    fn open(&mut self, stretch: &StageRange, opening: Opening<'_>) -> Result<(), Failure> {
        let header_records = self.stage.processor.traits().header_records;
        if let Some(reframe) = &mut self.reframe {
            let is_dropped = stretch.drops_header(self.index, opening)?;
            reframe.begin(if is_dropped { 0 } else { header_records });
            if reframe.waits() {
                return Ok(());
            }
        }
        let header =
            if self.index == 0 && header_records > 0 { opening.header } else { Header::NONE };
        let opened = self.instance.open(Opening { header, ..opening });
        opened.map_err(|failure| stretch.named(self.stage, failure))
    }

    /// Whether what the stage before gave for a chunk ends where a record of this one does, or is
    /// cut anew.
    fn ends_with_record(&self, given: &[u8]) -> bool {
        self.reframe.is_some()
            || given.is_empty()
            || self.stage.framing == Framing::Bytes
            || self.stage.framing.ends_with_record(given)
    }

    /// Hands over what the stage before has given.
    fn push(
        &mut self,
        stretch: &StageRange,
        name: &str,
        place: Place,
        given: &[u8],
    ) -> Result<Pushed, Failure> {
        let named = |failure| stretch.named(self.stage, failure);
        let Some(reframe) = &mut self.reframe else {
            return self.instance.push(place, &mut &given[..]).map_err(named);
        };
        reframe.take(given, place.last).map_err(named)?;
        if let Some(header) = reframe.header(place.last) {
            self.instance.open(Opening { name, header: &header }).map_err(named)?;
        }
        let Some((place, bytes)) = reframe.next(place.last) else { return Ok(Pushed::default()) };
        let pushed = self.instance.push(place, &mut &bytes[..]).map_err(named)?;
        reframe.drop_given();
        Ok(pushed)
    }
}

/// Whether a chunk is the last that has bytes, though a chunk of nothing comes after it: what is
/// cut elsewhere ends with a record.
fn ends_source(stretch: &StageRange, fill: &mut dyn ChunkReader) -> Result<bool, Failure> {
    let mut chunk = vec![0; fill.len()];
    fill.fill(&mut chunk)?;
    Ok(!stretch.line.framing.ends_with_record(&chunk))
}

/// What a stage gave for a chunk ends within a record of the next one.
fn torn(next: &Stage) -> Failure {
    let message = format!(
        "`{}` reads {}, and what the stage before it gives for a chunk ends within one of its records",
        next.name, next.framing
    );
    Failure::new(FailureKind::Framing, message)
        .hint("a stage whose framing has records gives whole records for them; run the two one after the other")
}

impl Instance for Links<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        self.opened = (opening.name.to_string(), opening.header.clone());
        self.row.iter_mut().try_for_each(|link| link.open(self.stretch, opening))
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let mut pushed: Option<Pushed> = None;
        for at in 0..self.row.len() {
            let Some(link) = self.row.get_mut(at) else { break };
            self.reached = at + 1;
            let index = link.index;
            let next = match &pushed {
                None if link.reframe.is_none() => {
                    let next = link.instance.push(place, fill);
                    next.map_err(|failure| self.stretch.named(link.stage, failure))?
                }
                None => {
                    let mut given = vec![0; fill.len()];
                    fill.fill(&mut given)?;
                    let given = Held::within(&link.stage.processor.memory(), given);
                    link.push(self.stretch, &self.opened.0, place, &given)?
                }
                Some(before) => {
                    let ends = place.last || link.ends_with_record(&before.output);
                    if !ends && !ends_source(self.stretch, fill)? {
                        return Err(torn(link.stage));
                    }
                    link.push(self.stretch, &self.opened.0, place, &before.output)?
                }
            };
            let mut rejects = link.instance.take_rejects();
            if self.stretch.line.stages.len() > 1 {
                let stage = &link.stage.name;
                for reject in &mut rejects {
                    reject.stage = Some(stage.clone());
                }
            }
            if !rejects.is_empty() && index > 0 {
                let given = pushed.as_ref().map_or(&[][..], |before| &*before.output);
                self.locate(index, place, fill, given, &mut rejects);
            }
            self.rejects.extend(rejects);
            let filling = pushed.map_or(next.filling, |before| {
                spare::give(before.output);
                before.filling
            });
            pushed = Some(Pushed { filling, output: next.output });
        }
        Ok(pushed.unwrap_or_default())
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        let mut rejects = std::mem::take(&mut self.rejects);
        rejects.sort_by_key(|reject| reject.offset);
        rejects
    }

    fn forget(&mut self) {
        self.row.iter_mut().for_each(|link| link.instance.forget());
    }

    fn forget_chunk(&mut self) {
        self.rejects.clear();
        self.row.iter_mut().take(self.reached).for_each(|link| link.instance.forget_chunk());
    }

    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        self.last(|last| last.accumulator().map(drop))?;
        Ok(self)
    }

    fn close(&mut self) -> Result<(), Failure> {
        let open = self.row.iter_mut().filter(|link| !link.waits());
        open.map(|link| &mut link.instance).try_for_each(|instance| instance.close())
    }

    fn spent(&self) -> bool {
        self.row.iter().any(|link| link.instance.spent())
    }
}

impl Accumulate for Links<'_> {
    fn save(&mut self) -> Result<Held, Failure> {
        self.last(|last| last.accumulator()?.save())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Failure> {
        self.last(|last| last.accumulator()?.merge(state))
    }

    fn finish(&mut self) -> Result<Held, Failure> {
        let result = self.last(|last| last.accumulator()?.finish())?;
        self.close()?;
        Ok(result)
    }
}

impl Link<'_> {
    /// Whether nothing has been opened for the source at hand yet.
    fn waits(&self) -> bool {
        self.reframe.as_ref().is_some_and(Reframe::waits)
    }
}
