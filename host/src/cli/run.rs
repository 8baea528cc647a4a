//! `host run`: settings from flags, the call, and how it ended.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Exit;
use super::args::RunArgs;
use super::out::{self, To};
use super::plugins::{self, Plugins};
use super::progress::Progress;
use super::remember::Memory;
use super::say::{self, Abort, Failures};
use super::settings::{format, framing, level, request, settings};
use super::stages::Stages;
use super::{foresee, guard};
use crate::input::{self, Expansion};
use crate::job::{self, Error, Job, Out, Saved, Summary, TreeOut};
use crate::output::{Root, sweep};
use crate::plugin::{Cache, Engine, Options, Rejects};
use crate::process::Scope;
use crate::settings::{Exists, Run};
use crate::source::{self, Filter, Listing, Look};
use crate::stats::{Budget, Reservation, Stats};
use crate::work::Cancel;

/// Runs plugins over what the flags name, or shows what that would be.
pub(super) fn run(args: &RunArgs, stages: &Stages) -> Result<Exit, Abort> {
    let begun = Instant::now();
    let mut settings = settings(args)?;
    let progress = Progress::new(args.output.quiet);
    say::log_to_stderr(level(&args.output), progress.clone());
    let cancel = Arc::new(Cancel::default());
    let interrupted = on_interrupt(&cancel)?;
    let budget = Arc::new(Budget::new(settings.memory_total_bytes.unwrap_or(u64::MAX)));
    let stats = Arc::new(Stats::within(Arc::clone(&budget)));

    let engine = Engine::new().map_err(Abort::new)?;
    let plugins = load(args, stages, &settings, &engine, &stats, &cancel)?;
    if args.dry_run {
        let list = || listing(args, Look::Sizes, &settings, &cancel);
        return foresee::foresee(args, stages, &plugins, &settings, list);
    }
    let reserved = reserve(&mut settings, stages, &plugins, &budget, &cancel)?;
    settings.threads = reserved.as_ref().map_or(settings.threads, |reserved| reserved.workers);
    let sizes_matter = progress.is_shown() || plugins.traits().scope == Scope::Source;
    let look = if sizes_matter { Look::Sizes } else { Look::Names };
    let to = To::open(&args.output, &plugins, &progress)?;
    let mut listing = listing(args, look, &settings, &cancel)?;
    guard::files(&args.output, &listing.sources)?;
    let memory = match &args.output.ledger {
        Some(path) => Some(Memory::open(path, args, stages, &mut listing)?),
        None => None,
    };
    stats.add_skipped(listing.skipped);

    let failures = Failures::new(&progress);
    let job = Job {
        sources: &listing.sources,
        processor: &*plugins.processor,
        framing: framing(args, plugins.framing)?,
        lanes: &plugins.lanes,
        settings: &settings,
        format: format(&args.output),
        cancel: &cancel,
        stats: &stats,
        gate: None,
        rejects: rejects(args.output.rejects.as_deref())?,
        on_failure: &|source, failure| failures.tell(source, failure),
    };
    let ended = {
        let _moving = progress.follow(&stats, bytes(&listing));
        pour(args, to, &job, &plugins, &listing, memory.as_ref())?
    };
    if let Some(memory) = memory {
        told_of(memory.passed_over);
        memory.close()?;
    }
    drop(plugins);
    if let Some(path) = &args.output.report {
        report(path, &stats, begun.elapsed(), settings.threads)?;
    }
    let exit = conclude(ended, &listing, stats.skipped(), interrupted.load(Ordering::Acquire));
    std::mem::forget(listing); // the process ends: giving back a million names one by one takes time
    exit
}

/// Sets memory aside for as many workers as it is enough for.
fn reserve(
    settings: &mut Run,
    stages: &Stages,
    plugins: &Plugins,
    budget: &Arc<Budget>,
    cancel: &Cancel,
) -> Result<Option<Reservation>, Abort> {
    job::fit_window(settings, budget.bytes_max());
    let count = stages.chains.iter().map(Vec::len).sum();
    let need = job::need(count, plugins.traits().kind, settings);
    budget.reserve(need, &cancel.flag()).map_err(|error| {
        Abort::new(format!("--memory-total: {error}"))
            .hint(Some("raise --memory-total, or lower --memory"))
    })
}

