//! The files of a directory: all of them, hidden ones too, links not followed, in the order of
//! their paths.

use std::path::Path;

use super::descend::descend;
use super::{Filter, Listing, Request, TooManySources};

/// Adds the files below `root` to `listing`. What cannot be read is added with its reason.
///
/// # Errors
/// When they are more than there is room for.
pub(super) fn walk(
    root: &Path,
    filter: &Filter,
    request: &Request,
    listing: &mut Listing,
) -> Result<(), TooManySources> {
    let (mut sources, non_regular) = descend(root, filter, request, &listing.room)?;
    sources.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    if listing.sources.is_empty() {
        listing.sources = sources;
    } else {
        listing.sources.append(&mut sources);
    }
    listing.non_regular += non_regular;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{Look, Source};
    use super::*;

    fn names(include: &[&str], exclude: &[&str]) -> Vec<PathBuf> {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b/two.txt", "a.txt", "b/.hidden", "c/d/three.log"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        std::os::unix::fs::symlink("a.txt", dir.path().join("link")).unwrap();
        let owned = |globs: &[&str]| globs.iter().map(ToString::to_string).collect::<Vec<_>>();
        let filter = Filter::new(&owned(include), &owned(exclude)).unwrap();
        let mut listing = Listing::default();
        let request = Request { look: Look::Sizes, threads: 2, ..Request::default() };
        walk(dir.path(), &filter, &request, &mut listing).unwrap();
        assert_eq!(listing.non_regular, u64::from(include.is_empty()));
        let relative = |s: Source| s.path.to_path().strip_prefix(dir.path()).unwrap().to_path_buf();
        listing.sources.into_iter().map(relative).collect()
    }

    #[test]
    fn all_files_in_the_order_of_their_paths_without_links() {
        assert_eq!(
            names(&[], &[]),
            ["a.txt", "b/.hidden", "b/two.txt", "c/d/three.log"].map(PathBuf::from)
        );
    }

    #[test]
    fn globs_choose_and_leave_out() {
        assert_eq!(names(&["*.txt"], &[]), ["a.txt", "b/two.txt"].map(PathBuf::from));
        assert_eq!(names(&["*.txt"], &["b"]), ["a.txt"].map(PathBuf::from));
    }
}
