//! A front end of a few lines: a spec in JSON is run, and what it tells is a list of lines. What a real one has beside it is how it shows that.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use gristmill::job::Observer;
use gristmill::plugin::{Cache, Compiled, Engine};
use gristmill::prepare::{Context, Ended, Origins, Outlets, prepare, stats};
use gristmill::process::Failure;
use gristmill::source::Look;
use gristmill::spec::{JobSpec, Problem};
use gristmill::work::Cancel;

use super::host::shared_cache;
use super::job::Shared;

/// What a job told and wrote to standard output, and how it ended.
pub(crate) struct Told {
    pub(crate) lines: Vec<String>,
    pub(crate) out: Vec<u8>,
    pub(crate) ended: Result<Ended, Problem>,
}

/// Runs a job, whose outputs are named from its inputs, or from these directories.
pub(crate) fn run(json: &str, named: Option<&[PathBuf]>) -> Told {
    let (lines, out) = (Lines::default(), Shared::default());
    let ended = ended(json, named, &lines, &out);
    Told { lines: lines.0.into_inner().unwrap(), out: out.take(), ended }
}

fn ended(
    json: &str,
    named: Option<&[PathBuf]>,
    lines: &Lines,
    out: &Shared,
) -> Result<Ended, Problem> {
    let spec = JobSpec::from_json(json)?;
    let settings = spec.run(2, None)?;
    let engine = Engine::with(&settings.sandbox).unwrap();
    let (cache, cancel) = (Cache::open(shared_cache()).unwrap(), Arc::new(Cancel::default()));
    let (sandbox, stop) = (settings.sandbox, cancel.flag());
    let context = Context {
        engine: &engine,
        compile: &|path| Compiled::new(&engine, path, Some(&cache), &sandbox, &stop),
        origins: &Origins::open(&spec)?,
        named,
        outlets: out,
        stats: stats(&settings),
        settings,
        cancel,
        turns: None,
        described: None,
        look: Look::Names,
    };
    prepare(&spec, &context, lines)?.run()
}

impl Outlets for Shared {
    fn stdout(&self, _: &'static str) -> Result<Box<dyn Write + Send>, Problem> {
        Ok(Box::new(self.clone()))
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Observer for Lines {
    fn failed(&self, source: &str, failure: &Failure) {
        self.0.lock().unwrap().push(format!("failed {source}: {failure}"));
    }

    fn done(&self, source: &dyn Display, bytes: u64) {
        self.0.lock().unwrap().push(format!("done {source}: {bytes}"));
    }
}
