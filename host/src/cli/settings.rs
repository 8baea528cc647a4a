//! Flags into settings: each value is checked, and brought to base units.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing_subscriber::filter::LevelFilter;

use super::args::{ArchiveArg, EncodingErrorsArg, FormatArg, IoArg, OutputArgs, RunArgs};
use super::limits;
use super::say::Abort;
use crate::input::Framing;
use crate::output::Format;
use crate::settings::limits::{REJECTS_FREE, REJECTS_PERCENT, WINDOW_BYTES};
use crate::settings::{Decompress, EncodingErrors, Io, Piped, RejectsMax, Run, Show};
use crate::source::{self, Fifos, FilesFrom, Look, Request, Roots, Urls};

/// Where sources are cut: as the user says, or else as the plugins do.
pub(super) fn framing(args: &RunArgs) -> Result<Option<Framing>, Abort> {
    args.inputs.framing.as_deref().map(str::parse).transpose().map_err(Abort::new)
}

/// Where inputs come from.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// Where they may be.
    pub(super) roots: Roots,
    /// The names of `--files-from`, where they have been read already.
    pub(super) listed: Option<Arc<Vec<PathBuf>>>,
}

impl Origins {
    /// Opens what `--beneath` names.
    pub(super) fn open(args: &RunArgs) -> Result<Self, Abort> {
        let directories = &args.inputs.beneath;
        if directories.is_empty() {
            return Ok(Self::default());
        }
        let roots = Roots::open(directories)
            .map_err(|error| Abort::new(format!("--beneath: {error}")).hint(error.hint()))?;
        Ok(Self { roots, listed: None })
    }

    /// Reads the names of `--files-from`.
    pub(super) fn read_list(&mut self, args: &RunArgs) -> Result<(), Abort> {
        if let Some(from) = files_from(args) {
            let bytes_max = args.sandbox.memory_total.map_or(u64::MAX, |size| size.as_u64());
            let names = source::names(&from, &self.roots, bytes_max);
            self.listed = Some(Arc::new(names.map_err(|error| unlistable(&error))?));
        }
        Ok(())
    }
}

/// That there is no list of sources.
pub(super) fn unlistable(error: &source::Error) -> Abort {
    let hint = error.hint();
    Abort::new(error).hint(hint)
}

/// What to list.
pub(super) fn request(
    args: &RunArgs,
    look: Look,
    threads: usize,
    origins: &Origins,
) -> Result<Request, Abort> {
    let inputs = &args.inputs;
    if inputs.files.is_empty() && inputs.files_from.is_none() {
        return Err(Abort::new("no input").hint(Some("name files or directories, or --files-from")));
    }
    let dash = Path::new("-");
    match inputs.files.iter().filter(|file| *file == dash).count() {
        1.. if inputs.files_from.as_deref() == Some(dash) => {
            return Err(Abort::new(
                "standard input is named twice: as a source and as --files-from",
            ));
        }
        2.. => return Err(Abort::new("standard input is named twice: it can be read only once")),
        _ => {}
    }
    Ok(Request {
        paths: inputs.files.clone(),
        files_from: if origins.listed.is_some() { None } else { files_from(args) },
        listed: origins.listed.clone(),
        bytes_max: args.sandbox.memory_total.map(|size| size.as_u64()),
        include: inputs.include.clone(),
        exclude: inputs.exclude.clone(),
        fifos: if inputs.stream { Fifos::Read } else { Fifos::Refuse },
        look,
        threads,
        roots: origins.roots.clone(),
        urls: urls(args),
    })
}

/// Which addresses a list may name: none, where somebody has to be kept in, unless that is said.
pub(super) fn urls(args: &RunArgs) -> Urls {
    let is_kept_in = args.sandbox.jail || !args.inputs.beneath.is_empty();
    match &args.inputs.allow_urls {
        Some(hosts) if hosts.is_empty() => Urls::All,
        Some(hosts) => Urls::Of(hosts.clone()),
        None if is_kept_in => Urls::Of(Vec::new()),
        None => Urls::All,
    }
}

/// The list of further names.
fn files_from(args: &RunArgs) -> Option<FilesFrom> {
    let separator = if args.inputs.null { 0 } else { b'\n' };
    args.inputs.files_from.clone().map(|path| FilesFrom { path, separator })
}

/// How many records of a source may be set aside where nobody says so.
const REJECTS_UNSAID: RejectsMax =
    RejectsMax::Both { records: REJECTS_FREE, percent: REJECTS_PERCENT };

/// How to go about it, each value checked.
pub(super) fn settings(args: &RunArgs) -> Result<Run, Abort> {
    let (inputs, output, sandbox) = (&args.inputs, &args.output, &args.sandbox);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.work.threads.unwrap_or_else(cores);
    let both = output.per_source == output.total;
    let run = Run {
        threads,
        chunk_bytes: args.chunk_size().as_u64(),
        record_bytes_max: inputs.max_record.as_u64(),
        io: match inputs.io {
            IoArg::Auto => Io::Auto,
            IoArg::Read => Io::Read,
            IoArg::Mmap => Io::Mmap,
        },
        encoding: inputs.encoding.clone(),
        encoding_errors: match inputs.encoding_errors {
            EncodingErrorsArg::Fail => EncodingErrors::Fail,
            EncodingErrorsArg::Replace => EncodingErrors::Replace,
        },
        linger: inputs.linger,
        archives: !inputs.no_archives,
        piped: match inputs.archive {
            None => Piped::Detect,
            Some(ArchiveArg::Tar) => Piped::Tar,
            Some(ArchiveArg::ZipStream) => Piped::Zip,
        },
        include_members: inputs.include_members.clone(),
        rejects_max: Some(output.max_rejects.unwrap_or(REJECTS_UNSAID)),
        unordered: output.unordered,
        join: output.join,
        pack: output.compress,
        decompress: match inputs.decompress.as_str() {
            "auto" => Decompress::Auto,
            "none" => Decompress::None,
            codec => Decompress::As(codec.to_string()),
        },
        decompressed_bytes_max: inputs.max_decompressed.as_u64(),
        ratio_max: inputs.max_ratio,
        members_max: inputs.max_members,
        show: Show { per_source: output.per_source || both, total: output.total || both },
        fail_fast: args.work.fail_fast,
        window_bytes: WINDOW_BYTES,
        memory_total_bytes: sandbox.memory_total.map(|size| size.as_u64()),
        sandbox: limits::sandbox(sandbox),
        cache: if sandbox.no_cache { None } else { sandbox.cache.clone().or_else(cache_dir) },
    };
    run.check().map(|()| run).map_err(|out| limits::out_of_bounds(&out))
}

/// `gristmill/code` in the user's cache directory (XDG Base Directory Specification, section 3).
pub(super) fn cache_dir() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("gristmill").join("code"))
}

/// What results look like.
pub(super) fn format(output: &OutputArgs) -> Format {
    match output.format {
        Some(FormatArg::Table) => Format::Table,
        Some(FormatArg::Json) => Format::Json,
        Some(FormatArg::Raw) => Format::Raw,
        None if output.out.as_os_str() != "-" => match output.out.extension() {
            Some(extension) if extension == "json" => Format::Json,
            _ => Format::Jsonl,
        },
        None if io::stdout().is_terminal() => Format::Table,
        Some(FormatArg::Jsonl) | None => Format::Jsonl,
    }
}

/// What of the log is shown.
pub(super) fn level(output: &OutputArgs) -> LevelFilter {
    match output.verbose {
        0 if output.quiet => LevelFilter::OFF,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    }
}
