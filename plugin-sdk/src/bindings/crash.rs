//! Says in the host's log what a panic was, before it becomes a trap without words.

use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use crate::log;

/// From now on, a panic is logged as `panicked at src/lib.rs:10:5: message`.
pub(super) fn report_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| panic::set_hook(Box::new(|info| log::error(text(info)))));
}

fn text(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("no message");
    match info.location() {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    }
}
