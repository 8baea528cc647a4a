//! Takes what workers deliver, puts it in order, formats and writes it.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use super::{Error, Job, Summary};
use crate::output::{Fault, Formatter, OutputType, Row, Total, Value, Window};
use crate::process::{Failure, FailureKind};
use crate::settings::limits::WRITE_BYTES;
use crate::source::Source;
use crate::work::{Deliver, Done};

/// What a parked result costs beside its bytes.
const ITEM_BYTES: usize = size_of::<Item>() + 64;

/// The results of one job on their way out.
pub(super) struct Collector<'a> {
    job: &'a Job<'a>,
    output_type: OutputType,
    window: Window<Item, Writer>,
    total: Mutex<Option<Result<Value, Failure>>>,
}

/// What became of one source.
struct Item {
    index: usize,
    bytes: u64,
    outcome: Result<Option<Value>, Failure>,
}

/// The end that writes; used by one thread at a time. After a failed write it writes no more.
struct Writer {
    out: io::BufWriter<Box<dyn Write + Send>>,
    formatter: Box<dyn Formatter>,
    error: Option<io::Error>,
    sources: u64,
    failed: u64,
    bytes: u64,
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
        };
        Self {
            job,
            output_type: OutputType::of(job.output_type),
            window: Window::new(writer, job.settings.window_bytes),
            total: Mutex::new(None),
        }
    }

    /// Writes what is left, and the end.
    pub(super) fn finish(self) -> Result<Summary, Error> {
        let mut writer = self.window.finish(|writer, item| commit(self.job, writer, item));
        let total = self.total.into_inner().unwrap_or_else(PoisonError::into_inner);
        writer.end(self.job, total.as_ref())
    }

    fn value(&self, raw: Vec<u8>) -> Value {
        Value::new(self.output_type, raw)
    }
}

impl Deliver for Collector<'_> {
    fn check(&self, result: &[u8]) -> Result<(), Failure> {
        let checked = self.output_type.check(result);
        checked.map_err(|error| Failure::new(FailureKind::Output, error.to_string()))
    }

    fn source(&self, index: usize, done: Done) {
        let Done { bytes, result } = done;
        let outcome = result.map(|raw| raw.map(|raw| self.value(raw)));
        let held = match &outcome {
            Ok(value) => value.as_ref().map_or(0, Value::bytes),
            Err(failure) => failure.message.len(),
        };
        let item = Item { index, bytes, outcome };
        self.window
            .put(index, item, ITEM_BYTES + held, |writer, item| commit(self.job, writer, item));
    }

    fn total(&self, result: Result<Vec<u8>, Failure>) {
        let total = result.and_then(|raw| self.check(&raw).map(|()| self.value(raw)));
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) = Some(total);
    }

    fn blocked_on(&self) -> Option<usize> {
        self.window.blocked_on()
    }

    fn wait_while_blocked_on(&self, index: usize) {
        self.window.wait_while_blocked_on(index);
    }
}

fn commit(job: &Job<'_>, writer: &mut Writer, item: Item) {
    let Item { index, bytes, outcome } = item;
    let name = || job.sources.get(index).map(Source::name).unwrap_or_default();
    writer.sources += 1;
    let result = match &outcome {
        Ok(value) => {
            writer.bytes += bytes;
            value.as_ref().map(Ok)
        }
        Err(failure) => {
            writer.failed += 1;
            (job.on_failure)(&name(), failure);
            Some(Err(fault(failure)))
        }
    };
    if let Some(result) = result {
        let row = Row { source: &name(), bytes, result };
        writer.write(job, |formatter, out| formatter.row(out, &row));
    }
}

impl Writer {
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
            total_failed: matches!(total, Some(Err(_))),
        })
    }
}

fn fault(failure: &Failure) -> Fault<'_> {
    Fault { kind: failure.kind.word(), message: &failure.message }
}
