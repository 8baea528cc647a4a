//! Says too much, what is no text, and what is not so.

use std::hint::black_box;
use std::panic::panic_any;
use std::process;

use gristmill_sdk::{Error, log};

/// Clears a screen, begins its line anew, and claims something.
const ESCAPES: &str = "\u{1b}[2J\r\u{9b}31merror: all is lost\u{7}\u{202e}";

/// A text of half a mebibyte: the hook that reports a panic needs several times as much.
fn long() -> String {
    ESCAPES.repeat((512 << 10) / ESCAPES.len())
}

/// A string that ends within a character, which safe code cannot have.
pub(crate) fn log_half_a_character() -> Result<Vec<u8>, Error> {
    // SAFETY: none: it is not UTF-8.
    log::warn(unsafe { str::from_utf8_unchecked(black_box(b"half a \xf0\x9f\x98")) });
    Ok(Vec::new())
}

pub(crate) fn log_long_lines() -> Result<Vec<u8>, Error> {
    let text = long();
    loop {
        log::error(&text);
    }
}

/// Sets aside record after record that never was.
pub(crate) fn reject() -> Result<Vec<u8>, Error> {
    for offset in 0.. {
        gristmill_sdk::reject(offset, ESCAPES, ESCAPES.as_bytes());
    }
    Ok(Vec::new())
}

/// A counter of a name of its own for each number.
pub(crate) fn count() -> Result<Vec<u8>, Error> {
    for number in 0..u64::MAX {
        gristmill_sdk::count(&format!("number_{number}"), u64::MAX);
    }
    Ok(Vec::new())
}

/// What comes out is no text for a terminal, and ends within a character.
pub(crate) fn escapes() -> Result<Vec<u8>, Error> {
    Ok([ESCAPES.as_bytes(), b"\0\xff\xf0\x9f"].concat())
}

pub(crate) fn panic() -> Result<Vec<u8>, Error> {
    panic!("{}", long())
}

/// Its payload is no text.
pub(crate) fn panic_without_text() -> Result<Vec<u8>, Error> {
    panic_any(vec![7_u8; 1 << 20])
}

pub(crate) fn abort() -> Result<Vec<u8>, Error> {
    process::abort()
}

/// Says that all went well.
pub(crate) fn exit() -> Result<Vec<u8>, Error> {
    process::exit(0)
}

/// Finds a fault in a place that is in no source.
pub(crate) fn misplace() -> Result<Vec<u8>, Error> {
    gristmill_sdk::reject(u64::MAX, "past the end", b"");
    Err(Error::invalid(u64::MAX, long()))
}
