//! What a name ends in. Knows nothing of what that stands for.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The extension of a file, as `Path::extension` gives it, without taking the whole path apart:
/// several times for each of many small files, that is felt.
pub(in super::super) fn extension(name: &Path) -> Option<&str> {
    let bytes = name.as_os_str().as_bytes();
    let (before, extension) = bytes.split_at_checked(memchr::memrchr2(b'.', b'/', bytes)?)?;
    match extension {
        [b'.', rest @ ..] if !rest.is_empty() && !matches!(before, [] | [.., b'/']) => {
            std::str::from_utf8(rest).ok()
        }
        [b'/', _, ..] => None,
        _ => name.extension()?.to_str(), // a hidden file, or one of `.`, `..` and `/` at the end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_what_the_standard_library_says_it_is() {
        let ends = ["a.gz", "a.tar.gz", ".gz", "..gz", "..", ".", "", "a", "a/", "a.gz/", "a.gz/b"];
        for end in ends {
            for name in [end.to_string(), format!("b.zip/{end}"), format!("/{end}")] {
                let name = Path::new(&name);
                let expected = name.extension().and_then(|extension| extension.to_str());
                assert_eq!(extension(name), expected, "{}", name.display());
            }
        }
    }
}
