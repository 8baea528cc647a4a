//! A job that is ready to run, and its run.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::checkpoint::Checkpoint;
use super::context::{Context, load, stopped};
use super::ledger_mode::LedgerMode;
use super::names::Names;
use super::opened::{self, Opened, Tree};
use super::output::{self, To};
use super::plugins::Plugins;
use super::recorder::Recorder;
use super::remembers::Remembers;
use super::{objects, overwrite, rejects, report, sources, unmatched};
use crate::input::Framing;
use crate::job::{self, Error, Job, ObjectsOut, Observer, Out, Saved, Summary, TreeOut};
use crate::name::{Shown, number};
use crate::output::{Root, sweep};
use crate::process::Scope;
use crate::settings::Run;
use crate::settings::limits::LEDGER_CACHE_BYTES;
use crate::source::{Listing, Look, Source};
use crate::spec::{JobSpec, Problem};
use crate::stats::{Charge, Need, Report, Reservation};

/// A job that is ready to run: all that can be refused has been looked at, and nothing of a source
/// was read.
pub struct Prepared<'a> {
    spec: &'a JobSpec,
    context: &'a Context<'a>,
    events: &'a Arc<dyn Observer>,
    settings: Run,
    plugins: Plugins,
    listing: Listing,
    sources: Arc<Vec<Source>>,
    checkpoint: Option<Checkpoint>,
    /// Sources that have their output already.
    left: u64,
    to: To<Tree>,
    report: Option<report::To>,
    rejects: Option<rejects::Sink>,
    _listed: Charge,
    _reserved: Reservation,
}

/// How a job ended.
pub struct JobEnded {
    /// What became of the sources; or why it went no further.
    pub summary: Result<Summary, Error>,
    /// How many sources there were to read.
    pub sources: u64,
    /// Its figures.
    pub report: Report,
}

/// Makes a job ready to run. The order is that of what depends on what, and within that of what
/// costs less: nothing is made or replaced before all that can be refused has been.
///
/// # Errors
/// When it cannot be run as it is described, or was cancelled.
///
/// # Examples
/// ```no_run
#[doc = include_str!("../../examples/run_once.rs")]
/// ```
pub fn prepare<'a>(
    spec: &'a JobSpec,
    context: &'a Context<'a>,
    events: &'a Arc<dyn Observer>,
) -> Result<Prepared<'a>, Problem> {
    spec.agree()?;
    let (stats, output) = (&context.stats, &spec.output);
    let mut settings = context.settings.clone();
    let plugins = load(spec, context, events, spec.sandbox.repro.as_deref())?;
    let first = reserve(spec, &mut settings, 0, &plugins, context)?;
    whole_lines(&settings, &plugins)?;
    job::check(&*plugins.processor, plugins.framing, &settings).map_err(Problem::new)?;
    let to = To::open(output, &plugins, context.outlets, (&context.cancel.flag(), stats.memory()))?;
    let look = if plugins.traits().scope == Scope::Source { Look::Sizes } else { context.look };
    bound_list(spec, &mut settings, &plugins, context);
    let list = || sources::listing(spec, look, &settings, context, &**events);
    let mut listing = context.in_turn(list)?;
    drop(first); // the list is known now, and beside it fewer workers may fit
    let mut listed = stats.memory().hold(listing.room.held_bytes());
    let reserved = reserve(spec, &mut settings, listed.bytes(), &plugins, context)?;
    overwrite::settings(spec, context.described)?;
    overwrite::files(output, &listing.sources)?;
    opened::check(output)?;
    let mode = LedgerMode::of(plugins.traits().kind, spec, &settings);
    let names = Names { spec, plugins: &plugins, inputs: context.inputs(spec) };
    let mut checkpoint = match &output.ledger {
        Some(path) => {
            let found = (&mut listing, names);
            Some(Checkpoint::open(path, stats.memory(), mode, found, &**events)?)
        }
        None => None,
    };
    if let Some(path) = &output.ledger {
        // With what the ledger knows of them, and with what its writer keeps in memory.
        listed.set(listing.room.held_bytes().saturating_add(ledger_bytes(spec)));
        overwrite::ledger(output, path)?;
    }
    let mut sources = Arc::new(std::mem::take(&mut listing.sources));
    let opened = opened::open(names, to, &mut sources, (checkpoint.as_mut(), context));
    if opened.is_err()
        && let Some(checkpoint) = checkpoint.take()
    {
        checkpoint.abandon();
    }
    let Opened { to, left, report, rejects } = opened?;
    stats.add_non_regular(listing.non_regular);
    stats.add_skipped(left + checkpoint.as_ref().map_or(0, |it| it.skipped));
    Ok(Prepared {
        spec,
        context,
        events,
        settings,
        plugins,
        listing,
        sources,
        checkpoint,
        left,
        to,
        report,
        rejects,
        _listed: listed,
        _reserved: reserved,
    })
}

