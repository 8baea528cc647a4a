//! Takes what workers deliver, puts it in order, formats and writes it.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use super::{Error, Job, Summary};
use crate::output::{Fault, Formatter, OutputType, Row, Total, Value, Window};
use crate::process::{Failure, FailureKind};
use crate::settings::limits::WRITE_BYTES;
use crate::source::Source;
use crate::work::{At, Deliver, Done, End, Slot};

const FIRST: At = At { source: 0, member: 0 };

/// What a parked result costs beside its bytes.
const ITEM_BYTES: usize = size_of::<Item>() + 64;

/// The results of one job on their way out.
pub(super) struct Collector<'a> {
    job: &'a Job<'a>,
    output_type: OutputType,
    window: Window<At, Item, Writer>,
    total: Mutex<Option<Result<Value, Failure>>>,
}

/// What became of one source.
struct Item {
    slot: Slot,
    bytes: u64,
    outcome: Outcome,
}

enum Outcome {
    Row(Result<Option<Value>, Failure>),
    /// It was an archive, and all of its members have been read.
    End,
}

/// The end that writes; used by one thread at a time. After a failed write it writes no more.
struct Writer {
    out: io::BufWriter<Box<dyn Write + Send>>,
    formatter: Box<dyn Formatter>,
    error: Option<io::Error>,
    sources: u64,
    failed: u64,
    bytes: u64,
    /// Sources that are done, with all of their members.
    ended: u64,
}

impl<'a> Collector<'a> {
    pub(super) fn new(job: &'a Job<'a>, out: Box<dyn Write + Send>) -> Self {
        let writer = Writer {
            out: io::BufWriter::with_capacity(WRITE_BYTES, out),
            formatter: job.format.formatter(),
            error: None,
            sources: 0,
            failed: 0,
            bytes: 0,
            ended: 0,
        };
        Self {
            job,
            output_type: OutputType::of(job.output_type),
            window: Window::new(FIRST, writer, job.settings.window_bytes),
            total: Mutex::new(None),
        }
    }

    /// Writes what is left, and the end.
    pub(super) fn finish(self) -> Result<Summary, Error> {
        let mut writer = self.window.finish(|writer, item| commit(self.job, writer, item));
        let total = self.total.into_inner().unwrap_or_else(PoisonError::into_inner);
        writer.end(self.job, total.as_ref())
    }

    fn bring(&self, item: Item, held: usize) {
        let name = item.slot.member.as_ref().map_or(0, String::len);
        self.window.put(item.slot.at, item, ITEM_BYTES + name + held, |writer, item| {
            commit(self.job, writer, item)
        });
    }

    fn value(&self, raw: Vec<u8>) -> Result<Value, Failure> {
        Value::new(self.output_type, raw)
            .map_err(|error| Failure::new(FailureKind::Output, error.to_string()))
    }
}

impl Deliver for Collector<'_> {
    fn put(&self, slot: Slot, done: Done) {
        let Done { bytes, result } = done;
        let outcome = result.and_then(|raw| {
            let value = raw.map(|raw| self.value(raw)).transpose();
            value.inspect_err(|failure| self.job.stats.turn_failed(failure.kind.word()))
        });
        let held = match &outcome {
            Ok(value) => value.as_ref().map_or(0, Value::bytes),
            Err(failure) => failure.message.len(),
        };
        self.bring(Item { slot, bytes, outcome: Outcome::Row(outcome) }, held);
    }

    fn end(&self, source: usize, members: u64) {
        let at = At { source, member: members };
        let slot = Slot { at, end: End::Source, member: None };
        self.bring(Item { slot, bytes: 0, outcome: Outcome::End }, 0);
    }

    fn total(&self, result: Result<Vec<u8>, Failure>) {
        let total = result.and_then(|raw| self.value(raw));
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) = Some(total);
    }

    fn blocked_on(&self) -> Option<usize> {
        self.window.blocked_on().map(|at| at.source)
    }

    fn wait_while_blocked_on(&self, index: usize) {
        self.window.wait_while_blocked_on(|at| at.source == index);
    }
}

/// Writes an item, and says which comes next.
fn commit(job: &Job<'_>, writer: &mut Writer, item: Item) -> At {
    let Item { slot: Slot { at, end, member }, bytes, outcome } = item;
    if let Outcome::Row(outcome) = outcome {
        let name = || match &member {
            Some(name) => Cow::Borrowed(name.as_str()),
            None => job.sources.get(at.source).map(Source::name).unwrap_or_default(),
        };
        writer.row(job, &name, bytes, &outcome);
    }
    match end {
        End::Member => At { member: at.member + 1, ..at },
        End::Source => {
            writer.ended += 1;
            At { source: at.source + 1, member: 0 }
        }
    }
}

impl Writer {
    fn row<'n>(
        &mut self,
        job: &Job<'_>,
        name: &dyn Fn() -> Cow<'n, str>,
        bytes: u64,
        outcome: &Result<Option<Value>, Failure>,
    ) {
        self.sources += 1;
        let result = match outcome {
            Ok(value) => {
                self.bytes += bytes;
                value.as_ref().map(Ok)
            }
            Err(failure) => {
                self.failed += 1;
                (job.on_failure)(&name(), failure);
                Some(Err(fault(failure)))
            }
        };
        if let Some(result) = result {
            let row = Row { source: &name(), bytes, result };
            self.write(job, |formatter, out| formatter.row(out, &row));
        }
    }

    /// Writes, unless an earlier write failed; a failure ends the job.
    fn write(
        &mut self,
        job: &Job<'_>,
        write: impl FnOnce(&mut dyn Formatter, &mut dyn Write) -> io::Result<()>,
    ) {
        if self.error.is_none()
            && let Err(error) = write(&mut *self.formatter, &mut self.out)
        {
            self.error = Some(error);
            job.cancel.set();
        }
    }

    fn end(
        &mut self,
        job: &Job<'_>,
        total: Option<&Result<Value, Failure>>,
    ) -> Result<Summary, Error> {
        let shown = Total {
            result: total.map(|result| result.as_ref().map_err(fault)),
            sources: self.sources,
            failed: self.failed,
            bytes: self.bytes,
        };
        let whole = !job.cancel.is_set();
        self.write(job, |formatter, out| {
            formatter.end(out, whole.then_some(&shown))?;
            out.flush()
        });
        if let Some(error) = self.error.take() {
            return Err(Error::Write(error));
        }
        if let Some(failure) = job.cancel.reason() {
            return Err(Error::Failed(failure.clone()));
        }
        if whole && let Some(Err(failure)) = total {
            (job.on_failure)("total", failure);
        }
        Ok(Summary {
            sources: self.sources,
            failed: self.failed,
            bytes: self.bytes,
            unread: job.sources.len() as u64 - self.ended,
            total_failed: matches!(total, Some(Err(_))),
        })
    }
}

fn fault(failure: &Failure) -> Fault<'_> {
    Fault { kind: failure.kind.word(), message: &failure.message }
}
