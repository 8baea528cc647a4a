//! In which version an open file was found.

use rustix::fs::Stat;

use crate::source::Version;

/// Size and time of the last write of an open file. The change time is left out on purpose: a
/// rename, a new link or new permissions move it, as log rotation does all the time, and leave the
/// bytes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) bytes: u64,
    modified_ns: i128,
}

impl Identity {
    pub(super) fn of(stat: &Stat) -> Self {
        let modified_ns =
            i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
        Self { bytes: stat.st_size.cast_unsigned(), modified_ns }
    }

    /// The same, for one who knows no files.
    pub(super) fn version(&self) -> Version {
        Version { bytes: self.bytes, modified_ns: self.modified_ns }
    }

    /// What is different in `now`, in words.
    pub(super) fn difference(&self, now: &Self) -> Option<String> {
        if self.bytes != now.bytes {
            return Some(format!("it had {} bytes and has {} now", self.bytes, now.bytes));
        }
        (self.modified_ns != now.modified_ns).then(|| "it was written to".into())
    }
}

impl From<Version> for Identity {
    fn from(version: Version) -> Self {
        Self { bytes: version.bytes, modified_ns: version.modified_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_and_writes_are_distinguished() {
        let then = Identity { bytes: 10, modified_ns: 5 };
        let longer = Identity { bytes: 11, modified_ns: 6 };
        let written = Identity { modified_ns: 6, ..then };
        assert_eq!(then.difference(&then), None);
        assert_eq!(then.difference(&longer).unwrap(), "it had 10 bytes and has 11 now");
        assert_eq!(then.difference(&written).unwrap(), "it was written to");
    }
}
