//! A front end of a few lines: runs a spec in JSON, and reports a list of lines. A real one shows
//! that.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use gristmill::job::Observer;
use gristmill::plugin::{Cache, Compiled, Compiling, Engine};
use gristmill::prepare::{Context, JobEnded, Origins, Outlets, prepare, stats};
use gristmill::process::{Failure, LogLevel};
use gristmill::source::Look;
use gristmill::spec::{JobSpec, Problem};
use gristmill::work::Cancel;

use super::host::shared_cache;

/// What a job reported, and what it wrote to standard output.
#[derive(Default, Clone)]
pub(crate) struct Recorder(Arc<Mutex<(Vec<String>, Vec<u8>)>>);

/// Runs a job, whose outputs are named from its inputs, or from these directories.
pub(crate) fn run(
    json: &str,
    named: Option<&[PathBuf]>,
    recorder: &Recorder,
) -> Result<JobEnded, Problem> {
    let spec = JobSpec::from_json(json)?;
    let settings = spec.run(2, None)?;
    let engine = Engine::with(&settings.sandbox).map_err(Problem::new)?;
    let (cache, cancel) = (Cache::open(shared_cache()).ok(), Arc::new(Cancel::default()));
    let (sandbox, stop, stats) = (settings.sandbox, cancel.flag(), stats(&settings));
    let memory = Arc::clone(stats.memory());
    let (limits, cache) = (&sandbox, cache.as_ref());
    let compiling = Compiling { limits, cache, memory: &memory, stop: &stop };
    let compile = |path: &_| Compiled::new(&engine, path, &compiling);
    let (engine, compile, origins) = (&engine, &compile, &Origins::open(&spec)?);
    let (outlets, look, turns, described) = (recorder, Look::Names, None, None);
    let context = Context {
        settings,
        engine,
        compile,
        origins,
        named,
        outlets,
        stats,
        cancel,
        turns,
        remembers: None,
        described,
        look,
    };
    let events = Arc::new(recorder.clone()) as Arc<dyn Observer>;
    prepare(&spec, &context, &events)?.run()
}

impl Recorder {
    pub(crate) fn take(&self) -> (Vec<String>, Vec<u8>) {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Recorder {
    fn failed(&self, source: &str, failure: &Failure) {
        self.0.lock().unwrap().0.push(format!("failed {source}: {failure}"));
    }

    fn logged(&self, plugin: &str, _: LogLevel, line: &str) {
        self.0.lock().unwrap().0.push(format!("{plugin} says {line}"));
    }

    fn done(&self, source: &dyn Display, bytes: u64) {
        self.0.lock().unwrap().0.push(format!("done {source}: {bytes}"));
    }
}

impl Outlets for Recorder {
    fn stdout(&self, _: &'static str) -> Result<Box<dyn Write + Send>, Problem> {
        Ok(Box::new(self.clone()))
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().1.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
