//! Paths as they are once all links in them are followed.

use std::fs;
use std::path::{Path, PathBuf};

/// Links of which one may lead to the next, as Linux follows them (`path_resolution(7)`).
const LINKS_MAX: usize = 40;

/// The path without links, which is the same before what it names is made as after: a link to what
/// is not there yet is followed, too.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let mut path = existing(path);
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&path) else { break };
        path = existing(&path.parent().unwrap_or(Path::new("/")).join(target));
    }
    path
}

/// The path with all links followed in the part of it that is there.
fn existing(path: &Path) -> PathBuf {
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_followed_whether_or_not_its_target_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        symlink("second", root.join("first")).unwrap();
        symlink("target", root.join("second")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let expected = root.join("target");
        for name in ["first", "second", "target"] {
            assert_eq!(resolved(&root.join(name)), expected, "{name}");
        }
        assert_eq!(resolved(&root.join("loop")), root.join("loop"));
        fs::write(&expected, "").unwrap();
        assert_eq!(resolved(&root.join("first")), expected);
    }
}
