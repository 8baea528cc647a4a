//! Whether standard output was closed when the process started, as by `>&-`.
//!
//! The runtime of Rust opens `/dev/null` in place of a standard stream that is closed, before
//! `main`: output is lost without an error, and cannot be distinguished from a `/dev/null` that the
//! caller opened, as Python's `subprocess.DEVNULL` is. So it is looked at before the runtime
//! starts.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use crate::settings::Key;
use crate::spec::Problem;

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

// SAFETY: the loader calls each function in this section with the C calling convention before
// `main` (System V ABI, gABI 4.1, chapter 5), on the one thread that there is. This one needs
// nothing that the runtime sets up: it makes one system call by `rustix`, which has no state, and
// stores into an atomic. Arguments that the loader passes are ignored, which the convention allows.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let is_closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err();
    STDOUT_WAS_CLOSED.store(is_closed, Ordering::Relaxed);
}

/// Refuses to write to standard output, which the setting `key` names, where it is closed.
pub(super) fn check_stdout(key: &str) -> Result<(), Problem> {
    if !STDOUT_WAS_CLOSED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let key = Key(key);
    let hint = format!("{key} FILE names a file; `> /dev/null` discards what is written");
    Err(Problem::new(format!("{key}: standard output is closed")).hint(Some(&hint)))
}
