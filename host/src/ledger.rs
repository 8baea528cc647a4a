//! A durable record of finished work: for each job and source, in which version it was processed,
//! how it ended, and its result. A run over the same sources skips what is committed and unchanged,
//! and does the rest.
//!
//! Knows jobs by a digest, sources by their bytes, versions as text that is equal or not; neither
//! what they stand for nor how anything is processed. A ledger is one file, on a local disk, that
//! one process writes.
//!
//! # What holds after a kill at any instant
//! A row is there whole or not at all. Rows become durable in the order of their commits, so only
//! the last ones can be lost, those without a [wait](Ledger::wait). An output is put in place
//! (written, synced, renamed) before it is committed. If a crash leaves it without a row, the next
//! run does the source again and replaces that output by the same: nothing is doubled, and nothing
//! that the ledger calls committed is missing.

mod arrival;
mod arrivals;
mod done;
mod entry;
mod error;
mod followed;
mod lock;
mod put;
mod queue;
mod read;
mod row;
mod schema;
mod seal;
mod select;
#[cfg(test)]
mod tests;
mod versions;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

pub use arrival::{After, Arrival, ArrivalId, ArrivalStage, Change, Counts, NewArrival};
pub use done::{Done, Known, Owners};
pub use entry::{
    Digest, Entries, Entry, Identity, JobId, JobSummary, Kept, Needs, Output, Selection, State,
};
pub use error::Error;
pub use followed::{FollowStage, Followed, Inode};
pub use queue::Ticket;
pub use read::Reader;
pub use versions::{Sight, Versions};

use crate::settings::limits::{LEDGER_KEPT_BYTES_MAX, LEDGER_NAME_BYTES_MAX};
use lock::Lock;
use put::Row;
use queue::Queue;
use write::{Work, Writer};

/// A ledger that this process writes, and no other, until this is dropped. Shared by all threads.
///
/// Rows are written by a thread of its own, in groups. When that fails, every call from then on
/// returns the same error, and what was not durable is lost; what was durable stays. Dropping a
/// ledger writes all that waits, and can only log an error: [`close`](Self::close) returns it.
#[derive(Debug)]
pub struct Ledger {
    queue: Arc<Queue<Work>>,
    thread: Option<JoinHandle<()>>,
    lock: Lock,
}

