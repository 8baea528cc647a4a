//! Jobs in this process, through the library.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gristmill::input::{self, Expansion};
use gristmill::job::{self, BranchFormat, Job, Observer, Out, Summary};
use gristmill::output::Format;
use gristmill::plugin::{Cache, Engine, Options, Plugin, Rejects};
use gristmill::process::{Failure, Processor};
use gristmill::settings::Run;
use gristmill::source::{self, Request};
use gristmill::stats::Stats;
use gristmill::work::Cancel;

use super::host::shared_cache;

/// What a job left.
pub(crate) struct Ran {
    pub(crate) ended: Result<Summary, job::Error>,
    pub(crate) out: Vec<u8>,
    /// Records that were set aside, as they are written.
    pub(crate) rejects: Vec<u8>,
    /// Bytes of the sources, as they are stored, that were counted.
    pub(crate) stored: u64,
    /// Sources that were counted, and those of them that failed.
    pub(crate) done: u64,
    pub(crate) failed: u64,
    /// Source and failure, in the order in which they were reported.
    pub(crate) failures: Vec<(String, Failure)>,
}

/// What a job is about, beside its settings.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) processor: &'a dyn Processor,
    pub(crate) framing: &'a str,
    pub(crate) format: Format,
}

/// Runs `task` over files and directories, and what is in archives, into [`Ran::out`].
pub(crate) fn run(task: Task<'_>, paths: &[PathBuf], settings: &Run) -> Ran {
    let out = Shared::default();
    let ran = run_into(task, paths, settings, Out::Stream(Box::new(out.clone())));
    let out = std::mem::take(&mut *out.0.lock().unwrap());
    Ran { out, ..ran }
}

/// The same into another output.
pub(crate) fn run_into(task: Task<'_>, paths: &[PathBuf], settings: &Run, out: Out<'_>) -> Ran {
    run_lanes(&["test"], task, paths, settings, out)
}

/// The same as if the processor were several plugins of these names.
pub(crate) fn run_lanes(
    names: &[&str],
    task: Task<'_>,
    paths: &[PathBuf],
    settings: &Run,
    out: Out<'_>,
) -> Ran {
    let request = Request { paths: paths.to_vec(), threads: 1, ..Request::default() };
    let mut listing = source::list(&request).unwrap();
    let (cancel, stats) = (Cancel::default(), Stats::default());
    input::expand(&mut listing, &Expansion::new(settings.members_max, 1, &cancel.flag())).unwrap();
    let (failures, rejects) = (Failures::default(), Shared::default());
    let branch = |name: &&str| {
        let output_type = "application/octet-stream".into();
        BranchFormat { name: name.to_string(), output_type }
    };
    let branches: Vec<_> = names.iter().map(branch).collect();
    let job = Job {
        sources: &listing.sources,
        roots: &listing.roots,
        processor: task.processor,
        framing: task.framing.parse().unwrap(),
        record_end: None,
        branches: &branches,
        settings,
        format: task.format,
        cancel: &cancel,
        stats: &stats,
        gate: None,
        rejects: Some(parking_lot::Mutex::new(Box::new(rejects.clone()))),
        memory: None,
        observer: &failures,
    };
    let ended = job::run(&job, out);
    Ran {
        ended,
        out: Vec::new(),
        rejects: std::mem::take(&mut *rejects.0.lock().unwrap()),
        stored: stats.stored(),
        done: stats.sources(),
        failed: stats.failed(),
        failures: failures.0.into_inner().unwrap(),
    }
}

/// Loads a plugin with settings, and the limits of a run.
pub(crate) fn load(engine: &Engine, path: &Path, settings: &[(&str, &str)]) -> Plugin {
    let options = Options {
        settings: settings.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
        rejects: Rejects::Keep,
        ..Options::default()
    };
    let cache = Cache::open(shared_cache()).unwrap();
    Plugin::load(engine, path, options, Some(&cache)).unwrap()
}

/// Source and failure, as they are reported.
#[derive(Default)]
struct Failures(Mutex<Vec<(String, Failure)>>);

impl Observer for Failures {
    fn failed(&self, source: &str, failure: &Failure) {
        self.0.lock().unwrap().push((source.to_string(), failure.clone()));
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
