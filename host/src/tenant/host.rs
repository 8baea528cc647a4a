//! The tenants of a process, and their jobs: who may submit what, and which threads are there.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Mutex, MutexGuard};

use super::compilers::Compilers;
use super::error::{JobError, Refused};
use super::handle::{Ended, JobHandle, State};
use super::running;
use super::shared::{Member, Shared};
use super::slots::Slots;
use super::spec::{Tenant, check};
use super::usage::{Account, Used};
use crate::plugin::{Engine, EngineError};
use crate::settings::Sandbox;
use crate::settings::limits::{HOST_STACK_BYTES, JOBS_MAX};
use crate::source::Roots;
use crate::spec::JobSpec;
use crate::stats::MemoryBudget;

/// How a host is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Threads that work at the same time; `None` is one for each processor.
    pub slots: Option<usize>,
    /// Memory for all jobs together, in bytes; `None` is as much as they take.
    pub memory_bytes: Option<u64>,
    /// What sandboxes have that jobs do not say otherwise. Their stack, and whether fuel is
    /// counted, no job does: it is compiled into what all of them share.
    pub sandbox: Sandbox,
    /// Where compiled code is kept, apart for each tenant; `None` keeps none. Nobody else may write
    /// there.
    pub cache: Option<PathBuf>,
}

/// Runs the jobs of several tenants. Dropping it cancels those that run, and waits for them.
pub struct Host {
    shared: Arc<Shared>,
    tenants: Mutex<BTreeMap<String, Arc<Member>>>,
    jobs: Mutex<Vec<Job>>,
}

struct Job {
    state: Arc<State>,
    thread: JoinHandle<()>,
}

impl Host {
    /// A host without tenants.
    ///
    /// # Errors
    /// When this machine cannot run compiled wasm.
    pub fn new(options: Options) -> Result<Self, EngineError> {
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let slots_count = options.slots.unwrap_or_else(processors).max(1);
        let shared = Shared {
            engine: Engine::single_threaded(&options.sandbox)?,
            sandbox: options.sandbox,
            slots: Slots::new(slots_count),
            slots_count,
            compilers: Compilers::default(),
            memory: Arc::new(MemoryBudget::new(options.memory_bytes.unwrap_or(u64::MAX))),
            cache: options.cache,
        };
        Ok(Self { shared: Arc::new(shared), tenants: Mutex::default(), jobs: Mutex::default() })
    }

    /// One more tenant.
    ///
    /// # Errors
    /// When its name or weight is not allowed, or its inputs are no directory.
    pub fn add(&self, mut tenant: Tenant) -> Result<(), Refused> {
        tenant.check()?;
        let directory =
            |path: &PathBuf, reason: String| Refused::Directory { path: path.clone(), reason };
        let inputs = tenant.inputs.canonicalize();
        tenant.inputs = inputs.map_err(|error| directory(&tenant.inputs, error.to_string()))?;
        if !tenant.inputs.is_dir() {
            return Err(directory(&tenant.inputs, "is not a directory".into()));
        }
        let roots = Roots::open(std::slice::from_ref(&tenant.inputs));
        let roots = roots.map_err(|error| directory(&tenant.inputs, error.to_string()))?;
        let mut tenants = lock(&self.tenants);
        let name = tenant.name.clone();
        if tenants.contains_key(&name) {
            return Err(Refused::Known { name });
        }
        let member = Member {
            id: self.shared.slots.add(tenant.weight),
            account: Account::new(name.clone(), tenant.limits.quotas.clone()),
            tenant,
            roots,
        };
        tenants.insert(name, Arc::new(member));
        Ok(())
    }

    /// Starts a job of that tenant. Its inputs are named from the tenant's directory for those, and
    /// what it writes from that for outputs; plugins are files that the operator of the host has
    /// chosen. What goes to standard output is thrown away.
    ///
    /// # Errors
    /// When it asks for more than it may have, or there are too many.
    pub fn submit(&self, tenant: &str, spec: JobSpec) -> Result<JobHandle, Refused> {
        self.submit_into(tenant, spec, Box::new(io::sink()))
    }

    /// The same with a stream for what goes to standard output, which must not block for long: who
    /// writes to it has a turn.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit).
    pub fn submit_into(
        &self,
        tenant: &str,
        spec: JobSpec,
        stream: Box<dyn Write + Send>,
    ) -> Result<JobHandle, Refused> {
        let member = self.member(tenant)?;
        check(&spec, &member.tenant.limits.ceiling, &self.shared.sandbox)?;
        let mut jobs = lock(&self.jobs);
        jobs.retain(|job| !job.thread.is_finished());
        if jobs.len() >= JOBS_MAX {
            return Err(Refused::Busy);
        }
        member.account.begin_job()?;
        let state = Arc::new(State::within(Arc::clone(&self.shared.memory)));
        let (shared, state_too) = (Arc::clone(&self.shared), Arc::clone(&state));
        let working = Working { shared, member, state: state_too, ended: None };
        let spawned = std::thread::Builder::new()
            .name(format!("job-{tenant}"))
            .stack_size(self.shared.sandbox.stack_bytes + HOST_STACK_BYTES)
            .spawn(move || working.work(spec, stream));
        // What could not be moved into the thread was dropped, and so has ended.
        let thread = spawned.map_err(|_| Refused::Busy)?;
        jobs.push(Job { state: Arc::clone(&state), thread });
        Ok(JobHandle { state })
    }

    /// The memory that jobs share.
    pub fn memory(&self) -> &MemoryBudget {
        &self.shared.memory
    }

    /// What the tenant has used.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn used(&self, tenant: &str) -> Result<Used, Refused> {
        Ok(self.member(tenant)?.account.used())
    }

    fn member(&self, name: &str) -> Result<Arc<Member>, Refused> {
        let unknown = || Refused::Unknown { name: name.to_string() };
        lock(&self.tenants).get(name).cloned().ok_or_else(unknown)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let jobs = std::mem::take(&mut *lock(&self.jobs));
        for job in &jobs {
            job.state.cancel.set();
        }
        for job in jobs {
            let _ = job.thread.join(); // that it panicked has been told to who waits for it
        }
    }
}

/// A job's thread; its end is reported even if it panics.
struct Working {
    shared: Arc<Shared>,
    member: Arc<Member>,
    state: Arc<State>,
    ended: Option<Result<Ended, JobError>>,
}

impl Working {
    fn work(mut self, spec: JobSpec, stream: Box<dyn Write + Send>) {
        self.ended = Some(running::run(&self.shared, &self.member, &self.state, spec, stream));
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.member.account.end_job();
        self.state.end(self.ended.take().unwrap_or(Err(JobError::Crashed)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
