//! Names of sources, small: what is above the last part is kept once for all sources that have it.
//!
//! A name is bytes, exactly as it was found; nothing in it is resolved. A million files of one
//! directory cost that directory once, and so do the members of an archive, however deep they are.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Room;

/// What an allocation costs beside its bytes: a header, and rounding to 16.
pub(super) const ALLOCATION_BYTES: usize = 16;

/// Shorter directories are kept with each name, as two words that refer to one take as much.
const SHARED_BYTES_MIN: usize = 16;

/// The path, address or name of a source.
#[derive(Clone)]
pub struct SourcePath {
    /// Up to its last slash, with that; `None` where all of it is in `own`.
    above: Option<Arc<[u8]>>,
    own: Box<[u8]>,
}

impl SourcePath {
    /// All of it. Costs an allocation where a part is shared.
    pub fn to_path(&self) -> Cow<'_, Path> {
        match &self.above {
            None => Cow::Borrowed(Path::new(OsStr::from_bytes(&self.own))),
            Some(above) => {
                let mut whole = Vec::with_capacity(above.len() + self.own.len());
                whole.extend_from_slice(above);
                whole.extend_from_slice(&self.own);
                Cow::Owned(PathBuf::from(OsString::from_vec(whole)))
            }
        }
    }

    /// Its last part, or all of it: enough to find an extension.
    pub fn end(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.own))
    }

    /// Whether its last part stands alone, and the rest elsewhere.
    pub(super) fn is_shared(&self) -> bool {
        self.above.is_some()
    }

    /// Bytes of memory that it takes alone; what is above is counted once, by its [`Directories`].
    pub fn own_bytes(&self) -> u64 {
        (self.own.len() + ALLOCATION_BYTES) as u64
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        (self.above.as_deref().unwrap_or_default(), &self.own)
    }

    fn bytes(&self) -> impl Iterator<Item = &u8> {
        let (above, own) = self.parts();
        above.iter().chain(own)
    }
}

impl Ord for SourcePath {
    fn cmp(&self, other: &Self) -> Ordering {
        let is_one = match (&self.above, &other.above) {
            (Some(above), Some(others)) => Arc::ptr_eq(above, others),
            (None, None) => true,
            _ => false,
        };
        if is_one {
            return self.own.cmp(&other.own);
        }
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for SourcePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SourcePath {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SourcePath {}

impl fmt::Debug for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_path().fmt(f)
    }
}

impl From<PathBuf> for SourcePath {
    fn from(path: PathBuf) -> Self {
        Self { above: None, own: path.into_os_string().into_vec().into_boxed_slice() }
    }
}

impl<T: AsRef<OsStr> + ?Sized> From<&T> for SourcePath {
    fn from(path: &T) -> Self {
        PathBuf::from(path).into()
    }
}

impl From<String> for SourcePath {
    fn from(path: String) -> Self {
        PathBuf::from(path).into()
    }
}

/// The directories of the sources that are being listed, each once.
#[derive(Debug, Default)]
pub struct Directories {
    room: Arc<Room>,
    known: HashSet<Arc<[u8]>>,
    last: Option<Arc<[u8]>>,
}

impl Directories {
    /// None yet; what they take is counted there.
    pub fn within(room: &Arc<Room>) -> Self {
        Self { room: Arc::clone(room), ..Self::default() }
    }

    /// The name of a source whose directory is kept here.
    pub fn path(&mut self, whole: &[u8]) -> SourcePath {
        let end = memchr::memrchr(b'/', whole).map_or(0, |slash| slash + 1);
        let (above, own) = whole.split_at_checked(end).unwrap_or((&[], whole));
        if above.len() < SHARED_BYTES_MIN {
            return SourcePath { above: None, own: whole.into() };
        }
        SourcePath { above: Some(self.kept(above)), own: own.into() }
    }

    fn kept(&mut self, above: &[u8]) -> Arc<[u8]> {
        if let Some(last) = self.last.as_ref().filter(|last| ***last == *above) {
            return Arc::clone(last);
        }
        let kept = self.known.get(above).cloned().unwrap_or_else(|| {
            let kept: Arc<[u8]> = above.into();
            // Its counts, and its place in the set, which has at least half as many again.
            let entry_bytes = 2 * size_of::<usize>() + 3 * size_of::<Arc<[u8]>>();
            self.room.add_bytes((above.len() + ALLOCATION_BYTES + entry_bytes) as u64);
            self.known.insert(Arc::clone(&kept));
            kept
        });
        self.last = Some(Arc::clone(&kept));
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_kept_once_and_names_are_what_they_were() {
        let room = Arc::default();
        let mut directories = Directories::within(&room);
        let deep = format!("{}/", "d/".repeat(1000));
        let names = ["a", "b", "", "\u{fffd}"].map(|name| format!("{deep}{name}"));
        let paths = names.clone().map(|name| directories.path(name.as_bytes()));
        for (name, path) in names.iter().zip(&paths) {
            assert_eq!(path.to_path(), Path::new(name));
            assert_eq!(*path, SourcePath::from(name.as_str()));
            assert_eq!(path.own_bytes(), (name.len() - deep.len() + 16) as u64);
        }
        assert!((2001..2200).contains(&room.held_bytes()));
        assert_eq!(directories.path(b"short/a").to_path(), Path::new("short/a"));
        assert!((2001..2200).contains(&room.held_bytes()));
    }

    #[test]
    fn names_are_in_the_order_of_their_bytes_whatever_they_share() {
        let mut directories = Directories::default();
        let mut names: Vec<Vec<u8>> = Vec::new();
        for above in ["", "directory-of-names/", "directory-of-names/below/", "directory-of-"] {
            names.extend(
                ["names", "names-b", "below", "a", ""].map(|own| (above.to_string() + own).into()),
            );
        }
        names.push(b"directory-of-names/\xff/x".into());
        let mut paths: Vec<_> = names.iter().map(|name| directories.path(name)).collect();
        names.sort();
        paths.sort();
        let sorted: Vec<_> =
            paths.iter().map(|path| path.to_path().as_os_str().as_bytes().to_vec()).collect();
        assert_eq!(sorted, names);
    }
}
