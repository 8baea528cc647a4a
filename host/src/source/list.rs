//! Lists of names: a file, or standard input, with one name a line or names that end in NUL.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use thiserror::Error;

use super::{Room, Roots, TooManySources, hint};
use crate::name::Shown;
use crate::settings::limits::LISTED_NAME_BYTES_MAX;

/// What is read of a list at once.
const READ_BYTES: usize = 64 << 10;

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
#[error("{}: {error}", Shown::of(&path))]
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
/// When it cannot be read, or takes more than `bytes_max` of memory.
pub fn names(
    from: &FilesFrom,
    roots: &Roots,
    bytes_max: u64,
) -> Result<Vec<PathBuf>, super::Error> {
    let mut names = Vec::new();
    let room = Room::new(bytes_max);
    each_name(from, roots, |name| {
        let name = PathBuf::from(OsString::from_vec(name.to_vec()));
        room.add_name(&name);
        names.push(name);
        room.check().map_err(|error| TooManySources { sources: names.len() as u64, ..error }.into())
    })
    .map(|()| names)
}

/// Gives each name of a list to `take`, and keeps none.
///
/// # Errors
/// When the list cannot be read, has a name that nothing can have, or `take` fails.
pub(super) fn each_name<E: From<ListError>>(
    from: &FilesFrom,
    roots: &Roots,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error| E::from(ListError { path: from.path.clone(), error });
    let list: Box<dyn Read> = if from.path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(roots.list(&from.path).map_err(failed)?)
    };
    let mut list = BufReader::with_capacity(READ_BYTES, list);
    let mut name = Vec::new();
    loop {
        name.clear();
        let most = LISTED_NAME_BYTES_MAX as u64 + 1;
        let got = list.by_ref().take(most).read_until(from.separator, &mut name);
        if got.map_err(failed)? == 0 {
            return Ok(());
        }
        if name.last() == Some(&from.separator) {
            name.pop();
        }
        if name.len() > LISTED_NAME_BYTES_MAX {
            let what = format!("it has a name of more than {LISTED_NAME_BYTES_MAX} bytes");
            return Err(failed(io::Error::other(what)));
        }
        if !name.is_empty() {
            take(&name)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nothing_can_have_ends_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let listed = |name: &str| {
            let path = dir.path().join("list");
            std::fs::write(&path, format!("a\n\n{name}")).unwrap();
            names(&FilesFrom { path, separator: b'\n' }, &Roots::default(), u64::MAX)
        };
        let long = "b".repeat(LISTED_NAME_BYTES_MAX);
        assert_eq!(listed(&long).unwrap(), [PathBuf::from("a"), PathBuf::from(&long)]);
        assert_eq!(listed(&format!("{long}\n")).unwrap().len(), 2);
        let error = listed(&format!("{long}b\n")).unwrap_err().to_string();
        assert!(error.ends_with("it has a name of more than 65536 bytes"), "{error}");
    }
}
