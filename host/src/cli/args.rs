//! The flags, with their help and defaults; nothing is decided here.

mod ledger;
mod plugin;
mod sandbox;
mod watch;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use super::guide::topics;
use super::values::{key_value, template};
use crate::settings::{
    Decompress, Durable, EncodingErrors, Exists, Format, Io, Join, Pack, Piped, RejectsMax, limits,
};
use crate::spec::{Size, Time};
pub(super) use ledger::{FORGET_USAGE, LedgerCommand, LedgerFormatArg};
pub(super) use plugin::PluginCommand;
pub(super) use sandbox::SandboxArgs;
pub(super) use watch::{WatchArgs, WatchFlags};

/// Runs sandboxed WebAssembly plugins over files, in parallel, at the speed of native code.
#[derive(Debug, Parser)]
#[command(name = "host", version, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a plugin over files and directories
    Run(Box<RunArgs>),
    /// Run a plugin over files as they arrive in directories, each exactly once
    Watch(Box<WatchArgs>),
    /// Look at plugins
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Tell whether this machine has what `host run` needs, and how to get what is missing
    Doctor(DoctorArgs),
    /// Look at what ledgers say is done, or have it done again
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Show a page of the documentation
    Guide {
        /// Which page
        #[arg(default_value = "guide", value_parser = PossibleValuesParser::new(topics()))]
        topic: String,
    },
    /// Write a small tree of logs, CSV, JSON lines and archives to try things on
    Sample {
        /// Where to: a new or empty directory
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write one for each command
    Man {
        /// The command that the page is about, as run or plugin-inspect
        #[arg(conflicts_with = "dir")]
        command: Option<String>,
        /// Write host.1, host-run.1 and the others into this directory
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Exit status: 0 `host run` has all it needs, 1 it has not (with --jail: the jail holds, or not)."
)]
pub(super) struct DoctorArgs {
    /// How results look [default: table on a terminal, json for --out FILE.json, else jsonl]
    #[arg(short, long, value_enum, default_value_t = DoctorFormatArg::Text)]
    pub(super) format: DoctorFormatArg,

    /// Where compiled plugins are kept [default: gristmill/code in the user's cache directory]
    #[arg(long, value_name = "DIR", env = "GRISTMILL_CACHE", value_hint = ValueHint::DirPath)]
    pub(super) cache: Option<PathBuf>,

    /// Enter the jail of `host run --jail`, and try to get out of it: what is missing then is a
    /// wall
    #[arg(long)]
    pub(super) jail: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DoctorFormatArg {
    /// A line for each thing that was tried
    Text,
    /// One JSON document
    Json,
}

const RUN_AFTER_HELP: &str = "\
Results go to standard output in the order of the inputs, everything else to standard error.
Exit status: 0 all done, 1 some source failed or records were set aside unasked, 2 could not start,
130 interrupted.

`--no-FLAG` takes back what a pipeline file turned on: --no-unordered.

Examples:
  host run --plugin wordcount logs/
  host run --plugin wordcount --set chars=true --format jsonl *.txt
  host run --plugin wordcount s3://bucket/logs/ https://example.org/a.csv.gz
  host run --pipeline clean.toml --dry-run
  host run --pipeline clean.toml --out other/ more-logs/
  find . -name '*.log' -print0 | host run --plugin topwords --total --files-from - -0";

#[derive(Debug, ClapArgs)]
#[command(after_help = RUN_AFTER_HELP)]
pub(super) struct RunArgs {
    /// Plugin to run: a file, or the name of one that is installed. `grep | my.wasm` is a chain:
    /// the output of one goes into the next. Repeat the flag to run several plugins over one scan
    #[arg(short, long, required_unless_present = "pipeline", value_name = "PLUGIN", value_hint = ValueHint::FilePath)]
    pub(super) plugin: Vec<String>,

    /// Setting for the plugin, as `host plugin inspect` lists them. With several plugins
    /// NAME.KEY=VALUE, by stage name or position. May be repeated
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) set: Vec<(String, String)>,

    /// Read the job from this file: plugins, their settings, and each flag below as a key of the
    /// table named like its heading. Flags win over the file. Paths in it are relative to its
    /// directory. Files on the command line replace those in it, and --plugin replaces its plugins
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    pub(super) pipeline: Option<PathBuf>,

    /// Show what would run, over what, and where its output would go; with --format json as JSON.
    /// Loads plugins and lists directories and archives, but reads no source and writes nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    #[command(flatten)]
    pub(super) inputs: InputArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,

