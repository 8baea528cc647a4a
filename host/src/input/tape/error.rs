//! Why an archive cannot be read any further.

use thiserror::Error;

use super::header::Flaw;

/// Why an archive, or one member of it, cannot be read. Offsets are those of the decompressed archive.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A header breaks a rule.
    #[error("damaged archive: {flaw}, at byte {offset}")]
    Damaged {
        /// Where the header begins.
        offset: u64,
        /// Which rule.
        flaw: Flaw,
    },
    /// There is no end of the archive.
    #[error("the archive is cut short after {offset} bytes")]
    CutShort {
        /// Where it ends.
        offset: u64,
    },
    /// There is something behind the end, another archive perhaps.
    #[error("the archive has ended, but more follows at byte {offset}")]
    Followed {
        /// Where it begins.
        offset: u64,
    },
    /// A name is longer than any path can be.
    #[error("damaged archive: a {what} of {bytes} bytes, at byte {offset}, more than {bytes_max}")]
    Extension {
        /// Where it begins.
        offset: u64,
        /// What it is.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// What is allowed.
        bytes_max: u64,
    },
    /// There are more entries than allowed.
    #[error("more than {members_max} members in the archive")]
    Members {
        /// What is allowed.
        members_max: u64,
    },
    /// A member is stored in a way that is not read.
    #[error("is {0} in its archive, which is not read")]
    Unread(&'static str),
}
