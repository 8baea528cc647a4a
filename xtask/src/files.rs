//! The files below a directory, and files that are replaced whole.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// All of them, in the order of their paths; links are not followed.
pub(crate) fn below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    walk(directory, &mut files)?;
    files.sort();
    Ok(files)
}

/// Puts bytes at `to`, unless they are there. Who opens `to` sees the old file or the new one,
/// never a part.
pub(crate) fn publish(bytes: &[u8], to: &Path) -> Result<()> {
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let partial = to.with_extension("partial");
    fs::write(&partial, bytes).with_context(|| format!("{}: cannot write", partial.display()))?;
    fs::rename(&partial, to).with_context(|| format!("{}: cannot replace", to.display()))
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
