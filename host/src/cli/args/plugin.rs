//! The flags of `host plugin`.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PluginCommand {
    /// Tell what a plugin is: kind, manifest, imports, exports, size, limits, SIMD or not
    Inspect {
        /// The plugin: a file, or the name of one that is installed
        #[arg(value_name = "PLUGIN", value_hint = ValueHint::FilePath)]
        plugin: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the contract between plugins and the host, in WIT
    Wit,
    /// Run a call that failed once more, from what `host run --repro` has kept: the same chunk, on
    /// a new instance with the limits of then. Exit status: 0 it failed as it did, 1 it did not, 2
    /// what is kept is broken or of a call that cannot be run again
    Repro {
        /// What was kept, as DIR/failure-0001
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        bundle: PathBuf,
        /// Allow limits that are more than the defaults of `host run`, where the bundle says so
        #[arg(long)]
        its_limits: bool,
    },
}
