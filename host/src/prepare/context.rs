//! What a job is prepared with: what a front end has, and a spec cannot say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::output::Outlets;
use super::plugins::{self, Loading, Plugins};
use super::remembers::Remembers;
use super::sources::Origins;
use super::words::framing;
use crate::job::Observer;
use crate::name::Shown;
use crate::plugin::{Compiled, Engine, Keeper, LoadError, Options, Rejects};
use crate::process::{LogLevel, LogSink, Pause};
use crate::settings::Run;
use crate::source::Look;
use crate::spec::{JobSpec, Problem};
use crate::stats::{MemoryBudget, Stats};
use crate::work::{Cancel, Gate, in_turn};

/// What a job is prepared with, and runs on.
pub struct Context<'a> {
    /// What the spec comes to.
    pub settings: Run,
    /// Runs the plugins.
    pub engine: &'a Engine,
    /// Compiles the plugin in a file, or takes what it compiled to from where that is kept.
    pub compile: &'a dyn Fn(&Path) -> Result<Compiled, LoadError>,
    /// Where inputs may be.
    pub origins: &'a Origins,
    /// Directories from which outputs are named, where they are not the inputs of the spec.
    pub named: Option<&'a [PathBuf]>,
    /// Where output goes that is not at a path of its own.
    pub outlets: &'a dyn Outlets,
    /// What is counted, and the memory that there is.
    pub stats: Arc<Stats>,
    /// How the job is stopped.
    pub cancel: Arc<Cancel>,
    /// Who lets it work, where it is not alone.
    pub turns: Option<Turns>,
    /// Who remembers what becomes of sources, where the job has no ledger.
    pub remembers: Option<&'a dyn Remembers>,
    /// A file that describes the job, which must stay as it is.
    pub described: Option<&'a Path>,
    /// What is found out of sources beside their names, for those who show it.
    pub look: Look,
}

/// Who lets a job work.
#[derive(Clone)]
pub struct Turns {
    /// Between chunks.
    pub gate: Arc<dyn Gate>,
    /// Within calls of guests.
    pub pause: Arc<dyn Pause>,
}

impl Context<'_> {
    /// Does something when it is the job's turn.
    pub(super) fn in_turn<T>(
        &self,
        work: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        match &self.turns {
            None => work(),
            Some(turns) => {
                in_turn(&*turns.gate, &self.cancel, work).unwrap_or_else(|| Err(stopped()))
            }
        }
    }

    /// What outputs are named from.
    pub(super) fn inputs<'s>(&'s self, spec: &'s JobSpec) -> &'s [PathBuf] {
        self.named.unwrap_or(&spec.inputs.files)
    }
}

/// What counts for a job of its own, within the memory that it has.
pub fn stats(settings: &Run) -> Arc<Stats> {
    let memory = MemoryBudget::new(settings.memory_total_bytes.unwrap_or(u64::MAX));
    Arc::new(Stats::within(Arc::new(memory)))
}

/// That the job was cancelled before it ran.
pub(super) fn stopped() -> Problem {
    Problem::new("stopped before it began")
}

/// Compiles and loads the plugins of a job, whose failures are kept in that directory, if anywhere.
pub(super) fn load(
    spec: &JobSpec,
    context: &Context<'_>,
    events: &Arc<dyn Observer>,
    kept: Option<&Path>,
) -> Result<Plugins, Problem> {
    // Nobody waits for a compiler while it has a turn.
    let compiled = plugins::compile(spec, context.compile)?;
    let settings = &context.settings;
    let loading = Loading {
        engine: context.engine,
        options: Options {
            settings: Vec::new(),
            sandbox: settings.sandbox,
            budget: Arc::default(),
            stats: Arc::clone(&context.stats),
            stop: context.cancel.flag(),
            rejects: match &spec.output.rejects {
                None => Rejects::Count,
                Some(_) => Rejects::Keep,
            },
            repro: repro(kept)?,
            log: Some(Arc::new(Lines(Arc::clone(events)))),
            pause: context.turns.as_ref().map(|turns| Arc::clone(&turns.pause)),
        },
        framing: framing(spec)?,
        record_bytes_max: settings.record_bytes_max,
    };
    context.in_turn(|| plugins::load(spec, compiled, &loading))
}

/// Lines of plugins, on their way to the job's observer.
struct Lines(Arc<dyn Observer>);

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lines")
    }
}

impl LogSink for Lines {
    fn log(&self, plugin: &str, level: LogLevel, line: &str) {
        self.0.logged(plugin, level, line);
    }
}

/// Where failures of plugins are kept.
fn repro(dir: Option<&Path>) -> Result<Option<Arc<Keeper>>, Problem> {
    let Some(dir) = dir else { return Ok(None) };
    let opened = Keeper::open(dir);
    let keeper = opened.map_err(|e| Problem::new(format!("⟦repro⟧ {}: {e}", Shown::of(&dir))))?;
    Ok(Some(Arc::new(keeper)))
}
