//! Directories that inputs stay beneath: opened once, and from then on every file and directory is
//! opened from there.
//!
//! The kernel resolves each name from such a directory (openat2(2)), and refuses one that leads out
//! of it by `..` or by a link at the moment that it is opened: whatever somebody moves or swaps
//! meanwhile, what was opened was beneath. Directories below are not kept open, as one that is
//! moved away would take its files along. What is mounted in a directory, and each name of a file
//! with several, is part of it.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, Stat, fstat, openat, stat};
use rustix::io::Errno;
use thiserror::Error;

use super::check_regular;
use crate::name::Shown;
use crate::platform::{Links, PLACE, open_beneath};
use crate::settings::limits::BENEATH_TRIES;

/// Where inputs may be: anywhere, or beneath some directories. A clone has the same ones open.
#[derive(Debug, Clone, Default)]
pub struct Roots(Option<Arc<Within>>);

#[derive(Debug)]
struct Within {
    /// What names are relative to.
    at: PathBuf,
    roots: Vec<Root>,
}

#[derive(Debug)]
struct Root {
    /// What a name that leads to it begins with: what it was given as and, if that is another, its
    /// path without links.
    names: Vec<PathBuf>,
    directory: OwnedFd,
}

/// Why inputs cannot be held beneath a directory.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RootsError {
    /// It could not be opened.
    #[error("{}: {error}", Shown::of(&path))]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The kernel, or what guards the process, does not know the call that this takes. Nothing else
    /// does the same.
    #[error("this takes the system call openat2, of Linux 5.6: {error}")]
    NoOpenat2 {
        /// What it said.
        error: io::Error,
    },
}

impl RootsError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Open { .. } => None,
            Self::NoOpenat2 { .. } => {
                Some("a newer kernel has it; in a container its seccomp profile has to allow it")
            }
        }
    }
}

/// A name that leads somewhere else.
#[derive(Debug, Error)]
#[error("is not beneath a directory that inputs may be in")]
struct Outside;

/// The way out for a name that was refused because it leads out of all roots.
pub fn hint(error: &io::Error) -> Option<&'static str> {
    let is_outside =
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync + 'static>::is::<Outside>);
    is_outside
        .then_some("⟦beneath⟧ says which; `..` and links must stay in one, absolute links never do")
}

/// A file that is read. Never waits for the other end of a FIFO.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// A directory that is listed.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Roots {
    /// Opens the directories that inputs have to stay beneath; with none of them, nothing can be
    /// opened. The [default](Self::default) lets inputs be anywhere.
    ///
    /// # Errors
    /// When one is no directory or cannot be opened, or the kernel does not know the call.
    pub fn open(directories: &[PathBuf]) -> Result<Self, RootsError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            |error| RootsError::Open { path, error }
        };
        let at = std::env::current_dir().map_err(failed(Path::new(".")))?;
        let roots = directories.iter().map(|path| {
            let flags = PLACE | OFlags::DIRECTORY;
            let directory = openat(CWD, path, flags, Mode::empty())
                .map_err(|error| failed(path)(error.into()))?;
            let given = at.join(path);
            let resolved = fs::canonicalize(&given).map_err(failed(path))?;
            let mut names = vec![given, resolved];
            names.dedup();
            let root = Root { names, directory };
            root.open(Path::new(""), flags).map_err(|error| match error {
                Errno::NOSYS | Errno::PERM => RootsError::NoOpenat2 { error: error.into() },
                error => failed(path)(error.into()),
            })?;
            Ok(root)
        });
        let roots = roots.collect::<Result<_, _>>()?;
        Ok(Self(Some(Arc::new(Within { at, roots }))))
    }

    /// Whether there are any: else inputs may be anywhere.
    pub fn are_set(&self) -> bool {
        self.0.is_some()
    }

    /// Opens what is called `path` for reading, whatever it is.
    ///
    /// # Errors
    /// When it cannot be opened, or is not beneath a root.
    pub fn file(&self, path: &Path) -> io::Result<File> {
        match &self.0 {
            Some(within) => within.open(path, FILE).map(File::from),
            None => Ok(openat(CWD, path, FILE, Mode::empty())?.into()),
        }
    }

    /// Looks at what is called `path`, links followed.
    ///
    /// # Errors
    /// When it is not there, or not beneath a root.
    pub fn look(&self, path: &Path) -> io::Result<Stat> {
        match &self.0 {
            Some(within) => Ok(fstat(within.open(path, PLACE)?)?),
            None => Ok(stat(path)?),
        }
    }

    /// Opens a directory to be listed; a last part that is a link is followed, or refused.
    pub(super) fn directory(&self, path: &Path, last: LastLink) -> io::Result<OwnedFd> {
        let flags = match last {
            LastLink::Followed => DIRECTORY,
            LastLink::Refused => DIRECTORY | OFlags::NOFOLLOW,
        };
        match &self.0 {
            Some(within) => within.open(path, flags),
            None => Ok(openat(CWD, path, flags, Mode::empty())?),
        }
    }

    /// A file with a list of names. One that is beneath a root must be a regular one.
    pub(super) fn list(&self, path: &Path) -> io::Result<File> {
        if self.0.is_none() {
            return File::open(path);
        }
        let file = self.file(path)?;
        check_regular(fstat(&file)?.st_mode).map_err(io::Error::other)?;
        Ok(file)
    }
}

