//! Lines for the host's log, marked there with the plugin's name.
//!
//! ```
//! gristmill_sdk::log::warn(format_args!("{} columns, the header has {}", 4, 5));
//! ```

use std::fmt::Display;

use crate::host::{Level, log};

/// For the author of the plugin.
pub fn debug(message: impl Display) {
    log(Level::Debug, &message.to_string());
}

/// For users who want to see what the plugin does.
pub fn info(message: impl Display) {
    log(Level::Info, &message.to_string());
}

/// Something is odd, and the plugin goes on.
pub fn warn(message: impl Display) {
    log(Level::Warn, &message.to_string());
}

/// Something is wrong; return an [`Error`](crate::Error) as well if the plugin cannot go on.
pub fn error(message: impl Display) {
    log(Level::Error, &message.to_string());
}
