//! Output in object stores: objects that are seen when they are whole.
//!
//! An [`Object`] is given its bytes in order, by one thread at a time. It is there once
//! [`Object::commit`] says so; dropped before, nothing is seen of it, and its parts are removed
//! from the store. What is there already is left or replaced as [`Exists`] says: with `fail` and
//! `skip` it is the store that refuses to replace an object, where it can; the others are looked at
//! last thing before.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use thiserror::Error;

use super::Committed;
use crate::name::{Shown, shown_name};
use crate::remote::{Fault, Key, Looked, Outlet, Unsent, Upload, Wanted, hint};
use crate::settings::Exists;
use crate::stats::MemoryBudget;

/// What is asked for where it is the bucket that is in question: whether there is an object of that
/// name does not matter.
const ANY_KEY: &str = "gristmill";

/// Why an object could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// It is there already.
    #[error("{0}: exists already")]
    Exists(String),
    /// The store does not take it.
    #[error("{name}: cannot write: {cause}")]
    Store {
        /// The object.
        name: String,
        /// What the store says.
        cause: io::Error,
    },
    /// There can be none of that name.
    #[error("{name}: is no name of an object: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The run is to end.
    #[error("{0}: not written, as the run was ended")]
    Stopped(String),
}

impl ObjectError {
    fn of(name: &str, fault: Fault) -> Self {
        Self::Store { name: name.into(), cause: fault.io() }
    }

    fn unsent(name: &str, unsent: Unsent) -> Self {
        match unsent {
            Unsent::Stopped => Self::Stopped(name.into()),
            Unsent::There => Self::Exists(name.into()),
            Unsent::Fault(fault) => Self::of(name, fault),
        }
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists(_) => Some("⟦exists⟧ skip leaves it, ⟦exists⟧ replace overwrites it"),
            Self::Store { cause, .. } => hint(cause),
            Self::Name { .. } | Self::Stopped(_) => None,
        }
    }

    /// Whether it is no error, as it was asked for.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }
}

/// How objects are written.
#[derive(Debug, Clone)]
pub struct Writing {
    /// What to do about one that is there.
    pub exists: Exists,
    /// Their media type; an invalid one is left out.
    pub content_type: Option<String>,
    /// Is set when the run is to end: nothing is waited for then.
    pub stop: Arc<AtomicBool>,
    /// What is charged for bytes that are on their way.
    pub memory: Arc<MemoryBudget>,
}

impl Writing {
    /// Where the objects of that name go, and its key.
    fn outlet(self, name: &Path) -> Result<(Outlet, Key), ObjectError> {
        let Self { exists, content_type, stop, memory } = self;
        let content_type = content_type.filter(|word| is_media_type(word));
        let opened = Outlet::open(name, Wanted { exists, content_type, stop, memory });
        opened.map_err(|fault| ObjectError::of(&shown_name(name), fault))
    }
}

/// Whether it can be said in a header (RFC 9110 section 8.3.1), as visible characters and spaces
/// alone.
fn is_media_type(word: &str) -> bool {
    let visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let parts = word.split_once('/');
    parts.is_some_and(|(one, two)| !one.is_empty() && !two.is_empty()) && word.bytes().all(visible)
}

/// A bucket, or a prefix in one, that takes an object for each source.
pub struct Objects {
    outlet: Arc<Outlet>,
    exists: Exists,
    /// As the user named it, with a slash at its end.
    name: String,
    prefix: Key,
}

impl Objects {
    /// The objects below `name`, and whether their bucket is there.
    ///
    /// # Errors
    /// When it is no name of a prefix, or the store does not take objects from us.
    pub fn open(name: &Path, writing: Writing) -> Result<Self, ObjectError> {
        let shown = shown_name(name);
        let exists = writing.exists;
        let (outlet, prefix) = writing.outlet(name)?;
        let named = format!("{}/", shown.trim_end_matches('/'));
        outlet.look(&prefix.clone().join(ANY_KEY)).map_err(|no| ObjectError::unsent(&shown, no))?;
        Ok(Self { outlet: Arc::new(outlet), exists, name: named, prefix })
    }

    /// Begins the object at `relative` below the prefix.
    ///
    /// # Errors
    /// When there can be none of that name.
    pub fn create(&self, relative: &Path) -> Result<Object, ObjectError> {
        let key = self.key(relative)?;
        let name = format!("{}{}", self.name, Shown::of(&relative));
        let upload = Some(Upload::new(Arc::clone(&self.outlet), key));
        Ok(Object { name, exists: self.exists, replaces: false, upload })
    }

