//! Names of temporary files: `.NAME.gristmill-0123456789abcdef.part`.
//!
//! Hidden, and with an end that programs which wait for files know to pass over. The number is
//! never used twice, so that removing a temporary file by its name cannot hit another one.

use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::settings::limits::NAME_BYTES_MAX;
use crate::slices;

const MARK: &[u8] = b".gristmill-";
const DIGITS: usize = 16;
const END: &[u8] = b".part";
const NAME_KEPT_MAX: usize = NAME_BYTES_MAX - 1 - MARK.len() - DIGITS - END.len();

/// A new temporary name for a file that will be called `name`.
pub(super) fn temporary(name: &Path) -> OsString {
    // Each of them has keys of its own, which come from the system's random numbers.
    let number = RandomState::new().build_hasher().finish();
    let mut hidden = b".".to_vec();
    hidden.extend_from_slice(start(name.as_os_str().as_bytes()));
    hidden.extend_from_slice(MARK);
    hidden.extend_from_slice(format!("{number:0DIGITS$x}").as_bytes());
    hidden.extend_from_slice(END);
    OsString::from_vec(hidden)
}

/// As much of a name as a temporary one has room for, without half a character at its end.
fn start(name: &[u8]) -> &[u8] {
    let continues = |at: usize| name.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut end = name.len().min(NAME_KEPT_MAX);
    while end > 0 && continues(end) {
        end -= 1;
    }
    slices::part(name, ..end)
}

/// Whether a file is called as a temporary one of the file `name` is.
pub(super) fn is_temporary_of(found: &[u8], name: &Path) -> bool {
    let before = start(name.as_os_str().as_bytes());
    let digits = || found.strip_prefix(b".")?.strip_prefix(before)?.strip_prefix(MARK);
    is_temporary(found) && digits().is_some_and(|rest| rest.len() == DIGITS + END.len())
}

/// Whether a file is called as our temporary files are.
pub fn is_temporary(name: &[u8]) -> bool {
    let digits = || {
        let rest = name.strip_prefix(b".")?.strip_suffix(END)?;
        let (marked, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        marked.ends_with(MARK).then_some(digits)
    };
    digits()
        .is_some_and(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn what_is_made_is_known_and_fits() {
        let long = "x".repeat(255);
        let wide = "ä".repeat(127);
        for name in ["a", "a.txt", ".hidden", &long, &wide] {
            let (one, other) = (temporary(Path::new(name)), temporary(Path::new(name)));
            assert_ne!(one, other);
            assert!(is_temporary(one.as_bytes()), "{one:?}");
            assert!(is_temporary_of(one.as_bytes(), Path::new(name)), "{one:?}");
            assert!(!is_temporary_of(one.as_bytes(), Path::new("b")), "{one:?}");
            assert!(one.len() <= NAME_BYTES_MAX);
            assert!(one.to_str().is_some(), "{one:?}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for name in [
            "",
            ".part",
            "a.part",
            ".a.part",
            ".a.x1y2z3.part",
            "a.gristmill-0123456789abcdef.part",
            ".a.gristmill-0123456789abcde.part",
            ".a.gristmill-0123456789ABCDEF.part",
            ".a.gristmill-0123456789abcdef",
            ".gristmill-0123456789abcdef.parts",
        ] {
            assert!(!is_temporary(OsStr::new(name).as_bytes()), "{name}");
        }
        assert!(is_temporary(b".a.gristmill-0123456789abcdef.part"));
    }
}
