//! What is said on standard error: errors with the way out, logs, what failed.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::progress::Progress;
use crate::process::Failure;
use crate::settings::limits::{FAILURES_TOLD_MAX, MESSAGE_BYTES_MAX};

/// Why nothing could be started.
#[derive(Debug)]
pub(super) struct Abort {
    message: String,
    hint: Option<String>,
}

impl Abort {
    pub(super) fn new(message: impl Display) -> Self {
        Self { message: format!("{message}"), hint: None }
    }

    /// The same, with the place in a file that it is about.
    pub(super) fn at(self, at: Option<&At>) -> Self {
        match at {
            Some(At(at)) => Self { message: format!("{at}: {}", self.message), ..self },
            None => self,
        }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn hint(self, hint: Option<&str>) -> Self {
        Self { hint: hint.map(str::to_string), ..self }
    }
}

/// A place in a file, as `FILE:LINE:COLUMN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At(pub(super) String);

/// Says why nothing was started.
pub(super) fn abort(abort: &Abort) {
    line(&format!("error: {}", abort.message));
    if let Some(hint) = &abort.hint {
        line(&format!("hint: {hint}"));
    }
}

/// One line on standard error, whatever is in it, and not without end. Where that is gone, there is nobody left to tell.
pub(super) fn line(text: &str) {
    let shown = text.get(..text.floor_char_boundary(2 * MESSAGE_BYTES_MAX)).unwrap_or_default();
    let _ = writeln!(io::stderr().lock(), "{}", plain(shown));
}

/// The text without control characters: names of files and words of plugins must not reach a terminal as commands, or as
/// further lines.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Tells of failed sources above a progress bar.
pub(super) struct Failures<'a> {
    progress: &'a Progress,
    told: AtomicU64,
}

impl<'a> Failures<'a> {
    pub(super) fn new(progress: &'a Progress) -> Self {
        Self { progress, told: AtomicU64::new(0) }
    }

    pub(super) fn tell(&self, source: &str, failure: &Failure) {
        let before = self.told.fetch_add(1, Ordering::Relaxed);
        if before > FAILURES_TOLD_MAX {
            return;
        }
        self.progress.suspend(|| {
            if before == FAILURES_TOLD_MAX {
                line("further failures are not shown");
                return;
            }
            line(&format!("{source}: {failure}"));
            if let Some(hint) = &failure.hint {
                line(&format!("hint: {hint}"));
            }
        });
    }
}

/// Sends the logs of plugins and the host to standard error, above the progress bar.
pub(super) fn log_to_stderr(level: LevelFilter, progress: Progress) {
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .without_time()
        .with_writer(Above { progress })
        .init();
}

#[derive(Clone)]
struct Above {
    progress: Progress,
}

impl<'a> MakeWriter<'a> for Above {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.progress.suspend(|| io::stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
