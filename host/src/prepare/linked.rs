//! Hard links: a file in a place that may be written may be, under another name, one that is read
//! or run. Such files have more than one link, which few have, so looking for them is a walk over
//! the places that may be written, and another one over what is read only where that found any.

use std::collections::HashMap;
use std::fs::{self, DirEntry, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::name::Shown;
use crate::settings::limits::JAIL_ENTRIES_MAX;
use crate::spec::Problem;

/// Files with more than one link, by device and number, each with a name that it has.
#[derive(Debug, Default)]
pub(super) struct Linked(HashMap<(u64, u64), PathBuf>);

impl Linked {
    /// Those at or below the given places.
    ///
    /// # Errors
    /// When there are more files than are looked at.
    pub(super) fn within<'a>(places: impl IntoIterator<Item = &'a Path>) -> Result<Self, Problem> {
        let mut found = Self::default();
        let mut left = JAIL_ENTRIES_MAX;
        for place in places {
            each(place, &mut left, &mut |path, file| {
                if file.nlink() > 1 {
                    found.0.insert(id(file), path.to_path_buf());
                }
                None::<()>
            })?;
        }
        Ok(found)
    }

    /// One of them that is `path`, or below it: its name there, and its other one.
    ///
    /// # Errors
    /// As for [`within`](Self::within).
    pub(super) fn other(&self, path: &Path) -> Result<Option<(PathBuf, &Path)>, Problem> {
        if self.0.is_empty() {
            return Ok(None);
        }
        each(path, &mut JAIL_ENTRIES_MAX.clone(), &mut |path, file| {
            self.0.get(&id(file)).map(|other| (path.to_path_buf(), other.as_path()))
        })
    }
}

fn id(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Shows the regular files at or below `root` to `visit`, until that gives something. No link is
/// followed below it, and what cannot be listed is left out.
fn each<T>(
    root: &Path,
    left: &mut u64,
    visit: &mut impl FnMut(&Path, &Metadata) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Ok(found) = fs::metadata(root) else { return Ok(None) };
    if !found.is_dir() {
        return Ok(Some(found).filter(Metadata::is_file).and_then(|file| visit(root, &file)));
    }
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            *left = left.checked_sub(1).ok_or_else(|| too_many(root))?;
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file()
                && let Ok(file) = DirEntry::metadata(&entry)
                && let Some(found) = visit(&entry.path(), &file)
            {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

fn too_many(root: &Path) -> Problem {
    let root = Shown::of(root);
    let message = format!(
        "⟦jail⟧: {root} has more than {JAIL_ENTRIES_MAX} files, too many to look for links among them"
    );
    Problem::new(message).hint(Some("give what is written a directory of its own"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_other_name_and_a_copy_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for made in ["out/deep", "in/deep"] {
            fs::create_dir_all(at(made)).unwrap();
        }
        for (name, bytes) in [("in/deep/a", "same"), ("in/b", "other"), ("out/copy", "same")] {
            fs::write(at(name), bytes).unwrap();
        }
        let places = [at("out")];
        let linked = || Linked::within(places.iter().map(PathBuf::as_path)).unwrap();
        assert_eq!(linked().other(&at("in")).unwrap(), None);
        // Links among outputs harm nobody.
        fs::hard_link(at("out/copy"), at("out/again")).unwrap();
        assert_eq!(linked().other(&at("in")).unwrap(), None);
        fs::hard_link(at("in/deep/a"), at("out/deep/x")).unwrap();
        let linked = linked();
        let expected = Some((at("in/deep/a"), at("out/deep/x")));
        let found = |name: &str| {
            let found = linked.other(&at(name)).unwrap();
            found.map(|(path, other)| (path, other.to_path_buf()))
        };
        assert_eq!(found("in"), expected);
        assert_eq!(found("in/deep/a"), expected);
        assert_eq!(found("in/b"), None);
    }

    #[test]
    fn no_more_is_looked_at_than_is_allowed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let look = |mut left| each(dir.path(), &mut left, &mut |_, _| None::<()>).is_ok();
        assert!(look(3) && !look(2));
    }
}
