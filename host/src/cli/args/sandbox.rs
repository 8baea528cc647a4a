//! The flags for sandboxes: every limit of a plugin, and how long a sandbox lives.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};

use crate::settings::{Isolate, limits};
use crate::spec::{Size, Time};

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Sandbox")]
pub(in crate::cli) struct SandboxArgs {
    /// How long a sandbox lives: for the whole run, one source, or one chunk. Fresh sandboxes keep
    /// what a plugin stores in its variables apart, and cost time
    #[arg(long, value_enum, default_value_t = Isolate::Job)]
    pub(in crate::cli) isolate: Isolate,

    /// Replace a sandbox after it has taken this many bytes. One whose memory has grown by a
    /// quarter of --memory is replaced, too
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub(in crate::cli) recycle_after: Size,

    /// Memory of one sandbox
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    pub(in crate::cli) memory: Size,

    /// Memory of the whole run: sandboxes, streams, decoders and waiting results, beside some 15
    /// MiB of the process itself. If it is too little for all workers, fewer work; if it is too
    /// little for one, the run is refused [default: no limit]
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) memory_total: Option<Size>,

    /// Elements of one table of a plugin. All its tables together may have 200000, or this many if
    /// that is more
    #[arg(long, value_name = "N", default_value_t = limits::TABLE_ELEMENTS as u64)]
    pub(in crate::cli) table_elements: u64,

    /// Stack of a plugin
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    pub(in crate::cli) stack: Size,

    /// Time for one call of a plugin, counted from when its data is in memory
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub(in crate::cli) timeout: Time,

    /// Additional time per whole MiB of data
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub(in crate::cli) timeout_per_mib: Time,

    /// Fuel for one call, about one unit per instruction: a limit that is the same on every
    /// machine, and slows plugins by about a third. Start with 10000000000
    #[arg(long, value_name = "N")]
    pub(in crate::cli) fuel: Option<u64>,

    /// Time for all plugin calls of the run together; when it is used up, the run ends
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) guest_time: Option<Time>,

    /// Bytes that one call may return; four times its input, if that is more
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub(in crate::cli) output_per_call: Size,

    /// Rejected records of the whole run; one more ends it
    #[arg(long, value_name = "N", default_value_t = limits::REJECTS)]
    pub(in crate::cli) rejects_per_job: u64,

    /// Bytes of a plugin's log that are shown per source
    #[arg(long, value_name = "SIZE", default_value = "64KiB")]
    pub(in crate::cli) log_bytes: Size,

    /// Lines per second that are shown of all plugin logs
    #[arg(long, value_name = "N", default_value_t = limits::LOG_LINES)]
    pub(in crate::cli) log_lines: u64,

    /// Size of a plugin file
    #[arg(long, value_name = "SIZE", default_value = "50MiB")]
    pub(in crate::cli) component_size: Size,

    /// Functions of a plugin
    #[arg(long, value_name = "N", default_value_t = limits::FUNCTIONS)]
    pub(in crate::cli) functions: u64,

    /// Time to compile a plugin
    #[arg(long, value_name = "TIME", default_value = "1m")]
    pub(in crate::cli) compile_timeout: Time,

    /// Memory to compile a plugin, in a process of its own
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
