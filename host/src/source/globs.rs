//! Globs, as `globset` has them: `*` and `?` stop at a slash, `**` does not, `[…]` and `{…,…}`
//! choose, `\` takes what follows as it is.
//!
//! One without a slash is for the last part of a name, at any depth. One with a slash is for a name
//! as it is from the directory on that is read: `sub/*.txt`, `/sub/*.txt` and `./sub/*.txt` are one
//! glob. A slash at its end makes it one for directories. Nothing else in it means anything:
//! neither `#` nor `!` nor blanks.

use std::path::{Component, Path};
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobBuilder, GlobMatcher};
use thiserror::Error;

/// A glob that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It does not parse.
    #[error("{glob}: {error}")]
    Glob {
        /// The glob.
        glob: String,
        /// Why.
        error: globset::ErrorKind,
    },
    /// There is nothing in it, as in a variable that is not set.
    #[error("`{0}`: a glob of nothing matches nothing")]
    Empty(String),
}

impl PatternError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Empty(_) => Some("leave the flag out to take all files"),
            Self::Glob { .. } => None,
        }
    }
}

/// What an entry is, to a glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
}

/// Globs of which one has to match.
#[derive(Debug, Default)]
pub struct Globs(Vec<Glob>);

#[derive(Debug)]
struct Glob {
    text: String,
    matcher: GlobMatcher,
    /// Whether it is for a whole name, from the directory on, or for its last part.
    has_slash: bool,
    for_directories: bool,
    /// Whether it has matched anything so far.
    matched: AtomicBool,
}

/// None, which take everything.
static NO_GLOBS: Globs = Globs(Vec::new());

impl Globs {
    /// None of them: everything is taken.
    pub fn none() -> &'static Self {
        &NO_GLOBS
    }

    /// These globs.
    ///
    /// # Errors
    /// When one does not parse, or is empty.
    pub fn new(globs: &[String]) -> Result<Self, PatternError> {
        globs.iter().map(|text| Glob::new(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a file is taken of that name, from its root on: there is no glob, or one that
    /// matches.
    pub fn take(&self, name: &Path) -> bool {
        self.is_empty() || self.match_entry(name, Kind::File)
    }

    /// Whether one matches the entry of that name, from its root on.
    pub(super) fn match_entry(&self, name: &Path, kind: Kind) -> bool {
        // Each is tried, so that those that matched nothing can be reported.
        self.0.iter().filter(|glob| glob.matches(name, kind)).count() > 0
    }

    /// Those that have matched nothing.
    pub fn unmatched(&self) -> impl Iterator<Item = &str> {
        let unmatched = self.0.iter().filter(|glob| !glob.matched.load(Ordering::Relaxed));
        unmatched.map(|glob| glob.text.as_str())
    }
}

impl Glob {
    fn new(text: &str) -> Result<Self, PatternError> {
        let pattern = text.strip_prefix("./").unwrap_or(text);
        let has_slash = pattern.trim_end_matches('/').contains('/') || text.starts_with("./");
        let pattern = pattern.trim_start_matches('/');
        let for_directories = pattern.ends_with('/');
        let pattern = pattern.trim_end_matches('/');
        if pattern.is_empty() {
            return Err(PatternError::Empty(text.into()));
        }
        let mut builder = GlobBuilder::new(pattern);
        let built = builder.literal_separator(true).backslash_escape(true).build();
        let glob = built.map_err(|error| {
            let (glob, error) = (text.into(), error.kind().clone());
            PatternError::Glob { glob, error }
        })?;
        Ok(Self {
            text: text.into(),
            matcher: glob.compile_matcher(),
            has_slash,
            for_directories,
            matched: AtomicBool::new(false),
        })
    }

    fn matches(&self, name: &Path, kind: Kind) -> bool {
        if self.for_directories && kind != Kind::Directory {
            return false;
        }
        let matches = match (self.has_slash, name.file_name()) {
            (false, Some(last)) => self.matcher.is_match(last),
            (false, None) => false,
            (true, _) => self.matcher.is_match(plain(name)),
        };
        if matches && !self.matched.load(Ordering::Relaxed) {
            self.matched.store(true, Ordering::Relaxed);
        }
        matches
    }
}

/// A name without what stands before its first part.
fn plain(name: &Path) -> &Path {
    let mut parts = name.components();
    loop {
        let rest = parts.as_path();
        match parts.next() {
            Some(Component::CurDir | Component::RootDir) => {}
            _ => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, name: &str) -> bool {
        Globs::new(&[glob.to_string()]).unwrap().match_entry(Path::new(name), Kind::File)
    }

    #[test]
    fn a_glob_without_a_slash_is_for_the_last_part_of_a_name() {
        assert!(matches("*.txt", "a.txt") && matches("*.txt", "a/b/c.txt"));
        assert!(!matches("a*", "a/b") && !matches("*.txt", "a.txt/b"));
        assert!(matches("[!x]?{1,2}", "ab2") && matches(r"\*", "*") && !matches(r"\*", "a"));
    }

    #[test]
    fn a_glob_with_a_slash_is_for_the_whole_name() {
        for glob in ["sub/*.txt", "/sub/*.txt", "./sub/*.txt", "**/*.txt", "sub/**"] {
            assert!(matches(glob, "sub/e.txt"), "{glob}");
            assert!(matches(glob, "./sub/e.txt"), "{glob}");
        }
        for glob in ["sub/*.txt", "/*.txt", "./*.txt", "sub/*/e.txt"] {
            assert!(!matches(glob, "a/sub/e.txt"), "{glob}");
        }
        assert!(matches("/e.txt", "e.txt") && !matches("/e.txt", "sub/e.txt"));
        assert!(matches("./e.txt", "e.txt") && !matches("./e.txt", "sub/e.txt"));
    }

    #[test]
    fn what_means_something_in_a_gitignore_means_itself() {
        assert!(matches("#*", "#a#") && matches("!b", "!b") && matches("c ", "c "));
        assert!(!matches("#*", "a") && !matches("!b", "c") && !matches("c ", "c"));
    }

    #[test]
    fn a_slash_at_the_end_is_for_directories() {
        let globs = Globs::new(&["a/".to_string()]).unwrap();
        assert!(globs.match_entry(Path::new("x/a"), Kind::Directory));
        assert!(!globs.match_entry(Path::new("x/a"), Kind::File));
    }

    #[test]
    fn a_bad_glob_is_named_and_an_empty_one_refused() {
        let message = |glob: &str| Globs::new(&[glob.to_string()]).unwrap_err().to_string();
        assert!(message("a[").starts_with("a[: "));
        for empty in ["", "/", "./", "//"] {
            assert_eq!(message(empty), format!("`{empty}`: a glob of nothing matches nothing"));
        }
    }

    #[test]
    fn those_that_matched_nothing_are_reported() {
        let globs = Globs::new(&["a".to_string(), "b".to_string()]).unwrap();
        assert!(globs.take(Path::new("b")) && !globs.take(Path::new("c")));
        assert_eq!(globs.unmatched().collect::<Vec<_>>(), ["a"]);
    }
}
