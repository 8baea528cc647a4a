//! Refuses outputs that would replace a file that is read, before anything is read.
//!
//! Files are compared by device and inode, so that links and other ways to write a path hide
//! nothing. A source is looked at only where an output is there already.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::iter;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::objects;
use super::output::is_tree;
use super::resolved::resolved;
use crate::name::Shown;
use crate::source::{Address, Source, Way};
use crate::spec::{JobSpec, OutputSpec, Problem};

/// Refuses settings that name one file, where one of them would write what another reads or writes.
/// Looks at nothing but names and what is there: devices may be named as often as anybody likes.
pub(super) fn settings(spec: &JobSpec, described: Option<&Path>) -> Result<(), Problem> {
    let output = &spec.output;
    let out = Some(&output.out).filter(|out| !is_tree(out) && Address::of(out).is_none());
    let written = [
        ("⟦out⟧", out),
        ("⟦rejects⟧", output.rejects.as_ref()),
        // Behind the results, it is no matter.
        ("⟦report⟧", output.report.as_ref().filter(|path| path.as_os_str() != "-")),
        ("⟦ledger⟧", output.ledger.as_ref()),
    ];
    let (written, named): (Vec<_>, Vec<_>) = (
        written.iter().filter_map(|(flag, path)| Some((*flag, path.as_ref()?.as_path()))).collect(),
        read(spec, described).collect(),
    );
    for (at, (flag, path)) in written.iter().enumerate() {
        let others = written.iter().take(at).chain(&named);
        if let Some((other, _)) = others.clone().find(|(_, other)| is_same(path, other)) {
            return Err(one_file((flag, other), path));
        }
    }
    Ok(())
}

/// That two settings name one file.
fn one_file((key, other): (&str, &str), path: &Path) -> Problem {
    if path.as_os_str() == "-" {
        let hint = format!("{other} FILE, or another {key}: only ⟦report⟧ may come behind results");
        return Problem::new(format!("{key} and {other} are both standard output"))
            .hint(Some(&hint));
    }
    let message = format!("{key} and {other} name one file: {}", Shown::of(&path));
    Problem::new(message).hint(Some("name two files"))
}

/// Refuses outputs below a directory that are files which other settings name.
pub(super) fn beside(
    output: &OutputSpec,
    places: impl Iterator<Item = PathBuf>,
) -> Result<(), Problem> {
    let out = resolved(&output.out);
    let named = [
        ("⟦rejects⟧", &output.rejects),
        ("⟦report⟧", &output.report),
        ("⟦ledger⟧", &output.ledger),
    ];
    let named: Vec<_> = named
        .into_iter()
        .filter_map(|(flag, path)| {
            let path = resolved(path.as_deref()?);
            Some((flag, path.strip_prefix(&out).ok()?.to_path_buf()))
        })
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    for place in places {
        if let Some((flag, _)) = named.iter().find(|(_, path)| *path == place) {
            let path = output.out.join(&place);
            let message = format!("{flag} and ⟦out⟧ name one file: {}", Shown::of(&path));
            return Err(Problem::new(message).hint(Some("name a file elsewhere")));
        }
    }
    Ok(())
}

/// Files that are read before there are sources.
fn read<'a>(
    spec: &'a JobSpec,
    described: Option<&'a Path>,
) -> impl Iterator<Item = (&'static str, &'a Path)> {
    let plugins = spec.stages().map(|stage| ("⟦plugin⟧", stage.plugin.as_path()));
    let list = spec.inputs.files_from.iter().filter(|path| path.as_os_str() != "-");
    let list = list.map(|path| ("⟦files_from⟧", path.as_path()));
    plugins.chain(list).chain(described.map(|path| ("⟦pipeline⟧", path)))
}

/// Whether two names are of one file, which is there or not. `-` is standard output, which only the
/// results and what comes after them may share.
fn is_same(one: &Path, other: &Path) -> bool {
    let is_plain = |path: &Path| fs::metadata(path).map_or(true, |found| found.is_file());
    if one == Path::new("-") || other == Path::new("-") {
        return one == other;
    }
    if !is_plain(one) || !is_plain(other) {
        return false;
    }
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => id(&one) == id(&other),
        (Err(_), Err(_)) => resolved(one) == resolved(other),
        _ => false,
    }
}

/// Refuses files named by settings that are sources.
pub(super) fn files(output: &OutputSpec, sources: &[Source]) -> Result<(), Problem> {
    let mut guard = Guard { sources, known: None };
    // What an output replaces is a link itself; the others are written through it.
    if Address::of(&output.out).is_some() {
        objects::guard(&output.out, None::<iter::Empty<PathBuf>>, sources)?;
    } else if output.out.as_os_str() != "-" {
        guard.check("⟦out⟧", &output.out, fs::symlink_metadata(&output.out).ok())?;
    }
    for (flag, path) in [("⟦rejects⟧", &output.rejects), ("⟦report⟧", &output.report)] {
        if let Some(path) = path {
            guard.check(flag, path, fs::metadata(path).ok())?;
        }
    }
    Ok(())
}

/// Refuses files named by settings that are the ledger, which is there already.
pub(super) fn ledger(output: &OutputSpec, ledger: &Path) -> Result<(), Problem> {
    let Ok(own) = fs::metadata(ledger) else { return Ok(()) };
    let out = Some(&output.out).filter(|out| out.as_os_str() != "-");
    let written = [
        ("⟦out⟧", out),
        ("⟦rejects⟧", output.rejects.as_ref()),
        ("⟦report⟧", output.report.as_ref()),
    ];
    for (flag, path) in written {
        if path.and_then(|path| fs::metadata(path).ok()).is_some_and(|found| id(&found) == id(&own))
        {
            let message =
                format!("{flag}: {} is the ledger, and would be overwritten", Shown::of(&ledger));
            return Err(Problem::new(message).hint(Some("name another file")));
        }
    }
    Ok(())
}

/// Refuses outputs below the directory `out` that are sources.
pub(super) fn places(
    out: &Path,
    places: impl Iterator<Item = PathBuf>,
    sources: &[Source],
) -> Result<(), Problem> {
    let mut guard = Guard { sources, known: None };
    for place in places {
        let path = out.join(place);
        let found = fs::symlink_metadata(&path).ok();
        guard.check("⟦out⟧", &path, found)?;
    }
    Ok(())
}

struct Guard<'a> {
    sources: &'a [Source],
    known: Option<HashSet<(u64, u64)>>,
}

impl Guard<'_> {
    fn check(&mut self, flag: &str, path: &Path, found: Option<Metadata>) -> Result<(), Problem> {
        let Some(found) = found.filter(|found| !found.is_dir()) else { return Ok(()) };
        let known = self.known.get_or_insert_with(|| known(self.sources));
        if !known.contains(&id(&found)) {
            return Ok(());
        }
        let message = format!("{flag}: {} is a source, and would be overwritten", Shown::of(&path));
        Err(Problem::new(message)
            .hint(Some("name another file or directory, or ⟦name⟧ other names")))
    }
}

/// The files that sources are read from, and the links that they are named by.
fn known(sources: &[Source]) -> HashSet<(u64, u64)> {
    let mut known = HashSet::with_capacity(sources.len());
    for source in sources {
        let path = match &source.way {
            Way::Member(member) => Cow::Borrowed(member.archive.path.as_path()),
            _ => source.path.to_path(),
        };
        let found = [fs::metadata(&path), fs::symlink_metadata(&path)];
        known.extend(found.iter().flatten().filter(|found| !found.is_dir()).map(id));
    }
    known
}

fn id(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
