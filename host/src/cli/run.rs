//! `host run`: settings from flags, the call, and how it ended.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::Exit;
use super::args::RunArgs;
use super::conclude::conclude;
use super::confine::confine;
use super::found::Aim;
use super::interrupt::Interrupt;
use super::listed::listing;
use super::losses::Losses;
use super::out::{self, To};
use super::places::Names;
use super::plugins::{self, Loading, Plugins};
use super::progress::Progress;
use super::remember::Memory;
use super::say::{self, Abort, Failures};
use super::settings::{Origins, format, framing, level, settings};
use super::stages::Stages;
use super::{foresee, guard, objects, rejects, report, unmatched};
use crate::input::{self, Framing};
use crate::job::{self, Error, Job, ObjectsOut, Out, Places, Saved, Summary, TreeOut};
use crate::name::Shown;
use crate::output::{Root, sweep};
use crate::plugin::{Cache, Engine, Keeper, Options, Rejects};
use crate::process::Scope;
use crate::settings::limits::HOST_STACK_BYTES;
use crate::settings::{Exists, Run};
use crate::source::{Listing, Look, Source};
use crate::stats::{Charge, MemoryBudget, Report, Reservation, Stats};
use crate::work::Cancel;

/// Runs plugins over what the flags name, or shows what that would be. Guests run on a thread whose stack is as large as the limits
/// need it, which that of the process may not be.
pub(super) fn run(args: &RunArgs, stages: &Stages) -> Result<Exit, Abort> {
    let settings = settings(args)?;
    // On the first thread, while there is no other: those that are started later are in the jail, too.
    let mut origins = Origins::open(args)?;
    if args.inputs.allow_private {
        input::allow_private();
    }
    let code = confine(args, stages, &settings, &mut origins)?;
    let stack_bytes = settings.sandbox.stack_bytes + HOST_STACK_BYTES;
    let thread = thread::Builder::new().name("run".into()).stack_size(stack_bytes);
    thread::scope(|scope| {
        let running =
            thread.spawn_scoped(scope, || run_with(args, stages, &settings, &origins, code));
        running.map_err(Abort::new)?.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn run_with(
    args: &RunArgs,
    stages: &Stages,
    settings: &Run,
    origins: &Origins,
    code: Option<Cache>,
) -> Result<Exit, Abort> {
    let begun = Instant::now();
    let progress = Progress::new(args.output.quiet);
    say::log_to_stderr(level(&args.output), progress.clone());
    let cancel = Arc::new(Cancel::default());
    let interrupt = Interrupt::listen(&cancel, args.dry_run)?;
    let preparing = interrupt.wait();
    let memory_total = MemoryBudget::new(settings.memory_total_bytes.unwrap_or(u64::MAX));
    let stats = Arc::new(Stats::within(Arc::new(memory_total)));

    let engine = Engine::with(&settings.sandbox).map_err(Abort::new)?;
    let cache = code.or_else(|| plugins::cache(settings));
    let loaded = load(args, stages, settings, &engine, cache, &stats, &cancel);
    let plugins = match loaded {
        Err(_) if interrupt.is_set() => return Ok(Exit::Interrupted),
        loaded => loaded?,
    };
    if args.dry_run {
        let list = || listing(args, Look::Sizes, origins, settings, &cancel, stats.memory());
        return foresee::foresee(args, stages, &plugins, settings, list);
    }
    let mut settings = settings.clone();
    let Some(first) = reserve(&mut settings, 0, stages, &plugins, &stats, &cancel)? else {
        return Ok(Exit::Interrupted);
    };
    whole_lines(&settings, &plugins)?;
    job::check(&*plugins.processor, plugins.framing, &settings).map_err(Abort::new)?;
    let to = match To::open(&args.output, &plugins, &progress, &interrupt, stats.memory()) {
        Err(_) if interrupt.is_set() => return Ok(Exit::Interrupted),
        opened => opened?,
    };
    let look = look(&progress, &plugins);
    let mut listing = listing(args, look, origins, &settings, &cancel, stats.memory())?;
    drop(first); // the list is known now, and beside it fewer workers may fit
    let mut listed = stats.memory().hold(listing.room.held_bytes());
    let Some(_reserved) =
        reserve(&mut settings, listed.bytes(), stages, &plugins, &stats, &cancel)?
    else {
        return Ok(Exit::Interrupted);
    };
    let settings = &settings;
    guard::flags(args, stages)?;
    guard::files(&args.output, &listing.sources)?;
    let mut opened = remembered(args, stages, settings, &plugins, (&mut listing, &mut listed))?;
    let (inputs, decompress) = (&args.inputs.files, &settings.decompress);
    let names = Names { args: &args.output, plugins: &plugins, inputs, decompress };
    let left = match &to {
        To::Tree(()) => leave(names, &mut listing, opened.as_mut())?,
        _ => 0,
    };
    stats.add_skipped(listing.skipped);
    stats.add_passed_over(left + opened.as_ref().map_or(0, |memory| memory.passed_over));
    let again = matches!(to, To::Tree(())).then_some(&*listing.sources);
    let to = to.with_tree(|| Tree::plant(names, &listing.sources, &stats))?;
    // Last, when nothing else is in the way: what they replace is gone then.
    let report = args.output.report.as_deref().map(report::To::open).transpose()?;
    let rejects = rejects::open(&args.output, again, stats.memory())?;
    let memory = opened.as_ref();
    let recall = memory.map(|memory| |index: usize| memory.recall(&listing.sources, index));
    let save = memory.map(|memory| |saved: Saved<'_>| memory.save(&listing.sources, saved));

    let failures = Failures::new(&progress, args.output.verbose);
    let job = Job {
        sources: &listing.sources,
        roots: &listing.roots,
        processor: &*plugins.processor,
        framing: plugins.framing,
        record_end: plugins.record_end,
        lanes: &plugins.lanes,
        settings,
        format: format(&args.output),
        cancel: &cancel,
        stats: &stats,
        gate: None,
        rejects,
        memory: recall
            .as_ref()
            .zip(save.as_ref())
            .map(|(recall, save)| job::Memory { recall, save }),
        on_failure: &|source, failure| failures.tell(source, failure),
    };
    drop(preparing);
    let ended = {
        let _moving = progress.follow(&stats, bytes(&listing, memory));
        pour(names, to, &job, memory)?
    };
    told_of(left, "have their output already, and were skipped");
    told_of(stats.passed_over() - left, "are done already, and were skipped");
    if let Some(memory) = memory {
        memory.tell_changes();
    }
    warn_of_members(&ended, &listing, memory, &stats);
    if let Some(memory) = opened.take() {
        memory.close()?;
    }
    drop(plugins);
    if let Some(report) = report {
        let figures = stats.report(begun.elapsed(), settings.threads);
        report.write(&told(figures, &ended, &failures))?;
    }
    let losses = Losses::of(&args.output, &failures, &stats);
    let exit = conclude(ended, &listing, stats.skipped(), interrupt.is_set(), &losses);
    std::mem::forget(listing); // the process ends: giving back a million names one by one takes time
    exit
}

/// The figures of a run with what is told of sources: which failed, and of which records were set aside.
fn told(figures: Report, ended: &Result<Summary, Error>, failures: &Failures) -> Report {
    let set_aside = ended.as_ref().map(|summary| summary.set_aside.clone()).unwrap_or_default();
    Report { failures: failures.kept(), set_aside, ..figures }
}

/// Warns of globs for members that match none, where all has been read: what an earlier run has done may have what they match.
fn warn_of_members(
    ended: &Result<Summary, Error>,
    listing: &Listing,
    memory: Option<&Memory>,
    stats: &Stats,
) {
    let is_done = |index| memory.is_some_and(|memory| memory.is_done(index));
    let is_passed_over = stats.passed_over() > 0 || (0..listing.sources.len()).any(is_done);
    if let Ok(summary) = ended
        && summary.unread == 0
        && !is_passed_over
    {
        unmatched::warn_of_members(listing, summary);
    }
}

/// What is found out of files before they are opened.
fn look(progress: &Progress, plugins: &Plugins) -> Look {
    let sizes_matter = progress.is_shown() || plugins.traits().scope == Scope::Source;
    if sizes_matter { Look::Sizes } else { Look::Names }
}

/// Refuses parts that come in no order where they may end anywhere.
fn whole_lines(settings: &Run, plugins: &Plugins) -> Result<(), Abort> {
    if settings.unordered && plugins.framing == Framing::Bytes {
        let message = "--unordered: the plugin may be cut anywhere, so lines would be torn";
        return Err(Abort::new(message).hint(Some("--framing lines cuts between them")));
    }
    Ok(())
}

/// Sets memory aside for the list of sources and as many workers as it is enough for; `None` where the run was interrupted.
fn reserve(
    settings: &mut Run,
    listed_bytes: u64,
    stages: &Stages,
    plugins: &Plugins,
    stats: &Stats,
    cancel: &Cancel,
) -> Result<Option<Reservation>, Abort> {
    let memory = stats.memory();
    job::fit_window(settings, memory.bytes_max());
    let count = stages.chains.iter().map(Vec::len).sum();
    let mut need = job::need(count, plugins.traits().kind, settings);
    need.once_bytes = need.once_bytes.saturating_add(listed_bytes);
    let reserved = memory.reserve(need, &cancel.flag()).map_err(|error| {
        Abort::new(format!("--memory-total: {error}"))
            .hint(Some("raise --memory-total, or lower --memory"))
    })?;
    settings.threads = reserved.as_ref().map_or(settings.threads, |reserved| reserved.workers);
    Ok(reserved)
}

/// Takes from the listing what has its output already, where that is to be left, and tells how many sources that were. Members that
/// are only found as their archive is read are read, and their output is dropped.
fn leave(
    names: Names<'_>,
    listing: &mut Listing,
    memory: Option<&mut Memory>,
) -> Result<u64, Abort> {
    if out::exists(names.args) != Exists::Skip {
        return Ok(0);
    }
    let places = names.of(&listing.sources)?;
    let stays: Vec<_> = places.are_there(&names.args.out).map(|is_there| !is_there).collect();
    let all = listing.sources.len();
    let mut staying = stays.iter();
    listing.sources.retain(|_| staying.next().is_none_or(|stays| *stays));
    if let Some(memory) = memory {
        memory.retain(&stays);
    }
    Ok((all - listing.sources.len()) as u64)
}

/// A directory for output files, and which go where.
struct Tree<'a> {
    root: Root,
    places: Places<'a>,
    _held: Charge,
}

impl<'a> Tree<'a> {
    /// Makes the directory, unless something is wrong with what goes there.
    fn plant(names: Names<'a>, sources: &'a [Source], stats: &Stats) -> Result<Self, Abort> {
        let places = names.of(sources)?;
        let held = stats.memory().hold(places.held_bytes());
        guard::beside(names.args, places.paths())?;
        if out::exists(names.args) == Exists::Replace {
            guard::places(&names.args.out, places.paths(), sources)?;
        }
        Ok(Self { root: out::root(names.args)?, places, _held: held })
    }
}

/// Runs the job into where its output goes.
fn pour(
    names: Names<'_>,
    to: To<Tree<'_>>,
    job: &Job<'_>,
    memory: Option<&Memory>,
) -> Result<Result<Summary, Error>, Abort> {
    let run = |out: Out<'_>| job::run(job, out);
    match to {
        To::Stream(stream) => Ok(run(Out::Stream(stream))),
        To::File(file) => Ok(run(Out::File(file))),
        To::Object(object) => Ok(run(Out::Object(object))),
        To::Objects(objects) => {
            let places = names.of(job.sources)?;
            objects::guard(&names.args.out, Some(places.paths()), job.sources)?;
            let place = |index, member: Option<&Path>| places.place(index, member);
            Ok(run(Out::Objects(ObjectsOut { objects: &objects, place: &place })))
        }
        To::Left(path) => {
            say::line(&format!("{} is there already, and is left", Shown::of(&path)));
            Ok(Ok(Summary::default()))
        }
        To::Tree(Tree { root, places, _held }) => {
            swept(&root);
            let place = |index: usize, member: Option<&Path>| {
                let place = places.place(index, member)?;
                match (memory, job.sources.get(index)) {
                    (Some(memory), Some(source)) => memory.guard(source, place),
                    _ => Ok(place),
                }
            };
            let out = TreeOut { root: &root, exists: out::exists(names.args), place: &place };
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

/// What the ledger knows of the sources, where there is one.
fn remembered(
    args: &RunArgs,
    stages: &Stages,
    settings: &Run,
    plugins: &Plugins,
    (listing, listed): (&mut Listing, &mut Charge),
) -> Result<Option<Memory>, Abort> {
    let Some(path) = &args.output.ledger else { return Ok(None) };
    let aim = Aim::of(plugins.traits().kind, args, settings);
    let memory = Memory::open(path, args, stages, aim, listing)?;
    listed.set(listing.room.held_bytes()); // with what the ledger knows of them
    guard::ledger(&args.output, path)?;
    Ok(Some(memory))
}

fn told_of(passed_over: u64, why: &str) {
    if passed_over > 0 {
        say::line(&format!("{passed_over} sources {why}"));
    }
}

fn load(
    args: &RunArgs,
    stages: &Stages,
    settings: &Run,
    engine: &Engine,
    cache: Option<Cache>,
    stats: &Arc<Stats>,
    cancel: &Arc<Cancel>,
) -> Result<Plugins, Abort> {
    let options = Options {
        settings: Vec::new(),
        sandbox: settings.sandbox,
        budget: Arc::default(),
        stats: Arc::clone(stats),
        stop: cancel.flag(),
        rejects: match &args.output.rejects {
            None => Rejects::Count,
            Some(_) => Rejects::Keep,
        },
        repro: repro(args.sandbox.repro.as_deref().filter(|_| !args.dry_run))?,
        pause: None,
    };
    let (framing, record_bytes_max) = (framing(args)?, settings.record_bytes_max);
    plugins::load(stages, &Loading { engine, options, cache, framing, record_bytes_max })
}

/// Where failures of plugins are kept.
fn repro(dir: Option<&Path>) -> Result<Option<Arc<Keeper>>, Abort> {
    let Some(dir) = dir else { return Ok(None) };
    let opened = Keeper::open(dir);
    let keeper = opened.map_err(|e| Abort::new(format!("--repro {}: {e}", Shown::of(&dir))))?;
    Ok(Some(Arc::new(keeper)))
}

/// Bytes of all sources that will be read; `None` where one of them has no size. Those that cannot be read are none.
fn bytes(listing: &Listing, memory: Option<&Memory>) -> Option<u64> {
    let is_done = |index| memory.is_some_and(|memory| memory.is_done(index));
    let unread = listing.sources.iter().enumerate().filter(|(index, _)| !is_done(*index));
    unread.map(|(_, source)| source.listed.as_ref().map_or(Some(0), |size| *size)).sum()
}
