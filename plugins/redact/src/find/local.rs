//! The local part of an address, from its `@` to the left.
//!
//! What RFC 5322, section 3.2.3, allows in it also separates words where addresses stand in text
//! (`user=a@b.org`, `u/a@b.org`). So most of it counts only where something says that it belongs:
//! angle brackets, quotes, the form of VERP.

use super::{ansi, word};

/// Bytes of a local part that is looked at beyond letters and the like, at most: far more than the
/// 64 of RFC 5321.
const BYTES_MAX: usize = 320;

/// Names that stand before `=` and an address in logs and queries: no parts of it.
const KEYS: [&str; 32] = [
    "account",
    "actor",
    "addr",
    "address",
    "alias",
    "bcc",
    "by",
    "cc",
    "contact",
    "e-mail",
    "email",
    "from",
    "id",
    "login",
    "mail",
    "mailto",
    "member",
    "name",
    "owner",
    "rcpt",
    "recipient",
    "replyto",
    "reply-to",
    "sasl_username",
    "sender",
    "subject",
    "to",
    "uid",
    "upn",
    "user",
    "userid",
    "username",
];

/// Ends of domains by which the last part of `alice=example.org` is distinguished from that of
/// `email=john.doe`; those of two letters count, too.
const TOP_LEVELS: [&str; 24] = [
    "app", "biz", "blog", "club", "cloud", "com", "dev", "edu", "email", "example", "gov", "info",
    "int", "local", "mil", "mobi", "name", "net", "online", "org", "shop", "site", "test", "xyz",
];

/// Where the local part begins that ends at `at`, and has letters and the like from `run` on.
#[inline]
pub(super) fn start(text: &[u8], run: usize, at: usize) -> Option<usize> {
    let begins = word::end(text, run, |byte| !begins_local(byte) && is_local(byte));
    let plain = (begins < at).then_some(begins);
    let before = run.checked_sub(1).and_then(|before| text.get(before));
    match (before, plain) {
        (Some(b'"'), None) if run == at => quoted(text, at - 1),
        (Some(&byte), _) if is_special(byte) => special(text, run, at, plain),
        _ => plain,
    }
}

/// Where the quotes open that close at `close`.
fn quoted(text: &[u8], close: usize) -> Option<usize> {
    let from = close.saturating_sub(BYTES_MAX);
    let inside = text.get(from..close)?;
    let line = inside.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let mut open = inside.len();
    while let Some(at) = inside.get(line..open)?.iter().rposition(|&byte| byte == b'"') {
        open = line + at;
        let escaped = open.checked_sub(1).and_then(|at| inside.get(at)) == Some(&b'\\');
        if !escaped {
            return (open + 1 < inside.len()).then_some(from + open);
        }
    }
    None
}

/// Where it begins if some of what stands before the run belongs to it.
fn special(text: &[u8], run: usize, at: usize, plain: Option<usize>) -> Option<usize> {
    let from = run.saturating_sub(BYTES_MAX);
    let bytes = text.get(from..run)?.iter().rev().take_while(|&&byte| is_atom(byte)).count();
    let whole = run - bytes;
    let named = |start: usize| {
        let part = text.get(start..at)?;
        part.iter().any(|&byte| begins_local(byte)).then_some(start)
    };
    if whole.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'<') {
        return named(whole);
    }
    match plain {
        None => named(word::start(text, run, |byte| is_atom(byte) && !matches!(byte, b'=' | b'/'))),
        Some(start) if start == run => Some(behind_signs(text, whole, start, at)),
        plain => plain,
    }
}

/// Goes on over `=` and `/` that belong to the local part.
fn behind_signs(text: &[u8], whole: usize, plain: usize, at: usize) -> usize {
    let (mut start, mut end) = (plain, at);
    while start > whole {
        let part = text.get(start..end).unwrap_or_default();
        let signs = word::start(text, start, |byte| byte == b'=').max(whole);
        let previous = word::start(text, signs, is_local).max(whole);
        let previous = ansi::behind(text, previous).min(signs);
        let name = text.get(previous..signs).unwrap_or_default();
        let joins = match (start - signs, previous.checked_sub(1).and_then(|at| text.get(at))) {
            (0, _) => return behind_slashes(text, start),
            (1, Some(b'?' | b'&')) => false,
            (1, _) => is_domain(part) && !is_key(name),
            _ => true,
        };
        if !joins || name.is_empty() {
            return start;
        }
        (start, end) = (previous, signs);
    }
    start
}

/// Goes on over `first/last`, which is no path: it does not begin with a slash, and has no scheme.
fn behind_slashes(text: &[u8], start: usize) -> usize {
    let before = |at: usize| at.checked_sub(1).and_then(|at| text.get(at));
    if before(start) != Some(&b'/') {
        return start;
    }
    let from = word::start(text, start, |byte| is_local(byte) || byte == b'/');
    let part = text.get(from..start).unwrap_or_default();
    let is_path = part.starts_with(b"/")
        || part.windows(2).any(|pair| pair == b"//")
        || matches!(before(from), Some(b':' | b'?' | b'&' | b'\\'))
        || start - from > BYTES_MAX;
    if is_path { start } else { from }
}

fn is_key(name: &[u8]) -> bool {
    KEYS.iter().any(|key| name.eq_ignore_ascii_case(key.as_bytes()))
}

/// Whether a part is a domain, judged by its end.
fn is_domain(part: &[u8]) -> bool {
    let Some(dot) = part.iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0) else {
        return false;
    };
    let top = part.get(dot + 1..).unwrap_or_default();
    let known = TOP_LEVELS.iter().any(|known| top.eq_ignore_ascii_case(known.as_bytes()));
    known || top.starts_with(b"xn--") || (top.len() == 2 && top.iter().all(u8::is_ascii_alphabetic))
}

fn begins_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// What counts wherever it stands.
pub(super) fn is_local(byte: u8) -> bool {
    begins_local(byte) || matches!(byte, b'.' | b'+' | b'-' | b'%' | b'~' | b'\'')
}

/// What counts where something says so.
fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#' | b'$' | b'&' | b'*' | b'/' | b'=' | b'?' | b'^' | b'`' | b'{' | b'|' | b'}'
    )
}

fn is_atom(byte: u8) -> bool {
    is_local(byte) || is_special(byte)
}
