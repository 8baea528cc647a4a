//! What a store says when it does not give what it was asked for, in words without secrets.
//!
//! The texts of the outside crates hold URLs, which may be signed, and answers of servers, which
//! may repeat what was signed: of both, only the status, the store's error code and the host are
//! shown.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use object_store::client::HttpError;
use thiserror::Error;

use super::redirects::Astray;
use crate::source::{Address, Scheme};

/// Why an object cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    message: String,
    hint: Option<&'static str>,
    /// The store's word for it, where it has one.
    code: Option<String>,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
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
pub(crate) struct WholeInstead;

/// The way out, if this is what a store said, and it knows one.
pub fn hint(error: &io::Error) -> Option<&'static str> {
    error.get_ref()?.downcast_ref::<Fault>()?.hint
}

impl Fault {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind: Kind::Io(kind), message: message.into(), hint: None, code: None }
    }

    pub(crate) fn changed(message: impl Into<String>) -> Self {
        Self { kind: Kind::Changed, ..Self::new(ErrorKind::Other, message) }
    }

    /// What `error`, which came of a question about `address`, means.
    pub(crate) fn of(error: &(dyn StdError + 'static), address: &Address<'_>) -> Self {
        let chain = || std::iter::successors(Some(error), |&error| error.source());
        let deepest = chain().last().map(ToString::to_string).unwrap_or_default();
        if chain().any(<dyn StdError>::is::<WholeInstead>) {
            return Self { kind: Kind::NoParts, ..Self::new(ErrorKind::Other, deepest) };
        }
        if let Some(astray) = chain().find_map(<dyn StdError>::downcast_ref::<Astray>) {
            let message = format!("{} is not followed: {astray}", who(address));
            return Self::new(ErrorKind::PermissionDenied, message).hinting(astray.hint());
        }
        if CREDENTIALS.iter().any(|word| error.to_string().contains(word)) {
            let message = format!("no credentials were found ({})", first_line(&deepest));
            return Self::new(ErrorKind::PermissionDenied, message).with_variables(address);
        }
        if let Some((_, body)) = deepest.split_once(IN_SUCCESS) {
            return Self::answered(&format!("an error: {body}"), address);
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
    pub(crate) fn with_variables(self, address: &Address<'_>) -> Self {
        let hint = (address.scheme != Scheme::Http).then(|| variables(address.scheme));
        Self { hint, ..self }
    }

    /// The same, with the way out.
    pub(crate) fn hinting(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// `answer` is a status, and what follows it after a colon.
    fn answered(answer: &str, address: &Address<'_>) -> Self {
        let (status, body) = answer.split_once(": ").unwrap_or((answer, ""));
        let code = between(body, "<Code>", "</Code>").filter(|code| is_word(code));
        let said = match code {
            Some(code) => format!("{} answered {status} ({code})", who(address)),
            None => format!("{} answered {status}", who(address)),
        };
        let fault = match status.get(..3).unwrap_or(status) {
            "404" | "405" | "410" => Self::new(ErrorKind::NotFound, said),
            "401" | "403" => Self {
                hint: Some(variables(address.scheme)),
                ..Self::new(ErrorKind::PermissionDenied, said)
            },
            "412" => Self::changed("the store has another version now"),
            "416" => Self { kind: Kind::NoParts, ..Self::new(ErrorKind::Other, said) },
            _ => Self::new(ErrorKind::Other, said),
        };
        Self { code: code.map(String::from), ..fault }
    }

    /// The same for one who writes to `address`: a bucket that is not there is named, with what to
    /// do about it.
    pub(crate) fn writing(self, address: &Address<'_>) -> Self {
        if !self.is_without_bucket() {
            return self;
        }
        let message = format!("there is no bucket {} ({})", address.authority, self.message);
        Self { message, hint: Some(bucket(address.scheme)), ..self }
    }

    /// Whether it is the bucket that is not there.
    pub(crate) fn is_without_bucket(&self) -> bool {
        matches!(self.code.as_deref(), Some("NoSuchBucket" | "ContainerNotFound"))
    }

    /// Whether whoever asked is known, and may only not see what was asked for.
    pub(crate) fn is_hidden(&self) -> bool {
        let hidden = ["AccessDenied", "AuthorizationPermissionMismatch"];
        self.code.as_deref().is_some_and(|code| hidden.contains(&code))
    }

    pub(crate) fn io(self) -> io::Error {
        match self.kind {
            Kind::Io(kind) => io::Error::new(kind, self),
            Kind::Changed | Kind::NoParts => io::Error::other(self),
        }
    }
}

/// What stands before the status in the text of an error.
const STATUS: &str = "status code: ";

/// What stands before an answer that says that it is good, and tells an error.
const IN_SUCCESS: &str = "error response: ";

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

fn bucket(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::S3 => {
            "buckets are not made here; is it the right name, and AWS_ENDPOINT_URL the right store?"
        }
        Scheme::Google => "buckets are not made here; is it the right name?",
        Scheme::Azure | Scheme::Http => {
            "containers are not made here; is it the right name, and AZURE_STORAGE_ACCOUNT_NAME the right account?"
        }
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
    fn answers_are_shown_without_signatures() {
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
    fn an_error_in_a_good_answer_is_shown_by_its_code() {
        let body = "Server returned error response: <Error><Code>SlowDown</Code><Secret>secret</Secret></Error>";
        assert_eq!(fault(body).to_string(), "h answered an error (SlowDown)");
    }

    #[test]
    fn a_writer_gets_an_error_that_names_the_bucket() {
        let address = Address::of(Path::new("s3://none/key")).unwrap();
        let body = "status code: 404 Not Found: <Error><Code>NoSuchBucket</Code></Error>";
        let fault = Fault::of(&Outer(Inner(body)), &address).writing(&address);
        let message = "there is no bucket none (the store answered 404 Not Found (NoSuchBucket))";
        assert_eq!(fault.to_string(), message);
        assert_eq!(hint(&fault.io()), Some(bucket(Scheme::S3)));
    }

    #[test]
    fn other_messages_are_shown_without_the_query() {
        assert_eq!(
            fault("cannot parse https://h/k?secret").to_string(),
            "cannot parse https://h/k?..."
        );
    }
}
