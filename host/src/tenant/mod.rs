//! Jobs of several tenants in one process, side by side: the library's way in for whoever serves more than one.
//!
//! A [`Host`] has as many turns as processors, and each job its own workers, which take a turn for each piece of work
//! ([`Gate`](crate::work::Gate)); whose turn is next follows the tenants' weights. A tenant's jobs stay below its ceiling, within its
//! quotas, and in its directories. No instance ever serves two jobs, and so none two tenants.
//!
//! What bounds it: jobs at once by `JOBS_MAX`, what a job holds by its settings, and all jobs together by the host's memory.
//! A tenant that is wronged can wait for one call of each turn, as no call is ended before its deadline.

mod beneath;
mod error;
mod fair;
mod handle;
mod host;
mod running;
mod slots;
mod spec;
mod usage;

pub use error::{JobError, QuotaExceeded, Refused, Which};
pub use handle::{Ended, JobHandle, Progress};
pub use host::{Host, Options};
pub use spec::{JobSpec, Limits, PluginSpec, Results, Tenant};
pub use usage::Used;
