//! What a store says when it does not give what it was asked for, in words that tell no secrets.
//!
//! The texts of the outside crates hold URLs, which may be signed, and answers of servers, which may repeat what was signed: of
//! both no more is told than the status, the store's word for what is wrong, and the host.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use object_store::client::HttpError;
use thiserror::Error;

use crate::input::Error;
use crate::source::{Address, Scheme};

/// Why an object cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub(super) struct Fault {
    pub(super) kind: Kind,
    message: String,
    hint: Option<&'static str>,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is told.
    Io(ErrorKind),
    /// It is told that the object is another now.
    Changed,
    /// The whole is asked for: the server gives no parts, or has none of this one.
    NoParts,
}

/// A server answered a request for a part with the whole.
#[derive(Debug, Error)]
#[error("the server gives no parts")]
pub(super) struct WholeInstead;

/// The way out, if this is what a store said, and it knows one.
pub fn hint(error: &io::Error) -> Option<&'static str> {
    error.get_ref()?.downcast_ref::<Fault>()?.hint
}

impl Fault {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind: Kind::Io(kind), message: message.into(), hint: None }
    }

    pub(super) fn changed(message: impl Into<String>) -> Self {
        Self { kind: Kind::Changed, message: message.into(), hint: None }
    }

    /// What `error`, which came of a question about `address`, means.
    pub(super) fn of(error: &(dyn StdError + 'static), address: &Address<'_>) -> Self {
        let chain = || std::iter::successors(Some(error), |&error| error.source());
        let deepest = chain().last().map(ToString::to_string).unwrap_or_default();
        if chain().any(<dyn StdError>::is::<WholeInstead>) {
            return Self { kind: Kind::NoParts, message: deepest, hint: None };
        }
        if CREDENTIALS.iter().any(|word| error.to_string().contains(word)) {
            let message = format!("no credentials were found ({})", first_line(&deepest));
            let kind = Kind::Io(ErrorKind::PermissionDenied);
            return Self { kind, message, hint: Some(variables(address.scheme)) };
        }
        match deepest.split_once(STATUS) {
            Some((_, answer)) => Self::answered(answer, address),
            None if chain().any(<dyn StdError>::is::<HttpError>) => {
                let message =
                    format!("no whole answer from {}: {}", who(address), first_line(&deepest));
                Self::new(ErrorKind::Other, message)
            }
            None => Self::new(ErrorKind::Other, without_query(first_line(&deepest), address)),
        }
    }

    /// What was wrong before anybody was asked: it is told what a client is made of.
    pub(super) fn with_variables(self, address: &Address<'_>) -> Self {
        let hint = (address.scheme != Scheme::Http).then(|| variables(address.scheme));
        Self { hint, ..self }
    }

    /// `answer` is a status, and what follows it after a colon.
    fn answered(answer: &str, address: &Address<'_>) -> Self {
        let (status, body) = answer.split_once(": ").unwrap_or((answer, ""));
        let code = between(body, "<Code>", "</Code>").filter(|code| is_word(code));
        let said = match code {
            Some(code) => format!("{} answered {status} ({code})", who(address)),
            None => format!("{} answered {status}", who(address)),
        };
        match status.get(..3).unwrap_or_default() {
            "404" | "405" | "410" => Self::new(ErrorKind::NotFound, said),
            "401" | "403" => {
                let kind = Kind::Io(ErrorKind::PermissionDenied);
                Self { kind, message: said, hint: Some(variables(address.scheme)) }
            }
            "412" => Self::changed("the store has another version now"),
            "416" => Self { kind: Kind::NoParts, message: said, hint: None },
            _ => Self::new(ErrorKind::Other, said),
        }
    }

    pub(super) fn io(self) -> io::Error {
        match self.kind {
            Kind::Io(kind) => io::Error::new(kind, self),
            Kind::Changed | Kind::NoParts => io::Error::other(self),
        }
    }

    /// As an error of a source that is being opened.
    pub(super) fn opening(self) -> Error {
        match self.kind {
            Kind::Changed => Error::Changed(self.message),
            Kind::Io(_) | Kind::NoParts => Error::Open(self.io()),
        }
    }

    /// As an error of a source that is being read.
    pub(super) fn reading(self, offset: u64) -> Error {
        match self.kind {
            Kind::Changed => Error::Changed(self.message),
            Kind::Io(_) | Kind::NoParts => Error::Read { offset, error: self.io() },
        }
    }
}

/// What stands before the status in the text of an error.
const STATUS: &str = "status code: ";

/// What is asked for credentials where there are none in the environment.
const CREDENTIALS: [&str; 4] =
    ["/latest/api/token", "/latest/meta-data", "metadata.google.internal", "/metadata/identity"];

fn variables(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::S3 => {
            "credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; \
             AWS_SKIP_SIGNATURE=true reads what is public"
        }
        Scheme::Google => {
            "credentials are GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT; \
             GOOGLE_SKIP_SIGNATURE=true reads what is public"
        }
        Scheme::Azure => {
            "credentials are AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or \
             AZURE_STORAGE_SAS_KEY; AZURE_SKIP_SIGNATURE=true reads what is public"
        }
        Scheme::Http => "a URL is asked for as it is: one that is signed may have run out",
    }
}

fn who<'a>(address: &Address<'a>) -> &'a str {
    if address.scheme == Scheme::Http { address.host() } else { "the store" }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn without_query(text: &str, address: &Address<'_>) -> String {
    match address.key.split_once('?') {
        Some((_, query)) if !query.is_empty() => text.replace(query, "..."),
        _ => text.to_string(),
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[derive(Debug, Error)]
    #[error("error performing GET https://h/k?secret: {0}")]
    struct Outer(#[source] Inner);

    #[derive(Debug, Error)]
    #[error("{0}")]
    struct Inner(&'static str);

    fn fault(inner: &'static str) -> Fault {
        Fault::of(&Outer(Inner(inner)), &Address::of(Path::new("https://u:p@h/k?secret")).unwrap())
    }

    #[test]
    fn what_was_answered_is_told_without_what_was_signed() {
        let body = "Server returned non-2xx status code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code>\
            <StringToSign>secret</StringToSign></Error>";
        let fault = fault(body);
        assert_eq!(fault.to_string(), "h answered 403 Forbidden (SignatureDoesNotMatch)");
        assert_eq!(fault.kind, Kind::Io(ErrorKind::PermissionDenied));
        assert!(hint(&fault.io()).is_some());
    }

    #[test]
    fn statuses_are_kinds() {
        let kind = |status: &'static str| fault(status).kind;
        assert_eq!(kind("status code: 404 Not Found: "), Kind::Io(ErrorKind::NotFound));
        assert_eq!(kind("status code: 412 Precondition Failed: x"), Kind::Changed);
        assert_eq!(kind("status code: 416 Range Not Satisfiable: "), Kind::NoParts);
        assert_eq!(kind("status code: 503 Slow Down: "), Kind::Io(ErrorKind::Other));
    }

    #[test]
    fn other_words_are_told_without_the_query() {
        assert_eq!(
            fault("cannot parse https://h/k?secret").to_string(),
            "cannot parse https://h/k?..."
        );
    }
}
