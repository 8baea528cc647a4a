//! How a plan looks: text for people, or JSON.

use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};

use bytesize::ByteSize;

use super::say::plain;
use crate::name::number;
use crate::output::pretty_json;
use crate::prepare::{Parallel, Plan, PlannedOutput, PlannedSources, PlannedStage, PlannedTarget};
use crate::process::{Kind, Order, Scope};
use crate::spec::Problem;

/// Prints a plan.
pub(super) fn show(plan: &Plan, as_json: bool) -> Result<(), Problem> {
    let text = if as_json {
        pretty_json(plan).map_err(Problem::new)?
    } else {
        text(plan).map_err(Problem::new)?
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(error)),
        _ => Ok(()),
    }
}

fn size(bytes: u64) -> impl Display {
    ByteSize(bytes).display().iec()
}

fn text(plan: &Plan) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let out = &mut text;
    sources(out, &plan.sources)?;
    writeln!(out, "decompress   {}, encoding {}", plan.decompress, plan.encoding)?;
    writeln!(out, "framing      {}", plan.framing)?;
    let mut position = 0;
    for (branch, stages) in plan.branches.iter().enumerate() {
        for planned in stages {
            position += 1; // as `--set POSITION.KEY=VALUE` counts them
            let of = match plan.branches.len() {
                1 => position.to_string(),
                _ => format!("{position} (branch {})", branch + 1),
            };
            stage(out, &of, planned)?;
        }
    }
    let parallel = match plan.parallel {
        Parallel::Chunks => "sources, and chunks of one source",
        Parallel::Head => "sources, and chunks of one source up to the stage that sees it in order",
        Parallel::Sources => "sources; each is seen in order, by one thread at a time",
        Parallel::Nothing => "nothing: there is one thread",
    };
    writeln!(out, "parallel     {parallel}")?;
    let threads = number(plan.threads as u64, "thread", "threads");
    let chunk = size(plan.chunk_bytes);
    writeln!(out, "work         {threads}, chunks of {chunk}")?;
    let limits = &plan.limits;
    let (memory, record) = (size(limits.memory_bytes as u64), size(limits.record_bytes));
    let (decompressed, ms) = (size(limits.decompressed_bytes), limits.timeout_ms);
    writeln!(out, "limits       memory {memory}, call {ms} ms, record {record}")?;
    let (ratio, members) = (limits.ratio, limits.members);
    writeln!(out, "             decompressed {decompressed}, ratio {ratio}, members {members}")?;
    if let Some(rejects) = &limits.rejects {
        writeln!(out, "             rejects {rejects}")?;
    }
    output(out, &plan.output)?;
    Ok(text)
}

fn sources(out: &mut String, sources: &PlannedSources) -> std::fmt::Result {
    write!(out, "sources      {}, {}", sources.count, size(sources.bytes))?;
    match sources.of_unknown_size {
        0 => writeln!(out)?,
        unknown => writeln!(out, " and {unknown} of unknown size")?,
    }
    names(out, &sources.first, sources.count)?;
    for (archive, members) in &sources.archives {
        let members = number(*members as u64, "member", "members");
        writeln!(out, "archive      {}: {members}", plain(archive))?;
    }
    for unreadable in &sources.unreadable {
        writeln!(out, "unreadable   {}", plain(unreadable))?;
    }
    more(out, sources.unreadable_count, sources.unreadable.len())?;
    if sources.non_regular > 0 {
        writeln!(out, "skipped      {} that are no regular files", sources.non_regular)?;
    }
    if sources.skipped > 0 {
        writeln!(out, "done         {}, which are skipped", sources.skipped)?;
    }
    Ok(())
}

fn names(out: &mut String, names: &[String], count: usize) -> std::fmt::Result {
    for name in names {
        writeln!(out, "             {}", plain(name))?;
    }
    more(out, count, names.len())
}

fn more(out: &mut String, count: usize, shown: usize) -> std::fmt::Result {
    if count > shown {
        writeln!(out, "             … {} more", count - shown)?;
    }
    Ok(())
}

fn stage(out: &mut String, number: &str, stage: &PlannedStage) -> std::fmt::Result {
    let PlannedStage { name, plugin, version, .. } = stage;
    writeln!(out, "stage {number:6} {} ({} {})", plain(name), plain(plugin), plain(version))?;
    let kind = match stage.kind {
        Kind::Aggregator => "aggregator: one result of each source",
        Kind::Transformer => "transformer: bytes of each source",
    };
    let scope = match stage.scope {
        Scope::Chunk => "chunk",
        Scope::Source => "source",
    };
    let order = match stage.order {
        Order::Kept => "kept",
        Order::Any => "any",
    };
    let framing = plain(&stage.framing);
    writeln!(out, "             {kind}; scope {scope}, order {order}, framing {framing}")?;
    for (key, value) in &stage.settings {
        writeln!(out, "             {} = {}", plain(key), plain(value))?;
    }
    Ok(())
}

fn output(out: &mut String, output: &PlannedOutput) -> std::fmt::Result {
    let path = plain(output.path.as_deref().unwrap_or_default());
    let PlannedOutput { exists, durable, compress, .. } = output;
    match output.to {
        PlannedTarget::Stdout => writeln!(out, "output       standard output")?,
        PlannedTarget::File => writeln!(out, "output       {path}, {durable}, exists {exists}")?,
        PlannedTarget::Device => writeln!(out, "output       {path}, as it comes")?,
        PlannedTarget::Object => {
            writeln!(out, "output       {path}, seen when it is whole, exists {exists}")?;
        }
        PlannedTarget::Objects => {
            writeln!(out, "output       an object for each source below {path}, exists {exists}")?;
        }
        PlannedTarget::Left => writeln!(out, "output       {path} is there already, and is left")?,
        PlannedTarget::Directory => {
            writeln!(
                out,
                "output       a file for each source below {path}, {durable}, exists {exists}"
            )?;
        }
    }
    for named in &output.first {
        let place = match &named.output {
            Some(place) => plain(place),
            None => format!("none: {}", plain(named.why.as_deref().unwrap_or_default())),
        };
        writeln!(out, "             {} -> {place}", plain(&named.source))?;
    }
    if output.there > 0 && matches!(output.to, PlannedTarget::Directory | PlannedTarget::Objects) {
        let becomes = match *exists {
            "skip" => "are left",
            "replace" => "are replaced",
            _ => "fail",
        };
        writeln!(out, "             {} are there already, and {becomes}", output.there)?;
    }
    if compress != "none" {
        writeln!(out, "compress     {compress}")?;
    }
    let files =
        [("rejects", &output.rejects), ("ledger", &output.ledger), ("report", &output.report)];
    for (what, path) in files {
        if let Some(path) = path {
            writeln!(out, "{what:12} {}", plain(path))?;
        }
    }
    Ok(())
}
