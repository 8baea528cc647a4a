//! Names: which are those of archives, and what members are called.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::hash::{BuildHasher, Hash, Hasher};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::settings::limits::{
    MEMBER_NAME_BYTES_MAX, MEMBER_NAME_PARTS_MAX, MEMBER_NAME_SHOWN_BYTES,
};
use crate::source::ArchiveError;

/// A kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// A zip file.
    Zip,
    /// A tar file that is not compressed.
    Tar,
}

impl Kind {
    /// What the end of a name stands for, in any case of letters.
    pub(in super::super) fn by_name(name: &Path) -> Option<Self> {
        let (_, end) = name.as_os_str().as_bytes().split_last_chunk::<4>()?;
        if end.eq_ignore_ascii_case(b".zip") {
            return Some(Self::Zip);
        }
        end.eq_ignore_ascii_case(b".tar").then_some(Self::Tar)
    }

    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
        }
    }
}

/// What stands between the name of an archive and that of a member.
const SEPARATOR: &[u8] = b"!/";

/// What the member called `name` in an archive is called, as a source: bytes, which may be no text.
/// Nobody ever opens a file of that name, so it does not matter what is in it.
pub fn of_member(archive: &Path, name: &[u8]) -> PathBuf {
    let archive = archive.as_os_str().as_bytes();
    let mut path = Vec::with_capacity(archive.len() + SEPARATOR.len() + name.len());
    path.extend_from_slice(archive);
    path.extend_from_slice(SEPARATOR);
    path.extend_from_slice(name);
    PathBuf::from(OsString::from_vec(path))
}

/// Refuses a name that no file has, as what is kept of members is a multiple of it.
///
/// # Errors
/// With as much of it as is told, when it is too long, or has too many parts.
pub(in super::super) fn checked(name: &[u8]) -> Result<(), (&[u8], ArchiveError)> {
    let (bytes, parts) = (name.len(), memchr::memchr_iter(b'/', name).count() + 1);
    if bytes > MEMBER_NAME_BYTES_MAX || parts > MEMBER_NAME_PARTS_MAX {
        let shown = name.get(..MEMBER_NAME_SHOWN_BYTES).unwrap_or(name);
        return Err((shown, ArchiveError::Name { bytes, parts }));
    }
    Ok(())
}

/// Names of members of one archive, told apart as the files would be that are unpacked: `./a` is
/// `a`. Keeps 16 bytes for each, which nobody can make collide.
#[derive(Debug, Default)]
pub(in super::super) struct Names {
    known: HashSet<(u64, u64)>,
    keys: (RandomState, RandomState),
}

impl Names {
    /// Takes a name in, and says whether it was not among them.
    pub(in super::super) fn add(&mut self, name: &[u8]) -> bool {
        let sum = |key: &RandomState| {
            let mut hasher = key.build_hasher();
            for part in name.split(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b"."))
            {
                part.hash(&mut hasher);
            }
            hasher.finish()
        };
        self.known.insert((sum(&self.keys.0), sum(&self.keys.1)))
    }

    /// Bytes of memory that they take.
    pub(in super::super) fn held_bytes(&self) -> u64 {
        self.known.capacity() as u64 * 17
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_name_decides() {
        let kind = |name: &str| Kind::by_name(Path::new(name));
        assert_eq!(kind("logs/a.zip"), Some(Kind::Zip));
        assert_eq!(kind("A.ZIP"), Some(Kind::Zip));
        assert_eq!(kind("a.tar"), Some(Kind::Tar));
        assert_eq!(kind(".Tar"), Some(Kind::Tar));
        for name in ["", "tar", "a.tar.gz", "a.tgz", "a.zip.txt", "a.jar", "azip", "a.zip/"] {
            assert_eq!(kind(name), None, "{name}");
        }
    }

    #[test]
    fn an_impossible_name_is_refused_and_shown_cut() {
        let long = vec![b'a'; MEMBER_NAME_BYTES_MAX];
        assert!(checked(&long).is_ok());
        let (shown, error) =
            checked(&[&long[..], b"a"].concat()).map_err(|(s, e)| (s.to_vec(), e)).unwrap_err();
        assert_eq!(shown.len(), MEMBER_NAME_SHOWN_BYTES);
        assert!(error.to_string().contains("a name of 32769 bytes and 1 parts"), "{error}");
        let deep = "a/".repeat(MEMBER_NAME_PARTS_MAX - 1);
        assert!(checked(deep.as_bytes()).is_ok());
        assert!(checked((deep + "/").as_bytes()).is_err());
    }

    #[test]
    fn names_are_one_that_would_be_one_file() {
        let mut names = Names::default();
        for new in ["a", "b", "a/b", "ab", "a/b/c", "", "../a"] {
            assert!(names.add(new.as_bytes()), "{new}");
        }
        for known in ["./a", "/b", "a//b", "a/./b", "./", "a/b/c/"] {
            assert!(!names.add(known.as_bytes()), "{known}");
        }
    }

    #[test]
    fn members_have_the_name_of_their_archive_before_theirs() {
        let name = |member: &[u8]| of_member(Path::new("d/a.zip"), member);
        assert_eq!(name(b"x/y"), Path::new("d/a.zip!/x/y"));
        assert_eq!(name(b"/etc/passwd"), Path::new("d/a.zip!//etc/passwd"));
        assert_eq!(name(b"../up"), Path::new("d/a.zip!/../up"));
        assert_eq!(name(b"\xff").as_os_str().as_bytes(), b"d/a.zip!/\xff");
    }
}
