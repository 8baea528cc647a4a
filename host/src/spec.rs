//! A job as somebody describes it, by flags, in a file, or in a message: plain data that does
//! nothing.
//!
//! A spec holds what the user asked a front end for, in the user's words; [`JobSpec::run`] brings
//! it to settings within their bounds, and `prepare` to a job. What reads it from TOML or JSON are
//! these types alone, so no front end takes what another refuses.

mod canonical;
mod document;
mod fields;
mod inputs;
mod job;
mod json;
mod output;
mod part;
mod problem;
mod sandbox;
mod stages;
mod watch;
mod words;

pub(crate) use crate::settings::Key;
pub use document::Document;
pub use fields::fields;
pub use inputs::{AllowedUrls, InputSpec};
pub use job::{JobSpec, VERSION, WorkSpec};
pub use output::OutputSpec;
pub use part::{ChunkRange, PartSpec};
pub use problem::{FilePlace, Problem};
pub use sandbox::SandboxSpec;
pub use stages::{BranchSpec, SettingSpec, StageSpec};
pub use watch::WatchSpec;
pub use words::{Size, Time};

use crate::settings::{
    Decompress, Durable, EncodingErrors, Exists, Format, Io, Join, Pack, Piped, RejectsMax,
};

words::by_word!(
    Decompress,
    Durable,
    EncodingErrors,
    Exists,
    Format,
    Io,
    Join,
    Pack,
    Piped,
    RejectsMax
);
