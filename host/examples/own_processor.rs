//! Makes text upper case with a processor in plain Rust, no plugin: `own_processor FILE…`.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;

use gristmill::input::Framing;
use gristmill::job::{self, Job, Out, Summary};
use gristmill::output::Format;
use gristmill::process::{
    ChunkReader, Failure, Held, Instance, Kind, MemoryBudget, Opening, Order, Place, Processor,
    Pushed, Scope, Traits,
};
use gristmill::settings::Run;
use gristmill::source::{Roots, Source, Way};
use gristmill::stats::Stats;
use gristmill::work::Cancel;

/// Chunks of a file run in parallel; what comes out of them is written in their order.
const TRAITS: Traits =
    Traits { kind: Kind::Transformer, scope: Scope::Chunk, order: Order::Kept, header_records: 0 };

struct UpperCase(Arc<MemoryBudget>);

impl Processor for UpperCase {
    fn traits(&self) -> &Traits {
        &TRAITS
    }
    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::clone(&self.0)
    }
    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(Worker(self.memory())))
    }
}

struct Worker(Arc<MemoryBudget>);

impl Instance for Worker {
    fn open(&mut self, _: Opening<'_>) -> Result<(), Failure> {
        Ok(())
    }
    fn push(&mut self, _: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let mut bytes = vec![0; fill.len()];
        fill.fill(&mut bytes)?;
        bytes.make_ascii_uppercase();
        Ok(Pushed { output: Held::within(&self.0, bytes), ..Pushed::default() })
    }
    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }
    fn spent(&self) -> bool {
        false
    }
}

/// Writes what comes out of the files to `out`, one after the other.
pub(crate) fn run(files: &[String], out: Box<dyn Write + Send>) -> Result<Summary, job::Error> {
    let source = |file: &String| Source { path: file.into(), listed: Ok(None), way: Way::File };
    let (sources, stats) = (files.iter().map(source).collect::<Vec<_>>(), Stats::default());
    let (roots, settings, cancel) = (Roots::default(), Run::default(), Cancel::default());
    #[rustfmt::skip]
    let job = Job {
        sources: &sources, roots: &roots, processor: &UpperCase(Arc::clone(stats.memory())),
        framing: Framing::Delimited(b'\n'), record_end: Some(b'\n'), branches: &[],
        settings: &settings, format: Format::Jsonl, cancel: &cancel, stats: &stats,
        gate: None, rejects: None, memory: None, observer: &(),
    };
    job::run(&job, Out::Stream(out))
}

fn main() -> Result<(), Box<dyn Error>> {
    let summary = run(&std::env::args().skip(1).collect::<Vec<_>>(), Box::new(io::stdout()))?;
    eprintln!("{} files, {} failed", summary.sources, summary.failed);
    Ok(())
}
