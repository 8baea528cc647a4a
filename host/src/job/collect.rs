//! Takes what workers deliver, puts it in order, formats and writes it.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;

use super::source_counts::{SourceCounts, name};
use super::{Error, Job, Made, Memory, Saved, Summary};
use crate::output::{Fault, Formatter, OutputType, Room, Row, Shown, Total, Value, Window};
use crate::process::branches::BranchResults;
use crate::process::{Failure, FailureKind, Reject};
use crate::settings::limits::WRITE_BYTES;
use crate::stats::{Charge, Held};
use crate::work::{Deliver, Done, End, Origin, Position, ResultSlot};

/// What a parked result costs beside its bytes.
/// What is parked takes twice, as nodes of the tree that it is parked in may be half full.
const ITEM_BYTES: usize = 2 * (size_of::<Item>() + 64);

/// The results of one job on their way out.
pub(super) struct Collector<'a> {
    job: &'a Job<'a>,
    output_types: Vec<OutputType>,
    window: Window<Position, Item, Writer<'a>>,
    total: Mutex<Option<Result<Results, Failure>>>,
    /// Why what was done could not be remembered.
    forgot: Mutex<Option<Error>>,
}

/// What the plugins gave, in the order of the branches; nothing where only a total was asked for.
type Results = Vec<Result<Value, Failure>>;

/// What became of one source.
struct Item {
    slot: ResultSlot,
    bytes: u64,
    outcome: Outcome,
    rejects: Vec<Reject>,
}

enum Outcome {
    Row(Result<Results, Failure>),
    /// It was an archive, and all of its members have been read.
    End,
}

/// The end that writes; used by one thread at a time. After a failed write it writes no more.
struct Writer<'a> {
    out: io::BufWriter<Box<dyn Write + Send + 'a>>,
    formatter: Box<dyn Formatter>,
    /// What that keeps.
    held: Charge,
    error: Option<io::Error>,
    ends: SourceCounts,
}

impl<'a> Collector<'a> {
    pub(super) fn new(job: &'a Job<'a>, out: Box<dyn Write + Send + 'a>) -> Self {
        let writer = Writer {
            out: io::BufWriter::with_capacity(WRITE_BYTES, out),
            formatter: job.format.formatter(job.settings.show),
            held: job.stats.memory().hold(0),
            error: None,
            ends: SourceCounts::default(),
        };
        Self {
            job,
            output_types: job
                .branches
                .iter()
                .map(|branch| OutputType::of(&branch.output_type))
                .collect(),
            window: Window::new(
                Position::default(),
                writer,
                job.settings.window_bytes,
                Arc::clone(job.stats.memory()),
            ),
            total: Mutex::new(None),
            forgot: Mutex::new(None),
        }
    }

    /// Writes the remaining results, and the end.
    pub(super) fn finish(self) -> Result<Summary, Error> {
        let mut writer = self.window.finish(|writer, item| commit(self.job, writer, item));
        let total = self.total.into_inner();
        let ended = writer.end(self.job, total.as_ref());
        match self.forgot.into_inner() {
            Some(error) => Err(error),
            None => ended,
        }
    }

    fn bring(&self, item: Item, room: Room) {
        let name = item.slot.member.as_ref().map_or(0, |path| path.as_os_str().len());
        let room = Room { beside: ITEM_BYTES + name + room.beside, ..room };
        self.window.put(item.slot.at, item, room, |writer, item| commit(self.job, writer, item));
    }

    /// Has what became of a source remembered.
    fn remember(&self, memory: Memory<'_>, saved: Saved<'_>) {
        if let Err(error) = (memory.save)(saved) {
            self.forgot.lock().get_or_insert(error);
            self.job.cancel.set();
        }
    }

    /// Why a source is one to do again: it failed, or one of several plugins did.
    fn failure<'f>(
        &self,
        outcome: &'f Result<Results, Failure>,
        state: Option<&[u8]>,
    ) -> Option<Cow<'f, Failure>> {
        let results = match outcome {
            Ok(results) => results,
            Err(failure) => return Some(Cow::Borrowed(failure)),
        };
        if let Some(failure) = results.iter().find_map(|result| result.as_ref().err()) {
            return Some(Cow::Borrowed(failure));
        }
        // If only a total was asked for, only the states show that.
        let branches = self.output_types.len();
        let state = state.filter(|_| branches > 1)?;
        let failure = match BranchResults::decode(state, branches) {
            Ok(states) => states.into_iter().find_map(Result::err),
            Err(error) => Some(error.into()),
        };
        failure.map(Cow::Owned)
    }

    /// What each plugin gave, of a result that has been checked, or of one of several plugins.
    fn results(&self, raw: Held) -> Result<Results, Failure> {
        let memory = self.job.stats.memory();
        let value = |(raw, output_type): (Result<&[u8], Failure>, &OutputType)| {
            let raw = raw?;
            check(*output_type, raw)?;
            Ok(Value::new(*output_type, Held::within(memory, raw.to_vec())))
        };
        match self.output_types.as_slice() {
            [only] => Ok(vec![Ok(Value::new(*only, raw))]),
            many => {
                let branches = BranchResults::decode(&raw, many.len())?;
                Ok(branches.into_iter().zip(many).map(value).collect())
            }
        }
    }
}

/// What a failure takes beside itself, allocations among it.
fn failure_bytes(failure: &Failure) -> usize {
    let texts = [Some(failure.message.len()), failure.hint.as_ref().map(String::len)];
    texts.into_iter().flatten().map(|length| length + 32).sum()
}

fn check(output_type: OutputType, result: &[u8]) -> Result<(), Failure> {
    let checked = output_type.check(result);
    checked.map_err(|error| Failure::new(FailureKind::Output, error.to_string()))
}

