//! How a URL is shown: without who asks, and without what proves that they may. The reader of a row
//! or a report, and a plugin, may not be allowed to fetch it.
//!
//! What stands before `@` in the authority is left out (RFC 3986, section 3.2.1: passwords there
//! are not to be shown), whatever the scheme, known here or not, and where the rest is no text; but
//! for the container of an Azure name, which has no colon. The values of parameters that are
//! secrets by their names become `***`: those of signed URLs (Amazon S3 and `CloudFront`, Google
//! Cloud Storage, Azure SAS), tokens, keys and passwords, in the query, in the fragment, and behind
//! a `;` in the path (section 3.3).

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{Address, Scheme, name_text};
use crate::settings::limits::is_only_shown;

/// Ends of the names of parameters whose values are not shown, in small letters.
const SECRET_ENDS: [&str; 20] = [
    "signature",
    "sig",
    "token",
    "credential",
    "credentials",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "key",
    "keyid",
    "accessid",
    "auth",
    "authorization",
    "jwt",
    "session",
    "sessionid",
    "sessid",
    "policy",
];

/// Other such names, which are too short for ends: of Akamai's tokens and Azure's functions, among
/// others.
const SECRET_NAMES: [&str; 9] =
    ["code", "pass", "ticket", "hdnts", "hdnea", "hdntl", "hmac", "otp", "sid"];

/// What stands for a value.
const HIDDEN: &str = "***";

/// A name as it is shown, in rows, reports and messages, and to plugins: as the user gave it, by
/// the rules of [`name_text`]; a URL is without user, password and signature.
pub fn shown_name(path: &Path) -> Cow<'_, str> {
    let text = name_text(path.as_os_str().as_bytes());
    match shown(&text) {
        Some(shown) => Cow::Owned(shown),
        None => text,
    }
}

/// A path in a message: its [`shown_name`], with U+FFFD in the place of what a terminal obeys.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a Path);

impl<'a> Shown<'a> {
    /// To be shown.
    pub fn of<P: AsRef<Path> + ?Sized>(path: &'a P) -> Self {
        Self(path.as_ref())
    }
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = shown_name(self.0);
        let mut plain = name.chars().map(|c| if is_only_shown(c) { c } else { '\u{fffd}' });
        plain.try_for_each(|c| f.write_char(c))
    }
}

/// Whether a name has the form of a URL (RFC 3986, section 3), of any scheme.
pub fn is_url(path: &Path) -> bool {
    let name = path.as_os_str().as_bytes();
    let end = memchr::memmem::find(name, b"://").unwrap_or_default();
    name.get(..end).is_some_and(is_scheme)
}

fn is_scheme(word: &[u8]) -> bool {
    !word.is_empty()
        && word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
}

/// A URL without what is not shown; `None` where that is all of it, and for what is none.
fn shown(name: &str) -> Option<String> {
    let (scheme, rest) = name.split_once("://")?;
    if !is_scheme(scheme.as_bytes()) {
        return None;
    }
    let known = Address::of(Path::new(name)).map(|address| address.scheme);
    let is_store = known.is_some_and(|scheme| scheme != Scheme::Http);
    // In the key of a bucket `?`, `#` and `;` are letters as others are.
    let ends: &[char] = if is_store { &['/'] } else { &['/', '?', '#'] };
    let (authority, rest) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    let (asks, host) = authority.rsplit_once('@').unwrap_or_default();
    let host = if asks.is_empty() || is_store && !asks.contains(':') { authority } else { host };
    let mut text = format!("{scheme}://{host}");
    if is_store {
        text.push_str(rest);
    } else {
        without_secrets(rest, &mut text);
    }
    (text != name).then_some(text)
}

