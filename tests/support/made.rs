//! Stages of chains that are functions of a chunk, and see to it that they are called as the
//! contract says.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gristmill::pipeline::{Chain, Stage};
use gristmill::process::{
    Accumulate, ChunkReader, Failure, Held, Instance, Kind, MemoryBudget, Opening, Order, Place,
    Processor, Pushed, Reject, Scope, Traits,
};

/// Makes something of a chunk of a source; `seen` is what the resource keeps from chunk to chunk,
/// at first the header.
pub(crate) type Make = dyn Fn(&str, Place, &mut Vec<u8>, Vec<u8>) -> Result<(Vec<u8>, Vec<Reject>), Failure>
    + Send
    + Sync;

/// A plugin of one function. An aggregator's result is what it has seen.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) traits: Traits,
    pub(crate) make: Arc<Make>,
    /// Resources of scope `source` that have seen some chunks of their source, and the most there
    /// were.
    pub(crate) begun: Arc<AtomicUsize>,
    pub(crate) begun_most: Arc<AtomicUsize>,
}

struct MadeInstance<'a> {
    made: &'a Made,
    source: String,
    seen: Option<Vec<u8>>,
    header: Vec<u8>,
    /// Chunks that were pushed, and where the last one began.
    count: u64,
    offset: u64,
    begun: bool,
    rejects: Vec<Reject>,
}

impl Made {
    pub(crate) fn new(kind: Kind, scope: Scope, make: Arc<Make>) -> Self {
        let traits = Traits { kind, scope, order: Order::Kept, header_records: 0 };
        Self { traits, make, begun: Arc::default(), begun_most: Arc::default() }
    }

    /// A transformer whose chunks stand alone.
    pub(crate) fn of_chunks(
        make: impl Fn(&str, Place, Vec<u8>) -> Result<Vec<u8>, Failure> + Send + Sync + 'static,
    ) -> Self {
        let make = move |source: &str, place, _: &mut Vec<u8>, bytes| {
            Ok((make(source, place, bytes)?, Vec::new()))
        };
        Self::new(Kind::Transformer, Scope::Chunk, Arc::new(make))
    }

    /// Numbers lines from the first of the source on, and says at its end how many there were.
    pub(crate) fn numbering() -> Self {
        Self::new(
            Kind::Transformer,
            Scope::Source,
            Arc::new(|_, place, seen, bytes| {
                let mut out = Vec::new();
                for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                    seen.push(b'.');
                    out.extend(format!("{} ", seen.len()).bytes());
                    out.extend(line);
                }
                if place.last {
                    out.extend(format!("{} lines\n", seen.len()).bytes());
                }
                Ok((out, Vec::new()))
            }),
        )
    }

    /// Gives back all that it was given.
    pub(crate) fn collecting(scope: Scope) -> Self {
        Self::new(
            Kind::Aggregator,
            scope,
            Arc::new(|_, _, seen, bytes| {
                seen.extend(bytes);
                Ok((Vec::new(), Vec::new()))
            }),
        )
    }
}

/// A chain of stages, called `a`, `b` and so on, over records that end in a byte or are of a fixed
/// length.
pub(crate) fn chain(stages: &[Made], framing: &str) -> Chain {
    let stage = |(made, name): (&Made, char)| Stage {
        name: name.to_string(),
        processor: Box::new(made.clone()),
        framing: framing.parse().unwrap(),
    };
    Chain::new(stages.iter().zip('a'..).map(stage).collect(), 64 << 20).unwrap()
}

impl Processor for Made {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(MadeInstance {
            made: self,
            source: String::new(),
            seen: None,
            header: Vec::new(),
            count: 0,
            offset: 0,
            begun: false,
            rejects: Vec::new(),
        }))
    }
}

impl MadeInstance<'_> {
    fn end(&mut self) {
        if std::mem::take(&mut self.begun) {
            self.made.begun.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for MadeInstance<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

impl Instance for MadeInstance<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        self.end();
        let name = Path::new(opening.name).file_name().unwrap_or_default();
        self.source = name.to_str().unwrap().to_string();
        self.header = opening.header.to_vec();
        self.seen = Some(self.header.clone());
        (self.count, self.offset) = (0, 0);
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let mut bytes = vec![0; fill.len()];
        fill.fill(&mut bytes)?;
        let traits = &self.made.traits;
        if traits.scope == Scope::Source {
            assert_eq!(place.index, self.count, "each chunk of `{}` in order", self.source);
            assert!(place.offset >= self.offset, "chunks of `{}` in order", self.source);
            (self.count, self.offset) = (self.count + 1, place.offset);
            if place.last {
                self.end();
            } else if !self.begun {
                self.begun = true;
                let begun = self.made.begun.fetch_add(1, Ordering::SeqCst) + 1;
                self.made.begun_most.fetch_max(begun, Ordering::SeqCst);
            }
        } else if traits.kind == Kind::Transformer {
            self.seen = Some(self.header.clone());
        }
        let seen = self.seen.as_mut().expect("it is open");
        let (output, rejects) = (self.made.make)(&self.source, place, seen, bytes)?;
        self.rejects.extend(rejects);
        let output = Held::within(&Arc::default(), output);
        Ok(Pushed { filling: Duration::ZERO, output })
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }

    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        let kind = self.made.traits.kind;
        assert_eq!(kind, Kind::Aggregator, "a transformer ends with its last chunk");
        Ok(self)
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.seen = None;
        self.end();
        Ok(())
    }

    fn spent(&self) -> bool {
        false
    }
}

impl Accumulate for MadeInstance<'_> {
    fn save(&mut self) -> Result<Held, Failure> {
        Ok(Held::within(&Arc::default(), self.seen.clone().expect("it is open")))
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Failure> {
        self.seen.as_mut().expect("it is open").extend(state);
        Ok(())
    }

    fn finish(&mut self) -> Result<Held, Failure> {
        Ok(Held::within(&Arc::default(), self.seen.take().expect("it is open")))
    }
}
