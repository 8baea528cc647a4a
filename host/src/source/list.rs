//! Lists of names: a file, or standard input, with one name a line or names that end in NUL.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use thiserror::Error;

use super::{Roots, hint};

/// Where a list of names comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesFrom {
    /// The file; `-` is standard input.
    pub path: PathBuf,
    /// What ends a name: a line feed or NUL.
    pub separator: u8,
}

/// The list could not be read.
#[derive(Debug, Error)]
#[error("{}: {error}", path.display())]
pub struct ListError {
    path: PathBuf,
    error: io::Error,
}

impl ListError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        hint(&self.error)
    }
}

/// The names of a list, which is beneath `roots` itself. Empty names are skipped.
///
/// # Errors
/// When it cannot be read.
pub fn names(from: &FilesFrom, roots: &Roots) -> Result<Vec<PathBuf>, ListError> {
    let bytes =
        read_all(from, roots).map_err(|error| ListError { path: from.path.clone(), error })?;
    Ok(bytes
        .split(|&byte| byte == from.separator)
        .filter(|name| !name.is_empty())
        .map(|name| PathBuf::from(OsString::from_vec(name.to_vec())))
        .collect())
}

fn read_all(from: &FilesFrom, roots: &Roots) -> io::Result<Vec<u8>> {
    if from.path.as_os_str() != "-" {
        return roots.read(&from.path);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}
