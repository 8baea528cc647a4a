//! What is said on standard error: errors with the way out, logs, what failed.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytesize::ByteSize;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::progress::Progress;
use crate::name::Shown;
use crate::plugin;
use crate::process::{Detail, Failure};
use crate::settings::limits::{
    FAILURES_REPORTED_MAX, FAILURES_TOLD_MAX, MESSAGE_BYTES_MAX, MESSAGE_DRAWN_BYTES_MAX,
    MESSAGE_LINES_MAX, is_only_shown,
};
use crate::stats::Failed;

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
    block(&format!("error: {}", abort.message));
    if let Some(hint) = &abort.hint {
        line(&format!("hint: {hint}"));
    }
}

/// One line on standard error, whatever is in it, and not without end. Where that is gone, there is nobody left to tell.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(cut(text)));
}

/// The same for a message that may have lines of its own, as that of a wrong pattern has: they are marked as further ones.
fn block(text: &str) {
    // One that is long, or has anything else that a terminal obeys, is no drawing.
    let is_drawn = |text: &str| text.chars().all(|c| c == '\n' || is_only_shown(c));
    if text.len() > MESSAGE_DRAWN_BYTES_MAX || !is_drawn(text) {
        return line(text);
    }
    let mut lines = cut(text).trim_end().lines();
    let mut text = plain(lines.next().unwrap_or_default());
    for line in lines.take(MESSAGE_LINES_MAX) {
        text.push_str("\n  | ");
        text.push_str(&plain(line));
    }
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(2 * MESSAGE_BYTES_MAX)).unwrap_or_default()
}

/// The text with nothing in it that a terminal obeys: names of files and words of plugins must not reach a terminal as commands, or as
/// further lines.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_only_shown(c) { c } else { '\u{fffd}' }).collect()
}

/// Tells of failed sources above a progress bar.
pub(super) struct Failures<'a> {
    progress: &'a Progress,
    /// How often the user has asked for more words.
    verbose: u8,
    told: AtomicU64,
    kept: Mutex<Vec<Failed>>,
}

impl<'a> Failures<'a> {
    pub(super) fn new(progress: &'a Progress, verbose: u8) -> Self {
        Self { progress, verbose, told: AtomicU64::new(0), kept: Mutex::default() }
    }

    /// The first of them, for a report.
    pub(super) fn kept(&self) -> Vec<Failed> {
        std::mem::take(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there have been any.
    pub(super) fn are_any(&self) -> bool {
        self.told.load(Ordering::Relaxed) > 0
    }

    fn keep(&self, source: &str, failure: &Failure) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= FAILURES_REPORTED_MAX {
            return;
        }
        kept.push(Failed {
            source: source.to_string(),
            kind: failure.kind.word(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
            detail: failure.detail.as_ref().and_then(|it| serde_json::to_value(it).ok()),
        });
    }

    pub(super) fn tell(&self, source: &str, failure: &Failure) {
        self.keep(source, failure);
        let before = self.told.fetch_add(1, Ordering::Relaxed);
        if before > FAILURES_TOLD_MAX {
            return;
        }
        self.progress.suspend(|| {
            if before == FAILURES_TOLD_MAX {
                line("further failures are not shown");
                return;
            }
            block(&format!("{}: {failure}", plain(source)));
            if let Some(hint) = &failure.hint {
                line(&format!("hint: {hint}"));
            }
            if self.verbose > 0 {
                details(failure.detail.as_deref());
            }
            if let Some(bundle) = failure.detail.as_ref().and_then(|it| it.repro.as_ref()) {
                line(&format!("kept: host plugin repro {}", Shown::of(&bundle)));
            }
        });
    }
}

/// What else is known of a failure, a line each.
pub(super) fn details(detail: Option<&Detail>) {
    let Some(detail) = detail else { return };
    let Detail { plugin, call, chunk, said, backtrace, memory_bytes, timeout_ms, repro: _ } =
        detail;
    let place = chunk.as_ref().map_or(String::new(), |chunk| {
        format!(", chunk {} at byte {}, {} bytes", chunk.index, chunk.offset, chunk.bytes)
    });
    let memory = ByteSize(*memory_bytes as u64).display().iec();
    line(&format!("  in {call} of {plugin}{place}; it may have {memory} and {timeout_ms} ms"));
    if let Some(said) = said {
        line(&format!("  it said: {said}"));
    }
    for (number, frame) in backtrace.iter().enumerate() {
        line(&format!("  {number:>3}: {frame}"));
    }
}

/// Sends the logs of plugins and the host to standard error, above the progress bar. Warnings of the host are never left out. What libraries
/// say below a warning is: it has URLs in it with all that proves who asks.
pub(super) fn log_to_stderr(level: LevelFilter, progress: Progress) {
    let shown = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(OWN_TARGETS, level.max(LevelFilter::WARN))
        .with_target(plugin::LOG_TARGET, level);
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        .with_ansi(false)
        .without_time()
        .with_writer(Above { progress });
    tracing_subscriber::registry().with(lines.with_filter(shown)).init();
}

/// What the targets of all modules of this crate begin with.
const OWN_TARGETS: &str = "gristmill";

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
