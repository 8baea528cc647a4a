//! How a URL is shown: without who asks, and without what proves that they may. Whoever reads a row, a report, or is a plugin, is not
//! always who may fetch it.
//!
//! What stands before `@` in the authority of an `http` URL is left out (RFC 3986, section 3.2.1: passwords there are not to be shown).
//! The values of parameters that are secrets by their names become `***`: those of signed URLs (Amazon S3 and `CloudFront`, Google Cloud
//! Storage, Azure SAS), tokens, keys and passwords.

use std::borrow::Cow;

use super::{Address, Scheme};

/// Ends of the names of parameters whose values are not shown, in small letters.
const SECRET_ENDS: [&str; 16] = [
    "signature",
    "sig",
    "token",
    "credential",
    "credentials",
    "secret",
    "password",
    "passwd",
    "pwd",
    "key",
    "keyid",
    "accessid",
    "auth",
    "jwt",
    "session",
    "policy",
];

/// What stands for a value.
const HIDDEN: &str = "***";

/// A name as it is shown; `address` is what it is taken apart into.
pub(super) fn shown<'a>(name: &'a str, address: &Address<'a>) -> Cow<'a, str> {
    if address.scheme != Scheme::Http {
        return Cow::Borrowed(name);
    }
    let scheme = name.get(..name.len() - after_scheme(name).len()).unwrap_or_default();
    let rest = after_scheme(name).get(address.authority.len()..).unwrap_or_default();
    let plain = address.host().len() == address.authority.len() && !rest.contains('=');
    if plain {
        return Cow::Borrowed(name);
    }
    let mut text = format!("{scheme}{}", address.host());
    without_secrets(rest, &mut text);
    Cow::Owned(text)
}

fn after_scheme(name: &str) -> &str {
    name.split_once("://").map_or(name, |(_, rest)| rest)
}

/// Appends what follows the authority, each `name=value` of it judged.
fn without_secrets(rest: &str, text: &mut String) {
    let (path, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    text.push_str(path);
    for part in query.split_inclusive(['?', '&', ';', '#']) {
        let Some((name, value)) = part.split_once('=') else {
            text.push_str(part);
            continue;
        };
        let end = value.find(['?', '&', ';', '#']).unwrap_or(value.len());
        // A member's name follows that of its archive.
        let end = value.find("!/").map_or(end, |member| member.min(end));
        let (value, behind) = value.split_at(end);
        text.push_str(name);
        text.push('=');
        text.push_str(if is_secret(name) && !value.is_empty() { HIDDEN } else { value });
        text.push_str(behind);
    }
}

/// Whether the value of a parameter is not for everybody. A server reads `%73ig` as `sig`: what is written so is hidden, too.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains('%') || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn of(name: &str) -> Cow<'_, str> {
        shown(name, &Address::of(Path::new(name)).unwrap())
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
        ] {
            assert_eq!(of(name), expected);
        }
    }

    #[test]
    fn other_names_are_shown_as_they_are() {
        for name in [
            "https://h/a?page=2&q=key",
            "https://h/a=b/c@d",
            "https://h?sig=",
            "s3://bucket/k?sig=1",
            "abfss://c@a.dfs.core.windows.net/k",
        ] {
            assert_eq!(of(name), name);
        }
    }
}
