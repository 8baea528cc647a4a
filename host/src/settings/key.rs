//! How a text that is written below the front ends names a setting: by a mark, which each front end
//! puts its own name for.
//!
//! The same limit is `--timeout` on a command line, `timeout` in a file, and a field of a document:
//! a message that named one of them would be wrong for the others.

use std::borrow::Cow;
use std::fmt;

const OPEN: char = '⟦';
const CLOSE: char = '⟧';

/// A setting of a job, by the name that it has in a spec. In a text that is constant it is written
/// out: `⟦timeout⟧`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a>(pub &'a str);

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPEN}{}{CLOSE}", self.0)
    }
}

/// The text with each key in it named by `name`. What only looks like a key stays as it is.
pub fn named(text: &str, name: impl Fn(&str) -> String) -> Cow<'_, str> {
    if !text.contains(OPEN) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split(OPEN);
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        if let Some((key, rest)) = part.split_once(CLOSE).filter(|(key, _)| is_key(key)) {
            text.push_str(&name(key));
            text.push_str(rest);
        } else {
            text.push(OPEN);
            text.push_str(part);
        }
    }
    Cow::Owned(text)
}

/// The key that a text begins with.
pub fn first_key(text: &str) -> Option<&str> {
    keys(text).next().filter(|_| text.starts_with(OPEN))
}

/// The keys in a text, in its order.
pub fn keys(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(OPEN).skip(1);
    parts.filter_map(|part| part.split_once(CLOSE)).map(|(key, _)| key).filter(|key| is_key(key))
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_and_all_else_stays() {
        let flag = |key: &str| format!("--{key}");
        let text = |text: &str| named(text, flag).into_owned();
        assert_eq!(text("raise ⟦timeout⟧, or ⟦memory⟧"), "raise --timeout, or --memory");
        assert_eq!(text(&format!("{}: why", Key("out"))), "--out: why");
        for same in ["", "none", "a ⟦ b ⟧ c", "⟦⟧", "⟦a b⟧", "⟧⟦", "⟦open"] {
            assert_eq!(text(same), same);
        }
        assert_eq!(text("⟦⟦out⟧"), "⟦--out");
        assert_eq!(keys("⟦a⟧ ⟦b c⟧ ⟦d⟧").collect::<Vec<_>>(), ["a", "d"]);
    }
}
