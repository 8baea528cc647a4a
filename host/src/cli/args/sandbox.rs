//! The flags for sandboxes: every limit of a plugin, and how long a sandbox lives.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};

use crate::settings::{Isolate, limits};
use crate::spec::{Size, Time};

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Sandbox")]
pub(in crate::cli) struct SandboxArgs {
    /// What never shares a sandbox
    #[arg(long, value_enum, default_value_t = Isolate::Job)]
    pub(in crate::cli) isolate: Isolate,

    /// Bytes that a sandbox takes before a fresh one takes its place; so does one whose memory has
    /// grown by a quarter of --memory
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub(in crate::cli) recycle_after: Size,

    /// Memory that a sandbox may have
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    pub(in crate::cli) memory: Size,

    /// Memory for the whole run, beside some 15 MiB of the process itself: sandboxes, streams,
    /// decoders and results that wait. Fewer workers are used where it is too little for all, and
    /// where it is too little for one the run is refused [default: as much as they take]
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) memory_total: Option<Size>,

    /// Elements that one table of a plugin may have; all its tables together may have 200000, or
    /// that, if it is more
    #[arg(long, value_name = "N", default_value_t = limits::TABLE_ELEMENTS as u64)]
    pub(in crate::cli) table_elements: u64,

    /// Stack that a plugin may use
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    pub(in crate::cli) stack: Size,

    /// Time that a plugin has for one call, from the moment its data is there
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub(in crate::cli) timeout: Time,

    /// Time that it has beside that for each whole MiB of the data
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub(in crate::cli) timeout_per_mib: Time,

    /// Units of fuel for one call, about one for each instruction: a limit that does not depend on
    /// the machine, and makes plugins slower
    #[arg(long, value_name = "N")]
    pub(in crate::cli) fuel: Option<u64>,

    /// Time that all sandboxes of the run have together; with it the run ends
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) guest_time: Option<Time>,

    /// Bytes that one call may return, or four times what it is given, if that is more
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub(in crate::cli) output_per_call: Size,

    /// Records of the run that may be set aside for --rejects or --max-rejects; with one more the
    /// run ends
    #[arg(long, value_name = "N", default_value_t = limits::REJECTS)]
    pub(in crate::cli) rejects_per_job: u64,

    /// What is shown of the log of a plugin for one source
    #[arg(long, value_name = "SIZE", default_value = "64KiB")]
    pub(in crate::cli) log_bytes: Size,

    /// Lines that are shown of the logs of all plugins in one second
    #[arg(long, value_name = "N", default_value_t = limits::LOG_LINES)]
    pub(in crate::cli) log_lines: u64,

    /// Size that a plugin file may have
    #[arg(long, value_name = "SIZE", default_value = "50MiB")]
    pub(in crate::cli) component_size: Size,

    /// Functions that a plugin may have
    #[arg(long, value_name = "N", default_value_t = limits::FUNCTIONS)]
    pub(in crate::cli) functions: u64,

    /// Time that a plugin may take to compile
    #[arg(long, value_name = "TIME", default_value = "1m")]
    pub(in crate::cli) compile_timeout: Time,

    /// Memory that the compiler of a plugin may take; it is a process of its own
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub(in crate::cli) compile_memory: Size,

    /// Where compiled plugins are kept [default: gristmill/code in the user's cache directory]
    #[arg(long, value_name = "DIR", env = "GRISTMILL_CACHE", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) cache: Option<PathBuf>,

    /// Keep no compiled plugins, and use none, whatever --cache and `GRISTMILL_CACHE` say
    #[arg(long)]
    pub(in crate::cli) no_cache: bool,

    /// Put the process itself into a jail before anything is read, as a second wall around the
    /// sandboxes: it reads the inputs and the plugins, writes the outputs that are named (and
    /// beside --out FILE and --ledger FILE, in their directories), starts no program and opens no
    /// connection; with remote inputs, connections stay allowed. Refused where the kernel lacks
    /// Landlock or seccomp
    #[arg(long)]
    pub(in crate::cli) jail: bool,

    /// Keep the first failures of plugins below this directory: the plugin, the chunk, settings and
    /// limits, for `host plugin repro`. What is kept has bytes of the inputs in it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) repro: Option<PathBuf>,
}
