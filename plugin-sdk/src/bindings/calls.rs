//! The calls that a plugin makes to the host.

use super::{host, types};
use crate::host::Level;

pub(crate) fn log(level: Level, message: &str) {
    host::log(level.into(), message);
}

pub(crate) fn count(counter: &str, by: u64) {
    host::count(counter, by);
}

pub(crate) fn reject(offset: u64, reason: &str, data: &[u8]) {
    host::reject(&types::Flaw { offset, reason: reason.into() }, data);
}
