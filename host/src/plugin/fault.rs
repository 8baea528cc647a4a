//! What a failed call means, in words for the user: what was used, what is allowed, and the flag
//! that raises it.

use std::fmt::Write;

use rustix::io::Errno;
use wasmtime::{Trap, WasmBacktrace};

use super::guest::{Guest, Refused, Stopped, TooManyRejects};
use super::guest_write::ReturnedTooMuch;
use crate::process::{Detail, Failure, FailureKind};
use crate::settings::limits::{
    BACKTRACE_BYTES_MAX, MEMORY_BYTES_CEILING, SYMBOL_BYTES_MAX, is_only_shown,
};
use crate::stats::Full;

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

/// Turns the engine's error into a failure: which limit was met, or how the guest crashed, and
/// where.
pub(super) fn fault(error: &wasmtime::Error, call: Call, guest: &Guest) -> Failure {
    let failure = meant(error, call, guest);
    if failure.kind == FailureKind::Cancelled {
        return failure;
    }
    let (said, backtrace) = (guest.last_error.clone(), backtrace(error));
    failure.detail(Detail { said, backtrace, ..Detail::default() })
}

/// The functions that were running, the innermost first. Their names are the plugin's own, so there
/// is a bound on them; and of those names only Rust's are put into words, by what writes into that
/// bound: those of C++ can stand for gigabytes in a few hundred characters.
fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let mut text = Bounded { text: String::new(), bytes_max: BACKTRACE_BYTES_MAX };
    let _cut = write!(text, "{trace}"); // what is beyond the bound is left out
    let frames = text.text.lines().filter_map(|line| line.trim().split_once(": "));
    frames
        .filter(|(number, _)| number.parse::<usize>().is_ok())
        .map(|(_, frame)| plain(&readable(frame)))
        .collect()
}

/// A frame, `module!function`, with the function's name as it is in the source, where it is Rust's
/// and not too long.
fn readable(frame: &str) -> String {
    let (module, name) = frame.rsplit_once('!').unwrap_or(("", frame));
    if name.len() > SYMBOL_BYTES_MAX {
        return frame.into();
    }
    let Ok(demangled) = rustc_demangle::try_demangle(name) else { return frame.into() };
    let mut text = Bounded { text: String::new(), bytes_max: SYMBOL_BYTES_MAX };
    match write!(text, "{module}!{demangled:#}") {
        Ok(()) => text.text,
        Err(_too_long) => frame.into(),
    }
}

fn plain(frame: &str) -> String {
    frame.trim().chars().map(|c| if is_only_shown(c) { c } else { ' ' }).collect()
}

