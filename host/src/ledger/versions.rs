//! Which version of each file a watch has come upon last, in memory, for one that lists a million
//! files every half minute.
//!
//! Holds no names, but 32 bytes for each file: half a digest of its path, and of its version.

use std::collections::HashMap;

use super::arrival::ArrivalStage;
use super::done::{Half, half, held_bytes};
use super::entry::JobId;
use super::error::Error;
use super::read::Reader;

/// What is known of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It was never seen.
    New,
    /// This version was seen.
    Same,
    /// Another version was seen.
    Other,
}

/// The last version of each file of one job.
#[derive(Debug, Default)]
pub struct Versions(HashMap<Half, Half>);

impl Versions {
    /// Those that a ledger knows.
    ///
    /// # Errors
    /// When reading fails.
    pub fn of(reader: &Reader, job: JobId) -> Result<Self, Error> {
        let mut versions = Self::default();
        reader
            .each_arrival(job, |path, version, _: ArrivalStage| versions.insert(path, version))?;
        Ok(versions)
    }

    /// Remembers a version.
    pub fn insert(&mut self, path: &[u8], version: &str) {
        self.0.insert(half(path), half(version.as_bytes()));
    }

    /// What is known of the file at a path in a version.
    pub fn look(&self, path: &[u8], version: &str) -> Sight {
        match self.0.get(&half(path)) {
            None => Sight::New,
            Some(known) if *known == half(version.as_bytes()) => Sight::Same,
            Some(_) => Sight::Other,
        }
    }

    /// How many files are known.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of memory that it takes.
    pub fn held_bytes(&self) -> u64 {
        held_bytes::<(Half, Half)>(self.0.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_version_of_a_path_is_the_one_that_is_known() {
        let mut versions = Versions::default();
        assert_eq!(versions.look(b"a", "1"), Sight::New);
        versions.insert(b"a", "1");
        versions.insert(b"a", "2");
        assert_eq!(versions.look(b"a", "1"), Sight::Other);
        assert_eq!(versions.look(b"a", "2"), Sight::Same);
        assert_eq!(versions.look(b"b", "2"), Sight::New);
        assert_eq!(versions.len(), 1);
    }
}
