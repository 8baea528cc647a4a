//! The directories that are watched: which files in them are meant, and what they are called.
//!
//! A file is known by its real path, whatever a directory is called when the watch is begun; it is
//! read, and its output named, by the path below the name that was given.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::ready::is_unfinished;
use super::version::{Version, is_gone};
use crate::name::{Shown, is_url};
use crate::source::Filter;
use crate::spec::Problem;

/// Directories, and what of them is not meant.
#[derive(Debug)]
pub(super) struct Trees {
    roots: Vec<Root>,
    filter: Filter,
    /// Directories whose files are made by the watch itself.
    own: Vec<PathBuf>,
}

#[derive(Debug)]
struct Root {
    named: PathBuf,
    real: PathBuf,
}

impl Trees {
    /// Those of these names, without what lies in `own` directories.
    pub(super) fn open(
        named: &[PathBuf],
        filter: Filter,
        own: impl IntoIterator<Item = PathBuf>,
    ) -> Result<Self, Problem> {
        let mut roots: Vec<Root> = Vec::new();
        for name in named {
            let root = Root { named: name.clone(), real: directory(name)? };
            let is_within = |a: &Root, b: &Root| a.real.starts_with(&b.real);
            if let Some(other) =
                roots.iter().find(|other| is_within(other, &root) || is_within(&root, other))
            {
                let (one, other) = (Shown::of(&root.named), Shown::of(&other.named));
                let message = format!("{one}: lies in {other}, or the other way round");
                return Err(Problem::new(message).hint(Some("name the outer directory alone")));
            }
            roots.push(root);
        }
        if roots.is_empty() {
            return Err(Problem::new("no input").hint(Some("name directories to watch")));
        }
        let own: Vec<_> = own.into_iter().map(|dir| real(&dir)).collect();
        let hides = |root: &&Root| own.iter().any(|own| root.real.starts_with(own));
        if let Some(root) = roots.iter().find(hides) {
            let named = Shown::of(&root.named);
            let message = format!("{named}: lies in a directory that the watch writes to");
            let hint =
                "outputs, and files that are moved, go elsewhere, or into a directory of their own";
            return Err(Problem::new(message).hint(Some(hint)));
        }
        Ok(Self { roots, filter, own })
    }

    /// The directories, as they really are.
    pub(super) fn real(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().map(|root| root.real.as_path())
    }

    /// The directories, as they were named.
    pub(super) fn named(&self) -> Vec<PathBuf> {
        self.roots.iter().map(|root| root.named.clone()).collect()
    }

    /// Which directories those are now: one that was removed and made again is another.
    pub(super) fn inodes(&self) -> Vec<Option<u64>> {
        let inode = |root: &Path| fs::metadata(root).ok().map(|found| found.ino());
        self.real().map(inode).collect()
    }

    /// What a file is called by its real path.
    pub(super) fn name(&self, path: &Path) -> Option<PathBuf> {
        let below = |root: &Root| Some(root.named.join(path.strip_prefix(&root.real).ok()?));
        self.roots.iter().find_map(below)
    }

    /// The path of a file below the directory that it was found in.
    pub(super) fn below<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        self.roots.iter().find_map(|root| path.strip_prefix(&root.real).ok())
    }

    /// Whether the file of that real path is meant, by its name.
    pub(super) fn takes(&self, path: &Path) -> bool {
        let Some(root) = self.roots.iter().find(|root| path.starts_with(&root.real)) else {
            return false;
        };
        let Ok(below) = path.strip_prefix(&root.real) else { return false };
        self.may_be(below, path) && (self.filter.takes_all() || self.filter.takes(&root.real, path))
    }

    /// The same, whatever is filtered.
    pub(super) fn takes_unfiltered(&self, path: &Path) -> bool {
        self.below(path).is_some_and(|below| self.may_be(below, path))
    }

    fn may_be(&self, below: &Path, path: &Path) -> bool {
        !is_unfinished(path)
            && below.ancestors().skip(1).all(|above| !is_hidden(above))
            && !self.is_own(path)
    }

    /// Whether a path is in a directory whose files the watch itself makes.
    pub(super) fn is_own(&self, path: &Path) -> bool {
        self.own.iter().any(|own| path.starts_with(own))
    }

    /// Shows all files that are meant to `visit`, those of one directory in order. What cannot be
    /// read is told, and left out.
    ///
    /// # Errors
    /// With the first that cannot be read, after all others were shown.
    pub(super) fn scan(&self, mut visit: impl FnMut(PathBuf, Version)) -> Result<(), Unread> {
        let mut unread = Unread::default();
        for root in &self.roots {
            self.descend(&root.real, &mut visit, &mut unread);
        }
        if unread.count == 0 { Ok(()) } else { Err(unread) }
    }

    /// The same of all files, whatever is filtered.
    pub(super) fn scan_unfiltered(
        &self,
        mut visit: impl FnMut(PathBuf, Version),
    ) -> Result<(), Unread> {
        let mut unread = Unread::default();
        let takes = |path: &Path| self.takes_unfiltered(path);
        for root in &self.roots {
            self.descend_to(&root.real, takes, &mut visit, &mut unread);
        }
        if unread.count == 0 { Ok(()) } else { Err(unread) }
    }

    /// The same below one directory.
    pub(super) fn descend(
        &self,
        directory: &Path,
        visit: &mut impl FnMut(PathBuf, Version),
        unread: &mut Unread,
    ) {
        self.descend_to(directory, |path| self.takes(path), visit, unread);
    }

    fn descend_to(
        &self,
        directory: &Path,
        takes: impl Fn(&Path) -> bool,
        visit: &mut impl FnMut(PathBuf, Version),
        unread: &mut Unread,
    ) {
        let mut directories = vec![directory.to_path_buf()];
        while let Some(directory) = directories.pop() {
            let listed = fs::read_dir(&directory).and_then(|entries| {
                let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
                entries.sort_unstable_by_key(fs::DirEntry::file_name);
                for entry in entries {
                    let path = entry.path();
                    let kind = entry.file_type()?;
                    if kind.is_dir() && !is_hidden(&path) && !self.is_own(&path) {
                        directories.push(path);
                    } else if kind.is_file() && takes(&path) {
                        match entry.metadata() {
                            Ok(found) => visit(path, Version::of(&found)),
                            Err(error) if is_gone(&error) => {}
                            Err(error) => unread.add(&path, &error),
                        }
                    }
                }
                Ok(())
            });
            match listed {
                Err(error) if is_gone(&error) && !self.real().any(|root| root == directory) => {}
                Err(error) => unread.add(&directory, &error),
                Ok(()) => {}
            }
        }
    }
}

