//! One job of a tenant, from its plugins to its outputs, on the thread that it was given.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::beneath;
use super::error::JobError;
use super::handle::{Ended, State};
use super::host::{Member, Shared};
use super::spec::{JobSpec, PluginSpec, Results};
use crate::input::{self, Expansion, Framing};
use crate::job::{self, Job, Lane, Out, Places, TreeOut};
use crate::name::Shown;
use crate::output::{Created, Naming, Pending, Root};
use crate::pipeline::{Chain, ChainError, Stage};
use crate::plugin::{Cache, Compiled, Options, Plugin, Rejects};
use crate::process::{Failure, FailureKind, Pause, Processor};
use crate::settings::Run;
use crate::settings::limits::FAILURES_KEPT_MAX;
use crate::source::{self, Listing, Look, Request};
use crate::work::{Cancel, Entered, Gate, in_turn, renew_turn};

/// Runs a job to its end.
pub(super) fn run(
    shared: &Arc<Shared>,
    member: &Arc<Member>,
    state: &Arc<State>,
    mut spec: JobSpec,
) -> Result<Ended, JobError> {
    let begun = Instant::now();
    spec.run.threads = spec.run.threads.clamp(1, shared.slots_count);
    let gate = Arc::new(JobGate {
        shared: Arc::clone(shared),
        member: Arc::clone(member),
        state: Arc::clone(state),
        counted: Mutex::default(),
    });
    job::fit_window(&mut spec.run, shared.memory.bytes_max());
    let ended = pass(&gate, spec);
    if let Some(exceeded) = state.exceeded.get() {
        return Err(JobError::Quota(exceeded.clone()));
    }
    let (summary, failures) = ended?;
    if state.cancel.is_set() && summary.unread > 0 {
        return Err(JobError::Cancelled);
    }
    let report = state.stats.report(begun.elapsed(), 0);
    Ok(Ended { summary, failures, report })
}

type Passed = (job::Summary, Vec<(String, Failure)>);

