//! What a job is told at once of inputs that are not in its tenant's directory. What keeps them there is that each is opened from that
//! directory ([`Roots`](crate::source::Roots)), whatever changes after this look; and outputs are made beneath an open directory
//! ([`Root`](crate::output::Root)).

use std::path::{Component, Path, PathBuf};

use super::error::JobError;

/// The path of the input `name`, beneath `root`, which is canonical. What is not there stays a name, whose source fails.
///
/// # Errors
/// When it leads out, by its words or by links.
pub(super) fn input(root: &Path, name: &Path) -> Result<PathBuf, JobError> {
    let outside = || JobError::Outside { path: name.to_path_buf() };
    if !name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(outside());
    }
    let path = root.join(name);
    match path.canonicalize() {
        Ok(canonical) if !canonical.starts_with(root) => Err(outside()),
        _ => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out() {
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path().canonicalize().unwrap().join("inputs");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/a"), "a").unwrap();
        std::fs::write(tree.path().join("secret"), "b").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("link")).unwrap();
        std::os::unix::fs::symlink("sub/a", root.join("inner")).unwrap();
        for name in ["sub/a", "./sub", "inner", "none"] {
            assert_eq!(input(&root, Path::new(name)).unwrap(), root.join(name));
        }
        for name in ["../secret", "link", "/etc/passwd", "sub/../sub/a"] {
            assert!(input(&root, Path::new(name)).is_err(), "{name}");
        }
    }
}