/// What could not be looked at.
#[derive(Debug, Default)]
pub(super) struct Unread {
    count: u64,
    first: String,
}

impl Unread {
    fn add(&mut self, path: &Path, error: &io::Error) {
        self.count += 1;
        if self.count == 1 {
            self.first = format!("{}: {error}", Shown::of(&path));
        }
    }

    /// In a line, where there was anything.
    pub(super) fn describe(&self) -> String {
        match self.count {
            1 => self.first.clone(),
            all => format!("{} (and {} more)", self.first, all - 1),
        }
    }
}

fn is_hidden(directory: &Path) -> bool {
    directory.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The real path of a directory that is to be watched.
fn directory(name: &Path) -> Result<PathBuf, Problem> {
    let refused = |why: String, hint| {
        Err(Problem::new(format!("{}: {why}", Shown::of(&name))).hint(Some(hint)))
    };
    if is_url(name) && !name.exists() {
        return refused("is a URL".into(), "directories of this machine can be watched");
    }
    match fs::canonicalize(name) {
        Ok(real) if real.is_dir() => Ok(real),
        Ok(_) => refused("is not a directory".into(), "name the directory that it is in"),
        Err(error) => refused(error.to_string(), "make the directory first"),
    }
}

/// The real path of what may not be there yet.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut missing = PathBuf::new();
    for above in path.ancestors() {
        let here = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        if let Ok(found) = fs::canonicalize(here) {
            return if missing.as_os_str().is_empty() { found } else { found.join(missing) };
        }
        let Some(name) = above.file_name() else { break };
        missing = if missing.as_os_str().is_empty() {
            PathBuf::from(name)
        } else {
            Path::new(name).join(missing)
        };
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        dir
    }

    #[test]
    fn files_are_those_that_are_finished_and_not_its_own() {
        let dir =
            tree(&["a", "d/b", ".hidden", "c.tmp", "c.part", "c~", "out/a", ".git/x", "e.log"]);
        let filter = Filter::new(&[], &["*.log".into()]).unwrap();
        let trees = Trees::open(&[dir.path().into()], filter, [dir.path().join("out")]).unwrap();
        let mut found = Vec::new();
        trees.scan(|path, _| found.push(trees.below(&path).unwrap().to_path_buf())).unwrap();
        found.sort();
        assert_eq!(found, ["a", "d/b"].map(PathBuf::from));
        for (path, takes) in [("a", true), ("d/new", true), ("out/a", false), (".git/x", false)] {
            assert_eq!(trees.takes(&fs::canonicalize(&dir).unwrap().join(path)), takes, "{path}");
        }
    }

    #[test]
    fn a_file_is_named_as_its_directory_was() {
        let dir = tree(&["in/d/a"]);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("in", &link).unwrap();
        let trees = Trees::open(&[link.join("")], Filter::default(), []).unwrap();
        let real = fs::canonicalize(dir.path()).unwrap().join("in/d/a");
        assert_eq!(trees.name(&real), Some(link.join("d/a")));
        assert_eq!(trees.name(Path::new("/elsewhere")), None);
    }

    #[test]
    fn what_cannot_be_watched_is_refused() {
        let dir = tree(&["in/a"]);
        let open = |names: &[PathBuf]| {
            Trees::open(names, Filter::default(), []).map(drop).unwrap_err().to_string()
        };
        let (inner, outer) = (dir.path().join("in"), dir.path().to_path_buf());
        assert!(open(&[inner.clone(), outer]).contains("lies in"));
        assert!(open(&[inner.join("a")]).contains("is not a directory"));
        assert!(open(&[inner.join("none")]).contains("No such file"));
        assert!(open(&["s3://bucket/a/".into()]).contains("is a URL"));
        assert!(open(&[]).contains("no input"));
    }

    #[test]
    fn the_real_path_of_what_is_not_there_is_below_what_is() {
        let dir = tempfile::tempdir().unwrap();
        let real_dir = fs::canonicalize(dir.path()).unwrap();
        assert_eq!(real(&dir.path().join("a/b/")), real_dir.join("a/b"));
        assert_eq!(real(dir.path()), real_dir);
    }
}
