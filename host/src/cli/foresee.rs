//! `--dry-run`: what a run would do, found out without reading a source or making an output.

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;

use serde::Serialize;

use super::Exit;
use super::args::{FormatArg, OutputArgs, RunArgs};
use super::found::Aim;
use super::objects;
use super::out::{self, Foreseen};
use super::places::Names;
use super::plan;
use super::plugins::{Plugins, Seen};
use super::remember;
use super::say::Abort;
use super::stages::{Stage, Stages};
use crate::input::Framing;
use crate::job;
use crate::name::Shown;
use crate::process::{Kind, Order, Scope};
use crate::settings::limits::PLAN_NAMES_MAX;
use crate::settings::{RejectsMax, Run};
use crate::source::{Address, Listing, Way, shown_name};

/// A run before it is run.
#[derive(Debug, Serialize)]
pub(super) struct Plan {
    pub(super) sources: Sources,
    /// Where sources are cut into records.
    pub(super) framing: String,
    /// Chains that share one scan, each of plugins that take what the one before them gives.
    pub(super) branches: Vec<Vec<PlannedStage>>,
    /// What runs at the same time: chunks of one source, or only whole sources.
    pub(super) parallel: Parallel,
    pub(super) threads: usize,
    pub(super) chunk_bytes: u64,
    pub(super) decompress: String,
    pub(super) encoding: String,
    pub(super) limits: Limits,
    pub(super) output: Output,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Sources {
    pub(super) count: usize,
    /// Bytes of those whose size is known, as they are stored.
    pub(super) bytes: u64,
    pub(super) of_unknown_size: usize,
    pub(super) first: Vec<String>,
    /// How many of them are members, by archive.
    pub(super) archives: BTreeMap<String, usize>,
    /// The first that cannot be read, with the reason; and how many there are.
    pub(super) unreadable: Vec<String>,
    pub(super) unreadable_count: usize,
    pub(super) skipped: u64,
    /// Done already, as the ledger knows.
    pub(super) passed_over: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct PlannedStage {
    pub(super) name: String,
    pub(super) plugin: String,
    pub(super) version: String,
    pub(super) kind: Kind,
    pub(super) scope: Scope,
    pub(super) order: Order,
    pub(super) framing: String,
    /// As the plugin is told them, with the defaults of the rest.
    pub(super) settings: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Parallel {
    Chunks,
    /// Chunks up to the stage of a chain that sees a source in order.
    Head,
    Sources,
    Nothing,
}

#[derive(Debug, Serialize)]
pub(super) struct Limits {
    pub(super) memory_bytes: usize,
    pub(super) timeout_ms: u128,
    pub(super) record_bytes: u64,
    pub(super) decompressed_bytes: u64,
    pub(super) ratio: u64,
    pub(super) members: u64,
    pub(super) rejects: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Output {
    pub(super) to: Foreseen,
    /// Standard output has no path.
    pub(super) path: Option<String>,
    pub(super) exists: &'static str,
    pub(super) durable: &'static str,
    pub(super) compress: String,
    /// The first sources, and the files that their output goes to, below the path.
    pub(super) first: Vec<Named>,
    /// Outputs that are there already.
    pub(super) there: usize,
    pub(super) rejects: Option<String>,
    pub(super) ledger: Option<String>,
    pub(super) report: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub(super) source: String,
    pub(super) output: Option<String>,
    /// Why there can be none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
}

/// Shows what the run would be.
pub(super) fn foresee(
    args: &RunArgs,
    stages: &Stages,
    plugins: &Plugins,
    settings: &Run,
    list: impl FnOnce() -> Result<Listing, Abort>,
) -> Result<Exit, Abort> {
    let framing = plugins.framing;
    // The format is that of the plan.
    let output = OutputArgs { format: None, ..args.output.clone() };
    let to = out::foresee(&output, plugins)?;
    job::check(&*plugins.processor, framing, settings).map_err(Abort::new)?;
    let mut listing = list()?;
    let passed_over = match &output.ledger {
        Some(path) => {
            let aim = Aim::of(plugins.traits().kind, args, settings);
            remember::foresee(path, args, stages, aim, &mut listing)?
        }
        None => 0,
    };
    let plan = Plan {
        sources: Sources { passed_over, ..sources(&listing) },
        framing: framing.to_string(),
        branches: branches(stages, plugins),
        parallel: parallel(plugins, framing, settings),
        threads: settings.threads,
        chunk_bytes: settings.chunk_bytes.min(settings.record_bytes_max),
        decompress: args.inputs.decompress.clone(),
        encoding: settings.encoding.clone(),
        limits: limits(settings),
        output: planned_output(args, &output, to, plugins, &listing, settings)?,
    };
    plan::show(&plan, args.output.format == Some(FormatArg::Json))?;
    Ok(Exit::Done)
}

fn sources(listing: &Listing) -> Sources {
    let mut sources =
        Sources { count: listing.sources.len(), skipped: listing.skipped, ..Sources::default() };
    for source in &listing.sources {
        match &source.listed {
            Ok(Some(bytes)) => sources.bytes += bytes,
            Ok(None) => sources.of_unknown_size += 1,
            Err(refusal) => {
                sources.unreadable_count += 1;
                if sources.unreadable.len() < PLAN_NAMES_MAX {
                    sources.unreadable.push(format!("{}: {refusal}", source.name()));
                }
            }
        }
        if let Way::Member(member) = &source.way {
            let archive = shown_name(&member.archive.path).into_owned();
            *sources.archives.entry(archive).or_default() += 1;
        }
    }
    let first = listing.sources.iter().take(PLAN_NAMES_MAX);
    sources.first = first.map(|source| source.name().into_owned()).collect();
    sources
}

fn branches(stages: &Stages, plugins: &Plugins) -> Vec<Vec<PlannedStage>> {
    let chains = stages.chains.iter().zip(&plugins.seen);
    chains.map(|(chain, seen)| chain.iter().zip(seen).map(planned).collect()).collect()
}

fn planned((stage, seen): (&Stage, &Seen)) -> PlannedStage {
    let defaults = seen.manifest.settings.iter();
    let mut settings: BTreeMap<String, String> = defaults
        .filter_map(|setting| Some((setting.key.clone(), setting.default.clone()?)))
        .collect();
    settings.extend(stage.settings.iter().map(|set| (set.key.clone(), set.shown().to_string())));
    PlannedStage {
        name: stage.name.clone(),
        plugin: Shown::of(&stage.path).to_string(),
        version: seen.manifest.version.clone(),
        kind: seen.kind,
        scope: seen.manifest.scope,
        order: seen.manifest.order,
        framing: seen.manifest.framing.clone(),
        settings,
    }
}

fn parallel(plugins: &Plugins, framing: Framing, settings: &Run) -> Parallel {
    match plugins.traits().scope {
        _ if settings.threads == 1 => Parallel::Nothing,
        _ if framing == Framing::Whole => Parallel::Sources,
        Scope::Chunk => Parallel::Chunks,
        Scope::Source if plugins.processor.split().is_some() => Parallel::Head,
        Scope::Source => Parallel::Sources,
    }
}

fn limits(settings: &Run) -> Limits {
    Limits {
        memory_bytes: settings.sandbox.memory_bytes,
        timeout_ms: settings.sandbox.timeout.as_millis(),
        record_bytes: settings.record_bytes_max,
        decompressed_bytes: settings.decompressed_bytes_max,
        ratio: settings.ratio_max,
        members: settings.members_max,
        rejects: settings.rejects_max.map(|most| match most {
            RejectsMax::Records(records) => records.to_string(),
            RejectsMax::Percent(percent) => format!("{percent}%"),
            RejectsMax::Both { records, percent } => format!("{records} and {percent}%"),
        }),
    }
}

fn planned_output(
    args: &RunArgs,
    output: &OutputArgs,
    to: Foreseen,
    plugins: &Plugins,
    listing: &Listing,
    settings: &Run,
) -> Result<Output, Abort> {
    let (mut first, mut there) = (Vec::new(), 0);
    if matches!(to, Foreseen::Directory | Foreseen::Objects) {
        let (inputs, decompress) = (&args.inputs.files, &settings.decompress);
        let names = Names { args: output, plugins, inputs, decompress };
        let places = names.of(&listing.sources)?;
        for (index, source) in listing.sources.iter().enumerate().take(PLAN_NAMES_MAX) {
            let (output, why) = match places.place(index, None) {
                Ok(place) => (Some(Shown::of(&place).to_string()), None),
                Err(failure) => (None, Some(failure.message)),
            };
            first.push(Named { source: source.name().into_owned(), output, why });
        }
        there = match to {
            Foreseen::Objects => objects::there(output, plugins, places.paths())?,
            _ => places.are_there(&output.out).filter(|is_there| *is_there).count(),
        };
    } else if matches!(to, Foreseen::Object | Foreseen::Left) && Address::of(&output.out).is_some()
    {
        there = objects::there(output, plugins, iter::empty())?;
    } else if output.out.symlink_metadata().is_ok() && to != Foreseen::Stdout {
        there = 1;
    }
    let shown = |path: &Path| Shown::of(&path).to_string();
    Ok(Output {
        to,
        path: (to != Foreseen::Stdout).then(|| shown(&output.out)),
        exists: out::exists(output).word(),
        durable: output.durable.word(),
        compress: settings.pack.to_string(),
        first,
        there,
        rejects: output.rejects.as_deref().map(shown),
        ledger: output.ledger.as_deref().map(shown),
        report: output.report.as_deref().map(shown),
    })
}
