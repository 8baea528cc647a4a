//! The progress bar: on standard error, when that is a terminal. It counts bytes of files as they
//! are stored, so that it knows where their end is.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::stats::Stats;

const BAR: &str = "{bar:30} {bytes} of {total_bytes}  {binary_bytes_per_sec}  {eta} left";

/// If the amount of work is unknown.
const COUNT: &str = "{bytes}  {binary_bytes_per_sec}";

const REDRAW: Duration = Duration::from_millis(100);

/// A bar, which may be hidden; clones are the same bar.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
}

/// Keeps a bar moving until it is dropped.
pub(super) struct Moving {
    bar: ProgressBar,
    mover: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// A bar on a terminal, unless the user wants quiet.
    pub(super) fn new(quiet: bool) -> Self {
        let shown = !quiet && io::stderr().is_terminal();
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        Self { bar }
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Runs `body` while the bar is out of the way.
    pub(super) fn suspend<R>(&self, body: impl FnOnce() -> R) -> R {
        self.bar.suspend(body)
    }

    /// Shows what `stats` count, out of `bytes` where that is known, from now until the result is
    /// dropped.
    pub(super) fn follow(&self, stats: &Arc<Stats>, bytes: Option<u64>) -> Moving {
        let bar = self.bar.clone();
        if bar.is_hidden() {
            return Moving { bar, mover: None };
        }
        let template = if bytes.is_some() { BAR } else { COUNT };
        // The templates are constants; were they wrong, a plain bar would do.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if let Some(bytes) = bytes {
            bar.set_length(bytes);
        }
        let (stop, stopped) = mpsc::channel();
        let mover = {
            let (bar, stats) = (bar.clone(), Arc::clone(stats));
            std::thread::spawn(move || {
                while stopped.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                    bar.set_position(stats.stored());
                }
            })
        };
        Moving { bar, mover: Some((stop, mover)) }
    }

    /// Standard output; where it is on the same terminal, the bar goes away for good with the first
    /// result.
    pub(super) fn stdout(&self) -> Box<dyn Write + Send> {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            return Box::new(Below { bar: self.bar.clone(), stdout });
        }
        Box::new(stdout)
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        if let Some((stop, mover)) = self.mover.take() {
            drop(stop);
            let _ = mover.join(); // a bar that failed to draw is no reason to fail
        }
        self.bar.finish_and_clear();
    }
}

struct Below {
    bar: ProgressBar,
    stdout: io::Stdout,
}

impl Write for Below {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bar.finish_and_clear();
        self.stdout.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}
