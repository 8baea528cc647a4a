//! What is taken of directories: by globs, whoever comes upon a file.

use std::path::Path;

use super::globs::{Globs, Kind, PatternError};

/// What is taken of directories.
#[derive(Debug, Default)]
pub struct Filter {
    include: Globs,
    exclude: Globs,
}

impl Filter {
    /// A filter that takes what matches one of `include`, or everything where there is none, but
    /// nothing that matches one of `exclude`.
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

#[cfg(test)]
mod tests {
    use super::*;

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