impl Prepared<'_> {
    /// How many sources there are to read.
    pub fn sources(&self) -> u64 {
        self.sources.len() as u64
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When its results cannot be reported or recorded.
    pub fn run(self) -> Result<JobEnded, Problem> {
        let begun = Instant::now();
        let Self { spec, context, events, settings, plugins, listing, sources, .. } = self;
        let Self { mut checkpoint, left, to, report, rejects, .. } = self;
        let events = &**events;
        let (stats, failures) = (&context.stats, Recorder::new(events, context.outlets));
        let memory = checkpoint.as_ref();
        let recall = |index| memory.and_then(|memory| memory.recall(&sources, index));
        let others = context.remembers;
        let save = |saved: Saved<'_>| match (memory, others) {
            (Some(memory), _) => memory.save(&sources, saved),
            (None, Some(others)) => match sources.get(saved.at.source) {
                Some(source) => others.save(source, saved),
                None => Ok(()),
            },
            (None, None) => Ok(()),
        };
        let is_kept = memory.is_some() || others.is_some();
        let job = Job {
            sources: &sources,
            roots: &listing.roots,
            processor: &*plugins.processor,
            framing: plugins.framing,
            record_end: plugins.record_end,
            branches: &plugins.branches,
            settings: &settings,
            format: output::format(&spec.output, context.outlets),
            cancel: &context.cancel,
            stats,
            gate: context.turns.as_ref().map(|turns| &*turns.gate),
            rejects,
            memory: is_kept.then_some(job::Memory { recall: &recall, save: &save }),
            observer: &failures,
        };
        events.begins(stats, bytes(&sources, memory));
        let names = Names { spec, plugins: &plugins, inputs: context.inputs(spec) };
        let ended = pour(names, to, (&job, &sources), (memory, others), events);
        events.ends();
        let summary = ended?;
        drop(job);
        let [has_output, is_done] = [
            (
                "source has its output already, and was skipped",
                "sources have their output already, and were skipped",
            ),
            (
                "source is done already, and was skipped",
                "sources are done already, and were skipped",
            ),
        ];
        note_skipped(events, left, has_output);
        note_skipped(events, stats.skipped() - left, is_done);
        if let Some(memory) = memory {
            memory.report_changes(events);
        }
        warn_of_members(&summary, &listing, &sources, memory, stats.skipped());
        if let Some(checkpoint) = checkpoint.take() {
            checkpoint.close(events)?;
        }
        drop(plugins);
        let figures = stats.report(begun.elapsed(), settings.threads);
        let set_aside = summary.as_ref().map(|it| it.set_aside.clone()).unwrap_or_default();
        let figures = Report { failures: failures.kept(), set_aside, ..figures };
        if let Some(report) = report {
            report.write(&figures)?;
        }
        let count = sources.len() as u64;
        std::mem::forget((sources, listing)); // giving back a million names one by one takes time
        Ok(JobEnded { summary, sources: count, report: figures })
    }
}

/// Warns of globs for members that match none, where all has been read: what an earlier run has
/// done may have what they match.
fn warn_of_members(
    ended: &Result<Summary, Error>,
    listing: &Listing,
    sources: &[Source],
    checkpoint: Option<&Checkpoint>,
    skipped: u64,
) {
    let is_done = |index| checkpoint.is_some_and(|memory| memory.is_done(index));
    let is_skipped = skipped > 0 || (0..sources.len()).any(is_done);
    if let Ok(summary) = ended
        && summary.unread == 0
        && !is_skipped
    {
        unmatched::warn_of_members(listing, summary);
    }
}

/// Refuses parts that come in no order where they may end anywhere.
fn whole_lines(settings: &Run, plugins: &Plugins) -> Result<(), Problem> {
    if settings.unordered && plugins.framing == Framing::Bytes {
        let message = "⟦unordered⟧: the plugin may be cut anywhere, so lines would be torn";
        return Err(Problem::new(message).hint(Some("⟦framing⟧ lines cuts between them")));
    }
    Ok(())
}

