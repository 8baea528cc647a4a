//! From a spec to a job that is ready to run, or to the plan of it: the same way for all front
//! ends.
//!
//! A front end gives a [`JobSpec`](crate::spec::JobSpec) and a [`Context`], receives what happens
//! as an [`Observer`](crate::job::Observer), and decides how it is shown.

mod below;
mod checkpoint;
mod confine;
mod context;
mod decoded;
mod found;
mod identity;
mod job;
mod ledger_mode;
mod linked;
mod names;
mod objects;
mod opened;
mod output;
mod output_name;
mod overwrite;
mod owned;
mod plan;
mod planned;
mod plugins;
mod recorder;
mod rejects;
mod remembers;
mod report;
mod resolved;
mod sources;
mod unmatched;
mod words;

pub use confine::{Confined, can_confine, confine};
pub use context::{Context, Turns, stats};
pub use decoded::{decoded, is_called_compressed};
pub use job::{JobEnded, Prepared, prepare};
pub use output::{Outlets, PlannedTarget};
pub use output_name::output_name;
pub use plan::plan;
pub use planned::{
    Parallel, Plan, PlannedLimits, PlannedName, PlannedOutput, PlannedSources, PlannedStage,
};
pub use plugins::cache;
pub use remembers::{Remembers, identify, kept};
pub use sources::{FoundSource, Origins};
pub use words::check_words;

use context::load;
