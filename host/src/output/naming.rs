//! Where the output of a source goes, below the directory that takes all output.
//!
//! The input tree is mirrored, as the user named it:
//!
//! - A file is where its name says: `logs/2024/a.log` goes to `logs/2024/a.log`.
//! - So are the files of a directory that is named: those of `logs` go to `logs/…`. With a slash at
//!   its end, the directory itself is left out, as rsync does it: those of `logs/` go to `…`, and
//!   so do those of `logs/.`.
//! - What leads up or to the root is taken off, as GNU tar does it: a `/` at the beginning, and all
//!   up to the last `..`. `/var/log/a` goes to `var/log/a`, `../x/../a` to `a`.
//! - A URL has its host or bucket as its first directory, and no query: `s3://b/k` goes to `b/k`.
//!   One that names a directory goes to `index` in it.
//! - The member of an archive has the archive as its directory: `x/a.tar.gz!/y` goes to
//!   `x/a.tar.gz/y`.
//! - Standard input goes to `stdin`.
//!
//! Then a [`Template`] makes the name. What comes out is relative, is not empty, and has no `..`,
//! whatever comes in. Different sources may still come to one place, which [`Distinct`] detects.

mod distinct;
mod parts;
mod template;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::file::is_temporary;
use crate::settings::Pack;
use crate::settings::limits::{NAME_BYTES_MAX, PATH_BYTES_MAX};

pub use distinct::{Clash, Collision, Distinct};
pub use template::{Template, TemplateError};

/// A source, as it was found.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Its path or URL, as it was named or found; `-` is standard input.
    pub path: &'a Path,
    /// The directory that was named and in which it was found, as it was named.
    pub walked: Option<&'a Path>,
    /// Its name in the archive at `path`, if it is a member.
    pub member: Option<&'a [u8]>,
    /// How it is stored.
    pub stored: Stored,
}

/// How a source is stored, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// As it is.
    Plain,
    /// Compressed: its last extension says with what, and is not an extension of what is read. One
    /// that begins with `t`, such as `.tgz`, stands for `.tar` too.
    Compressed,
}

/// Names outputs. One for a run.
#[derive(Debug, Clone)]
pub struct Naming {
    template: Template,
    plugin: Vec<u8>,
    /// With its dot; empty where the output has that of the source.
    extension: &'static str,
    pack: Pack,
}

/// A source has no place for its output.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing is left of the name.
    #[error("nothing is left of the name for the output")]
    Nothing,
    /// There is a NUL in it, which no file name has.
    #[error("the name for the output has a NUL")]
    Nul,
    /// The template makes a `..` of it.
    #[error("the name for the output leads up: `{0}`")]
    Up(String),
    /// A part of it is longer than a file name can be.
    #[error("a part of the name for the output has {bytes} bytes, more than {bytes_max}: `{part}`")]
    PartTooLong {
        /// The part.
        part: String,
        /// Its length.
        bytes: usize,
        /// What is allowed.
        bytes_max: usize,
    },
    /// It is longer than a path can be.
    #[error("the name for the output has {bytes} bytes, more than {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// What is allowed.
        bytes_max: usize,
    },
    /// It looks like one of our temporary files, which are removed when they are left over.
    #[error("the name for the output is one for temporary files: `{0}`")]
    Temporary(String),
}

impl Naming {
    /// Names for the outputs of `plugin`, which are of the media type `output_type` and packed so.
    /// Nothing but the template says where the plugin's name is, and no slash in it makes a
    /// directory.
    pub fn new(template: Template, plugin: &str, output_type: &str, pack: Pack) -> Self {
        let plugin = plugin.replace('/', "_").into_bytes();
        Self { template, plugin, extension: extension_of(output_type), pack }
    }

    /// Where the output goes: relative, not empty, with neither `.` nor `..`.
    ///
    /// # Errors
    /// When there can be no such file.
    pub fn place(&self, origin: &Origin<'_>) -> Result<PathBuf, NameError> {
        let parts = parts::of(origin);
        let (stored, dir) = parts.split_last().ok_or(NameError::Nothing)?;
        let name = parts::name(stored, origin.stored);
        let path = self.template.fill(&template::Fields {
            dir,
            name: &name,
            stored,
            plugin: &self.plugin,
            extension: self.extension,
            packed_extension: self.pack.extension(),
        });
        checked(&path)
    }
}

/// The path without what says nothing, if it can be that of a file.
fn checked(path: &[u8]) -> Result<PathBuf, NameError> {
    let lossy = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(NameError::Up(lossy(path))),
            part if part.contains(&0) => return Err(NameError::Nul),
            part if part.len() > NAME_BYTES_MAX => {
                let (bytes, bytes_max) = (part.len(), NAME_BYTES_MAX);
                return Err(NameError::PartTooLong { part: lossy(part), bytes, bytes_max });
            }
            part => parts.push(part),
        }
    }
    let name = parts.last().ok_or(NameError::Nothing)?;
    if is_temporary(name) {
        return Err(NameError::Temporary(lossy(name)));
    }
    let path = parts.join(&b'/');
    if path.len() > PATH_BYTES_MAX {
        return Err(NameError::TooLong { bytes: path.len(), bytes_max: PATH_BYTES_MAX });
    }
    Ok(OsString::from_vec(path).into())
}

/// The extension for a media type (RFC 6838); none for text and bytes, which stay what they are
/// called, nor for what is not known.
fn extension_of(media_type: &str) -> &'static str {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => ".jsonl",
        "text/csv" => ".csv",
        "text/tab-separated-values" => ".tsv",
        "application/json" => ".json",
        other if other.ends_with("+json") => ".json",
        _ => "",
    }
}
