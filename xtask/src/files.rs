//! The files below a directory.

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
