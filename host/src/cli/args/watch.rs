//! The flags of `host watch`: those of `host run`, and how files are taken as they arrive.

use clap::Args as ClapArgs;

use super::RunArgs;
use crate::settings::{AfterCommit, Changed, Existing, OnFail, Order, SettleMode, limits};
use crate::spec::{Size, Time};

const WATCH_AFTER_HELP: &str = "\
A file is processed when it was closed, or moved in, and has not changed for --settle. Files named
.*, *.tmp, *.part, *.crdownload and *~ are never taken. What is done is in a ledger: it is printed
where, and `host ledger explain FILE` tells of any file why it is where it is.

Ctrl-C or SIGTERM ends the watch when what runs is done; a second one ends it at once. Nothing is
lost either way: the next start goes on.
Exit status: 0 ended as told, 1 with --once some file failed, 2 could not start.

Examples:
  host watch in/ --plugin csv2jsonl.wasm --out out/
  host watch in/ --plugin wordcount.wasm --out counts.jsonl --after move:done/
  host watch in/ --pipeline clean.toml --out out/ --settle-mode 'marker:{name}.done'
  host watch in/ --plugin upcase.wasm --out out/ --once
  host watch /var/log/app/ --include '*.log' --plugin redact.wasm --out clean/ --append";

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Watch")]
pub(in crate::cli) struct WatchFlags {
    /// Files that are there when the watch is first begun: process, skip, or since:TIME, which
    /// takes those written since then. Stays as it was at the first start
    #[arg(long, value_name = "process|skip|since:TIME", default_value = "process")]
    pub(in crate::cli) existing: Existing,

    /// How long a file must not have changed after it was closed. Without an event that says so,
    /// it is at least 2s
    #[arg(long, value_name = "TIME", default_value = "200ms")]
    pub(in crate::cli) settle: Time,

    /// When a file is ready: quiet, after --settle; rename, at once if it was moved in, else as
    /// quiet; marker:TEMPLATE, when a file of that name is beside it, as marker:{name}.done;
    /// min-age:TIME, that long after it was written last
    #[arg(long, value_name = "MODE", default_value = "quiet")]
    pub(in crate::cli) settle_mode: SettleMode,

    /// Another version of a file that is done: again replaces its output, ignore leaves it, fail
    /// makes it a failure
    #[arg(long, value_name = "again|ignore|fail", default_value = "again")]
    pub(in crate::cli) changed: Changed,

    /// What becomes of a file once its output is in place: keep, delete or move:DIR/, which keeps
    /// the path below the watched directory; also move:TEMPLATE of {name}, {stem} and {dir}.
    /// Another version of it is never touched
    #[arg(long, value_name = "keep|delete|move:DIR/", default_value = "keep")]
    pub(in crate::cli) after: AfterCommit,

    /// How long to wait before that
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub(in crate::cli) after_delay: Time,

    /// What becomes of a file that has failed for good: keep or move:DIR, with NAME.error.json
    /// beside it
    #[arg(long, value_name = "keep|move:DIR", default_value = "keep")]
    pub(in crate::cli) on_fail: OnFail,

    /// How often a file that fails is tried again, after 1, 4, 16 and then each 30 seconds
    #[arg(long, value_name = "N", default_value_t = limits::WATCH_RETRIES)]
    pub(in crate::cli) retries: u32,

    /// Which of the files that are ready comes first: arrival, oldest, newest, name or largest.
    /// One that has waited for ten minutes comes before all others
    #[arg(long, value_name = "ORDER", default_value = "arrival")]
    pub(in crate::cli) order: Order,

    /// Begin no more files than this in a second
    #[arg(long, value_name = "N")]
    pub(in crate::cli) max_files_per_second: Option<u32>,

    /// Begin files of no more bytes than this in a second, on average
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) max_bytes_per_second: Option<Size>,

    /// Follow files as they grow, as `tail -F` does: each line that is added is processed once, and
    /// its output is appended. For plugins that take lines one by one and give bytes. A file may be
    /// renamed, cut after it was copied, and compressed
    #[arg(long)]
    pub(in crate::cli) append: bool,

    /// With --append: process a last line that has no end when nothing came for so long
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub(in crate::cli) idle: Time,

    /// End when all files that are there are done; one that still changes is left for the next
    /// start
    #[arg(long)]
    pub(in crate::cli) once: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = WATCH_AFTER_HELP)]
pub(in crate::cli) struct WatchArgs {
    #[command(flatten)]
    pub(in crate::cli) run: RunArgs,

    #[command(flatten)]
    pub(in crate::cli) watch: WatchFlags,
}
