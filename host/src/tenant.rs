//! Jobs of several tenants in one process, side by side: the library's entry point for a service
//! with more than one.
//!
//! A [`Host`] has as many turns as processors, and each job its own workers, which take a turn for
//! each piece of work ([`Gate`](crate::work::Gate)); whose turn is next follows the tenants'
//! weights. A tenant's jobs stay below its ceiling, within its quotas, and in its directories. No
//! instance ever serves two jobs, and so none two tenants.
//!
//! What bounds it: jobs at once by `JOBS_MAX`, what a job holds by its settings, and all jobs
//! together by the host's memory. A guest that is at a long call is made to wait within it, at the
//! engine's next tick, where others are due: time in which it waits is neither charged nor taken
//! from what the call may last.
//!
//! ```no_run
//! use std::path::PathBuf;
//!
//! use gristmill::spec::JobSpec;
//! use gristmill::tenant::{Host, Limits, Options, Tenant};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::new(Options::default())?;
//! host.add(Tenant {
//!     name: "acme".into(),
//!     weight: 3,
//!     limits: Limits::default(),
//!     inputs: "/srv/acme/in".into(),
//!     outputs: "/srv/acme/out".into(),
//! })?;
//! let inputs = vec![PathBuf::from("logs")]; // beneath the tenant's inputs
//! let mut spec = JobSpec::of("wordcount.wasm".into(), inputs);
//! spec.output.out = "counts.jsonl".into(); // below its outputs
//! let job = host.submit("acme", spec)?;
//! println!("{} bytes so far", job.progress().bytes_in);
//! match &*job.wait() {
//!     Ok(ended) => println!("{} sources", ended.summary.sources),
//!     Err(error) => eprintln!("{error}"),
//! }
//! # Ok(())
//! # }
//! ```

mod beneath;
mod compilers;
mod error;
mod fair;
mod gate;
mod handle;
mod host;
mod running;
mod shared;
mod slots;
mod spec;
mod usage;

pub use error::{JobError, QuotaExceeded, Refused, Which};
pub use handle::{Ended, JobHandle, Progress};
pub use host::{Host, Options};
pub use spec::{Limits, Tenant};
pub use usage::Used;
