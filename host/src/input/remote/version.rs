//! In which version an object was found, as far as its store says.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use object_store::{GetOptions, GetRange, ObjectMeta};

use crate::remote::by_pieces;

/// What the first answer said of the object.
#[derive(Debug)]
pub(super) struct Version(pub(super) ObjectMeta);

impl Version {
    /// A question that has an answer for this version alone, where the server heeds it.
    pub(super) fn question(&self, range: Range<u64>) -> GetOptions {
        let range = Some(GetRange::Bounded(range));
        let Self(meta) = self;
        // A weak tag is no condition (RFC 9110 section 13.1.1). Where there is a strong one, it
        // stands before the id of a version: asking by that may take a permission that reading does
        // not.
        if let Some(tag) = meta.e_tag.as_ref().filter(|tag| !tag.starts_with("W/")) {
            return GetOptions { if_match: Some(tag.clone()), ..by_pieces(range) };
        }
        let if_unmodified_since = self.is_dated().then_some(meta.last_modified);
        let version = meta.version.clone();
        GetOptions { version, if_unmodified_since, ..by_pieces(range) }
    }

    /// The same, for one who knows no stores: a stamp that another version does not have.
    pub(super) fn as_of_file(&self) -> crate::source::Version {
        let Self(meta) = self;
        let modified_ns = match &meta.e_tag {
            Some(tag) => {
                let mut hasher = DefaultHasher::new();
                tag.hash(&mut hasher);
                i128::from(hasher.finish())
            }
            None => i128::from(meta.last_modified.timestamp_micros()) * 1000,
        };
        crate::source::Version { bytes: meta.size, modified_ns }
    }

    /// Whether the server said when the object was last written; without a word it is the epoch.
    fn is_dated(&self) -> bool {
        self.0.last_modified.timestamp_millis() != 0
    }

    /// What is different in `now`, in words. Tags that are alike stand for the same bytes, whatever
    /// else was said.
    pub(super) fn difference(&self, now: &ObjectMeta) -> Option<String> {
        let Self(then) = self;
        if then.size != now.size {
            return Some(format!("it had {} bytes and has {} now", then.size, now.size));
        }
        let same = match (&then.e_tag, &now.e_tag) {
            (Some(then), Some(now)) => then == now,
            _ => then.last_modified == now.last_modified,
        };
        (!same).then(|| "its server has another version now".into())
    }
}
