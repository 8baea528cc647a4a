//! The parts of a source's name that are mirrored: no `.`, no `..`, nothing empty.

use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;

use super::{Origin, Stored};

/// The parts of a place, before a template makes its name: directories, then the name. None where
/// the name says nothing.
pub(super) fn of<'a>(origin: &Origin<'a>) -> Vec<&'a [u8]> {
    let mut parts = of_path(origin);
    if let Some(member) = origin.member {
        parts.extend(below(member));
    }
    parts
}

fn of_path<'a>(origin: &Origin<'a>) -> Vec<&'a [u8]> {
    let path = origin.path.as_os_str().as_bytes();
    if let Some(walked) = origin.walked
        && let Ok(rest) = origin.path.strip_prefix(walked)
    {
        let walked = walked.as_os_str().as_bytes();
        let contents = walked.ends_with(b"/") || walked.ends_with(b"/.");
        let mut parts = if contents { Vec::new() } else { below(walked) };
        parts.extend(below(rest.as_os_str().as_bytes()));
        return parts;
    }
    if path == b"-" {
        return vec![b"stdin"];
    }
    of_url(path).unwrap_or_else(|| below(path))
}

/// What is left of a path when it may lead neither up nor to the root.
fn below(path: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => parts.clear(),
            part => parts.push(part),
        }
    }
    parts
}

/// The parts of a URL (RFC 3986, section 3), without user, query and fragment. In the keys of
/// object stores, `?` and `#` are characters like others.
fn of_url(url: &[u8]) -> Option<Vec<&[u8]>> {
    let at = url.windows(3).position(|window| window == b"://")?;
    let (scheme, rest) = (url.get(..at)?, url.get(at + 3..)?);
    let is_scheme = scheme.first()?.is_ascii_alphabetic()
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    if !is_scheme {
        return None;
    }
    let has_query = scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https");
    let end = rest.iter().position(|byte| has_query && b"?#".contains(byte));
    let rest = rest.get(..end.unwrap_or(rest.len()))?;
    let slash = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    let host = authority.rsplit(|&byte| byte == b'@').next().unwrap_or(authority);
    let mut parts = below(host);
    parts.extend(below(path));
    if path.is_empty() || path.ends_with(b"/") {
        parts.push(b"index");
    }
    Some(parts)
}

/// The name of what is read, by that of what is stored.
pub(super) fn name(stored_name: &[u8], stored: Stored) -> Cow<'_, [u8]> {
    let (stem, extension) = split(stored_name);
    match (stored, extension) {
        (Stored::Plain, _) | (Stored::Compressed, []) => Cow::Borrowed(stored_name),
        (Stored::Compressed, [_, b't' | b'T', ..]) => Cow::Owned([stem, b".tar"].concat()),
        (Stored::Compressed, _) => Cow::Borrowed(stem),
    }
}

/// A name as what stands before its extension, and the extension with its dot. A dot at either end
/// begins none.
pub(super) fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|&byte| byte == b'.') {
        Some(dot) if dot > 0 && dot + 1 < name.len() => name.split_at(dot),
        _ => (name, &[]),
    }
}
