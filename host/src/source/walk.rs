//! The files of a directory: all of them, hidden ones too, links not followed, in the order of their paths.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use thiserror::Error;

use super::descend::descend;
use super::{Listing, Look, Refusal, Request, Source, Way};

/// A glob that does not parse.
#[derive(Debug, Error)]
#[error("{glob}: {error}")]
pub struct PatternError {
    glob: String,
    error: ignore::Error,
}

/// Globs, as in a `.gitignore`: one without a slash matches a name at any depth.
#[derive(Debug)]
pub struct Filter {
    globs: Override,
}

impl Filter {
    /// A filter that takes what matches one of `include`, or everything where there is none, but nothing that matches one
    /// of `exclude`.
    ///
    /// # Errors
    /// When a glob does not parse.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, PatternError> {
        let mut builder = OverrideBuilder::new("");
        let included = include.iter().map(|glob| (glob, glob.clone()));
        let excluded = exclude.iter().map(|glob| (glob, format!("!{glob}")));
        for (glob, line) in included.chain(excluded) {
            builder.add(&line).map_err(|error| PatternError { glob: glob.clone(), error })?;
        }
        let globs = builder.build().map_err(|error| PatternError { glob: String::new(), error })?;
        Ok(Self { globs })
    }

    /// Whether a walk from `root` comes to the file at `path`, which is below it.
    pub fn takes(&self, root: &Path, path: &Path) -> bool {
        let mut above = path.ancestors().skip(1).take_while(|directory| *directory != root);
        !above.any(|directory| !self.takes_entry(directory, Kind::Directory))
            && self.takes_entry(path, Kind::File)
    }

    /// Whether a walk goes on to an entry of a directory that it has come to.
    pub(super) fn takes_entry(&self, path: &Path, kind: Kind) -> bool {
        !self.globs.matched(path, kind == Kind::Directory).is_ignore()
    }
}

/// What an entry is, to a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
}

/// Adds the files below `root` to `listing`. What cannot be read is added with its reason.
pub(super) fn walk(root: &Path, filter: &Filter, request: &Request, listing: &mut Listing) {
    let (mut sources, skipped) = if request.roots.are_set() {
        descend(root, filter, request)
    } else {
        walk_anywhere(root, filter, request)
    };
    sources.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    listing.sources.append(&mut sources);
    listing.skipped += skipped;
}

fn walk_anywhere(root: &Path, filter: &Filter, request: &Request) -> (Vec<Source>, u64) {
    let found = Mutex::new(Vec::new());
    let skipped = AtomicU64::new(0);
    WalkBuilder::new(root)
        .standard_filters(false)
        .follow_links(false)
        .threads(request.threads)
        .overrides(filter.globs.clone())
        .build_parallel()
        .run(|| {
            let mut mine = Batch { all: &found, sources: Vec::new() };
            let skipped = &skipped;
            Box::new(move |entry| {
                match entry {
                    Ok(entry) => match source(entry, request.look) {
                        Entry::Source(source) => mine.sources.push(source),
                        Entry::Skipped => {
                            skipped.fetch_add(1, Ordering::Relaxed);
                        }
                        Entry::Directory => {}
                    },
                    Err(error) => mine.sources.push(unreadable(root, error)),
                }
                WalkState::Continue
            })
        });
    let sources = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    (sources, skipped.into_inner())
}

/// What one thread found; handed over when the thread is done.
struct Batch<'a> {
    all: &'a Mutex<Vec<Source>>,
    sources: Vec<Source>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.append(&mut self.sources);
    }
}

enum Entry {
    Source(Source),
    Skipped,
    Directory,
}

fn source(entry: DirEntry, look: Look) -> Entry {
    match entry.file_type() {
        Some(kind) if kind.is_dir() => return Entry::Directory,
        Some(kind) if kind.is_file() => {}
        _ => return Entry::Skipped,
    }
    let listed = match look {
        Look::Names => Ok(None),
        Look::Sizes => entry
            .metadata()
            .map(|metadata| Some(metadata.len()))
            .map_err(|error| Refusal::Io(io_error(error))),
    };
    Entry::Source(Source { path: entry.into_path(), listed, way: Way::File })
}

fn unreadable(root: &Path, error: ignore::Error) -> Source {
    let path = path_of(&error).unwrap_or(root).to_path_buf();
    Source { path, listed: Err(Refusal::Io(io_error(error))), way: Way::File }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } => path_of(err),
        _ => None,
    }
}

fn io_error(error: ignore::Error) -> std::io::Error {
    let text = error.to_string();
    error.into_io_error().unwrap_or_else(|| std::io::Error::other(text))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn names(include: &[&str], exclude: &[&str]) -> Vec<PathBuf> {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b/two.txt", "a.txt", "b/.hidden", "c/d/three.log"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        std::os::unix::fs::symlink("a.txt", dir.path().join("link")).unwrap();
        let owned = |globs: &[&str]| globs.iter().map(ToString::to_string).collect::<Vec<_>>();
        let filter = Filter::new(&owned(include), &owned(exclude)).unwrap();
        let mut listing = Listing::default();
        let request = Request { look: Look::Sizes, threads: 2, ..Request::default() };
        walk(dir.path(), &filter, &request, &mut listing);
        assert_eq!(listing.skipped, u64::from(include.is_empty()));
        let relative = |s: Source| s.path.strip_prefix(dir.path()).unwrap().to_path_buf();
        listing.sources.into_iter().map(relative).collect()
    }

    #[test]
    fn all_files_in_the_order_of_their_paths_without_links() {
        assert_eq!(
            names(&[], &[]),
            ["a.txt", "b/.hidden", "b/two.txt", "c/d/three.log"].map(PathBuf::from)
        );
    }

    #[test]
    fn globs_choose_and_leave_out() {
        assert_eq!(names(&["*.txt"], &[]), ["a.txt", "b/two.txt"].map(PathBuf::from));
        assert_eq!(names(&["*.txt"], &["b"]), ["a.txt"].map(PathBuf::from));
    }

    #[test]
    fn a_name_alone_is_taken_as_a_walk_would() {
        let owned = |globs: &[&str]| globs.iter().map(ToString::to_string).collect::<Vec<_>>();
        let takes = |include: &[&str], exclude: &[&str], path: &str| {
            let filter = Filter::new(&owned(include), &owned(exclude)).unwrap();
            filter.takes(Path::new("logs"), Path::new(path))
        };
        assert!(takes(&[], &[], "logs/a/b.txt"));
        assert!(takes(&["*.txt"], &[], "logs/a/b.txt") && !takes(&["*.txt"], &[], "logs/a/b.log"));
        assert!(!takes(&[], &["a"], "logs/a/b.txt") && takes(&[], &["logs"], "logs/a/b.txt"));
        assert!(!takes(&["*.txt"], &["b.*"], "logs/a/b.txt"));
    }

    #[test]
    fn a_bad_glob_is_named() {
        let error = Filter::new(&["a[".to_string()], &[]).map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("a[: "), "{error}");
    }
}
