//! Escapes of URLs and forms: RFC 3986, section 2.1, and `%u0040` of old JavaScript.

use super::{Escape, hex};

/// The escape whose `%` is at `at`.
pub(super) fn at(text: &[u8], at: usize) -> Option<Escape> {
    if text.get(at + 1) == Some(&b'u')
        && let Some(value) = hex(text, at + 2, 4)
    {
        return Some(Escape::scalar(6, value));
    }
    hex(text, at + 1, 2).map(|value| Escape::byte(3, value.to_le_bytes()[0]))
}
