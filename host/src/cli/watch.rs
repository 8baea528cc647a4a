//! `host watch`: a job that goes on with files as they arrive.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use parking_lot::Mutex;

use super::asked::Asked;
use super::interrupt::end;
use super::progress::Progress;
use super::{Exit, arrivals, cache_dir};
use super::{run, say};
use crate::input;
use crate::job::Observer;
use crate::name::Shown;
use crate::plugin::{Cache, Compiled, Compiling, Engine, LoadError};
use crate::prepare::{self, Context, JobEnded, Origins, Outlets, Plan, Remembers};
use crate::process::Failure;
use crate::settings::limits::HOST_STACK_BYTES;
use crate::settings::{Run, Show};
use crate::source::Look;
use crate::spec::{InputSpec, JobSpec, Problem};
use crate::stats::Stats;
use crate::watch::Given;
use crate::work::Cancel;

/// Watches until a signal comes, or, once, until all is done.
pub(super) fn watch(asked: &Asked) -> Result<Exit, Problem> {
    let spec = &asked.spec;
    if asked.dry_run {
        return run::run(&asked.once());
    }
    if spec.sandbox.jail {
        let message = "--jail: a watch starts jobs all the time, and a jail is closed once";
        return Err(Problem::new(message).hint(Some("leave it out: plugins stay sandboxed")));
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let settings = spec.run(cores, cache_dir())?;
    if spec.inputs.allow_private {
        input::allow_private();
    }
    let progress = Progress::new(true);
    say::log_to_stderr(say::level(&spec.output), progress);
    let inbox = crate::watch::Inbox::default();
    let stopper = inbox.stopper();
    let is_asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if is_asked.swap(true, Ordering::AcqRel) {
            end();
        }
        stopper.stop();
    })
    .map_err(Problem::new)?;
    let runner = Runner {
        engine: Engine::with(&settings.sandbox).map_err(Problem::new)?,
        cache: prepare::cache(&settings),
        origins: Origins::open(spec)?,
        described: asked.pipeline.clone(),
        compiled: Mutex::default(),
        settings,
        cores,
    };
    let ledger = match &spec.output.ledger {
        Some(ledger) => ledger.clone(),
        None => default_ledger(spec)?,
    };
    let events: Arc<dyn Observer> = Arc::new(Lines { is_quiet: spec.output.quiet });
    let ended = crate::watch::watch(spec, &ledger, &runner, &events, &inbox)?;
    if !spec.output.quiet {
        let files = |count: u64| if count == 1 { "file" } else { "files" };
        let done = if spec.watch.append {
            format!("{} bytes done", ended.bytes)
        } else {
            format!("{} {} done", ended.committed, files(ended.committed))
        };
        say::line(&format!("{done}, {} failed", ended.failed));
    }
    if spec.watch.once && ended.unsettled > 0 {
        let files = if ended.unsettled == 1 { "file" } else { "files" };
        let why = "still changing, and left for the next start";
        say::line(&format!("{} {files} {why}", ended.unsettled));
    }
    Ok(if spec.watch.once && ended.failed > 0 { Exit::Failed } else { Exit::Done })
}

/// `gristmill/watch` in the user's directory for state (XDG Base Directory Specification, section
/// 3): a file for each job over the same directories.
fn default_ledger(spec: &JobSpec) -> Result<PathBuf, Problem> {
    let directory = arrivals::directory().ok_or_else(|| {
        Problem::new("there is no directory for the ledger").hint(Some("name a file with --ledger"))
    })?;
    let problem = |error: io::Error| Problem::new(format!("{}: {error}", Shown::of(&directory)));
    std::fs::create_dir_all(&directory).map_err(problem)?;
    Ok(directory.join(format!("{:.16}.ledger", crate::watch::identity(spec)?)))
}

/// Runs jobs over what has arrived, all with the same plugins.
struct Runner {
    engine: Engine,
    settings: Run,
    cores: usize,
    cache: Option<Cache>,
    origins: Origins,
    described: Option<PathBuf>,
    /// As they were when they were first loaded: a watch goes on with those.
    compiled: Mutex<HashMap<PathBuf, Compiled>>,
}

