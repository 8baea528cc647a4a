//! What a job would do, found out without reading a source or making an output.

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;
use std::sync::Arc;

use super::checkpoint;
use super::ledger_mode::LedgerMode;
use super::names::Names;
use super::objects;
use super::output::{self, PlannedTarget};
use super::planned::{
    Parallel, Plan, PlannedLimits, PlannedName, PlannedOutput, PlannedSources, PlannedStage,
};
use super::plugins::{Plugins, Seen};
use super::{Context, load, overwrite, sources};
use crate::input::Framing;
use crate::job::{self, Observer};
use crate::name::Shown;
use crate::process::Scope;
use crate::settings::Run;
use crate::settings::limits::PLAN_NAMES_MAX;
use crate::source::{Address, Listing, Look, Way, shown_name};
use crate::spec::{JobSpec, OutputSpec, Problem, StageSpec};

/// Returns what a job would do.
///
/// # Errors
/// Where the job would not start.
pub fn plan(
    spec: &JobSpec,
    context: &Context<'_>,
    events: &Arc<dyn Observer>,
) -> Result<Plan, Problem> {
    let settings = &context.settings;
    let plugins = &load(spec, context, events, None)?;
    let framing = plugins.framing;
    // The format is that of the plan.
    let output = OutputSpec { format: None, ..spec.output.clone() };
    let to = output::plan(&output, plugins, output::format(&output, context.outlets))?;
    job::check(&*plugins.processor, framing, settings).map_err(Problem::new)?;
    let mut listing = sources::listing(spec, Look::Sizes, settings, context, &**events)?;
    overwrite::settings(spec, context.described)?;
    overwrite::files(&output, &listing.sources)?;
    let names = Names { spec, plugins, inputs: context.inputs(spec) };
    let skipped = match &output.ledger {
        Some(path) => {
            let mode = LedgerMode::of(plugins.traits().kind, spec, settings);
            checkpoint::plan(path, spec, mode, (&mut listing, names))?
        }
        None => 0,
    };
    Ok(Plan {
        sources: PlannedSources { skipped, ..listed(&listing) },
        framing: framing.to_string(),
        branches: branches(spec, plugins),
        parallel: parallel(plugins, framing, settings),
        threads: settings.threads,
        chunk_bytes: settings.chunk_bytes.min(settings.record_bytes_max),
        decompress: settings.decompress.to_string(),
        encoding: settings.encoding.clone(),
        limits: limits(settings),
        output: planned_output(spec, context, to, plugins, listing)?,
    })
}

fn listed(listing: &Listing) -> PlannedSources {
    let mut sources = PlannedSources {
        count: listing.sources.len(),
        non_regular: listing.non_regular,
        ..PlannedSources::default()
    };
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

fn branches(spec: &JobSpec, plugins: &Plugins) -> Vec<Vec<PlannedStage>> {
    let chains = spec.branches.iter().zip(&plugins.seen);
    chains.map(|(branch, seen)| branch.stage.iter().zip(seen).map(planned).collect()).collect()
}

fn planned((stage, seen): (&StageSpec, &Seen)) -> PlannedStage {
    let defaults = seen.manifest.settings.iter();
    let mut settings: BTreeMap<String, String> = defaults
        .filter_map(|setting| Some((setting.key.clone(), setting.default.clone()?)))
        .collect();
    settings.extend(stage.settings.iter().map(|set| (set.key.clone(), set.shown().to_string())));
    PlannedStage {
        name: stage.name.clone(),
        plugin: Shown::of(&stage.plugin).to_string(),
        version: seen.manifest.version.clone(),
        kind: seen.kind,
        scope: seen.manifest.scope,
        order: seen.manifest.order,
        framing: seen.manifest.framing.clone(),
        header_records: seen.manifest.header_records,
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

fn limits(settings: &Run) -> PlannedLimits {
    PlannedLimits {
        memory_bytes: settings.sandbox.memory_bytes,
        timeout_ms: settings.sandbox.timeout.as_millis(),
        record_bytes: settings.record_bytes_max,
        decompressed_bytes: settings.decompressed_bytes_max,
        ratio: settings.ratio_max,
        members: settings.members_max,
        rejects: settings.rejects_max.map(|most| most.to_string()),
    }
}

fn planned_output(
    spec: &JobSpec,
    context: &Context<'_>,
    to: PlannedTarget,
    plugins: &Plugins,
    listing: Listing,
) -> Result<PlannedOutput, Problem> {
    let (mut first, mut there) = (Vec::new(), 0);
    let output = &spec.output;
    let format = output::format(output, context.outlets);
    if matches!(to, PlannedTarget::Directory | PlannedTarget::Objects) {
        let sources = Arc::new(listing.sources);
        let names = Names { spec, plugins, inputs: context.inputs(spec) };
        let places = names.of(Arc::clone(&sources))?;
        for (index, source) in sources.iter().enumerate().take(PLAN_NAMES_MAX) {
            let (output, why) = match places.place(index, None) {
                Ok(place) => (Some(Shown::of(&place).to_string()), None),
                Err(failure) => (None, Some(failure.message)),
            };
            first.push(PlannedName { source: source.name().into_owned(), output, why });
        }
        there = match to {
            PlannedTarget::Objects => objects::there(output, plugins, format, places.paths())?,
            _ => places.are_there(&output.out).filter(|is_there| *is_there).count(),
        };
    } else if matches!(to, PlannedTarget::Object | PlannedTarget::Left)
        && Address::of(&output.out).is_some()
    {
        there = objects::there(output, plugins, format, iter::empty())?;
    } else if output.out.symlink_metadata().is_ok() && to != PlannedTarget::Stdout {
        there = 1;
    }
    let shown = |path: &Path| Shown::of(&path).to_string();
    Ok(PlannedOutput {
        to,
        path: (to != PlannedTarget::Stdout).then(|| shown(&output.out)),
        exists: output.exists().word(),
        durable: output.durable.word(),
        compress: output.compress.to_string(),
        first,
        there,
        rejects: output.rejects.as_deref().map(shown),
        ledger: output.ledger.as_deref().map(shown),
        report: output.report.as_deref().map(shown),
    })
}