fn pass(gate: &Arc<JobGate>, spec: JobSpec) -> Result<Passed, JobError> {
    let JobGate { shared, member, state, .. } = &**gate;
    let JobSpec { plugins, inputs, results, mut run, framing, format, exists, durable } = spec;
    let loaded = compile(gate, &run, &plugins).and_then(|compiled| {
        let loaded = in_turn(&**gate, &state.cancel, || load(gate, &run, &plugins, compiled));
        loaded.ok_or(JobError::Cancelled)?
    });
    let loaded = loaded.map_err(|error| {
        // A plugin that was stopped while it was loaded may still be a good one.
        if state.cancel.is_set() { JobError::Cancelled } else { error }
    })?;
    let mut need = job::need(plugins.len(), loaded.processor.traits().kind, &run);
    let first = shared.memory.reserve(need, &state.cancel.flag())?.ok_or(JobError::Cancelled)?;
    // Beside a list there has to be room for one worker.
    let least = need.once_bytes.saturating_add(need.worker_bytes);
    let list_bytes_max = shared.memory.bytes_max().saturating_sub(least);
    let listed = in_turn(&**gate, &state.cancel, || list(gate, &run, &inputs, list_bytes_max));
    let Listed { listing, named } = listed.ok_or(JobError::Cancelled)??;
    let held = shared.memory.hold(listing.room.held_bytes());
    // The list is known now, and beside it fewer workers may fit.
    drop(first);
    need.once_bytes = need.once_bytes.saturating_add(held.bytes());
    let reserved = shared.memory.reserve(need, &state.cancel.flag())?.ok_or(JobError::Cancelled)?;
    run.threads = reserved.workers;
    let settings = &run;
    let _ = state.sources.set(listing.sources.len() as u64); // once
    state.stats.add_skipped(listing.skipped);

    let failures = Mutex::new(Vec::new());
    let job = Job {
        sources: &listing.sources,
        roots: &listing.roots,
        processor: &*loaded.processor,
        framing: match framing {
            Some(said) => loaded.framing.or_said(said.parse()?)?,
            None => loaded.framing,
        },
        record_end: loaded.record_end,
        lanes: &[loaded.lane],
        settings,
        format,
        cancel: &state.cancel,
        stats: &state.stats,
        gate: Some(&**gate),
        rejects: None,
        memory: None,
        on_failure: &|source, failure| {
            let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
            if failures.len() < FAILURES_KEPT_MAX {
                failures.push((source.to_string(), failure.clone()));
            }
        },
    };
    let outputs = &member.tenant.outputs;
    let summary = match results {
        Results::Stream(stream) => job::run(&job, Out::Stream(stream))?,
        Results::File(path) => {
            match Pending::create(&Root::open(outputs, durable)?, &path, exists)? {
                Created::Pending(file) => job::run(&job, Out::File(file))?,
                Created::Skipped => job::Summary::default(),
            }
        }
        Results::Files(template) => {
            let root = Root::open(outputs, durable)?;
            let lane = job.lanes.first();
            let (plugin, output_type) =
                lane.map_or(("", ""), |lane| (lane.name.as_str(), lane.output_type.as_str()));
            let naming = Naming::new(template, plugin, output_type, settings.pack);
            let places = Places::of(naming, job.sources, &named, &settings.decompress);
            let place = |index: usize, member: Option<&Path>| places.place(index, member);
            let out = TreeOut { root: &root, exists, place: &place };
            job::run(&job, Out::Tree(out))?
        }
    };
    Ok((summary, failures.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// Plugins as one processor.
struct Loaded {
    processor: Box<dyn Processor + Send>,
    framing: Framing,
    record_end: Option<u8>,
    lane: Lane,
}

/// Compiles plugins, outside of turns.
fn compile(gate: &JobGate, run: &Run, plugins: &[PluginSpec]) -> Result<Vec<Compiled>, JobError> {
    let JobGate { shared, member, state, .. } = gate;
    let cache = shared.cache.as_deref().and_then(|dir| {
        let dir = dir.join(&member.tenant.name);
        let opened = Cache::open(&dir);
        opened.inspect_err(|error| tracing::warn!("{}: not used: {error}", Shown::of(&dir))).ok()
    });
    let (engine, cache, sandbox) = (&shared.engine, cache.as_ref(), &run.sandbox);
    let mut compiled = Vec::with_capacity(plugins.len());
    for PluginSpec { path, .. } in plugins {
        if let Some(kept) = Compiled::kept(engine, path, cache, sandbox)? {
            compiled.push(kept);
            continue;
        }
        let permit = shared.compilers.enter(member.id, &state.cancel).ok_or(JobError::Cancelled)?;
        let begun = Instant::now();
        let new = Compiled::new(engine, path, cache, sandbox, &state.cancel.flag());
        gate.charge(begun.elapsed()); // a compiler of one thread, which does nothing else
        drop(permit);
        compiled.push(new?);
    }
    Ok(compiled)
}

fn load(
    gate: &Arc<JobGate>,
    run: &Run,
    plugins: &[PluginSpec],
    compiled: Vec<Compiled>,
) -> Result<Loaded, JobError> {
    let JobGate { shared, state, .. } = &**gate;
    let budget = Arc::default();
    let mut stages = Vec::with_capacity(plugins.len());
    let mut lane = Lane { name: String::new(), output_type: String::new() };
    for (PluginSpec { path, settings }, compiled) in plugins.iter().zip(compiled) {
        let options = Options {
            settings: settings.clone(),
            sandbox: run.sandbox,
            budget: Arc::clone(&budget),
            stats: Arc::clone(&state.stats),
            stop: state.cancel.flag(),
            rejects: if run.rejects_max.is_some() { Rejects::Keep } else { Rejects::Count },
            repro: None,
            pause: Some(Arc::<JobGate>::clone(gate)),
        };
        let plugin = Plugin::of(&shared.engine, compiled, options)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let framing = plugin.manifest().framing.parse::<Framing>()?;
        let framing = framing.configured(&plugin.framing_settings());
        lane = Lane { name: name.clone(), output_type: plugin.manifest().output_type.clone() };
        stages.push(Stage { name, processor: Box::new(plugin), framing });
    }
    if stages.len() > 1 {
        let chain = Chain::new(stages, run.record_bytes_max)?;
        let (framing, record_end) = (chain.framing(), chain.record_end());
        return Ok(Loaded { processor: Box::new(chain), framing, record_end, lane });
    }
    let Stage { processor, framing, .. } = stages.pop().ok_or(ChainError::Empty)?;
    Ok(Loaded { processor, framing, record_end: framing.record_end(), lane })
}

struct Listed {
    listing: Listing,
    /// Directories from which outputs are named.
    named: Vec<PathBuf>,
}

fn list(gate: &JobGate, run: &Run, inputs: &[PathBuf], bytes_max: u64) -> Result<Listed, JobError> {
    let root = &gate.member.tenant.inputs;
    let paths = inputs.iter().map(|name| beneath::input(root, name));
    let paths = paths.collect::<Result<Vec<_>, _>>()?;
    let roots = gate.member.roots.clone();
    let request = Request {
        paths: paths.clone(),
        look: Look::Sizes,
        threads: 1,
        roots,
        bytes_max: Some(bytes_max),
        ..Request::default()
    };
    let mut listing = source::list(&request)?;
    if run.archives {
        let (members_max, stop) = (run.members_max, gate.state.cancel.flag());
        let expansion = Expansion::new(members_max, 1, &stop);
        input::expand(&mut listing, &expansion).map_err(source::Error::from)?;
    }
    let mut named = paths;
    named.push(root.join(Path::new(""))); // with a slash at its end
    Ok(Listed { listing, named })
}

/// A job's gate: turns of its tenant, whose account is charged for them.
struct JobGate {
    shared: Arc<Shared>,
    member: Arc<Member>,
    state: Arc<State>,
    /// Bytes in and out that have been charged.
    counted: Mutex<(u64, u64)>,
}

impl JobGate {
    /// Ends the job where its tenant has used too much.
    fn charge(&self, spent: Duration) {
        let stats = &self.state.stats;
        let (bytes_in, bytes_out) = {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            let (before_in, before_out) =
                std::mem::replace(&mut *counted, (stats.bytes(), stats.out()));
            (counted.0.saturating_sub(before_in), counted.1.saturating_sub(before_out))
        };
        if let Err(exceeded) = self.member.account.charge(spent, bytes_in, bytes_out) {
            let failure = Failure::new(FailureKind::Quota, exceeded.to_string());
            let _ = self.state.exceeded.set(exceeded); // the first is told
            self.state.cancel.fail(failure);
        }
    }
}

impl fmt::Debug for JobGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobGate").field("tenant", &self.member.tenant.name).finish_non_exhaustive()
    }
}

impl Pause for JobGate {
    fn pause(&self) {
        renew_turn(self, &self.state.cancel);
    }
}

impl Gate for JobGate {
    fn enter(&self, cancel: &Cancel) -> Entered {
        self.shared.slots.enter(self.member.id, cancel)
    }

    fn renew(&self, spent: Duration, cancel: &Cancel) -> Entered {
        self.charge(spent);
        self.shared.slots.renew(self.member.id, spent, cancel)
    }

    fn leave(&self, spent: Duration) {
        self.charge(spent);
        self.shared.slots.leave(self.member.id, spent);
    }
}
