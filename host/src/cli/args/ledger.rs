//! The flags of `host ledger`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Subcommand, ValueEnum, ValueHint};

/// How `host ledger forget` is called, behind the name of the program: clap would leave out what it
/// takes of.
pub(in crate::cli) const FORGET_USAGE: &str =
    "ledger forget [--job <DIGEST>] <LEDGER> <SOURCE...|--failed|--all>";

/// The same in each: where the ledger is.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct LedgerPath {
    /// The ledger
    #[arg(value_name = "LEDGER", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) path: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LedgerCommand {
    /// Show the jobs of a ledger, or the sources of one of them; a run may be writing it
    #[command(after_help = LEDGER_SHOW_AFTER_HELP)]
    Show {
        #[command(flatten)]
        ledger: LedgerPath,
        /// Show the sources of this job: its digest, or as much of it as tells it from others
        #[arg(long, value_name = "DIGEST")]
        job: Option<String>,
        /// Show only sources that failed; without --job, those of all jobs
        #[arg(long)]
        failed: bool,
        /// What it looks like
        #[arg(short, long, value_enum, default_value_t = LedgerFormatArg::Table)]
        format: LedgerFormatArg,
    },
    /// Tell what watches know of a file: whether it is done, and else why not
    #[command(after_help = LEDGER_EXPLAIN_AFTER_HELP)]
    Explain {
        /// The file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The ledger of the watch [default: those of all watches that were not told of one]
        #[arg(long, value_name = "LEDGER", value_hint = ValueHint::FilePath)]
        ledger: Option<PathBuf>,
        /// What it looks like
        #[arg(short, long, value_enum, default_value_t = LedgerFormatArg::Table)]
        format: LedgerFormatArg,
    },
    /// Have files that have failed in a watch tried again. The watch must not run
    #[command(group = ArgGroup::new("which").required(true))]
    Retry {
        #[command(flatten)]
        ledger: LedgerPath,
        /// These files
        #[arg(value_name = "FILE", group = "which", value_hint = ValueHint::FilePath)]
        files: Vec<OsString>,
        /// All files that have failed
        #[arg(long, group = "which")]
        failed: bool,
    },
    /// Print all entries as JSON, one a line; a run may be writing the ledger
    Export {
        #[command(flatten)]
        ledger: LedgerPath,
        /// Only those of this job
        #[arg(long, value_name = "DIGEST")]
        job: Option<String>,
    },
    /// Remove entries, so that the next run does their sources again
    #[command(
        group = ArgGroup::new("what").required(true),
        after_help = LEDGER_FORGET_AFTER_HELP
    )]
    Forget {
        #[command(flatten)]
        ledger: LedgerPath,
        /// The sources, by their names as `host ledger show` tells them
        #[arg(value_name = "SOURCE", group = "what")]
        sources: Vec<OsString>,
        /// Only entries of this job: its digest, or as much of it as tells it from others
        #[arg(long, value_name = "DIGEST")]
        job: Option<String>,
        /// Sources that failed
        #[arg(long, group = "what")]
        failed: bool,
        /// All sources
        #[arg(long, group = "what")]
        all: bool,
    },
    /// Go through a whole ledger, and tell whether it is damaged, and which outputs are not as they
    /// were left
    #[command(after_help = LEDGER_CHECK_AFTER_HELP)]
    Check {
        #[command(flatten)]
        ledger: LedgerPath,
        /// Read all outputs, and compare what is in them
        #[arg(long)]
        digest: bool,
    },
}

const LEDGER_SHOW_AFTER_HELP: &str = "\
Examples:
  host ledger show done.ledger
  host ledger show done.ledger --job 3f2a --failed --format json";

const LEDGER_EXPLAIN_AFTER_HELP: &str = "\
Exit status: 0 some watch knows the file, 1 none does.

Examples:
  host ledger explain in/a.csv
  host ledger explain in/a.csv --ledger done.ledger --format json";

const LEDGER_CHECK_AFTER_HELP: &str = "\
Outputs are compared by size, with --digest by what is in them, too. The next run of their job makes those anew that are told.
Exit status: 0 all is as it was left, 1 something is not.";

const LEDGER_FORGET_AFTER_HELP: &str = "\
Exit status: 0 all named sources were in the ledger, 1 some were not, 2 nothing was removed.

Examples:
  host ledger forget done.ledger --failed
  host ledger forget done.ledger --job 3f2a --all
  host ledger forget done.ledger logs/a.gz logs/b.gz";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LedgerFormatArg {
    /// Aligned columns and a header
    Table,
    /// One JSON document: an array, with an element a line
    Json,
}
