//! Why an output file could not be written: what, at what, and the kernel's reason.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use thiserror::Error;

use crate::name::Shown;

/// Why an output file could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// A call to the kernel failed.
    #[error("{}: cannot {attempt}: {cause}", Shown::of(&path))]
    Io {
        /// The output file, or the directory.
        path: PathBuf,
        /// What was tried.
        attempt: Attempt,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
    /// It is there already.
    #[error("{}: exists already", Shown::of(.0))]
    Exists(PathBuf),
    /// There is a directory where the file should be.
    #[error("{}: is a directory", Shown::of(.0))]
    IsDirectory(PathBuf),
    /// There is something else where a directory should be: below the directory for outputs, links
    /// are not followed.
    #[error("{}: is a link or a file where a directory for output should be", Shown::of(.0))]
    NotDirectory(PathBuf),
    /// The name does not stay below the directory for outputs.
    #[error("{}: is no relative path without `..`", Shown::of(.0))]
    NotBeneath(PathBuf),
}

impl FileError {
    pub(super) fn new(path: &Path, attempt: Attempt, cause: Errno) -> Self {
        Self::Io { path: path.into(), attempt, cause: cause.into() }
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists(_) => Some("⟦exists⟧ skip leaves it, ⟦exists⟧ replace overwrites it"),
            Self::NotDirectory(_) => Some("links are followed in ⟦out⟧ itself, not below it"),
            _ => None,
        }
    }
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attempt {
    /// Open a directory.
    OpenDirectory,
    /// Make a directory.
    MakeDirectory,
    /// List a directory.
    List,
    /// See what is there.
    Look,
    /// Create the temporary file.
    Create,
    /// Lock the temporary file.
    Lock,
    /// Write bytes at this offset.
    Write {
        /// Where.
        offset: u64,
    },
    /// Set the length.
    Truncate,
    /// Wait for the disk to have the bytes.
    Sync,
    /// Wait for the disk to have the name.
    SyncDirectory,
    /// Give the file its name.
    Name,
    /// Remove the temporary file.
    Remove,
    /// Open what is there, for writing.
    Open,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenDirectory => "open the directory",
            Self::MakeDirectory => "make the directory",
            Self::List => "list the directory",
            Self::Look => "see whether it exists",
            Self::Create => "create a temporary file beside it",
            Self::Lock => "lock its temporary file",
            Self::Write { offset } => return write!(f, "write at byte {offset}"),
            Self::Truncate => "set its length",
            Self::Sync => "sync it to the disk",
            Self::SyncDirectory => "sync its directory to the disk",
            Self::Name => "give its temporary file this name",
            Self::Remove => "remove its temporary file",
            Self::Open => "open it for writing",
        })
    }
}