/// Sets memory aside for the list of sources and as many workers as it is enough for.
fn reserve(
    spec: &JobSpec,
    settings: &mut Run,
    listed_bytes: u64,
    plugins: &Plugins,
    context: &Context<'_>,
) -> Result<Reservation, Problem> {
    let memory = context.stats.memory();
    job::fit_window(settings, memory.bytes_max());
    let need = need(spec, settings, listed_bytes, plugins);
    let reserved = memory.reserve(need, &context.cancel.flag()).map_err(|error| {
        Problem::new(format!("⟦memory_total⟧: {error}"))
            .hint(Some("raise ⟦memory_total⟧, or lower ⟦memory⟧"))
    })?;
    let reserved = reserved.ok_or_else(stopped)?;
    settings.threads = reserved.workers;
    Ok(reserved)
}

/// Beside the list of one who is not alone there has to be room for one worker.
fn bound_list(spec: &JobSpec, settings: &mut Run, plugins: &Plugins, context: &Context<'_>) {
    if context.turns.is_some() {
        let Need { once_bytes, worker_bytes, .. } = need(spec, settings, 0, plugins);
        let all = context.stats.memory().bytes_max();
        let rest = all.saturating_sub(once_bytes.saturating_add(worker_bytes));
        settings.memory_total_bytes = Some(rest);
    }
}

fn need(spec: &JobSpec, settings: &Run, listed_bytes: u64, plugins: &Plugins) -> Need {
    let need = job::need(spec.stages().count(), plugins.traits().kind, settings);
    let beside = listed_bytes.saturating_add(ledger_bytes(spec));
    Need { once_bytes: need.once_bytes.saturating_add(beside), ..need }
}

/// What a ledger holds beside the rows that wait for it.
fn ledger_bytes(spec: &JobSpec) -> u64 {
    spec.output.ledger.as_ref().map_or(0, |_path| u64::from(LEDGER_CACHE_BYTES))
}

/// Runs the job into where its output goes.
fn pour(
    names: Names<'_>,
    to: To<Tree>,
    (job, sources): (&Job<'_>, &Arc<Vec<Source>>),
    (checkpoint, others): (Option<&Checkpoint>, Option<&dyn Remembers>),
    events: &dyn Observer,
) -> Result<Result<Summary, Error>, Problem> {
    let run = |out: Out<'_>| job::run(job, out);
    let output = &names.spec.output;
    match to {
        To::Stream(stream) => Ok(run(Out::Stream(stream))),
        To::File(file) => Ok(run(Out::File(file))),
        To::Object(object) => Ok(run(Out::Object(object))),
        To::Objects(objects) => {
            let places = names.of(Arc::clone(sources))?;
            objects::guard(&output.out, Some(places.paths()), job.sources)?;
            let place = |index, member: Option<&Path>| places.place(index, member);
            Ok(run(Out::Objects(ObjectsOut { objects: &objects, place: &place })))
        }
        To::Left(path) => {
            events.note(&format!("{} is there already, and is left", Shown::of(&path)));
            Ok(Ok(Summary::default()))
        }
        To::Tree(Tree { root, places, held: _held }) => {
            if others.is_none_or(Remembers::is_first) {
                swept(&root);
            }
            let place = |index: usize, member: Option<&Path>| {
                let among_all =
                    checkpoint.filter(|_| member.is_none()).and_then(|it| it.place(index));
                let place = among_all.unwrap_or_else(|| places.place(index, member))?;
                match (checkpoint, job.sources.get(index)) {
                    (Some(memory), Some(source)) => memory.guard(source, place),
                    (None, Some(source)) if let Some(others) = others => {
                        others.guard(source, &output.out.join(&place)).map(|()| place)
                    }
                    _ => Ok(place),
                }
            };
            let out = TreeOut { root: &root, exists: output.exists(), place: &place };
            Ok(run(Out::Tree(out)))
        }
    }
}

/// Removes what runs that were killed have left among the outputs. It is only for tidiness: nothing
/// is done about what stays.
fn swept(root: &Root) {
    if let Some(error) = sweep(root).first_failure {
        tracing::warn!("{error}");
    }
}

fn note_skipped(events: &dyn Observer, skipped: u64, why: (&str, &str)) {
    if skipped > 0 {
        let (one, many) = why;
        events.note(&number(skipped, one, many));
    }
}

/// Bytes of all sources that will be read; `None` where one of them has no size. Those that cannot
/// be read are none.
fn bytes(sources: &[Source], checkpoint: Option<&Checkpoint>) -> Option<u64> {
    let is_done = |index| checkpoint.is_some_and(|memory| memory.is_done(index));
    let unread = sources.iter().enumerate().filter(|(index, _)| !is_done(*index));
    unread.map(|(_, source)| source.listed.as_ref().map_or(Some(0), |size| *size)).sum()
}
