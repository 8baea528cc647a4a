//! One job of a tenant, from its spec to its end, on the thread that it was given.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::beneath::{Beneath, within};
use super::error::JobError;
use super::gate::JobGate;
use super::handle::{Ended, State};
use super::shared::{Member, Shared};
use crate::job::Observer;
use crate::plugin::{Cache, Compiled, Compiling, LoadError};
use crate::prepare::{self, Context, Origins, Turns, prepare};
use crate::process::Failure;
use crate::settings::limits::FAILURES_KEPT_MAX;
use crate::settings::{Sandbox, named};
use crate::source::Look;
use crate::spec::JobSpec;

/// Runs a job to its end; what it writes to standard output goes into `stream`.
pub(super) fn run(
    shared: &Arc<Shared>,
    member: &Arc<Member>,
    state: &Arc<State>,
    spec: JobSpec,
    stream: Box<dyn Write + Send>,
) -> Result<Ended, JobError> {
    let (spec, mut named) = within(spec, &member.tenant)?;
    named.push(member.tenant.inputs.join("")); // with a slash at its end
    let cache = shared.cache.as_ref().map(|dir| dir.join(&member.tenant.name));
    let mut settings = spec.run(shared.slots_count, cache)?;
    settings.threads = settings.threads.clamp(1, shared.slots_count);
    let gate = Arc::new(JobGate::new(shared, member, state));
    let cache = prepare::cache(&settings);
    let sandbox = settings.sandbox;
    let context = Context {
        settings,
        engine: &shared.engine,
        compile: &|path| compile(&gate, (shared, member, state), path, cache.as_ref(), &sandbox),
        origins: &Origins {
            roots: member.roots.clone(),
            urls: Some(member.tenant.limits.urls.clone()),
            ..Origins::default()
        },
        named: Some(&named),
        outlets: &Beneath::new(&member.tenant.outputs, stream),
        stats: Arc::clone(&state.stats),
        cancel: Arc::clone(&state.cancel),
        turns: Some(Turns { gate: Arc::clone(&gate) as _, pause: Arc::clone(&gate) as _ }),
        remembers: None,
        described: None,
        look: Look::Sizes,
    };
    let failures = Arc::new(Failures::default());
    let events = Arc::clone(&failures) as Arc<dyn Observer>;
    let ended = prepare(&spec, &context, &events).and_then(|prepared| {
        let _ = state.sources.set(prepared.sources()); // once
        prepared.run()
    });
    if let Some(exceeded) = state.exceeded.get() {
        return Err(JobError::Quota(exceeded.clone()));
    }
    // A plugin that was stopped while it was loaded may still be a good one.
    let ended = ended.map_err(|problem| {
        if state.cancel.is_set() { JobError::Cancelled } else { JobError::Spec(problem) }
    })?;
    let summary = ended.summary?;
    if state.cancel.is_set() && summary.unread > 0 {
        return Err(JobError::Cancelled);
    }
    Ok(Ended { summary, failures: failures.take(), report: ended.report })
}

/// Compiles a plugin, outside of turns, or takes what it compiled to.
fn compile(
    gate: &JobGate,
    (shared, member, state): (&Shared, &Member, &State),
    path: &Path,
    cache: Option<&Cache>,
    sandbox: &Sandbox,
) -> Result<Compiled, LoadError> {
    let stop = &state.cancel.flag();
    let with = Compiling { limits: sandbox, cache, memory: &shared.memory, stop };
    if let Some(kept) = Compiled::kept(&shared.engine, path, &with)? {
        return Ok(kept);
    }
    // Without one, the compiler ends at once, as it looks at the same flag.
    let permit = shared.compilers.enter(member.id, &state.cancel);
    let begun = Instant::now();
    let new = Compiled::new(&shared.engine, path, &with);
    gate.charge(begun.elapsed()); // a compiler of one thread, which does nothing else
    drop(permit);
    new
}

/// The first sources that fail.
#[derive(Default)]
struct Failures(Mutex<Vec<(String, Failure)>>);

impl Failures {
    fn take(&self) -> Vec<(String, Failure)> {
        std::mem::take(&mut self.0.lock())
    }
}

impl Observer for Failures {
    fn failed(&self, source: &str, failure: &Failure) {
        let mut kept = self.0.lock();
        if kept.len() < FAILURES_KEPT_MAX {
            let name = |key: &str| format!("`{key}`");
            let hint = failure.hint.as_deref().map(|hint| named(hint, name).into_owned());
            kept.push((source.to_string(), Failure { hint, ..failure.clone() }));
        }
    }
}