/// What becomes of a link at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastLink {
    Followed,
    Refused,
}

impl Within {
    /// Opens a path beneath the first root that it leads into and not out of.
    fn open(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        if path.as_os_str().is_empty() {
            return Err(Errno::NOENT.into());
        }
        let path = self.at.join(path);
        for root in &self.roots {
            for below in root.names.iter().filter_map(|name| path.strip_prefix(name).ok()) {
                match root.open(below, flags) {
                    Err(Errno::XDEV) => {}
                    opened => return Ok(opened?),
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, Outside))
    }
}

impl Root {
    /// Opens what is at `below` in the directory. `EXDEV` says that it leads out.
    fn open(&self, below: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        for _ in 0..BENEATH_TRIES {
            match open_beneath(&self.directory, below, flags, Links::Followed) {
                // Something was renamed, anywhere, while it went over a `..`: it does not know
                // where that led.
                Err(Errno::AGAIN | Errno::INTR) => {}
                opened => return opened,
            }
        }
        Err(Errno::AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    /// What is read by that name beneath the directories, or why nothing is.
    fn read_all(roots: &Roots, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        roots.list(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read(roots: &[&Path], path: &Path) -> Result<String, String> {
        let roots: Vec<_> = roots.iter().map(|root| root.to_path_buf()).collect();
        let bytes = read_all(&Roots::open(&roots).unwrap(), path);
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn names_stay_beneath_a_directory_whatever_they_look_like() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["in/a/b", "in/c", "other/d", "inside"] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), name).unwrap();
        }
        symlink("../c", at("in/a/stays")).unwrap();
        symlink("../other/d", at("in/leads-out")).unwrap();
        symlink("../in/c", at("in/out-and-in")).unwrap();
        symlink(at("in/c"), at("in/absolute")).unwrap();
        symlink("in", at("link")).unwrap();
        let root = at("in");
        let outside = Err(Outside.to_string());
        for (name, expected) in [
            ("in/a/b", Ok("in/a/b")),
            ("in/a/../c", Ok("in/c")),
            ("in/./a//b", Ok("in/a/b")),
            ("in/a/stays", Ok("in/c")),
            ("in/../in/c", Err(())),
            ("in/../inside", Err(())),
            ("in/a/../../other/d", Err(())),
            ("in/leads-out", Err(())),
            ("in/out-and-in", Err(())),
            ("in/absolute", Err(())),
            ("inside", Err(())),
            ("other/d", Err(())),
        ] {
            let expected = expected.map(str::to_string).or(outside.clone());
            assert_eq!(read(&[&root], &at(name)), expected, "{name}");
        }
        assert_eq!(read(&[&at("link")], &at("link/c")), Ok("in/c".into()));
        assert_eq!(read(&[&at("link")], &root.join("c")), Ok("in/c".into()));
        assert_eq!(read(&[&at("in/a"), &root], &at("in/a/stays")), Ok("in/c".into()));
        assert_eq!(read(&[], &at("in/c")), outside, "nothing is beneath none");
        assert_eq!(read_all(&Roots::default(), &at("in/leads-out")).unwrap(), b"other/d");
    }

    #[test]
    fn a_root_stays_the_directory_that_was_opened() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("in")).unwrap();
        fs::create_dir_all(at("other")).unwrap();
        fs::write(at("in/a"), "inside").unwrap();
        fs::write(at("other/a"), "outside").unwrap();
        let roots = Roots::open(&[at("in")]).unwrap();
        fs::rename(at("in"), at("moved")).unwrap();
        symlink("other", at("in")).unwrap();
        assert_eq!(read_all(&roots, &at("in/a")).unwrap(), b"inside");
    }

    #[test]
    fn what_is_no_directory_is_no_root_and_no_name_is_no_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Roots::open(&[file.path().into()]).unwrap_err();
        assert!(error.to_string().ends_with("Not a directory (os error 20)"), "{error}");
        let here = Roots::open(&[".".into()]).unwrap();
        assert_eq!(here.look(Path::new("")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(here.look(Path::new(".")).is_ok());
    }
}
