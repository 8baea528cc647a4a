//! Places that are taken: no two sources have one place, and none has its place inside the file of another.
//!
//! A place and each directory above it are kept once: 100,000 sources are named and told apart in a tenth of a second.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A source whose output cannot be where it would go.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Collision {
    /// Another's is there.
    #[error("its output is that of {first}, too: {}", place.display())]
    Same {
        /// The source that was first.
        first: String,
        /// Where both would go.
        place: PathBuf,
    },
    /// Another's would have to be a directory.
    #[error("its output would be inside that of {outer}: {}", place.display())]
    Inside {
        /// The source whose output is a file.
        outer: String,
        /// That file.
        place: PathBuf,
    },
    /// It would have to be a directory for another's.
    #[error("its output would have that of {inner} inside: {}", place.display())]
    Around {
        /// The source whose output is inside.
        inner: String,
        /// What is a directory.
        place: PathBuf,
    },
}

impl Collision {
    /// The source that was there before.
    pub fn other(&self) -> &str {
        match self {
            Self::Same { first: other, .. }
            | Self::Inside { outer: other, .. }
            | Self::Around { inner: other, .. } => other,
        }
    }
}

/// Places that are taken, each with its source. For sources that are only found during a run, such as the members of
/// archives, it goes on being asked.
#[derive(Debug, Default)]
pub struct Distinct {
    taken: HashMap<Box<[u8]>, Use>,
    sources: Vec<Box<str>>,
}

/// What a place is used for, and by which source first.
#[derive(Debug, Clone, Copy)]
enum Use {
    File(usize),
    Directory(usize),
}

impl Distinct {
    /// All places of a list of sources.
    ///
    /// # Errors
    /// With the first two that collide.
    pub fn of<'a, P: AsRef<Path>>(
        sources: impl IntoIterator<Item = (&'a str, P)>,
    ) -> Result<Self, Collision> {
        let mut distinct = Self::default();
        for (source, place) in sources {
            distinct.claim(source, place.as_ref())?;
        }
        Ok(distinct)
    }

    /// Takes the place for the source.
    ///
    /// # Errors
    /// When another source has it, or has it for a directory, or has a file where it needs a directory. Then nothing is
    /// taken.
    pub fn claim(&mut self, source: &str, place: &Path) -> Result<(), Collision> {
        let bytes = place.as_os_str().as_bytes();
        match self.taken.get(bytes) {
            None => {}
            Some(&Use::File(first)) => {
                let first = self.source(first);
                return Err(Collision::Same { first, place: place.into() });
            }
            Some(&Use::Directory(inner)) => {
                let inner = self.source(inner);
                return Err(Collision::Around { inner, place: place.into() });
            }
        }
        let mut fresh = Vec::new();
        let mut rest = bytes;
        while let Some(slash) = rest.iter().rposition(|&byte| byte == b'/') {
            rest = rest.get(..slash).unwrap_or_default();
            match self.taken.get(rest) {
                None => fresh.push(rest),
                // Those above it are known with it.
                Some(Use::Directory(_)) => break,
                Some(&Use::File(outer)) => {
                    let outer = self.source(outer);
                    let place = Path::new(OsStr::from_bytes(rest)).into();
                    return Err(Collision::Inside { outer, place });
                }
            }
        }
        let index = self.sources.len();
        self.sources.push(source.into());
        let directories = fresh.into_iter().map(|dir| (dir.into(), Use::Directory(index)));
        self.taken.extend(directories);
        self.taken.insert(bytes.into(), Use::File(index));
        Ok(())
    }

    fn source(&self, index: usize) -> String {
        self.sources.get(index).map(ToString::to_string).unwrap_or_default()
    }
}
