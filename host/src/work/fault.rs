//! Errors of reading a source, as the failures that are reported, each with a hint if there is one.

use crate::input::{DecodeError, Error, hint};
use crate::process::{Failure, FailureKind};
use crate::source::{self, ArchiveError, Refusal, Source};

/// Why a source cannot be one.
pub(super) fn refused(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::NotRegular(what) => {
            let failure = Failure::new(FailureKind::NotRegular, refusal.to_string());
            match *what {
                "FIFO" => failure.hint("⟦stream⟧ reads FIFOs that are named, to their end"),
                "directory" => failure.hint("a list is of files: name a directory beside it"),
                _ => failure,
            }
        }
        Refusal::Url => Failure::new(FailureKind::PermissionDenied, refusal.to_string())
            .hint("⟦allow_urls⟧ lets it name URLs, ⟦allow_urls⟧=HOST those of a host"),
        Refusal::Archive(error) => {
            let is_limit =
                matches!(error, ArchiveError::Members { .. } | ArchiveError::Holes { .. });
            let kind = if is_limit { FailureKind::TooLarge } else { FailureKind::Decode };
            let failure = Failure::new(kind, error.to_string());
            error.hint().into_iter().fold(failure, Failure::hint)
        }
        Refusal::Io(error) => hinted(Failure::new(io_kind(error), error.to_string()), error),
    }
}

/// With the way out, where a name has something in it that separates names of a list which is read
/// in another way.
pub(super) fn separated(source: &Source, failure: Failure) -> Failure {
    let path = source.path.to_path();
    let name = path.as_os_str().as_encoded_bytes();
    if name.contains(&0) {
        return failure.hint("a list of names that end in NUL is read with -0");
    }
    if name.ends_with(b"\r") && failure.kind == FailureKind::NotFound {
        return failure
            .hint("the name ends in a carriage return: the list has line ends of Windows");
    }
    if failure.kind == FailureKind::NotFound && name.iter().any(|byte| b"*?[".contains(byte)) {
        return failure.hint("a shell expands globs that are not quoted and match something; ⟦include⟧ GLOB takes files of a directory");
    }
    failure
}

/// With the way out, where what could not be read knows one.
fn hinted(failure: Failure, error: &std::io::Error) -> Failure {
    match hint(error).or_else(|| source::hint(error)) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn io_kind(error: &std::io::Error) -> FailureKind {
    match error.kind() {
        std::io::ErrorKind::NotFound => FailureKind::NotFound,
        std::io::ErrorKind::PermissionDenied => FailureKind::PermissionDenied,
        _ => FailureKind::Read,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Open(io) | Error::Read { error: io, .. } => io_kind(io),
            Error::Unkept(_) => FailureKind::Read,
            Error::Refused(refusal) => return refused(refusal),
            Error::Decode(error) => return undecodable(error),
            Error::Malformed { .. } => FailureKind::Decode,
            Error::Changed(_) => FailureKind::Changed,
            Error::Memory(_) => FailureKind::Memory,
            Error::RecordTooLong { .. } => FailureKind::RecordTooLong,
            Error::Ragged { .. } | Error::CutShort { .. } => FailureKind::Framing,
        };
        let failure = Self::new(kind, error.to_string());
        match kind {
            FailureKind::Memory => failure.hint(
                "raise ⟦memory_total⟧, or take fewer ⟦threads⟧; or compress it again with a smaller window",
            ),
            _ if matches!(error, Error::Unkept(_)) => {
                failure.hint("TMPDIR names a directory with more room")
            }
            _ if matches!(error, Error::RecordTooLong { quote: Some(_), .. }) => failure.hint(
                "mend that record, or, where quotes mean nothing in this file, ⟦set⟧ quote=none",
            ),
            _ if matches!(error, Error::Malformed { .. }) => failure.hint(
                "⟦encoding_errors⟧ replace puts U+FFFD there; ⟦encoding⟧ none reads bytes as they are",
            ),
            FailureKind::RecordTooLong => failure.hint("raise ⟦max_record⟧"),
            FailureKind::Changed => failure.hint("run again when nobody writes to it"),
            _ => match &error {
                Error::Open(io) | Error::Read { error: io, .. } => hinted(failure, io),
                _ => failure,
            },
        }
    }
}

fn undecodable(error: &DecodeError) -> Failure {
    let kind = match error {
        DecodeError::Read { error, .. } => {
            match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
                Some(Error::Changed(_)) => FailureKind::Changed,
                _ => io_kind(error),
            }
        }
        DecodeError::TooLarge { .. } | DecodeError::Ratio { .. } | DecodeError::Members { .. } => {
            FailureKind::TooLarge
        }
        _ => FailureKind::Decode,
    };
    let failure = Failure::new(kind, error.to_string());
    match (error.hint(), error) {
        (Some(hint), _) => failure.hint(hint),
        (None, DecodeError::Read { error, .. }) => hinted(failure, error),
        (None, _) => failure,
    }
}
