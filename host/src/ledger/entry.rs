//! What the ledger holds, in plain types: jobs, entries, and what is kept of their results.
//!
//! Knows no database. Names are bytes, as paths are: two that differ only in bytes that are not
//! text are two names.

use std::fmt::{self, Display, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::stats::Charged;

/// Sets these digests apart from all others that are made of the same bytes.
const CONTEXT: &str = "gristmill 2026 ledger job";

/// The end of the year 9999, the last that a date can be written of (RFC 3339, section 1), in
/// milliseconds since 1970.
pub(super) const LATEST_MS: i64 = 253_402_300_799_999;

/// Identifies a job: a hash over everything that a result depends on but the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub(super) [u8; 32]);

impl Digest {
    /// The digest of `parts`: of what is in them, and of where one ends and the next begins.
    pub fn of<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        for part in parts {
            let part = part.as_ref();
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }
}

/// In hexadecimal; `{:.12}` shows the first 12 digits.
impl Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

/// A job that this ledger knows. Means nothing to another ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub(super) i64);

/// In which version an input was found: equal where nothing says that it changed. The ledger
/// compares it and shows it, and knows no more of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity(pub(super) String);

impl Identity {
    /// Of an input of this kind: `file`, `object`.
    pub fn new(kind: &str) -> Self {
        Self(kind.to_string())
    }

    /// The same, with something more that changes where the input does. What is said first is shown
    /// first.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        // Writing to a string does not fail.
        let _ = write!(self.0, " {name}={value}");
        self
    }

    /// As text: `file size=12 mtime_ns=3`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What became of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its output is in place.
    Committed,
    /// It has none.
    Failed {
        /// A word that scripts can match.
        kind: String,
        /// What happened.
        message: String,
    },
}

/// What is known of one source in one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub source: Vec<u8>,
    /// Which version of it was processed.
    pub identity: Identity,
    /// What became of it.
    pub state: State,
    /// When; kept to the millisecond, from 1970 to 9999.
    pub at: SystemTime,
    /// Bytes that were processed.
    pub bytes_in: u64,
    /// Bytes that came out.
    pub bytes_out: u64,
    /// Records that the plugin set aside.
    pub rejects: u64,
    /// The file that the output went to, where it has one of its own.
    pub output: Option<PathBuf>,
}

/// What is kept beside an entry, so that rows and totals can be shown again without the source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// The result.
    pub result: Option<Vec<u8>>,
    /// The state, for a total over all sources.
    pub saved: Option<Vec<u8>>,
    /// The output file. From then on it belongs to this source in this job; a former owner loses
    /// it.
    pub output: Option<Output>,
    /// What result and state are charged for while they wait to be written.
    pub charged: [Charged; 2],
}

/// An output file as it was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its absolute path; below the directory of its job where an older host has written it.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970; unknown where an older host has written
    /// it.
    pub modified_ns: Option<i64>,
    /// BLAKE3 of its bytes, where that was computed as they were written.
    pub digest: Option<[u8; 32]>,
}

/// What must have been kept of a source for it to count as committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The result.
    pub result: bool,
    /// The state.
    pub saved: bool,
    /// No more records than these were set aside.
    pub rejects_max: u64,
}

impl Needs {
    /// That it is committed.
    pub const NOTHING: Self = Self { result: false, saved: false, rejects_max: u64::MAX };
}

/// A job, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    /// Its name in this ledger.
    pub id: JobId,
    /// What identifies it.
    pub digest: Digest,
    /// The same for people.
    pub description: String,
    /// Sources that are committed.
    pub committed: u64,
    /// Sources that failed.
    pub failed: u64,
    /// Bytes that were processed.
    pub bytes_in: u64,
    /// Bytes that came out.
    pub bytes_out: u64,
    /// Records that were set aside.
    pub rejects: u64,
    /// When the latest of its sources was done.
    pub latest: SystemTime,
}

/// Some entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Of this job only, or of all.
    pub job: Option<JobId>,
    /// Which of them.
    pub entries: Entries,
}

/// Which entries of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entries {
    /// Every one.
    All,
    /// Those that failed.
    Failed,
    /// That of the source of this name.
    Of(Vec<u8>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_where_parts_end() {
        let digests = [
            Digest::of::<&[u8]>([]),
            Digest::of([""]),
            Digest::of(["ab"]),
            Digest::of(["a", "b"]),
            Digest::of(["b", "a"]),
        ];
        for (at, digest) in digests.iter().enumerate() {
            assert!(!digests[..at].contains(digest), "{at}");
        }
        assert_eq!(Digest::of(["a", "b"]), Digest::of([b"a", b"b"]));
    }

    #[test]
    fn a_digest_is_shown_as_long_as_asked_for() {
        let digest = Digest([0xab; 32]);
        assert_eq!(digest.to_string(), "ab".repeat(32));
        assert_eq!(format!("{digest:.12}"), "abababababab");
    }

    #[test]
    fn an_identity_is_text() {
        let identity = Identity::new("file").with("size", 12).with("mtime_ns", 3);
        assert_eq!(identity.as_str(), "file size=12 mtime_ns=3");
    }
}
