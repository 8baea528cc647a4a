//! Runs one plugin over files and prints its results: `run_once PLUGIN FILE…`.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use gristmill::job::{Observer, Summary};
use gristmill::plugin::{Compiled, Compiling, Engine, compile_if_asked};
use gristmill::prepare::{Context, Origins, Outlets, prepare, stats};
use gristmill::process::Failure;
use gristmill::source::Look;
use gristmill::spec::{JobSpec, Problem};
use gristmill::work::Cancel;

/// Prints what becomes of each source.
struct Printer;

impl Observer for Printer {
    fn failed(&self, source: &str, failure: &Failure) {
        eprintln!("{source}: {failure}");
    }

    fn done(&self, source: &dyn Display, bytes: u64) {
        eprintln!("{source}: {bytes} bytes");
    }
}

/// What a job writes to standard output goes there.
struct Streams;

impl Outlets for Streams {
    fn stdout(&self, _key: &'static str) -> Result<Box<dyn Write + Send>, Problem> {
        Ok(Box::new(io::stdout()))
    }
}

/// Runs a job on two threads.
pub(crate) fn run(spec: &JobSpec) -> Result<Summary, Box<dyn Error>> {
    let settings = spec.run(2, None)?;
    let sandbox = settings.sandbox;
    let engine = Engine::with(&sandbox)?;
    let (stats, cancel) = (stats(&settings), Arc::new(Cancel::default()));
    let stop = cancel.flag();
    let compiling =
        Compiling { limits: &sandbox, cache: None, memory: stats.memory(), stop: &stop };
    let context = Context {
        settings,
        engine: &engine,
        compile: &|path| Compiled::new(&engine, path, &compiling),
        origins: &Origins::open(spec)?,
        named: None,
        outlets: &Streams,
        stats: Arc::clone(&stats),
        cancel,
        turns: None,
        remembers: None,
        described: None,
        look: Look::Names,
    };
    let events: Arc<dyn Observer> = Arc::new(Printer);
    let ended = prepare(spec, &context, &events)?.run()?;
    Ok(ended.summary?)
}

fn main() -> Result<(), Box<dyn Error>> {
    compile_if_asked(); // plugins are compiled in a process of their own, which is this program again
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let plugin = args.next().ok_or("usage: run_once PLUGIN FILE…")?;
    let summary = run(&JobSpec::of(plugin, args.collect()))?;
    eprintln!("{} sources, {} failed", summary.sources, summary.failed);
    Ok(())
}
