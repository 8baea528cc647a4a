//! The files of a directory: all of them, hidden ones too, links not followed, in the order of their paths.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::descend::descend;
use super::globs::{Globs, Kind, PatternError};
use super::{Listing, Look, Refusal, Request, Source, Way};

/// What is taken of directories.
#[derive(Debug, Default)]
pub struct Filter {
    include: Globs,
    exclude: Globs,
}

impl Filter {
    /// A filter that takes what matches one of `include`, or everything where there is none, but nothing that matches one
    /// of `exclude`.
    ///
    /// # Errors
    /// When a glob does not parse, or is empty.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, PatternError> {
        Ok(Self { include: Globs::new(include)?, exclude: Globs::new(exclude)? })
    }

    /// Whether it takes everything.
    pub fn takes_all(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// What files were to match, and none did.
    pub fn unmatched(&self) -> impl Iterator<Item = &str> {
        self.include.unmatched()
    }

    /// Whether a walk from `root` comes to the file at `path`, which is below it.
    pub fn takes(&self, root: &Path, path: &Path) -> bool {
        let mut above = path.ancestors().skip(1).take_while(|directory| *directory != root);
        !above.any(|directory| !self.takes_entry(root, directory, Kind::Directory))
            && self.takes_entry(root, path, Kind::File)
    }

    /// Whether a walk from `root` goes on to an entry of a directory that it has come to.
    pub(super) fn takes_entry(&self, root: &Path, path: &Path, kind: Kind) -> bool {
        let name = path.strip_prefix(root).unwrap_or(path);
        !self.exclude.match_entry(name, kind)
            && (kind == Kind::Directory || self.include.take(name))
    }
}

/// Adds the files below `root` to `listing`. What cannot be read is added with its reason.
pub(super) fn walk(root: &Path, filter: &Arc<Filter>, request: &Request, listing: &mut Listing) {
    let (mut sources, skipped) = if request.roots.are_set() {
        descend(root, filter, request)
    } else {
        walk_anywhere(root, filter, request)
    };
    sources.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    listing.sources.append(&mut sources);
    listing.skipped += skipped;
}

fn walk_anywhere(root: &Path, filter: &Arc<Filter>, request: &Request) -> (Vec<Source>, u64) {
    let found = Mutex::new(Vec::new());
    let skipped = AtomicU64::new(0);
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(false).follow_links(false).threads(request.threads);
    if !filter.takes_all() {
        let (filter, root) = (Arc::clone(filter), root.to_path_buf());
        walk.filter_entry(move |entry| {
            let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
            let kind = if is_directory { Kind::Directory } else { Kind::File };
            entry.depth() == 0 || filter.takes_entry(&root, entry.path(), kind)
        });
    }
    walk.build_parallel().run(|| {
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
        let filter = Arc::new(Filter::new(&owned(include), &owned(exclude)).unwrap());
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
        assert!(takes(&["a/*.txt"], &[], "logs/a/b.txt") && takes(&["/a/**"], &[], "logs/a/b.txt"));
        assert!(!takes(&["logs/**"], &[], "logs/a/b.txt") && !takes(&[], &["a/"], "logs/a/b.txt"));
        assert!(!takes(&["*.txt"], &["b.*"], "logs/a/b.txt"));
    }
}
