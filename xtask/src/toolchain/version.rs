//! Versions of Rust: three numbers, compared in order.

use std::fmt;

/// `major.minor.patch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version([u32; 3]);

impl Version {
    /// Reads `1.95`, `1.95.0` or `1.96.0-beta.2`; a number left out is 0.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (release, _) = text.split_once(['-', '+', '~']).unwrap_or((text, ""));
        let mut parts = release.split('.').map(str::parse);
        let major = parts.next()?.ok()?;
        let minor = parts.next().unwrap_or(Ok(0)).ok()?;
        let patch = parts.next().unwrap_or(Ok(0)).ok()?;
        Some(Self([major, minor, patch]))
    }

    /// Reads the answer to `rustc --version`: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub(crate) fn of_rustc(answer: &str) -> Option<Self> {
        Self::parse(answer.split_whitespace().nth(1)?)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("1.100") > version("1.96.1"));
        assert_eq!(version("1.95"), version("1.95.0-nightly"));
        assert_eq!(Version::parse("web"), None);
    }

    #[test]
    fn the_answer_of_rustc_is_read() {
        let debian = "rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)";
        assert_eq!(Version::of_rustc(debian), Version::parse("1.96.0"));
        assert_eq!(Version::of_rustc("rustc"), None);
    }
}
