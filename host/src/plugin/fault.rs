//! What a failed call means, in words for the user.

use std::time::Duration;

use wasmtime::Trap;

use super::guest::{Guest, Stopped, TooManyRejects};
use crate::process::{Failure, FailureKind};

/// Which function of the contract was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Start,
    Describe,
    Configure,
    Constructor,
    Push,
    Save,
    Merge,
    Finish,
    Drop,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "its start",
            Self::Describe => "describe",
            Self::Configure => "configure",
            Self::Constructor => "its constructor",
            Self::Push => "push",
            Self::Save => "save",
            Self::Merge => "merge",
            Self::Finish => "finish",
            Self::Drop => "its destructor",
        }
    }
}

/// Turns the engine's error into a failure: which limit was met, or how the guest crashed.
pub(super) fn fault(
    error: &wasmtime::Error,
    call: Call,
    guest: &Guest,
    timeout: Duration,
) -> Failure {
    let name = call.name();
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        return match stopped {
            Stopped::Cancelled => Failure::new(FailureKind::Cancelled, "the run was cancelled"),
            Stopped::Timeout => Failure::new(
                FailureKind::Timeout,
                format!("the plugin did not return from {name} within {timeout:?}"),
            )
            .hint("raise --timeout, or look for an endless loop"),
        };
    }
    if error.downcast_ref::<TooManyRejects>().is_some() {
        let message = format!("the plugin set aside too much in {name}");
        return Failure::new(FailureKind::Output, message);
    }
    if let Some(bytes) = guest.refused_bytes {
        let asked = bytes.div_ceil(1 << 20);
        let message = format!("the plugin ran out of memory in {name}: it asked for {asked} MiB");
        return Failure::new(FailureKind::Memory, message).hint(guest.raise);
    }
    let crash = |text: &str| {
        Failure::new(FailureKind::Trap, format!("the plugin crashed in {name}: {text}"))
    };
    match (&guest.last_error, error.downcast_ref::<Trap>()) {
        (Some(said), Some(Trap::UnreachableCodeReached)) => crash(said),
        (None, Some(Trap::UnreachableCodeReached)) => {
            crash("uncaught exception, failed assertion or out of memory")
        }
        (_, Some(trap)) => crash(&trap.to_string()),
        // The engine's own error type for this is private: it is known by its words, and by a test.
        (_, None) if error.root_cause().to_string().contains("fuel allocated for hostcalls") => {
            Failure::new(FailureKind::Output, format!("the plugin returned too much from {name}"))
        }
        (_, None) => crash(&error.root_cause().to_string()),
    }
}