impl Runner {
    fn compile(&self, path: &Path, context: (&Arc<Stats>, &Cancel)) -> Result<Compiled, LoadError> {
        let mut all = self.compiled.lock();
        if let Some(compiled) = all.get(path) {
            return Ok(compiled.clone());
        }
        let (stats, cancel) = context;
        let (limits, cache) = (&self.settings.sandbox, self.cache.as_ref());
        let (memory, stop) = (stats.memory(), &cancel.flag());
        let compiling = Compiling { limits, cache, memory, stop };
        let compiled = Compiled::new(&self.engine, path, &compiling)?;
        all.insert(path.to_path_buf(), compiled.clone());
        Ok(compiled)
    }

    /// Does something with what jobs are prepared with.
    fn with<T>(
        &self,
        (settings, origins): (&Run, &Origins),
        named: Option<&[PathBuf]>,
        remembers: Option<&dyn Remembers>,
        out: Option<Box<dyn Write + Send>>,
        run: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let (stats, cancel) = (prepare::stats(settings), Arc::new(Cancel::default()));
        let with = (Arc::clone(&stats), Arc::clone(&cancel));
        let show = Show { per_source: true, total: false, failures: false };
        run(&Context {
            settings: Run { show, ..settings.clone() },
            engine: &self.engine,
            compile: &|path| self.compile(path, (&with.0, &with.1)),
            origins,
            named,
            outlets: &Outlet(Mutex::new(out)),
            stats,
            cancel,
            turns: None,
            remembers,
            described: self.described.as_deref(),
            look: Look::Sizes,
        })
    }
}

impl crate::watch::Runs for Runner {
    fn plan(&self, spec: &JobSpec) -> Result<Plan, Problem> {
        let nobody = Arc::new(()) as Arc<dyn Observer>;
        let inputs = InputSpec { files: Vec::new(), ..spec.inputs.clone() };
        let spec = JobSpec { inputs, ..spec.clone() };
        let origins = Origins { listed: Some(Arc::default()), ..Origins::default() };
        self.with((&self.settings, &origins), None, None, None, |context| {
            prepare::plan(&spec, context, &nobody)
        })
    }

    fn run(
        &self,
        spec: &JobSpec,
        given: &Given<'_>,
        events: &Arc<dyn Observer>,
        out: Box<dyn Write + Send>,
    ) -> Result<JobEnded, Problem> {
        let Given { named, remembers, found } = given;
        let origins = Origins { found: found.clone(), ..self.origins.clone() };
        let with = (&spec.run(self.cores, cache_dir())?, &origins);
        self.with(with, Some(named), *remembers, Some(out), |context| {
            prepare::prepare(spec, context, events)?.run()
        })
    }

    fn output_name(
        &self,
        spec: &JobSpec,
        named: &[PathBuf],
        source: &Path,
    ) -> Result<PathBuf, Problem> {
        let nobody = Arc::new(()) as Arc<dyn Observer>;
        self.with((&self.settings, &self.origins), Some(named), None, None, |context| {
            prepare::output_name(spec, context, &nobody, source)
        })
    }

    fn stack_bytes(&self) -> usize {
        self.settings.sandbox.stack_bytes + HOST_STACK_BYTES
    }
}

/// What a job has for standard output: whatever the watch gives it, once.
struct Outlet(Mutex<Option<Box<dyn Write + Send>>>);

impl Outlets for Outlet {
    fn stdout(&self, key: &'static str) -> Result<Box<dyn Write + Send>, Problem> {
        let given = self.0.lock().take();
        given.ok_or_else(|| {
            let message = format!("⟦{key}⟧: a watch has no standard output");
            Problem::new(message).hint(Some("name a file"))
        })
    }

    fn name(&self, key: &str) -> String {
        say::flag(key)
    }
}

/// Tells what happens, a line each.
struct Lines {
    is_quiet: bool,
}

impl Observer for Lines {
    fn note(&self, note: &str) {
        if !self.is_quiet {
            say::line(note);
        }
    }

    fn failed(&self, source: &str, failure: &Failure) {
        say::line(&format!("{source}: {failure}"));
    }
}
