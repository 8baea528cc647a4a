//! What a run is asked to do, as plain structs: checked, in base units, with no trace of flags.

mod bounds;
mod key;
pub mod limits;
mod out;
mod run;
mod sandbox;
mod tenant;
mod watch;
mod words;

pub use bounds::{Amount, OutOfBounds};
pub use key::{Key, first_key, keys, named};
pub use out::{Durable, Exists, Format, Join, Pack, PackError};
pub use run::{Decompress, EncodingErrors, Io, Piped, RejectsMax, Run, Show};
pub use sandbox::{Exceeded, Isolate, Sandbox};
pub use tenant::{Ceiling, Quotas};
pub use watch::{AfterCommit, Changed, Existing, OnFail, Order, SettleMode};