/// Appends what follows the authority, each `name=value` of it judged.
fn without_secrets(rest: &str, text: &mut String) {
    let (path, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let mut is_parameter = false;
    for part in path.split_inclusive(['/', ';']) {
        let end = part.find(['/', ';']).unwrap_or(part.len());
        if is_parameter {
            parameter(part, end, text);
        } else {
            text.push_str(part);
        }
        is_parameter = part.ends_with(';');
    }
    for part in query.split_inclusive(['?', '&', ';', '#']) {
        parameter(part, part.find(['?', '&', ';', '#']).unwrap_or(part.len()), text);
    }
}

/// Appends one `name=value`, which ends at `end`, and what is behind it.
fn parameter(part: &str, end: usize, text: &mut String) {
    // A member's name follows that of its archive.
    let end = part.find("!/").map_or(end, |member| member.min(end));
    let (pair, behind) = part.split_at(end);
    match pair.split_once('=') {
        Some((name, value)) if is_secret(name) && !value.is_empty() => {
            text.extend([name, "=", HIDDEN]);
        }
        _ => text.push_str(pair),
    }
    text.push_str(behind);
}

/// Whether the value of a parameter is not for everybody. A server reads `%73ig` as `sig`: what is
/// written so is hidden, too.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains('%')
        || SECRET_NAMES.contains(&name.as_str())
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn of(name: &str) -> Cow<'_, str> {
        shown_name(Path::new(name))
    }

    #[test]
    fn who_asks_and_what_proves_it_are_left_out() {
        for (name, expected) in [
            ("https://user:pass@h:1/a/b.gz", "https://h:1/a/b.gz"),
            ("HTTP://u@h", "HTTP://h"),
            (
                "https://h/a?X-Amz-Date=1&X-Amz-Signature=abc&x=1",
                "https://h/a?X-Amz-Date=1&X-Amz-Signature=***&x=1",
            ),
            ("https://h/a?sv=2024&sig=a%2Fb%3D=#t", "https://h/a?sv=2024&sig=***#t"),
            ("https://h/a.zip?token=x!/dir/b", "https://h/a.zip?token=***!/dir/b"),
            ("https://h/a?%73ig=x;API_KEY=y", "https://h/a?%73ig=***;API_KEY=***"),
            ("https://u:p@h/a#access_token=x", "https://h/a#access_token=***"),
            ("https://h/f?code=x&zipcode=1", "https://h/f?code=***&zipcode=1"),
            ("https://h/a;sid=x/b;v=1;token=y?q=1", "https://h/a;sid=***/b;v=1;token=***?q=1"),
            ("https://h/a.zip;token=x!/dir/b", "https://h/a.zip;token=***!/dir/b"),
            ("https://u:p@x@h/a", "https://h/a"),
            ("ftp://u:p@h/a?sig=b", "ftp://h/a?sig=***"),
            ("s3://AKIA:p@b/k", "s3://b/k"),
        ] {
            assert_eq!(of(name), expected);
        }
    }

    #[test]
    fn a_name_that_is_no_text_hides_the_same() {
        let name = OsStr::from_bytes(b"https://u:p@h/\xff?sig=x");
        assert_eq!(shown_name(Path::new(name)), r"https://h/\xff?sig=***");
    }

    #[test]
    fn a_path_in_a_message_has_neither_a_password_nor_what_a_terminal_obeys() {
        let shown = |name: &[u8]| Shown::of(OsStr::from_bytes(name)).to_string();
        assert_eq!(
            shown(b"https://u:p@h/x.wasm?X-Amz-Signature=s"),
            "https://h/x.wasm?X-Amz-Signature=***"
        );
        assert_eq!(shown(b"a\x1b[31m\n\xff \xc3\xa4"), "a\u{fffd}[31m\u{fffd}\\xff ä");
    }

    #[test]
    fn urls_are_recognised_by_their_form() {
        let is = |name: &str| is_url(Path::new(name));
        assert!(is("https://h/a") && is("s3://b") && is("svn+ssh://h"));
        assert!(!is("./https://h") && !is("a/b://c") && !is("://h") && !is("a:b") && !is("a"));
    }

    #[test]
    fn other_names_are_shown_as_they_are() {
        for name in [
            "https://h/a?page=2&q=key",
            "https://h/a=b/c@d",
            "https://h?sig=",
            "s3://bucket/k?sig=1",
            "abfss://c@a.dfs.core.windows.net/k",
            "https://h/key=1/token=2/c",
            "./ftp://u:p@h/a",
            "a@b/c?sig=1",
        ] {
            assert_eq!(of(name), name);
        }
    }
}