    #[command(flatten)]
    pub(super) work: WorkArgs,

    #[command(flatten)]
    pub(super) sandbox: SandboxArgs,
}

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "flags are what they are")]
#[command(next_help_heading = "Inputs")]
pub(super) struct InputArgs {
    /// Files and directories, `-` for standard input; directories are read with all that is below
    /// them, links are not followed. Also s3://, gs://, az://, http:// and https:// URLs; a bucket
    /// or a prefix is read like a directory
    #[arg(value_name = "FILES", value_hint = ValueHint::AnyPath)]
    pub(super) files: Vec<PathBuf>,

    /// Read names from this file, one per line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) files_from: Option<PathBuf>,

    /// Names in --files-from end with NUL, as `find -print0` writes them
    #[arg(short = '0', long)]
    pub(super) null: bool,

    /// Read files only below this directory. The kernel refuses a name, a link or `..` that leads
    /// out of it, and each absolute link. Covers files, directories, archives, FIFOs and the list
    /// of --files-from; not standard input, URLs, plugins and outputs. May be repeated. Needs Linux
    /// 5.6
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) beneath: Vec<PathBuf>,

    /// With --beneath or --jail, let --files-from name URLs, too; with a list, only those of these
    /// hosts and buckets
    #[arg(long, value_name = "HOST", num_args = 0.., value_delimiter = ',', require_equals = true)]
    pub(super) allow_urls: Option<Vec<String>>,

    /// Follow redirects of public web servers to private addresses
    #[arg(long)]
    pub(super) allow_private: bool,

    /// Inside directories and prefixes, take only files that match. A glob without a slash matches
    /// names at any depth, one with a slash matches paths from the directory on. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub(super) include: Vec<String>,

    /// Inside directories and prefixes, skip files and directories that match. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,

    /// Take only members of archives that match, by their names in the archive. Globs as for
    /// --include. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub(super) include_members: Vec<String>,

    /// Standard input is an archive of this kind. A tar archive is recognised without this flag
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "no_archives")]
    pub(super) archive: Option<Piped>,

    /// Read zip and tar files as plain files. Without this flag each member is a source
    /// `ARCHIVE!/MEMBER`; --include and --exclude match files, not members
    #[arg(long, overrides_with = "archives")]
    pub(super) no_archives: bool,

    /// Look into zip and tar files, as is done unless --no-archives is said
    #[arg(long, hide = true, overrides_with = "no_archives")]
    pub(super) archives: bool,

    /// How files are read
    #[arg(long, value_enum, default_value_t = Io::Auto)]
    pub(super) io: Io,

    /// Read FIFOs that are named, to their end. Without this flag they fail
    #[arg(long)]
    pub(super) stream: bool,

    /// When standard input or a FIFO pauses for this long, process the records that have arrived
    #[arg(long, value_name = "TIME", default_value = "100ms")]
    pub(super) linger: Time,

    /// What is decompressed: what looks compressed, nothing, or everything with one codec
    #[arg(long, value_name = "CODEC", default_value = "auto",
        value_parser = PossibleValuesParser::new(Decompress::WORDS).try_map(|word| word.parse::<Decompress>()))]
    pub(super) decompress: Decompress,

    /// Bytes that one compressed file or archive member may become
    #[arg(long, value_name = "SIZE", default_value = "1TiB")]
    pub(super) max_decompressed: Size,

    /// Bytes that may come out of a compressed file or member per byte that goes in
    #[arg(long, value_name = "N", default_value_t = limits::DECODE_RATIO_MAX)]
    pub(super) max_ratio: u64,

    /// Members or frames that a compressed file may have, or entries of an archive
    #[arg(long, value_name = "N", default_value_t = limits::DECODE_MEMBERS_MAX)]
    pub(super) max_members: u64,

    /// Convert text to UTF-8. auto obeys a byte order mark where records are text (lines, csv), bom
    /// obeys it in any source, none converts nothing; or name an encoding, as utf-16le
    #[arg(long, value_name = "ENCODING", default_value = "auto")]
    pub(super) encoding: String,

    /// What to do about bytes that are invalid in the encoding they are converted from. UTF-8
    /// itself is not checked
    #[arg(long, value_enum, value_name = "WAY", default_value_t = EncodingErrors::Fail)]
    pub(super) encoding_errors: EncodingErrors,

    /// How records end, instead of what the plugin says: bytes, lines, csv, delimited:0xNN,
    /// fixed:N, prefixed:u32be, prefixed:u32le or whole
    #[arg(long, value_name = "FRAMING")]
    pub(super) framing: Option<String>,

    /// Nominal size of chunks, 64 B to 4 GiB [default: 512KiB; 1MiB with --isolate chunk]
    #[arg(long, value_name = "SIZE")]
    pub(super) chunk_size: Option<Size>,

    /// Longest record; a chunk grows to hold it
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub(super) max_record: Size,
}

