//! What a failed call means, in words for the user.

use std::fmt::Write;
use std::time::Duration;

use wasmtime::{Trap, WasmBacktrace};

use super::guest::{Guest, Stopped, TooManyRejects};
use crate::process::{Detail, Failure, FailureKind};
use crate::settings::limits::BACKTRACE_BYTES_MAX;

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

/// Turns the engine's error into a failure: which limit was met, or how the guest crashed, and where.
pub(super) fn fault(
    error: &wasmtime::Error,
    call: Call,
    guest: &Guest,
    timeout: Duration,
) -> Failure {
    let failure = meant(error, call, guest, timeout);
    if failure.kind == FailureKind::Cancelled {
        return failure;
    }
    let (said, backtrace) = (guest.last_error.clone(), backtrace(error));
    failure.detail(Detail { said, backtrace, ..Detail::default() })
}

/// The functions that were running, the innermost first. Their names are the plugin's own, so there is a bound on them.
fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let mut text = Bounded(String::new());
    let _cut = write!(text, "{trace}"); // what is beyond the bound is left out
    let frames = text.0.lines().filter_map(|line| line.trim().split_once(": "));
    frames
        .filter(|(number, _)| number.parse::<usize>().is_ok())
        .map(|(_, frame)| plain(frame))
        .collect()
}

fn plain(frame: &str) -> String {
    frame.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() + text.len() > BACKTRACE_BYTES_MAX {
            return Err(std::fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn meant(error: &wasmtime::Error, call: Call, guest: &Guest, timeout: Duration) -> Failure {
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
        return Failure::new(FailureKind::Memory, message).hint("raise --memory");
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