/// Runs the job into where its output goes.
fn pour(
    args: &RunArgs,
    to: To,
    job: &Job<'_>,
    plugins: &Plugins,
    listing: &Listing,
    memory: Option<&Memory>,
) -> Result<Result<Summary, Error>, Abort> {
    let run = |out: Out<'_>| job::run(job, out);
    match to {
        To::Stream(stream) => Ok(run(Out::Stream(stream))),
        To::File(file) => Ok(run(Out::File(file))),
        To::Left(path) => {
            say::line(&format!("{} is there already, and is left", path.display()));
            Ok(Ok(Summary::default()))
        }
        To::Tree(root) => {
            let (named, decompress) = (&args.inputs.files, &job.settings.decompress);
            let places = out::places(&args.output, plugins, listing, named, decompress)?;
            let exists = out::exists(&args.output);
            if exists == Exists::Replace {
                guard::places(&args.output.out, places.paths(), &listing.sources)?;
            }
            if memory.is_some() {
                swept(&root);
            }
            let save = memory.map(|memory| |saved: &Saved<'_>| memory.save(job.sources, saved));
            let out = TreeOut {
                root: &root,
                exists,
                place: &|index, member| places.place(index, member),
                save: save.as_ref().map(|save| save as &job::Save<'_>),
            };
            Ok(run(Out::Tree(out)))
        }
    }
}

/// Removes what runs that were killed have left among the outputs. It is only for tidiness: nothing is done about what stays.
fn swept(root: &Root) {
    if let Some(error) = sweep(root).first_failure {
        tracing::warn!("{error}");
    }
}

fn told_of(passed_over: u64) {
    if passed_over > 0 {
        say::line(&format!("{passed_over} sources are done already, and were passed over"));
    }
}

/// The file for records that are set aside.
fn rejects(path: Option<&Path>) -> Result<Option<Mutex<Box<dyn Write + Send>>>, Abort> {
    let Some(path) = path else { return Ok(None) };
    let file = File::create(path)
        .map_err(|error| Abort::new(format!("--rejects {}: {error}", path.display())))?;
    Ok(Some(Mutex::new(Box::new(BufWriter::new(file)))))
}

/// What there is to read: files and, unless they are to be read as they are, members of archives.
fn listing(args: &RunArgs, look: Look, settings: &Run, cancel: &Cancel) -> Result<Listing, Abort> {
    let request = request(args, look, settings.threads)?;
    let mut listing = source::list(&request).map_err(Abort::new)?;
    let filter = Filter::new(&request.include, &request.exclude).map_err(Abort::new)?;
    listing.sources = input::expand_prefixes(listing.sources, &filter, &cancel.flag());
    if !args.inputs.no_archives {
        let (members_max, threads) = (settings.members_max, settings.threads);
        input::expand(&mut listing, &Expansion { members_max, threads, stop: &cancel.flag() });
    }
    Ok(listing)
}

/// Says what there is to say at the end, and how the process ends.
fn conclude(
    ended: Result<Summary, Error>,
    listing: &Listing,
    skipped: u64,
    interrupted: bool,
) -> Result<Exit, Abort> {
    if skipped > 0 {
        say::line(&format!("{skipped} entries that are no regular files were skipped"));
    }
    let all = listing.sources.len();
    if let Ok(summary) = &ended
        && !interrupted
        && summary.unread > 0
    {
        say::line(&format!("{} of {all} sources were not read to the end", summary.unread));
    }
    match ended {
        Ok(summary) if interrupted => {
            let done = all as u64 - summary.unread;
            say::line(&format!("interrupted: {done} of {all} sources are done"));
            Ok(Exit::Interrupted)
        }
        Ok(summary) if summary.failed > 0 => {
            let all = summary.sources + summary.unread;
            say::line(&format!("{} of {all} sources failed", summary.failed));
            Ok(Exit::Failed)
        }
        Ok(summary) if summary.total_failed => Ok(Exit::Failed),
        Ok(_) => Ok(Exit::Done),
        // Whoever read the results has seen enough.
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        // What went wrong has been told with the source that it happened to.
        Err(Error::Failed(_)) => {
            say::line("the plugin cannot go on: the run ended early");
            Ok(Exit::Failed)
        }
        Err(Error::Write(error)) => {
            say::abort(&Abort::new(Error::Write(error)));
            Ok(Exit::Failed)
        }
        Err(Error::File(error)) => {
            let hint = error.hint();
            say::abort(&Abort::new(&error).hint(hint));
            Ok(Exit::Failed)
        }
        Err(error) => Err(Abort::new(error)),
    }
}

fn load(
    args: &RunArgs,
    stages: &Stages,
    settings: &Run,
    engine: &Engine,
    stats: &Arc<Stats>,
    cancel: &Arc<Cancel>,
) -> Result<Plugins, Abort> {
    let cache = settings.cache.as_deref().and_then(|dir| {
        let opened = Cache::open(dir);
        opened.inspect_err(|error| tracing::warn!("{}: not used: {error}", dir.display())).ok()
    });
    let options = Options {
        settings: Vec::new(),
        memory_bytes: settings.memory_bytes,
        timeout: settings.timeout,
        stats: Arc::clone(stats),
        stop: cancel.flag(),
        rejects: match (&args.output.rejects, args.output.max_rejects) {
            (None, None) => Rejects::Count,
            _ => Rejects::Keep,
        },
    };
    plugins::load(stages, engine, &options, cache.as_ref())
}

/// Bytes of all sources; `None` where one of them has no size. Those that cannot be read are none.
fn bytes(listing: &Listing) -> Option<u64> {
    listing.sources.iter().map(|source| source.listed.as_ref().map_or(Some(0), |size| *size)).sum()
}

/// Ctrl-C ends the run in order; a second one ends the process at once.
fn on_interrupt(cancel: &Arc<Cancel>) -> Result<Arc<AtomicBool>, Abort> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let (cancel, set) = (Arc::clone(cancel), Arc::clone(&interrupted));
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::AcqRel) {
            std::process::exit(Exit::Interrupted as i32);
        }
        cancel.set();
    })
    .map_err(Abort::new)?;
    Ok(interrupted)
}

fn report(path: &Path, stats: &Stats, elapsed: Duration, threads: usize) -> Result<(), Abort> {
    let report = stats.report(elapsed, threads);
    let mut text = serde_json::to_string_pretty(&report).map_err(Abort::new)?;
    text.push('\n');
    std::fs::write(path, text).map_err(|error| Abort::new(format!("{}: {error}", path.display())))
}
