//! Places that are taken: no two sources have one place, and none has its place inside the file of
//! another.
//!
//! A place and each directory above it are kept once, as 16 bytes that nobody can make collide,
//! with the number of its source: names may be somebody else's, and deep. 100,000 sources are named
//! and compared in a tenth of a second.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::name::Shown;
use crate::slices;

/// A source whose output cannot be where it would go.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Collision {
    /// Another's is there.
    #[error("its output is that of {first}, too: {}", Shown::of(&place))]
    Same {
        /// The source that was first.
        first: String,
        /// Where both would go.
        place: PathBuf,
    },
    /// Another's would have to be a directory.
    #[error("its output would be inside that of {outer}: {}", Shown::of(&place))]
    Inside {
        /// The source whose output is a file.
        outer: String,
        /// That file.
        place: PathBuf,
    },
    /// It would have to be a directory for another's.
    #[error("its output would have that of {inner} inside: {}", Shown::of(&place))]
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

/// A [`Collision`] with the number of the source that was there before, for the caller, which knows
/// its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The source that was there before.
    pub other: u32,
    how: How,
    place: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Same,
    Inside,
    Around,
}

impl Clash {
    /// The same, with the name of that source.
    pub fn with(self, other: String) -> Collision {
        let Self { how, place, .. } = self;
        match how {
            How::Same => Collision::Same { first: other, place },
            How::Inside => Collision::Inside { outer: other, place },
            How::Around => Collision::Around { inner: other, place },
        }
    }
}

/// Places that are taken, each with the number of its source. For sources that are only found
/// during a run, such as the members of archives, it goes on being asked.
#[derive(Debug, Default)]
pub struct Distinct {
    taken: HashMap<Key, Use>,
    keys: (RandomState, RandomState),
}

/// What stands for a place: two sums of its name, by keys of this process.
type Key = (u64, u64);

/// What a place is used for, and by which source first.
#[derive(Debug, Clone, Copy)]
enum Use {
    File(u32),
    Directory(u32),
}

impl Distinct {
    /// With room for the places of so many sources.
    pub fn with_capacity(sources: usize) -> Self {
        Self { taken: HashMap::with_capacity(sources), ..Self::default() }
    }

    /// Bytes of memory that it takes: of eight places in the table seven are used, and each has a
    /// byte beside it.
    pub fn held_bytes(&self) -> u64 {
        (self.taken.capacity() / 7 * 8 * (size_of::<(Key, Use)>() + 1)) as u64
    }

    /// What stands for a place.
    pub fn key(&self, place: &Path) -> (u64, u64) {
        self.summed(place.as_os_str().as_bytes()).0
    }

    /// Takes the place for the source of that number.
    ///
    /// # Errors
    /// When another source has it, or has it for a directory, or has a file where it needs a
    /// directory. Then nothing is taken.
    pub fn claim(&mut self, source: u32, place: &Path) -> Result<(), Clash> {
        let bytes = place.as_os_str().as_bytes();
        let (own, above) = self.summed(bytes);
        match self.taken.get(&own) {
            None => {}
            Some(&Use::File(other)) => {
                return Err(Clash { other, how: How::Same, place: place.into() });
            }
            Some(&Use::Directory(other)) => {
                return Err(Clash { other, how: How::Around, place: place.into() });
            }
        }
        let mut fresh = Vec::new();
        for (key, end) in above.into_iter().rev() {
            match self.taken.get(&key) {
                None => fresh.push(key),
                // Those above it are known with it.
                Some(Use::Directory(_)) => break,
                Some(&Use::File(other)) => {
                    let outside = slices::part(bytes, ..end);
                    let place = Path::new(OsStr::from_bytes(outside)).into();
                    return Err(Clash { other, how: How::Inside, place });
                }
            }
        }
        self.taken.extend(fresh.into_iter().map(|dir| (dir, Use::Directory(source))));
        self.taken.insert(own, Use::File(source));
        Ok(())
    }

    /// What stands for a place, and for each directory above it, the outermost first, with where
    /// its name ends.
    fn summed(&self, place: &[u8]) -> (Key, Vec<(Key, usize)>) {
        let mut sums = (self.keys.0.build_hasher(), self.keys.1.build_hasher());
        let mut above = Vec::new();
        let mut written = 0;
        for slash in memchr::memchr_iter(b'/', place) {
            let part = slices::part(place, written..slash);
            sums.0.write(part);
            sums.1.write(part);
            above.push(((sums.0.finish(), sums.1.finish()), slash));
            written = slash;
        }
        let part = slices::part(place, written..);
        sums.0.write(part);
        sums.1.write(part);
        ((sums.0.finish(), sums.1.finish()), above)
    }
}
