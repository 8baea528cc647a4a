//! What a run is asked to do, as plain structs: checked, in base units, with no trace of flags.

pub mod limits;
mod run;

pub use run::{Decompress, Io, RejectsMax, Run, Show};
