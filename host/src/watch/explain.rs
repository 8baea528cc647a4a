//! What is known of a file without a ledger: its name, its version, and why it may wait.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::version::Version;
use super::{ready, tree};
use crate::ledger;
use crate::settings::limits::WATCH_QUIET;

/// The real path of a file, as a watch knows it.
pub fn real(file: &Path) -> PathBuf {
    let directory = file.parent().filter(|it| !it.as_os_str().is_empty());
    match file.file_name() {
        Some(name) => tree::real(directory.unwrap_or(Path::new("."))).join(name),
        None => tree::real(file),
    }
}

/// Whether the file at a real path is of that version now.
pub fn is_version(path: &Path, version: &ledger::Identity) -> bool {
    Version::at(path).is_ok_and(|found| found.is_some_and(|found| found.identity() == *version))
}

/// Whether the file at a real path is that one.
pub fn is_inode(path: &Path, inode: ledger::Inode) -> bool {
    Version::at(path).is_ok_and(|found| found.is_some_and(|found| found.inode() == inode))
}

/// Why the file at a real path may not have been taken yet, as far as the file itself tells.
pub fn explain(path: &Path) -> String {
    match Version::at(path) {
        Err(error) => error.to_string(),
        Ok(None) => "there is no such file".into(),
        Ok(Some(_)) if ready::is_unfinished(path) => {
            "names like this one are never taken, as programs give them to unfinished files".into()
        }
        Ok(Some(found)) => match found.quiet_for(SystemTime::now()) {
            None => "its times are ahead of the clock".into(),
            Some(quiet) if quiet < WATCH_QUIET => {
                format!("it has changed {} ms ago", quiet.as_millis())
            }
            Some(quiet) => {
                let quiet = Duration::from_secs(quiet.as_secs());
                let quiet = humantime::format_duration(quiet);
                format!("it has not changed for {quiet}; no watch of its directory has seen it")
            }
        },
    }
}