struct Bounded {
    text: String,
    bytes_max: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.text.len() + text.len() > self.bytes_max {
            return Err(std::fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// Whether the kernel has refused to map memory.
fn is_no_room(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| {
        let code = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
        let errno = cause.downcast_ref::<Errno>().map(|errno| errno.raw_os_error());
        code.or(errno) == Some(Errno::NOMEM.raw_os_error())
    })
}

fn meant(error: &wasmtime::Error, call: Call, guest: &Guest) -> Failure {
    let name = call.name();
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        return match stopped {
            Stopped::Cancelled => Failure::new(FailureKind::Cancelled, "the run was cancelled"),
            Stopped::Timeout => timed_out(name, guest),
            Stopped::GuestTime => out_of_guest_time(guest),
        };
    }
    if let Some(too_many) = error.downcast_ref() {
        return set_aside_too_much(name, too_many);
    }
    if let Some(refused) = guest.refused {
        return out_of_room(name, refused, guest);
    }
    if let Some(ReturnedTooMuch { bytes }) = error.downcast_ref() {
        return returned_too_much(call, &size(*bytes), guest);
    }
    if is_no_room(error) {
        let message = format!(
            "the process may have no more address space for a sandbox in {name}: each memory of a plugin takes 4 GiB of it, used or not"
        );
        return Failure::new(FailureKind::Memory, message).hint(
            "raise the limit on virtual memory (ulimit -v); ⟦memory_total⟧ bounds what is used",
        );
    }
    crashed(error, call, guest)
}

fn set_aside_too_much(name: &str, too_many: &TooManyRejects) -> Failure {
    match too_many {
        TooManyRejects::Bytes { bytes, max } => {
            let (bytes, max) = (size(*bytes), size(*max));
            let message = format!("the plugin set aside {bytes} in {name}, more than {max}");
            Failure::new(FailureKind::Output, message).hint("raise ⟦output_per_call⟧")
        }
        TooManyRejects::Records { max } => {
            let message = format!("more than {max} records of this job were set aside");
            Failure::new(FailureKind::JobLimit, message).hint("raise ⟦rejects_per_job⟧")
        }
        TooManyRejects::Total(full) => {
            let Full { bytes, charged, bytes_max } = full;
            let message = format!(
                "a record that was set aside takes {bytes} bytes of memory more, with {charged} of {bytes_max} of the whole run in use"
            );
            Failure::new(FailureKind::Memory, message)
                .hint("raise ⟦memory_total⟧; ⟦max_rejects⟧ says how many may be set aside")
        }
    }
}

/// No limit of the host's was met but those that the engine keeps.
fn crashed(error: &wasmtime::Error, call: Call, guest: &Guest) -> Failure {
    let name = call.name();
    let crash = |text: &str| {
        Failure::new(FailureKind::Trap, format!("the plugin crashed in {name}: {text}"))
    };
    match (&guest.last_error, error.downcast_ref::<Trap>()) {
        (Some(said), Some(Trap::UnreachableCodeReached)) => crash(said),
        (None, Some(Trap::UnreachableCodeReached)) => Failure::new(
            FailureKind::Trap,
            format!(
                "the plugin crashed in {name} without saying why: an uncaught exception, a failed assertion or out of memory"
            ),
        ),
        (_, Some(Trap::OutOfFuel)) => {
            let fuel = guest.limits.fuel.unwrap_or_default();
            let message = format!("the plugin used up the {fuel} units of fuel of {name}");
            Failure::new(FailureKind::Fuel, message)
                .hint("raise ⟦fuel⟧, or look for an endless loop")
        }
        (_, Some(Trap::StackOverflow)) => {
            let stack = size(guest.limits.stack_bytes);
            crash(&format!("it used up its stack of {stack}"))
                .hint("raise ⟦stack⟧, or look for endless recursion")
        }
        (_, Some(trap)) => crash(&trap.to_string()),
        // The engine's own error type for this is private: it is known by its words, and by a test.
        (_, None) if error.root_cause().to_string().contains("fuel allocated for hostcalls") => {
            returned_too_much(call, "too much", guest)
        }
        (_, None) => crash(&error.root_cause().to_string()),
    }
}

fn timed_out(name: &str, guest: &Guest) -> Failure {
    let allowed = guest.allowed;
    let message = format!("the plugin did not return from {name} within {allowed:?}");
    let hint = if allowed > guest.limits.timeout {
        "raise ⟦timeout⟧ or ⟦timeout_per_mib⟧, or look for an endless loop"
    } else {
        "raise ⟦timeout⟧, or look for an endless loop"
    };
    Failure::new(FailureKind::Timeout, message).hint(hint)
}

/// The job has no guest time left.
pub(super) fn out_of_guest_time(guest: &Guest) -> Failure {
    let max = guest.limits.guest_time.unwrap_or_default();
    let message = format!("the plugins of this job used up their {max:?} of guest time");
    Failure::new(FailureKind::JobLimit, message).hint("raise ⟦guest_time⟧")
}

fn out_of_room(name: &str, refused: Refused, guest: &Guest) -> Failure {
    match refused {
        Refused::Memory(bytes) => {
            let (asked, max) = (size(bytes), size(guest.limits.memory_bytes));
            let message = format!(
                "the plugin ran out of memory in {name}: it asked for {asked}, more than {max}"
            );
            Failure::new(FailureKind::Memory, message).hint("raise ⟦memory⟧")
        }
        Refused::Total(Full { bytes, charged, bytes_max }) => {
            let message = format!(
                "the plugin ran out of memory in {name}: it asked for {bytes} bytes more, with {charged} of {bytes_max} of the whole run in use"
            );
            Failure::new(FailureKind::Memory, message).hint("raise ⟦memory_total⟧")
        }
        Refused::Table(elements) => {
            let max = guest.limits.table_elements;
            let message = format!(
                "the plugin asked for a table of {elements} elements in {name}, more than {max}"
            );
            Failure::new(FailureKind::Memory, message).hint("raise ⟦table_elements⟧")
        }
        Refused::Tables(elements) => {
            let max = guest.table_elements_total_max();
            let message = format!(
                "the plugin asked for tables of {elements} elements together in {name}, more than {max}"
            );
            Failure::new(FailureKind::Memory, message).hint("raise ⟦table_elements⟧")
        }
    }
}

fn returned_too_much(call: Call, bytes: &str, guest: &Guest) -> Failure {
    let (name, max) = (call.name(), size(guest.output_bytes_max));
    let message = format!("the plugin returned {bytes} from {name}, more than {max}");
    Failure::new(FailureKind::Output, message).hint(match call {
        Call::Describe | Call::Configure => "what a plugin says of itself is for people to read",
        Call::Save => "raise ⟦memory⟧",
        _ => "raise ⟦output_per_call⟧",
    })
}

/// What to do where a plugin says that its data does not fit: it mostly needs more for all of them
/// than it has asked for so far.
pub(super) fn more_memory(guest: &Guest) -> String {
    match guest.limits.memory_bytes.saturating_mul(2) {
        twice if twice <= MEMORY_BYTES_CEILING => {
            format!("raise ⟦memory⟧ to {} or more", size(twice).replace(' ', ""))
        }
        _ => "raise ⟦memory⟧".into(),
    }
}

/// Bytes for people, without a loss where they are a limit: in MiB or KiB, if they are whole.
fn size(bytes: usize) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}
