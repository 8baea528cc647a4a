//! Names of what is in an object store or on a web server: `scheme://authority/key`.
//!
//! A key of a bucket is taken as it stands, as the tools of the stores take it: nothing in it is
//! encoded, and `?` and `#` are part of it. An `http` or `https` URL is a whole that only its
//! server understands. A file whose name looks like one of these is named with `./` before it.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::slices;

/// Who is asked for an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Amazon S3, and what speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
    /// A web server.
    Http,
}

/// The words that stand before `://`; in a URL their case does not matter (RFC 3986 section 3.1).
const SCHEMES: [(&str, Scheme); 10] = [
    ("s3", Scheme::S3),
    ("s3a", Scheme::S3),
    ("gs", Scheme::Google),
    ("az", Scheme::Azure),
    ("azure", Scheme::Azure),
    ("adl", Scheme::Azure),
    ("abfs", Scheme::Azure),
    ("abfss", Scheme::Azure),
    ("http", Scheme::Http),
    ("https", Scheme::Http),
];

/// A name of something remote, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// Who is asked.
    pub scheme: Scheme,
    /// The name up to the first slash of the key, without it: what is asked with one set of
    /// credentials.
    pub store: &'a str,
    /// The bucket or container, or the host: what stands behind `://`.
    pub authority: &'a str,
    /// What follows: the key, or the path with all that is behind it.
    pub key: &'a str,
}

impl<'a> Address<'a> {
    /// Takes a name apart; `None` for one of a file.
    pub fn of(name: &'a Path) -> Option<Self> {
        let bytes = name.as_os_str().as_bytes();
        // Nearly every name is that of a file, which its first bytes tell.
        let longest = bytes.get(..=SCHEME_BYTES_MAX).unwrap_or(bytes);
        memchr::memchr(b':', longest)?;
        let name = name.to_str()?;
        let (word, rest) = name.split_once("://")?;
        let (_, scheme) = SCHEMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word))?;
        let end = match scheme {
            Scheme::Http => rest.find(['/', '?', '#']),
            Scheme::S3 | Scheme::Google | Scheme::Azure => rest.find('/'),
        };
        let (authority, key) = rest.split_at(end.unwrap_or(rest.len()));
        let store = name.get(..name.len() - key.len())?;
        Some(Self { scheme: *scheme, store, authority, key: key.strip_prefix('/').unwrap_or(key) })
    }

    /// Whether it can only be the name of all objects whose keys begin with it.
    pub fn is_prefix(&self) -> bool {
        self.scheme != Scheme::Http && (self.key.is_empty() || self.key.ends_with('/'))
    }

    /// The key up to what is no part of a file's name: a query, or a fragment.
    pub fn file(&self) -> &'a Path {
        let end = match self.scheme {
            Scheme::Http => self.key.find(['?', '#']),
            Scheme::S3 | Scheme::Google | Scheme::Azure => None,
        };
        Path::new(slices::text(self.key, ..end.unwrap_or(self.key.len())))
    }

    /// The host that is asked, without who asks.
    pub fn host(&self) -> &'a str {
        self.authority.rsplit_once('@').map_or(self.authority, |(_, host)| host)
    }
}

/// Bytes of the longest word in [`SCHEMES`].
const SCHEME_BYTES_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> Option<(Scheme, &str, &str, &str)> {
        let address = Address::of(Path::new(name))?;
        Some((address.scheme, address.store, address.authority, address.key))
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(parts("s3://b/k/100%?#"), Some((Scheme::S3, "s3://b", "b", "k/100%?#")));
        assert_eq!(parts("S3A://b"), Some((Scheme::S3, "S3A://b", "b", "")));
        assert_eq!(parts("gs://b/"), Some((Scheme::Google, "gs://b", "b", "")));
        let azure = parts("abfss://c@a.dfs.core.windows.net/k").unwrap();
        assert_eq!((azure.0, azure.2, azure.3), (Scheme::Azure, "c@a.dfs.core.windows.net", "k"));
        let http = ("https://h:1", "h:1", "a/b.gz?X=/1#f");
        assert_eq!(
            parts("https://h:1/a/b.gz?X=/1#f"),
            Some((Scheme::Http, http.0, http.1, http.2))
        );
        assert_eq!(parts("http://h?q"), Some((Scheme::Http, "http://h", "h", "?q")));
    }

    #[test]
    fn files_stay_files() {
        for name in ["s3", "s3:", "./s3://b/k", "s3:/b", "file:///x", "a-long-name://b", "-", ""] {
            assert_eq!(parts(name), None, "{name}");
        }
    }

    #[test]
    fn a_query_is_no_part_of_a_files_name() {
        let file = |name| Address::of(Path::new(name)).unwrap().file().to_str().unwrap();
        assert_eq!(file("https://h/a/b.gz?sig=x.zst"), "a/b.gz");
        assert_eq!(file("s3://b/a?b.gz"), "a?b.gz");
    }

    #[test]
    fn only_buckets_have_prefixes() {
        let is_prefix = |name| Address::of(Path::new(name)).unwrap().is_prefix();
        assert!(is_prefix("s3://b") && is_prefix("s3://b/") && is_prefix("az://c/d/"));
        assert!(!is_prefix("s3://b/k") && !is_prefix("https://h/") && !is_prefix("http://h"));
    }

    #[test]
    fn urls_are_shown_without_credentials() {
        let host = |name| Address::of(Path::new(name)).unwrap().host();
        assert_eq!(host("https://user:secret@h:1/"), "h:1");
    }
}
