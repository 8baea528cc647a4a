//! Ctrl-C: the run ends in order, and if something outside keeps it from that, without.
//!
//! Workers look at the flag before each chunk, guests within a tick, requests to stores while they
//! wait. What cannot look is a system call that waits for somebody else: for the writer of a FIFO,
//! or for the reader of standard output. Who makes one says so ([`Interrupt::wait`]); if the same
//! one still lasts a moment after the signal, the process ends there. That is no worse than being
//! killed, which ledger, outputs and rejects are made for.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::Exit;
use crate::settings::limits::INTERRUPT_GRACE;
use crate::spec::Problem;
use crate::work::Cancel;

/// Whether the user has asked for the end.
pub(super) struct Interrupt {
    cancel: Arc<Cancel>,
    is_set: AtomicBool,
    /// How many waits have begun and ended: odd while there is one.
    waits: AtomicU64,
}

impl Interrupt {
    /// Listens from now on. A second signal ends the process at once, and so does the first where
    /// there is nothing to put in order.
    pub(super) fn listen(cancel: &Arc<Cancel>, at_once: bool) -> Result<Arc<Self>, Problem> {
        let (is_set, waits) = (AtomicBool::new(false), AtomicU64::new(0));
        let interrupt = Arc::new(Self { cancel: Arc::clone(cancel), is_set, waits });
        let heard = Arc::clone(&interrupt);
        ctrlc::set_handler(move || {
            if heard.is_set.swap(true, Ordering::AcqRel) || at_once {
                end();
            }
            heard.cancel.set();
            let watcher = Arc::clone(&heard);
            // Without a thread the second signal is what there is.
            let _ = thread::Builder::new().name("interrupt".into()).spawn(move || watcher.watch());
        })
        .map_err(Problem::new)?;
        Ok(interrupt)
    }

    pub(super) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Begins a wait for something outside that may never end and cannot be cancelled. One at a
    /// time.
    pub(super) fn wait(self: &Arc<Self>) -> Wait {
        self.waits.fetch_add(1, Ordering::AcqRel);
        Wait { interrupt: Arc::clone(self) }
    }

    /// A stream that may have a reader who does not read.
    pub(super) fn guarded(
        self: &Arc<Self>,
        stream: Box<dyn Write + Send>,
    ) -> Box<dyn Write + Send> {
        Box::new(Guarded { interrupt: Arc::clone(self), stream })
    }

    /// Ends the process where one wait lasts.
    fn watch(&self) {
        loop {
            let before = self.waits.load(Ordering::Acquire);
            thread::sleep(INTERRUPT_GRACE);
            if before % 2 == 1 && self.waits.load(Ordering::Acquire) == before {
                end();
            }
        }
    }
}

pub(super) fn end() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}

/// A wait, while it lasts.
pub(super) struct Wait {
    interrupt: Arc<Interrupt>,
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.interrupt.waits.fetch_add(1, Ordering::AcqRel);
    }
}

struct Guarded {
    interrupt: Arc<Interrupt>,
    stream: Box<dyn Write + Send>,
}

impl Write for Guarded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _wait = self.interrupt.wait();
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let _wait = self.interrupt.wait();
        self.stream.flush()
    }
}
