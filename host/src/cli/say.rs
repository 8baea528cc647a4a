//! What is said on standard error: errors with the way out, logs, what failed.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytesize::ByteSize;
use parking_lot::Mutex;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::called::{self, own};
use super::interrupt::Wait;
use super::progress::{Moving, Progress};
use crate::job::Observer;
use crate::name::Shown;
use crate::process::{Detail, Failure, LOG_TARGET};
use crate::settings::limits::{
    FAILURES_TOLD_MAX, MESSAGE_BYTES_MAX, MESSAGE_DRAWN_BYTES_MAX, MESSAGE_LINES_MAX, is_only_shown,
};
use crate::settings::named;
use crate::spec::{OutputSpec, Problem};
use crate::stats::Stats;

/// Says why nothing was started.
pub(super) fn abort(problem: &Problem) {
    block(&format!("error: {}", problem.text()));
    if let Some(hint) = problem.advice() {
        self::hint(hint);
    }
}

/// The way out, on its own line.
pub(super) fn hint(text: &str) {
    line(&format!("hint: {}", own(text)));
}

/// The flag for a setting.
pub(super) fn flag(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// Writes one line to standard error: its text becomes one line, and is cut where it is too long.
/// Errors are ignored: if standard error is gone, there is no place to report them.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(cut(&named(text, flag))));
}

/// The same for a message that may have lines of its own, as that of a wrong pattern has: they are
/// marked as further ones.
fn block(text: &str) {
    let text = &*named(text, flag);
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

/// The text with nothing in it that a terminal obeys: names of files and words of plugins must not
/// reach a terminal as commands, or as further lines.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_only_shown(c) { c } else { '\u{fffd}' }).collect()
}

/// Shows what a job reports, above its progress bar.
pub(super) struct Teller {
    progress: Progress,
    /// How often the user has asked for more words.
    verbose: u8,
    failures: AtomicU64,
    /// While the job is prepared, it may wait for somebody else.
    preparing: Mutex<Option<Wait>>,
    moving: Mutex<Option<Moving>>,
}

impl Teller {
    pub(super) fn new(progress: &Progress, verbose: u8, preparing: Wait) -> Self {
        let (preparing, moving) = (Mutex::new(Some(preparing)), Mutex::default());
        let progress = progress.clone();
        Self { progress, verbose, failures: AtomicU64::new(0), preparing, moving }
    }

    /// Whether there have been failures.
    pub(super) fn has_failures(&self) -> bool {
        self.failures.load(Ordering::Relaxed) > 0
    }
}

impl Observer for Teller {
    fn begins(&self, stats: &Arc<Stats>, bytes: Option<u64>) {
        self.preparing.lock().take();
        let moving = self.progress.follow(stats, bytes);
        *self.moving.lock() = Some(moving);
    }

    fn note(&self, note: &str) {
        self.progress.suspend(|| line(note));
    }

    fn ends(&self) {
        self.moving.lock().take();
    }

    fn failed(&self, source: &str, failure: &Failure) {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
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
                self::hint(hint);
            }
            if self.verbose > 0 {
                details(failure.detail.as_deref());
            }
            if let Some(bundle) = failure.detail.as_ref().and_then(|it| it.repro.as_ref()) {
                line(&format!("kept: {} plugin repro {}", called::name(), Shown::of(&bundle)));
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

/// What of the log is shown.
pub(super) fn level(output: &OutputSpec) -> LevelFilter {
    match output.verbose {
        0 if output.quiet => LevelFilter::OFF,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    }
}

/// Sends the logs of plugins and the host to standard error, above the progress bar. Warnings of
/// the host are never left out. What libraries say below a warning is: it has URLs in it with all
/// that proves who asks.
pub(super) fn log_to_stderr(level: LevelFilter, progress: Progress) {
    let shown = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(OWN_TARGETS, level.max(LevelFilter::WARN))
        .with_target(LOG_TARGET, level);
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
        let text = String::from_utf8_lossy(bytes);
        let text = named(&text, flag);
        self.progress.suspend(|| io::stderr().lock().write_all(text.as_bytes()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
