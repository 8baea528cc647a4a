//! Why a job cannot be run as it is described: what is wrong, where, and what to do.

use std::fmt::{self, Display};

use crate::settings::named;

/// What is wrong with a spec, or keeps it from being run. Settings in its texts are
/// [`Key`](crate::settings::Key)s: a front end gives them their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: String,
    hint: Option<String>,
    place: Option<FilePlace>,
    key: Option<&'static str>,
}

/// A place in a file, as `FILE:LINE:COLUMN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace(pub String);

impl Problem {
    /// A problem with that message.
    pub fn new(message: impl Display) -> Self {
        Self { message: message.to_string(), hint: None, place: None, key: None }
    }

    /// The same, of a setting of the spec by this name.
    #[must_use]
    pub fn of(self, key: &'static str) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn hint(self, hint: Option<&str>) -> Self {
        Self { hint: hint.map(str::to_string), ..self }
    }

    /// The same, with the place that it is about, unless it has one.
    #[must_use]
    pub fn at(self, place: Option<&FilePlace>) -> Self {
        Self { place: self.place.or_else(|| place.cloned()), ..self }
    }

    /// The setting that is wrong, where it is one.
    pub fn key(&self) -> Option<&'static str> {
        self.key
    }

    /// What is wrong, without its place. Settings in it are marked.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What is wrong, with its place, as it was written: settings in it are marked.
    pub fn text(&self) -> String {
        match &self.place {
            Some(FilePlace(place)) => format!("{place}: {}", self.message),
            None => self.message.clone(),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&named(&self.text(), |key| format!("`{key}`")))
    }
}

impl std::error::Error for Problem {}
