//! What a store says, as an error of a source.

use crate::input::Error;
use crate::remote::{Fault, Kind};

impl Fault {
    /// As an error of a source that is being opened.
    pub(super) fn opening(self) -> Error {
        match self.kind {
            Kind::Changed => Error::Changed(self.to_string()),
            Kind::Io(_) | Kind::NoParts => Error::Open(self.io()),
        }
    }

    /// As an error of a source that is being read.
    pub(super) fn reading(self, offset: u64) -> Error {
        match self.kind {
            Kind::Changed => Error::Changed(self.to_string()),
            Kind::Io(_) | Kind::NoParts => Error::Read { offset, error: self.io() },
        }
    }
}
