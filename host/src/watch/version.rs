//! In which version a file is: what says that it is the same as when it was looked at before.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::ledger::{Identity, Inode};
use crate::settings::Existing;

/// One version of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    pub(super) bytes: u64,
    pub(super) modified_ns: i64,
    /// When anything of it was changed last, its name and rights among that.
    changed_ns: i64,
}

impl Version {
    /// Of the regular file at `path`, links not followed; nothing, where there is none.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub(super) fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_file() => Ok(Some(Self::of(&found))),
            Ok(_) => Ok(None),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As it is found.
    pub(super) fn of(found: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
            modified_ns: ns(found.mtime(), found.mtime_nsec()),
            changed_ns: ns(found.ctime(), found.ctime_nsec()),
        }
    }

    /// For the ledger. A change of name, rights or links alone makes no other version.
    pub(super) fn identity(&self) -> Identity {
        let Self { device, inode, bytes, modified_ns, .. } = *self;
        let identity = Identity::new("file").with("size", bytes).with("mtime_ns", modified_ns);
        identity.with("inode", inode).with("device", device)
    }

    /// A file of so many bytes that was written at that time.
    #[cfg(test)]
    pub(super) fn test(bytes: u64, written: SystemTime) -> Self {
        let since = written.duration_since(UNIX_EPOCH).unwrap();
        let at = i64::try_from(since.as_nanos()).unwrap();
        Self { device: 1, inode: 2, bytes, modified_ns: at, changed_ns: at }
    }

    /// Whether it has the same content as another, as far as that can be told without reading it.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        Self { changed_ns: 0, ..*self } == Self { changed_ns: 0, ..*other }
    }

    /// Which file it is, whatever it is called.
    pub(super) fn inode(&self) -> Inode {
        Inode { device: self.device, number: self.inode }
    }

    /// Whether it is left because it was there when the watch was first begun.
    pub(super) fn was_there(&self, existing: Existing, begun: SystemTime) -> bool {
        match existing {
            Existing::Process => false,
            Existing::Skip => self.changed() < begun,
            Existing::Since(time) => self.changed() < begun && self.modified() < time,
        }
    }

    /// For how long nothing has changed at `now`; nothing, where its clock is ahead.
    pub(super) fn quiet_for(&self, now: SystemTime) -> Option<Duration> {
        now.duration_since(time(self.modified_ns.max(self.changed_ns))).ok()
    }

    /// When anything of it was changed last.
    pub(super) fn changed(&self) -> SystemTime {
        time(self.changed_ns)
    }

    /// When it was last written.
    pub(super) fn modified(&self) -> SystemTime {
        time(self.modified_ns)
    }
}

fn time(ns: i64) -> SystemTime {
    match u64::try_from(ns) {
        Ok(after) => UNIX_EPOCH + Duration::from_nanos(after),
        Err(_) => UNIX_EPOCH,
    }
}

/// Whether an error says that nothing is there.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn rights_make_no_other_version_and_bytes_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert_eq!(Version::at(&path).unwrap(), None);
        assert_eq!(Version::at(dir.path()).unwrap(), None);
        fs::write(&path, "1").unwrap();
        let first = Version::at(&path).unwrap().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let second = Version::at(&path).unwrap().unwrap();
        assert!(first.is_as(&second));
        assert_eq!(first.identity(), second.identity());
        fs::write(&path, "22").unwrap();
        assert!(!first.is_as(&Version::at(&path).unwrap().unwrap()));
    }

    #[test]
    fn a_clock_that_is_ahead_says_nothing_of_quiet() {
        let version = Version { device: 1, inode: 2, bytes: 3, modified_ns: 9, changed_ns: 5_000 };
        assert_eq!(version.quiet_for(UNIX_EPOCH), None);
        let now = UNIX_EPOCH + Duration::from_micros(6);
        assert_eq!(version.quiet_for(now), Some(Duration::from_micros(1)));
    }
}
