//! Lists of names: a file, or standard input, with one name a line or names that end in NUL.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use thiserror::Error;

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

/// The names of a list. Empty names are passed over.
///
/// # Errors
/// When it cannot be read.
pub fn names(from: &FilesFrom) -> Result<Vec<PathBuf>, ListError> {
    let bytes = read_all(from).map_err(|error| ListError { path: from.path.clone(), error })?;
    Ok(bytes
        .split(|&byte| byte == from.separator)
        .filter(|name| !name.is_empty())
        .map(|name| PathBuf::from(OsString::from_vec(name.to_vec())))
        .collect())
}

fn read_all(from: &FilesFrom) -> io::Result<Vec<u8>> {
    if from.path.as_os_str() != "-" {
        return std::fs::read(&from.path);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}