    /// How many of these are there already, as far as that can be seen.
    ///
    /// # Errors
    /// When the store does not say.
    pub fn there(&self, all: impl Iterator<Item = PathBuf>) -> Result<usize, ObjectError> {
        let keys = all.map(|relative| self.key(&relative)).collect::<Result<_, _>>()?;
        self.outlet.there(keys).map_err(|unsent| ObjectError::unsent(&self.name, unsent))
    }

    fn key(&self, relative: &Path) -> Result<Key, ObjectError> {
        let unfit = |reason: String| {
            let name = format!("{}{}", self.name, Shown::of(&relative));
            ObjectError::Name { name, reason }
        };
        let Some(text) = relative.to_str() else { return Err(unfit("it is no UTF-8".into())) };
        let below = Key::parse(text).map_err(|error| unfit(error.to_string()))?;
        Ok(self.prefix.parts().chain(below.parts()).collect())
    }
}

/// An object that is being written, and that nobody sees until it is [committed](Self::commit).
pub struct Object {
    name: String,
    exists: Exists,
    replaces: bool,
    /// None where there is one already, and that is to be left.
    upload: Option<Upload>,
}

impl Object {
    /// The object of that name; `None` where there is one already, and that is to be left.
    ///
    /// # Errors
    /// When there is one, and that is an error; when there can be none, or the store does not take
    /// it.
    pub fn open(name: &Path, writing: Writing) -> Result<Option<Self>, ObjectError> {
        let shown = shown_name(name);
        let exists = writing.exists;
        let (outlet, key) = writing.outlet(name)?;
        let looked = outlet.look(&key).map_err(|unsent| ObjectError::unsent(&shown, unsent))?;
        match (looked, exists) {
            (Looked::There, Exists::Fail) => Err(ObjectError::Exists(shown.into())),
            (Looked::There, Exists::Skip) => Ok(None),
            _ => {
                let upload = Some(Upload::new(Arc::new(outlet), key));
                let replaces = looked == Looked::There;
                Ok(Some(Self { name: shown.into(), exists, replaces, upload }))
            }
        }
    }

    /// Whether there was one when it was opened by its name.
    pub fn replaces(&self) -> bool {
        self.replaces
    }

    /// Puts bytes behind what there is. Waits while too much is on its way.
    ///
    /// # Errors
    /// When the store does not take it, when there is one and that is an error, or when the run is
    /// to end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.each(|upload| upload.append(bytes))
    }

    /// What has come until now stays, and what comes next may be [taken back](Self::take_back).
    pub fn mark(&mut self) {
        if let Some(upload) = &mut self.upload {
            upload.mark();
        }
    }

    /// Forgets what has come since the last mark.
    ///
    /// # Errors
    /// As those of [`append`](Self::append).
    pub fn take_back(&mut self) -> Result<(), ObjectError> {
        self.each(Upload::take_back)
    }

    /// Makes it visible.
    ///
    /// # Errors
    /// As those of [`append`](Self::append). When no answer comes, it is not known whether it is
    /// there; if it is, it is whole.
    pub fn commit(mut self) -> Result<Committed, ObjectError> {
        let Some(upload) = self.upload.take() else { return Ok(Committed::Skipped) };
        match (upload.finish(), self.exists) {
            (Ok(()), _) => Ok(Committed::Visible),
            (Err(Unsent::There), Exists::Skip) => Ok(Committed::Skipped),
            (Err(unsent), _) => Err(ObjectError::unsent(&self.name, unsent)),
        }
    }

    /// Does it unless there is one that has to stay.
    fn each(
        &mut self,
        call: impl FnOnce(&mut Upload) -> Result<(), Unsent>,
    ) -> Result<(), ObjectError> {
        let Some(upload) = &mut self.upload else { return Ok(()) };
        match (call(upload), self.exists) {
            (Err(Unsent::There), Exists::Skip) => {
                self.upload = None;
                Ok(())
            }
            (done, _) => done.map_err(|unsent| ObjectError::unsent(&self.name, unsent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_media_types_are_sent() {
        for word in ["text/csv", "text/plain; charset=utf-8", "application/x-ndjson"] {
            assert!(is_media_type(word), "{word}");
        }
        for word in ["", "text", "/csv", "text/", "text/a\r\nx: y", "text/\u{fc}"] {
            assert!(!is_media_type(word), "{word:?}");
        }
    }
}
