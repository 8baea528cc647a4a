//! Takes what comes out of transformers, part by part, and pours it into one stream, in the order of the sources.

use std::io::{self, Write};

use super::ends::Ends;
use super::{Error, Job, Summary};
use crate::output::Window;
use crate::process::{Failure, Reject};
use crate::settings::limits::WRITE_BYTES;
use crate::work::{At, Deliver, Done, End, Slot};

/// What a parked part costs beside its bytes.
const ITEM_BYTES: usize = size_of::<Item>() + 64;

/// The output of one job on its way out.
pub(super) struct Pour<'a> {
    job: &'a Job<'a>,
    window: Window<At, Item, Writer>,
}

/// What came out of a chunk, or how a source ended.
struct Item {
    slot: Slot,
    bytes: u64,
    outcome: Outcome,
    rejects: Vec<Reject>,
}

enum Outcome {
    Part(Result<Option<Vec<u8>>, Failure>),
    /// It was an archive, and all of its members have been read.
    End,
}

/// The end that writes; used by one thread at a time. After a failed write it writes no more.
struct Writer {
    out: io::BufWriter<Box<dyn Write + Send>>,
    error: Option<io::Error>,
    ends: Ends,
}

impl<'a> Pour<'a> {
    pub(super) fn new(job: &'a Job<'a>, out: Box<dyn Write + Send>) -> Self {
        let out = io::BufWriter::with_capacity(WRITE_BYTES, out);
        let writer = Writer { out, error: None, ends: Ends::default() };
        let window = Window::new(At::default(), writer, job.settings.window_bytes);
        Self { job, window }
    }

    /// Writes what is left in the buffer. What was parked behind a gap, where a run was stopped, is lost.
    pub(super) fn finish(self) -> Result<Summary, Error> {
        let mut writer = self.window.into_writer();
        if writer.error.is_none() {
            writer.error = writer.out.flush().err();
        }
        match writer.error.take() {
            Some(error) => Err(Error::Write(error)),
            None => writer.ends.summary(self.job),
        }
    }

    fn bring(&self, item: Item) {
        let output = match &item.outcome {
            Outcome::Part(Ok(Some(output))) => output.len(),
            Outcome::Part(_) | Outcome::End => 0,
        };
        let rejects: usize = item.rejects.iter().map(|reject| reject.data.len()).sum();
        let held = ITEM_BYTES + output + rejects;
        let commit = |writer: &mut Writer, item: Item| writer.commit(self.job, &item);
        self.window.put(item.slot.at, item, held, commit);
    }
}

impl Deliver for Pour<'_> {
    fn check(&self, _result: &[u8]) -> Result<(), Failure> {
        Ok(())
    }

    fn put(&self, slot: Slot, done: Done) {
        let Done { bytes, result, rejects } = done;
        self.bring(Item { slot, bytes, outcome: Outcome::Part(result), rejects });
    }

    fn end(&self, source: usize, members: u64) {
        let at = At { source, member: members, part: 0 };
        let slot = Slot { at, end: End::Source, member: None };
        self.bring(Item { slot, bytes: 0, outcome: Outcome::End, rejects: Vec::new() });
    }

    fn total(&self, _result: Result<Vec<u8>, Failure>) {}

    fn blocked_on(&self, _own: Option<At>) -> Option<At> {
        self.window.blocked_on()
    }

    fn wait_while_blocked_on(&self, at: At) {
        self.window.wait_while_blocked_on(at);
    }
}

impl Writer {
    fn commit(&mut self, job: &Job<'_>, item: &Item) -> At {
        let Item { slot, bytes, outcome, rejects } = item;
        if let Outcome::Part(output) = outcome {
            self.ends.reject(job, slot, rejects);
            self.ends.count(job, slot, *bytes, output.as_ref().err());
            if let Ok(Some(output)) = output {
                self.write(job, output);
            }
        }
        self.ends.after(slot)
    }

    fn write(&mut self, job: &Job<'_>, output: &[u8]) {
        if self.error.is_none()
            && let Err(error) = self.out.write_all(output)
        {
            self.error = Some(error);
            job.cancel.set();
        }
    }
}