impl Deliver for Collector<'_> {
    fn check(&self, result: &[u8]) -> Result<(), Failure> {
        match self.output_types.as_slice() {
            [only] => check(*only, result),
            // Of these, a plugin whose result is none of its type fails by itself.
            many => Ok(BranchResults::decode(result, many.len()).map(drop)?),
        }
    }

    fn put(&self, slot: ResultSlot, done: Done) {
        let Done { bytes, result, state, rejects, origin } = done;
        let memory = self.job.memory.filter(|_| origin == Origin::Processed);
        let copy = |raw: &Held| Held::within(self.job.stats.memory(), raw.to_vec());
        let kept = memory.and_then(|_| result.as_ref().ok()?.as_ref().map(copy));
        let outcome = result.and_then(|raw| raw.map_or(Ok(Vec::new()), |raw| self.results(raw)));
        let set_aside: u64 = rejects.iter().map(Reject::held_bytes).sum();
        let set_aside = usize::try_from(set_aside).unwrap_or(usize::MAX);
        let (charged, beside) = match &outcome {
            Ok(results) => (results.iter().flatten().map(Value::bytes).sum(), 0),
            Err(failure) => (0, failure_bytes(failure)),
        };
        let room = Room { charged: set_aside.saturating_add(charged), beside };
        if let Some(memory) = memory {
            let failure = self.failure(&outcome, state.as_deref());
            let saved = Saved {
                at: slot.at,
                is_member: slot.member.is_some(),
                bytes_in: bytes,
                rejects: Reject::count(&rejects),
                result: match failure.as_deref() {
                    Some(failure) => Err(failure),
                    None => Ok(Made::Result { result: kept, state }),
                },
            };
            self.remember(memory, saved);
        }
        self.bring(Item { slot, bytes, outcome: Outcome::Row(outcome), rejects }, room);
    }

    fn end(&self, source: usize, members: u64) {
        let at = Position { source, member: members, part: 0 };
        let slot = ResultSlot { at, end: End::Source, member: None };
        let (outcome, rejects) = (Outcome::End, Vec::new());
        self.bring(Item { slot, bytes: 0, outcome, rejects }, Room::default());
    }

    fn total(&self, result: Result<Held, Failure>) {
        let total = result.and_then(|raw| self.check(&raw).and_then(|()| self.results(raw)));
        *self.total.lock() = Some(total);
    }

    fn next_required(&self, _own: Option<Position>) -> Option<Position> {
        self.window.next_required()
    }

    fn wait_for_next_required(&self, at: Position) {
        self.window.wait_for_next_required(at);
    }
}

/// Writes an item, and says which comes next.
fn commit(job: &Job<'_>, writer: &mut Writer<'_>, item: Item) -> Position {
    let Item { slot, bytes, outcome, rejects } = item;
    if let Outcome::Row(outcome) = outcome {
        writer.ends.reject(job, &slot, &rejects);
        writer.row(job, &slot, bytes, &outcome);
    }
    writer.ends.after(&slot)
}

impl Writer<'_> {
    fn row(
        &mut self,
        job: &Job<'_>,
        slot: &ResultSlot,
        bytes: u64,
        outcome: &Result<Results, Failure>,
    ) {
        self.ends.count(job, slot, bytes, outcome.as_ref().err());
        let source = name(job, slot);
        let shows_failures = job.settings.show.failures;
        match outcome {
            Ok(results) => {
                if let Some(failure) = self.ends.lanes_failed(job, &source, results) {
                    job.stats.turn_failed(failure.kind.word());
                    if !shows_failures {
                        return;
                    }
                }
                for (result, plugin) in results.iter().zip(job.labels()) {
                    let result = result.as_ref().map_err(fault);
                    let row = Row { source: &source, plugin, bytes, result };
                    self.write(job, |formatter, out| formatter.row(out, &row));
                }
            }
            Err(_) if !shows_failures => {}
            Err(failure) => {
                let row = Row { source: &source, plugin: None, bytes, result: Err(fault(failure)) };
                self.write(job, |formatter, out| formatter.row(out, &row));
            }
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
        self.held.set(self.formatter.held_bytes());
    }

    fn end(
        &mut self,
        job: &Job<'_>,
        total: Option<&Result<Results, Failure>>,
    ) -> Result<Summary, Error> {
        let results: Vec<Shown<'_>> = match total {
            None => Vec::new(),
            Some(Err(failure)) => vec![Shown { plugin: None, result: Err(fault(failure)) }],
            Some(Ok(results)) => results
                .iter()
                .zip(job.labels())
                .map(|(result, plugin)| Shown { plugin, result: result.as_ref().map_err(fault) })
                .collect(),
        };
        let shown = Total {
            results: &results,
            sources: self.ends.sources,
            failed: self.ends.failed,
            bytes: self.ends.bytes,
        };
        // Who wants no row for failures wants rows of sources alone.
        let whole = !job.cancel.is_set() && job.settings.show.failures;
        self.write(job, |formatter, out| {
            formatter.end(out, whole.then_some(&shown))?;
            out.flush()
        });
        if let Some(error) = self.error.take() {
            return Err(Error::Write(error));
        }
        let failures: Vec<&Failure> = match total {
            Some(Ok(results)) => {
                results.iter().filter_map(|result| result.as_ref().err()).collect()
            }
            Some(Err(failure)) => vec![failure],
            None => Vec::new(),
        };
        if whole {
            for failure in &failures {
                job.observer.failed("total", failure);
            }
        }
        Ok(Summary { total_failed: !failures.is_empty(), ..self.ends.summary(job)? })
    }
}

fn fault(failure: &Failure) -> Fault<'_> {
    Fault { kind: failure.kind.word(), message: &failure.message }
}
