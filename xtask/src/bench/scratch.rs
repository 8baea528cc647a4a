//! A directory on tmpfs for what is written, deleted with all that is in it when its owner goes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Its name does not change, so that the commands of the table can be repeated.
const DIRECTORY: &str = "/dev/shm/gristmill-bench";

/// The directory.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it; what a stopped run left is deleted first, as it takes memory.
    pub(super) fn make() -> Result<Self> {
        let path = Path::new(DIRECTORY);
        if path.exists() {
            fs::remove_dir_all(path).context(DIRECTORY)?;
        }
        fs::create_dir(path).context(DIRECTORY)?;
        Ok(Self(path.to_owned()))
    }

    /// A file in it, which may not be there.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Deletes a file of it.
    pub(super) fn delete(&self, name: &str) -> Result<()> {
        fs::remove_file(self.file(name)).with_context(|| self.file(name).display().to_string())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{}: cannot delete: {error}", self.0.display());
        }
    }
}
