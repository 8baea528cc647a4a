//! The files of a directory: all of them, hidden ones too, links not followed, in the order of their paths.

use std::path::Path;

use super::descend::descend;
use super::globs::{Globs, Kind, PatternError};
use super::{Listing, Request, TooManySources};

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
///
/// # Errors
/// When they are more than there is room for.
pub(super) fn walk(
    root: &Path,
    filter: &Filter,
    request: &Request,
    listing: &mut Listing,
) -> Result<(), TooManySources> {
    let (mut sources, skipped) = descend(root, filter, request, &listing.room)?;
    sources.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    if listing.sources.is_empty() {
        listing.sources = sources;
    } else {
        listing.sources.append(&mut sources);
    }
    listing.skipped += skipped;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{Look, Source};
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
        walk(dir.path(), &filter, &request, &mut listing).unwrap();
        assert_eq!(listing.skipped, u64::from(include.is_empty()));
        let relative = |s: Source| s.path.to_path().strip_prefix(dir.path()).unwrap().to_path_buf();
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
