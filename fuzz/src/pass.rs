//! One pass of the host over a file that holds the bytes, with a processor that gives back what it
//! is given.

use std::cell::OnceCell;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use gristmill::input::{Expansion, Framing, expand};
use gristmill::job::{self, Job, Out};
use gristmill::output::Format;
use gristmill::process::{
    ChunkReader, Failure, Held, Instance, Kind, MemoryBudget, Opening, Order, Place, Processor,
    Pushed, Scope, Traits,
};
use gristmill::settings::{Decompress, Run};
use gristmill::source::{Request, list};
use gristmill::stats::Stats;
use gristmill::work::Cancel;
use tempfile::TempDir;

/// Most that may come out of a file, and most members.
const BYTES_MAX: u64 = 1 << 20;
const MEMBERS_MAX: u64 = 1000;

const TRAITS: Traits =
    Traits { kind: Kind::Transformer, scope: Scope::Chunk, order: Order::Kept, header_records: 0 };

struct Identity(Arc<MemoryBudget>);

impl Processor for Identity {
    fn traits(&self) -> &Traits {
        &TRAITS
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::clone(&self.0)
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(Copier(self.memory())))
    }
}

struct Copier(Arc<MemoryBudget>);

impl Instance for Copier {
    fn open(&mut self, _: Opening<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn push(&mut self, _: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let mut bytes = vec![0; fill.len()];
        fill.fill(&mut bytes)?;
        Ok(Pushed { output: Held::within(&self.0, bytes), ..Pushed::default() })
    }

    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn spent(&self) -> bool {
        false
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What came out of a pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) failed: u64,
}

/// What comes out of a file of that name with those bytes, in chunks of about that size; or why
/// there was no pass.
pub(crate) fn pass(
    name: &str,
    data: &[u8],
    framing: Framing,
    chunk_bytes: u64,
) -> Result<Passed, String> {
    let path = written(name, data).map_err(|error| error.to_string())?;
    let settings = Run {
        threads: 1,
        chunk_bytes,
        record_bytes_max: BYTES_MAX,
        decompressed_bytes_max: BYTES_MAX,
        members_max: MEMBERS_MAX,
        decompress: Decompress::None,
        archives: true,
        ..Run::default()
    };
    let request = Request { paths: vec![path], ..Request::default() };
    let mut listing = list(&request).map_err(|error| error.to_string())?;
    let stop = AtomicBool::new(false);
    expand(&mut listing, &Expansion::new(MEMBERS_MAX, 1, &stop))
        .map_err(|error| error.to_string())?;
    let (stats, cancel, sink) = (Stats::default(), Cancel::default(), Sink::default());
    let job = Job {
        sources: &listing.sources,
        roots: &listing.roots,
        processor: &Identity(Arc::clone(stats.memory())),
        framing,
        record_end: None,
        branches: &[],
        settings: &settings,
        format: Format::Jsonl,
        cancel: &cancel,
        stats: &stats,
        gate: None,
        rejects: None,
        memory: None,
        observer: &(),
    };
    let summary = job::run(&job, Out::Stream(Box::new(sink.clone())));
    let summary = summary.map_err(|error| error.to_string())?;
    let bytes = sink.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Passed { bytes, failed: summary.failed })
}

/// Writes the bytes to a file in a directory of the thread's own.
fn written(name: &str, data: &[u8]) -> io::Result<PathBuf> {
    thread_local! {
        static DIRECTORY: OnceCell<TempDir> = const { OnceCell::new() };
    }
    DIRECTORY.with(|cell| {
        let directory = if let Some(directory) = cell.get() {
            directory
        } else {
            let new = tempfile::tempdir()?;
            cell.get_or_init(|| new)
        };
        let path = directory.path().join(name);
        fs::write(&path, data)?;
        Ok(path)
    })
}
