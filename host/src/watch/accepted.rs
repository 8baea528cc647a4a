//! Which jobs a watch takes, and what tells one watch from others.

use std::path::Path;

use crate::ledger::Digest;
use crate::prepare::{self, Plan};
use crate::process::{Kind, Scope};
use crate::settings::{Exists, Format, Pack};
use crate::source::Address;
use crate::spec::{JobSpec, Problem, WatchSpec};

/// Refuses what a watch does not take.
pub(super) fn check(
    spec: &JobSpec,
    plan: impl FnOnce() -> Result<Plan, Problem>,
) -> Result<(), Problem> {
    if spec.watch.append && Address::of(&spec.output.out).is_some() {
        let message = "⟦out⟧: what is appended goes to files of this machine";
        return Err(Problem::new(message).of("out").hint(Some("⟦out⟧ DIR/ or ⟦out⟧ FILE")));
    }
    let plan = plan()?;
    if spec.watch.append { check_append(spec, &plan) } else { check_whole(spec, &plan) }
}

/// What tells this watch from others: its job, and the directories.
///
/// # Errors
/// When a plugin or a directory cannot be read.
pub fn identity(spec: &JobSpec) -> Result<Digest, Problem> {
    let (job, _) = prepare::identify(&as_watched(spec)?)?;
    let mut parts = vec![job.to_string().into_bytes()];
    let directories = spec.inputs.files.iter().map(|path| super::tree::real(path));
    parts.extend(directories.map(|path| path.into_os_string().into_encoded_bytes()));
    Ok(Digest::of(parts))
}

/// The spec with what a watch brings itself.
pub(super) fn as_watched(spec: &JobSpec) -> Result<JobSpec, Problem> {
    let mut spec = spec.clone();
    let output = &mut spec.output;
    let refused = |key: &'static str, why: &str, hint: &str| {
        Err(Problem::new(format!("⟦{key}⟧: {why}")).of(key).hint(Some(hint)))
    };
    if output.is_stream() {
        return refused(
            "out",
            "what comes of files as they arrive cannot be taken back from standard output",
            "⟦out⟧ DIR/ takes a file for each, ⟦out⟧ FILE.jsonl a row for each",
        );
    }
    if output.report.is_some() {
        return refused("report", "a watch does not end", "`host ledger show` tells what is done");
    }
    if output.total {
        return refused("total", "a watch does not end", "⟦out⟧ FILE.jsonl takes a row a file");
    }
    if spec.inputs.files_from.is_some() {
        return refused("files_from", "directories are watched", "name directories");
    }
    if output.delete_vanished {
        return refused("delete_vanished", "is for runs", "leave it out");
    }
    output.ledger = None;
    output.exists = Some(Exists::Replace);
    Ok(spec)
}

/// Refuses what a job gives that its output does not take as files arrive.
fn check_whole(spec: &JobSpec, plan: &Plan) -> Result<(), Problem> {
    let output = &spec.output;
    let gives_bytes = plan
        .branches
        .iter()
        .any(|chain| chain.last().is_some_and(|stage| stage.kind == Kind::Transformer));
    let refused = |message: &str, hint: &str| Err(Problem::new(message).hint(Some(hint)));
    if gives_bytes && !is_tree(&output.out) {
        let hint = "⟦out⟧ DIR/, with a slash at its end, takes a file for each";
        return refused("⟦out⟧: the plugin gives bytes, which need a file for each source", hint);
    }
    if !gives_bytes && Address::of(&output.out).is_some() {
        return refused("⟦out⟧: rows go to a file of this machine", "⟦out⟧ FILE.jsonl");
    }
    if !gives_bytes && !matches!(output.format, None | Some(Format::Jsonl)) {
        return refused("⟦format⟧: rows are appended as JSON lines", "leave it out");
    }
    Ok(())
}

/// Refuses what a job does that cannot go on in the middle of a file.
fn check_append(spec: &JobSpec, plan: &Plan) -> Result<(), Problem> {
    let refused = |why: &str, hint: &str| {
        let message = format!("⟦append⟧: {why}");
        Err(Problem::new(message).of("append").hint(Some(hint)))
    };
    let [stages] = &*plan.branches else {
        return refused("files that grow are followed by one chain", "start a watch for each");
    };
    if stages.iter().any(|stage| stage.kind != Kind::Transformer || stage.scope != Scope::Chunk) {
        let why = "the plugin needs all of a file, and this one has no end";
        return refused(why, "take a plugin that gives bytes for each line, as upcase does");
    }
    let is_of_lines = matches!(&*plan.framing, "lines" | "bytes");
    if !is_of_lines || stages.iter().any(|stage| stage.header_records > 0) {
        let hint = "take a plugin that needs no header, or leave it out for whole files";
        return refused("only lines can be followed that stand for themselves", hint);
    }
    let (watch, output, own) = (&spec.watch, &spec.output, WatchSpec::default());
    let for_whole_files = [
        ("after", watch.after != own.after),
        ("on_fail", watch.on_fail != own.on_fail),
        ("order", watch.order != own.order),
        ("settle_mode", watch.settle_mode != own.settle_mode),
        ("max_files_per_second", watch.max_files_per_second.is_some()),
        ("max_bytes_per_second", watch.max_bytes_per_second.is_some()),
        ("rejects", output.rejects.is_some()),
        ("compress", output.compress != Pack::None),
    ];
    if let Some((key, _)) = for_whole_files.iter().find(|(_, is_said)| *is_said) {
        let message = format!("⟦{key}⟧ is for files that do not grow, and not for ⟦append⟧");
        return Err(Problem::new(message).of(key).hint(Some("leave it out")));
    }
    if !matches!(&*spec.inputs.encoding, "auto" | "bom" | "none" | "utf-8") {
        let message = "⟦encoding⟧: only UTF-8 is followed, or bytes as they are";
        return Err(Problem::new(message).of("encoding").hint(Some("leave it out")));
    }
    Ok(())
}

/// Whether there is an output for each file.
pub(super) fn is_tree(out: &Path) -> bool {
    out.as_os_str().as_encoded_bytes().ends_with(b"/") || out.is_dir() || Address::of(out).is_some()
}
