//! Members of archives, as sources of their own: what it takes to find one again, and why one
//! cannot be read.
//!
//! Plain data. Who reads archives makes it, and who opens sources uses it.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::{Sparse, Way};
use crate::settings::limits::{MEMBER_NAME_BYTES_MAX, MEMBER_NAME_PARTS_MAX};

/// An archive whose members are sources.
#[derive(Debug, PartialEq, Eq)]
pub struct Archive {
    /// Where it is.
    pub path: PathBuf,
    /// How it is opened.
    pub way: Way,
    /// In which version its members were listed: they are read from no other.
    pub version: Version,
}

/// What identifies a version of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Its size.
    pub bytes: u64,
    /// When it was last written to, in nanoseconds since the epoch.
    pub modified_ns: i128,
}

/// A file in an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is in.
    pub archive: Arc<Archive>,
    /// Where in it, and in what form.
    pub stored: Stored,
}

/// How a member lies in its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// As it is: a stretch of the archive.
    Plain {
        /// Where it begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
    /// Without its holes.
    Sparse {
        /// Where what is stored begins.
        offset: u64,
        /// How much that is.
        bytes: u64,
        /// What is where.
        sparse: Arc<Sparse>,
    },
    /// In a zip file, behind a header of its own.
    Zip(ZipEntry),
}

/// What the directory of a zip file says of a member (APPNOTE.TXT 6.3.10, section 4.3.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZipEntry {
    /// Where its local header begins.
    pub header_offset: u64,
    /// Where the next thing in the archive begins: it ends there at the latest.
    pub end_max: u64,
    /// What it is packed with, by its number in section 4.4.5.
    pub method: u16,
    /// How long its name is, as it is written, and the CRC-32 of that: its local header has it,
    /// too.
    pub name: (u16, u32),
    /// How many bytes it has in the archive.
    pub packed_bytes: u64,
    /// How many bytes come out.
    pub bytes: u64,
    /// CRC-32 of what comes out.
    pub crc32: u32,
}

/// Why an archive, or a member of one, cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It does not follow the rules of its format; what was found before that place are sources.
    #[error("the archive is damaged at byte {offset}: {what}")]
    Damaged {
        /// Where.
        offset: u64,
        /// Which rule.
        what: Cow<'static, str>,
    },
    /// It has the name of an archive, or is said to be one, and has other bytes.
    #[error("should be a {kind} archive, but {}", first(.got))]
    Misnamed {
        /// The kind.
        kind: &'static str,
        /// Its first bytes, in hexadecimal; empty where there are none.
        got: String,
    },
    /// It can only be read from its front.
    #[error("is a zip archive that comes from its front only, and what is in it stands at its end")]
    FromFront,
    /// It has more members than allowed; those before are sources.
    #[error("more than {members_max} members in the archive")]
    Members {
        /// What is allowed.
        members_max: u64,
    },
    /// Its name is longer, or leads through more directories, than any file's.
    #[error(
        "has a name of {bytes} bytes and {parts} parts: no file has more than {MEMBER_NAME_BYTES_MAX} and {MEMBER_NAME_PARTS_MAX}"
    )]
    Name {
        /// Bytes of the name.
        bytes: usize,
        /// What is between its slashes.
        parts: usize,
    },
    /// The member needs a password.
    #[error("is encrypted, which is not read")]
    Encrypted,
    /// The member is packed with something that cannot be unpacked here.
    #[error("is packed with {}, which is not read", method(*.0))]
    Method(u16),
    /// The member is stored without its holes, and what says where they are cannot be right.
    #[error("is a sparse file whose map cannot be read: {0}")]
    Sparse(&'static str),
    /// The maps of the archive's sparse files are larger together than allowed.
    #[error("more than {stretches_max} stretches in the sparse files of the archive")]
    Stretches {
        /// What is allowed.
        stretches_max: usize,
    },
    /// The member is nearly all holes.
    #[error(
        "is a sparse file of {bytes} bytes of which {stored} are stored, which exceeds {ratio_max} to 1"
    )]
    Holes {
        /// Its size.
        bytes: u64,
        /// What is stored.
        stored: u64,
        /// What is allowed.
        ratio_max: u64,
    },
    /// A member of that name came before, from an archive that is read once from its front.
    #[error(
        "stands in the archive once more, which is read from its front: a member of that name has been read"
    )]
    Again,
    /// The member began in another archive.
    #[error("begins in another volume of the archive, which is not read")]
    Continued,
    /// The member shares bytes with another: a bomb that packs the same bytes many times, or
    /// damage.
    #[error(
        "shares bytes with something else: its {packed_bytes} begin at byte {offset} of the archive, and something else at byte {end_max}"
    )]
    Overlap {
        /// Where it begins.
        offset: u64,
        /// How many bytes it has in the archive.
        packed_bytes: u64,
        /// What else begins where.
        end_max: u64,
    },
    /// What comes out of the member is not what went in.
    #[error("the CRC-32 of the member does not match")]
    Checksum,
    /// The member goes on behind the end of the archive.
    #[error("is cut off: its {bytes} bytes at byte {offset} go beyond the end of the archive")]
    CutOff {
        /// Where it begins.
        offset: u64,
        /// How long it is said to be.
        bytes: u64,
    },
    /// What stands before the member is of another one.
    #[error("the header at byte {offset} of the archive says something else than its directory")]
    OtherHeader {
        /// Where.
        offset: u64,
    },
    /// There is something else where the member should be.
    #[error("there is no header of the member at byte {offset} of the archive")]
    NoHeader {
        /// Where.
        offset: u64,
    },
}

impl ArchiveError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Misnamed { .. } => Some("⟦no_archives⟧ reads it as the file that it is"),
            Self::FromFront => Some(
                "⟦archive⟧ zip-stream keeps standard input in a temporary file first; ⟦no_archives⟧ reads it as it is",
            ),
            Self::Again => {
                Some("decompress the tar file, as of a plain one the last member of a name is read")
            }
            Self::Members { .. } => Some("raise ⟦max_members⟧"),
            Self::Holes { .. } => Some("raise ⟦max_ratio⟧ if the source can be trusted"),
            _ => None,
        }
    }
}

fn first(got: &str) -> String {
    if got.is_empty() { "has no bytes".into() } else { format!("begins with {got}") }
}

/// A method by name (APPNOTE.TXT 6.3.10, section 4.4.5).
fn method(number: u16) -> String {
    let name = match number {
        1 => "shrink",
        2..=5 => "reduce",
        6 => "implode",
        9 => "deflate64",
        12 => "bzip2",
        14 => "lzma",
        20 | 93 => "zstd",
        95 => "xz",
        98 => "ppmd",
        other => return format!("method {other}"),
    };
    name.into()
}
