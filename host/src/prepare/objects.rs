//! Output in an object store: what is said to the store, and what is refused.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::plugins::Plugins;
use crate::name::Shown;
use crate::output::{Object, ObjectError, Objects, Writing};
use crate::process::Kind;
use crate::settings::{Format, Pack};
use crate::source::{Address, Scheme, Source, Way};
use crate::spec::{OutputSpec, Problem};
use crate::stats::MemoryBudget;

/// What is named in a store.
pub(super) enum Named {
    Object(Object),
    Objects(Objects),
    /// There is one already, and that is to be left.
    Left,
}

/// Asks the store for what the spec names; `None` where they name a file or directory.
pub(super) fn open(
    output: &OutputSpec,
    plugins: &Plugins,
    format: Format,
    (stop, memory): (&Arc<AtomicBool>, &Arc<MemoryBudget>),
) -> Result<Option<Named>, Problem> {
    let Some(address) = Address::of(&output.out) else { return Ok(None) };
    let content_type = content_type(output, plugins, format);
    let (stop, memory) = (Arc::clone(stop), Arc::clone(memory));
    let writing = Writing { exists: output.exists(), content_type, stop, memory };
    let opened = if address.is_prefix() {
        Objects::open(&output.out, writing).map(Named::Objects)
    } else {
        let opened = Object::open(&output.out, writing);
        opened.map(|object| object.map_or(Named::Left, Named::Object))
    };
    opened.map(Some).map_err(|error| problem(&error))
}

pub(super) fn problem(error: &ObjectError) -> Problem {
    let hint = error.hint();
    Problem::new(error).hint(hint)
}

/// How many objects are there already: those at `places`, or the one that is named.
pub(super) fn there(
    output: &OutputSpec,
    plugins: &Plugins,
    format: Format,
    places: impl Iterator<Item = PathBuf>,
) -> Result<usize, Problem> {
    match open(output, plugins, format, (&Arc::default(), &Arc::default()))? {
        Some(Named::Objects(objects)) => objects.there(places).map_err(|error| problem(&error)),
        Some(Named::Object(object)) => Ok(usize::from(object.replaces())),
        Some(Named::Left) => Ok(1),
        None => Ok(0),
    }
}

/// Refuses what no store takes.
pub(super) fn check(output: &OutputSpec) -> Result<(), Problem> {
    let Some(address) = Address::of(&output.out) else { return Ok(()) };
    if address.scheme == Scheme::Http {
        // A URL may be signed.
        let message = format!("⟦out⟧: {} is a web server, which takes no output", address.host());
        return Err(Problem::new(message)
            .hint(Some("s3://, gs:// and az:// do; or write a file, and upload that")));
    }
    if output.ledger.is_some() {
        let message = "⟦ledger⟧: what is in an object store is not remembered";
        return Err(Problem::new(message).hint(Some(
            "with ⟦out⟧ DIR/ it is; without ⟦ledger⟧, ⟦exists⟧ skip leaves the objects that are there",
        )));
    }
    Ok(())
}

/// The media type of what is written, as far as it is known.
fn content_type(output: &OutputSpec, plugins: &Plugins, format: Format) -> Option<String> {
    let of_plugin = || plugins.branches.first().map(|branch| branch.output_type.clone());
    let known = match (plugins.traits().kind, output.compress, format) {
        (Kind::Transformer, Pack::None, _) | (Kind::Aggregator, _, Format::Raw) => {
            return of_plugin();
        }
        (Kind::Transformer, Pack::Gzip(_) | Pack::Bgzf(_), _) => "application/gzip",
        (Kind::Transformer, Pack::Zstd(_), _) => "application/zstd",
        (Kind::Transformer, Pack::Lz4, _) => "application/x-lz4",
        (Kind::Aggregator, _, Format::Table) => "text/plain; charset=utf-8",
        (Kind::Aggregator, _, Format::Jsonl) => "application/x-ndjson",
        (Kind::Aggregator, _, Format::Json) => "application/json",
    };
    Some(known.into())
}

/// Refuses objects that are sources; those that `places` are below `out`, or `out` itself.
pub(super) fn guard<P: AsRef<Path>>(
    out: &Path,
    places: Option<impl Iterator<Item = P>>,
    sources: &[Source],
) -> Result<(), Problem> {
    let paths = sources.iter().map(|source| match &source.way {
        Way::Member(member) => Cow::Borrowed(member.archive.path.as_path()),
        _ => source.path.to_path(),
    });
    let known = paths.filter_map(|path| Address::of(&path).map(id));
    let known: HashSet<_> = known.collect();
    if known.is_empty() {
        return Ok(());
    }
    let check = |path: &Path| {
        if !Address::of(path).is_some_and(|address| known.contains(&id(address))) {
            return Ok(());
        }
        let message = format!("⟦out⟧: {} is a source, and would be overwritten", Shown::of(&path));
        Err(Problem::new(message)
            .hint(Some("name another object or prefix, or ⟦name⟧ other names")))
    };
    match places {
        None => check(out),
        Some(mut places) => places.try_for_each(|place| check(&below(out, place.as_ref()))),
    }
}

/// The address of what is at `place` below `out`.
fn below(out: &Path, place: &Path) -> PathBuf {
    let out = out.to_string_lossy();
    format!("{}/{}", out.trim_end_matches('/'), Shown::of(&place)).into()
}

fn id(address: Address<'_>) -> (Scheme, String, String) {
    (address.scheme, address.authority.into(), address.key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(out: &str, places: Option<&[&str]>) -> bool {
        let path = "s3://b/in/a.txt".into();
        let sources = [Source { path, listed: Ok(None), way: Way::Object }];
        let places = places.map(|places| places.iter().map(Path::new));
        guard(Path::new(out), places, &sources).is_err()
    }

    #[test]
    fn no_source_is_overwritten_by_whatever_name() {
        assert!(refused("s3://b/in/a.txt", None) && refused("s3a://b/in/a.txt", None));
        assert!(!refused("s3://c/in/a.txt", None) && !refused("gs://b/in/a.txt", None));
        assert!(refused("s3://b/in/", Some(&["b", "a.txt"])));
        assert!(refused("s3://b", Some(&["in/a.txt"])));
        assert!(!refused("s3://b/out/", Some(&["a.txt"])));
    }
}
