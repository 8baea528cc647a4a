//! What can go wrong with a ledger.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::name::Shown;

/// What the database says, without a code for it, of a header with a schema format beyond 4
/// ("Database File Format", 1.3.10).
const UNKNOWN_FORMAT: &str = "unsupported file format";

/// Why a ledger cannot be used, or no longer. All but [`TooLong`](Self::TooLong) and
/// [`Altered`](Self::Altered) end it: one that failed once writes no more.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened or made.
    #[error("{}: {error}", Shown::of(&path))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// There is no directory to make the file in.
    #[error("{}: the directory of the ledger does not exist", Shown::of(&path))]
    NoDirectory {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{}: is not a ledger", Shown::of(&path))]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// A later host wrote it.
    #[error("{}: is a ledger of version {found}, this host knows versions up to {known}", Shown::of(&path))]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that this host knows.
        known: i64,
    },
    /// An earlier version of the host wrote it, and no later one has written to it since.
    #[error("{}: is a ledger of version {found}, which only a run with ⟦ledger⟧ brings up to date", Shown::of(&path))]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// Somebody else has it.
    #[error("{}: the ledger is in use by another process", Shown::of(&path))]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("{}: there is no space left for what is done: {detail}", Shown::of(&path))]
    Full {
        /// The file.
        path: PathBuf,
        /// What the database says.
        detail: String,
    },
    /// The disk failed, or would not take more.
    #[error("{}: the disk failed the ledger: {detail}", Shown::of(&path))]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the database says.
        detail: String,
    },
    /// It holds what cannot be.
    #[error("{}: the ledger is damaged: {detail}", Shown::of(&path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database says.
        detail: String,
    },
    /// What is kept of a source is not what was written.
    #[error("{}: {}", Shown::of(&path), Self::altered(name))]
    Altered {
        /// The file.
        path: PathBuf,
        /// The source.
        name: String,
    },
    /// Reading or writing failed.
    #[error("{}: the ledger cannot be read or written: {detail}", Shown::of(&path))]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database says.
        detail: String,
    },
    /// Something is longer than the ledger keeps. The entry is not in it; the ledger goes on.
    #[error("{what} of {bytes} bytes is longer than the ledger keeps, {bytes_max} bytes")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// The thread that writes could not be started, or is gone.
    #[error("{}: the ledger's writer has ended", Shown::of(&path))]
    Ended {
        /// The file.
        path: PathBuf,
    },
}

/// The row of a source does not say what was written.
#[derive(Debug, Error)]
#[error("what is kept of {0} is not what was written")]
pub(super) struct AlteredRow(pub(super) String);

impl Error {
    /// Whether the disk is full, failed, or cannot be reached: later it may be better.
    pub fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Disk { .. } | Self::Open { .. })
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoDirectory { .. } => Some("make the directory first"),
            Self::NotALedger { .. } => {
                Some("name a file that a host made, or one that is not there yet")
            }
            Self::Newer { .. } => Some("use the host that wrote it, or name another file"),
            Self::InUse { .. } => Some("wait for that process to end, or name another file"),
            Self::Full { .. } => {
                Some("make room and run again: what is in the ledger is not done again")
            }
            Self::Disk { .. } => Some(
                "see whether a quota or limit is used up; what is in the ledger is not done again",
            ),
            Self::Damaged { .. } => {
                Some("`host ledger check` tells how far; remove the file to do everything again")
            }
            Self::Altered { .. } => Some(
                "`host ledger check` tells what else is; `host ledger forget` has it done again",
            ),
            _ => None,
        }
    }

    pub(super) fn altered(source: &str) -> String {
        format!("what is kept of {source} is not what was written")
    }

    pub(super) fn open(path: &Path, error: io::Error) -> Self {
        let path = path.to_path_buf();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if error.kind() == io::ErrorKind::NotFound && parent.is_some_and(|parent| !parent.is_dir())
        {
            return Self::NoDirectory { path };
        }
        Self::Open { path, error: Arc::new(error) }
    }

    pub(super) fn sql(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, detail) = (path.to_path_buf(), error.to_string());
        if let rusqlite::Error::FromSqlConversionFailure(_, _, cause) = error
            && let Some(AlteredRow(name)) = cause.downcast_ref()
        {
            return Self::Altered { path, name: name.clone() };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotALedger { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            Some(ErrorCode::DiskFull) => Self::Full { path, detail },
            Some(ErrorCode::SystemIoFailure) => Self::Disk { path, detail },
            // Without a code SQLite reported success, but returned data that does not belong there.
            Some(ErrorCode::DatabaseCorrupt) | None => Self::Damaged { path, detail },
            Some(_) if detail == UNKNOWN_FORMAT => Self::Damaged { path, detail },
            Some(_) => Self::Database { path, detail },
        }
    }
}
