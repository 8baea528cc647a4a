//! Names: which are those of archives, and what members are called.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

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

/// What the member called `name` in an archive is called, as a source. Nobody ever opens a file of that name, so it does not matter
/// what is in it.
pub(in super::super) fn of_member(archive: &Path, name: &[u8]) -> PathBuf {
    let archive = archive.as_os_str().as_bytes();
    let mut path = Vec::with_capacity(archive.len() + SEPARATOR.len() + name.len());
    path.extend_from_slice(archive);
    path.extend_from_slice(SEPARATOR);
    path.extend_from_slice(name);
    PathBuf::from(OsString::from_vec(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_name_tells_and_nothing_else() {
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
    fn members_have_the_name_of_their_archive_before_theirs() {
        let name = |member: &[u8]| of_member(Path::new("d/a.zip"), member);
        assert_eq!(name(b"x/y"), Path::new("d/a.zip!/x/y"));
        assert_eq!(name(b"/etc/passwd"), Path::new("d/a.zip!//etc/passwd"));
        assert_eq!(name(b"../up"), Path::new("d/a.zip!/../up"));
        assert_eq!(name(b"\xff").as_os_str().as_bytes(), b"d/a.zip!/\xff");
    }
}