impl Ledger {
    /// Opens the ledger at `path`, which is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made, is something else, is of a later version, or is in use.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let lock = Lock::exclusive(path)?;
        Self::start(Writer::open(lock.clone())?, lock)
    }

    fn start(writer: Writer, lock: Lock) -> Result<Self, Error> {
        let queue = Arc::new(Queue::default());
        let shared = Arc::clone(&queue);
        let thread = thread::Builder::new().name("ledger".into());
        let thread = thread.spawn(move || writer.run(&shared));
        let thread = thread.map_err(|error| Error::open(&lock.name, error))?;
        Ok(Self { queue, thread: Some(thread), lock })
    }

    /// The name of a job in this ledger. The description is for people; the latest is kept.
    ///
    /// # Errors
    /// When writing fails, here and below.
    pub fn job(&self, digest: Digest, description: &str) -> Result<JobId, Error> {
        bounded("the description of a job", description.len(), LEDGER_NAME_BYTES_MAX)?;
        let (answer_to, answer) = mpsc::channel();
        let description = description.to_string();
        let ticket = self.queue.push(Work::Job { digest, description, answer_to }, 0)?;
        self.queue.wait(ticket)?;
        answer.recv().map_err(|_| self.ended())
    }

    /// Puts in an entry, in place of what was known of its source. Returns before it is durable:
    /// wait for the ticket to know. Blocks only if the disk does not keep up. Rows become durable
    /// in the order of their tickets.
    ///
    /// # Errors
    /// When writing has failed, or a part of the entry is too long: then it is not in the ledger.
    pub fn commit(&self, job: JobId, entry: Entry, kept: Kept) -> Result<Ticket, Error> {
        let bytes = weigh(&entry, &kept)?;
        self.queue.push(Work::Commit(Box::new(Row { job, entry, kept })), bytes)
    }

    /// Makes changes to what watches know: all of them, or, after a crash, none. Returns before
    /// they are durable.
    ///
    /// # Errors
    /// When writing has failed, or an entry among them is too long: then none is made.
    pub fn change(&self, changes: Vec<Change>) -> Result<Ticket, Error> {
        let mut bytes = 0;
        for change in &changes {
            let more = match change {
                Change::Committed { entry, kept, .. } => weigh(entry, kept)?,
                Change::Seen(new) => new.path.len() + new.version.as_str().len(),
                Change::Followed(file) => file.path.len() + file.output.len(),
                _ => 0,
            };
            bytes += size_of::<Change>() + more;
        }
        self.queue.push(Work::Arrivals(changes), bytes)
    }

    /// Waits until all that was committed up to the ticket is durable. It is written at once,
    /// rather than with what comes.
    ///
    /// # Errors
    /// When it will not be.
    pub fn wait(&self, ticket: Ticket) -> Result<(), Error> {
        self.queue.wait(ticket)
    }

    /// The last ticket that is durable.
    pub fn durable(&self) -> Ticket {
        self.queue.durable()
    }

    /// Waits until all that was committed before is durable.
    ///
    /// # Errors
    /// When it will not be.
    pub fn flush(&self) -> Result<(), Error> {
        self.queue.wait(self.queue.last())
    }

    /// Removes entries, so that their sources are done again, and returns how many of each
    /// selection.
    ///
    /// # Errors
    /// When writing fails; then none is removed that the ledger does not show as removed.
    pub fn forget(&self, selections: Vec<Selection>) -> Result<Vec<u64>, Error> {
        let mut answers = Vec::new();
        for selection in selections {
            let (answer_to, answer) = mpsc::channel();
            self.queue.push(Work::Forget { selection, answer_to }, 0)?;
            answers.push(answer);
        }
        self.flush()?;
        answers.into_iter().map(|answer| answer.recv().map_err(|_| self.ended())).collect()
    }

    /// A reader of what is durable. Threads that read have one each. Drop it before the ledger,
    /// which else leaves its log for the next that opens it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::beside(self.lock.clone())
    }

    /// The files that belong to it, which are no sources: they change with every commit. Not all
    /// need be there.
    pub fn files(&self) -> Vec<PathBuf> {
        self.lock.files()
    }

    /// Makes all that was committed durable, and gives the file back.
    ///
    /// # Errors
    /// When something that was committed is not in the ledger.
    pub fn close(mut self) -> Result<(), Error> {
        self.end()
    }

    /// Closes it, and removes its files. Nobody else can open it meanwhile.
    ///
    /// # Errors
    /// When it cannot be closed or a file cannot be removed.
    pub fn remove(mut self) -> Result<(), Error> {
        self.end()?;
        for file in self.lock.files() {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::open(&file, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.queue.close();
        let ended = thread.join();
        match self.queue.failed() {
            Some(error) => Err(error),
            None => ended.map_err(|_| self.ended()),
        }
    }

    fn ended(&self) -> Error {
        Error::Ended { path: self.lock.name.clone() }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!("{error}");
        }
    }
}

/// How many bytes an entry holds while it waits.
fn weigh(entry: &Entry, kept: &Kept) -> Result<usize, Error> {
    let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    let output = entry.output.as_ref().map_or(0, |path| path.as_os_str().len());
    let (kind, message) = match &entry.state {
        State::Committed => (0, 0),
        State::Failed { kind, message } => (kind.len(), message.len()),
    };
    let (source, identity) = (entry.source.len(), entry.identity.0.len());
    let (result, saved) = (length(&kept.result), length(&kept.saved));
    bounded("the name of a source", source, LEDGER_NAME_BYTES_MAX)?;
    bounded("the identity of an input", identity, LEDGER_NAME_BYTES_MAX)?;
    bounded("the path of an output", output, LEDGER_NAME_BYTES_MAX)?;
    bounded("the kind of a failure", kind, LEDGER_NAME_BYTES_MAX)?;
    bounded("a result", result, LEDGER_KEPT_BYTES_MAX)?;
    bounded("a state", saved, LEDGER_KEPT_BYTES_MAX)?;
    Ok(size_of::<Row>() + source + identity + output + kind + message + result + saved)
}

fn bounded(what: &'static str, bytes: usize, bytes_max: usize) -> Result<(), Error> {
    if bytes > bytes_max {
        return Err(Error::TooLong { what, bytes, bytes_max });
    }
    Ok(())
}