const NAME_HELP: &str = "How output files below a directory are called: of {dir}, {name}, {stored} (which is {name} with .gz), {stem}, {ext}, {plugin} and {out_ext} [default: {dir}/{name}{out_ext}]";

#[derive(Debug, Clone, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "flags are what they are")]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Show a result per source [default: both this and --total]
    #[arg(long)]
    pub(super) per_source: bool,

    /// Show a total over all sources [default: both this and --per-source]
    #[arg(long)]
    pub(super) total: bool,

    /// What results look like [default: table on a terminal, json for --out FILE.json, else jsonl]
    #[arg(short, long, value_enum)]
    pub(super) format: Option<Format>,

    /// Write to this file instead of standard output, `-`; it appears when it is complete. With a
    /// slash at its end, or an existing directory: one file per source below it, for plugins that
    /// return bytes. Also an object or, with a slash, a prefix: s3://, gs:// and az:// names
    #[arg(short, long, value_name = "FILE|DIR/", default_value = "-", hide_default_value = true, value_hint = ValueHint::AnyPath)]
    pub(super) out: PathBuf,

    /// What to do if an output file exists [default: fail; with --ledger replace]
    #[arg(long, value_name = "fail|skip|replace")]
    pub(super) exists: Option<Exists>,

    /// What a finished output file survives: synced survives a crash of the machine, fast does not
    /// wait for the disk
    #[arg(long, value_name = "synced|fast", default_value = "synced")]
    pub(super) durable: Durable,

    /// Compress output: none, gzip, bgzf, zstd or lz4, with a level as in zstd:19
    #[arg(long, value_name = "FORMAT", default_value = "none")]
    pub(super) compress: Pack,

    // Not as a comment: clippy wants marks around the names, which would be shown.
    #[arg(long, value_name = "TEMPLATE", value_parser = template, help = NAME_HELP)]
    pub(super) name: Option<String>,

    /// Write output of chunks as it comes, in any order
    #[arg(long)]
    pub(super) unordered: bool,

    /// How the output of one source ends before the next begins: record adds a missing end of
    /// record (mostly a line feed), none adds nothing
    #[arg(long, value_name = "record|none", default_value = "record")]
    pub(super) join: Join,

    /// Write rejected records to this file as JSON lines with source, line, offset and reason; `-`
    /// is standard output. --exists applies to it, too. With --ledger it continues: lines of
    /// finished sources stay
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) rejects: Option<PathBuf>,

    /// Rejected records that a source may have before it fails: a number, or a share of its bytes,
    /// as 5%; 100% allows all [default: 1000 records, and 1% beyond that; any makes the exit status
    /// 1 unless this or --rejects is given]
    #[arg(long, value_name = "N|P%")]
    pub(super) max_rejects: Option<RejectsMax>,

    /// Store in this file what is done, so that the next run of the same job skips it. Results are
    /// printed as if all sources had been read; bytes need --out DIR/
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) ledger: Option<PathBuf>,

    /// Remove outputs of sources that are gone, if the ledger knows them and they are as they were
    /// left, and their directory is still an input
    #[arg(long)]
    pub(super) delete_vanished: bool,

    /// Write the figures of the run to this file as JSON; `-` is standard output, behind the
    /// results
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) report: Option<PathBuf>,

    /// Print one line at the end: sources, bytes, time, speed, peak memory, failures. A terminal
    /// gets it without this flag
    #[arg(long, conflicts_with = "quiet")]
    pub(super) summary: bool,

    /// No progress bar, no summary and no plugin log; warnings of the host stay
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Show plugin log lines below warnings, and details of failures; twice shows debug lines, too
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Work")]
pub(super) struct WorkArgs {
    /// Worker threads [default: one for each processor]
    #[arg(short = 'j', long, value_name = "N", env = "GRISTMILL_THREADS")]
    pub(super) threads: Option<usize>,

    /// End with the first source that fails
    #[arg(long)]
    pub(super) fail_fast: bool,
}
