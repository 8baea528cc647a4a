//! Why a plugin could not be loaded.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::Shown;
use crate::process::Failure;

/// Why a plugin could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file could not be read.
    #[error("{}: {error}", Shown::of(&path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no plugin.
    #[error("{}: {reason}", Shown::of(&path))]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
        /// The way out.
        hint: Option<String>,
    },
    /// It is one, but does not start.
    #[error("{}: {failure}", Shown::of(&path))]
    Start {
        /// The file.
        path: PathBuf,
        /// Why.
        failure: Failure,
    },
}

impl LoadError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Read { path, error } => {
                let is_name = error.kind() == io::ErrorKind::NotFound
                    && path.extension().is_none()
                    && path.components().count() == 1;
                is_name.then_some("a plugin is named by the path of its file: ./NAME.wasm")
            }
            Self::Refused { hint, .. } => hint.as_deref(),
            Self::Start { failure, .. } => failure.hint.as_deref(),
        }
    }
}

/// A reason for a refusal, and the way out.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    reason: String,
    hint: Option<String>,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn at(self, path: &Path) -> LoadError {
        LoadError::Refused { path: path.to_path_buf(), reason: self.reason, hint: self.hint }
    }
}
