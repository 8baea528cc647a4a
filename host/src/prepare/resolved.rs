//! Paths as they are once all links in them are followed.

use std::fs;
use std::path::{Path, PathBuf};

/// The path without links, which is the same before a directory is made as after.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|above| {
        let named = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        Some((fs::canonicalize(named).ok()?, path.strip_prefix(above).ok()?))
    });
    match existing {
        // Joined with nothing, it would end in a slash.
        Some((above, rest)) if rest.as_os_str().is_empty() => above,
        Some((above, rest)) => above.join(rest).components().collect(),
        None => path.to_path_buf(),
    }
}
