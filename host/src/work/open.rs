//! A source that workers are at: its input, its chunks yet to be taken, and its parts.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::input::{Error, Input, Opener};
use crate::process::{Failure, FailureKind, Fill, Opening, Scope};
use crate::source::{Refusal, Source};

use super::gather::Gather;
use super::Plan;

/// An opened source. Chunks are taken from front to back, each by one worker.
#[derive(Debug)]
pub(super) struct Open<'a> {
    /// Position among the sources.
    pub(super) index: usize,
    pub(super) input: Input,
    pub(super) chunks: u64,
    pub(super) gather: Gather,
    name: Cow<'a, str>,
    header: Vec<u8>,
    taken: AtomicU64,
}

impl<'a> Open<'a> {
    /// Opens the source at `index` of the plan.
    pub(super) fn new(
        plan: &Plan<'_>,
        opener: &mut Opener,
        index: usize,
        source: &'a Source,
    ) -> Result<Self, Failure> {
        if let Err(refusal) = &source.listed {
            return Err(refused(refusal));
        }
        let traits = plan.processor.traits();
        let input = Input::open(opener, &source.path, plan.settings.io).map_err(Failure::from)?;
        plan.cutter.check(input.bytes())?;
        let header = match traits.header_records {
            0 => Vec::new(),
            records => plan.cutter.header(&input, records)?,
        };
        let chunks = plan.cutter.chunks(input.bytes());
        let gather = Gather::new(chunks, traits.order);
        let name = source.name();
        Ok(Self { index, input, chunks, gather, name, header, taken: AtomicU64::new(0) })
    }

    /// What resources of this source are opened with.
    pub(super) fn opening(&self) -> Opening<'_> {
        Opening { name: &self.name, header: &self.header }
    }

    /// How many chunks nobody has taken yet.
    pub(super) fn remaining(&self) -> u64 {
        self.chunks.saturating_sub(self.taken.load(Ordering::Relaxed))
    }

    /// Takes a run of neighbouring chunks: long at first, short near the end, so that workers end together.
    pub(super) fn take(&self, scope: Scope, threads: usize) -> Option<Range<u64>> {
        let share = match scope {
            Scope::Chunk if threads > 1 => 2 * threads as u64,
            _ => 1,
        };
        let length = |taken| (self.chunks.saturating_sub(taken) / share).max(1);
        let next = |taken| (taken < self.chunks).then(|| taken + length(taken));
        let start = self.taken.try_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(start..start + length(start))
    }
}

/// A chunk in a file, to be read when there is room for it.
pub(super) struct Slice<'a> {
    pub(super) input: &'a Input,
    pub(super) offset: u64,
    pub(super) bytes: usize,
}

impl Fill for Slice<'_> {
    fn len(&self) -> usize {
        self.bytes
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure> {
        Ok(self.input.read_at(into, self.offset)?)
    }
}

fn refused(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::NotRegular(_) => Failure::new(FailureKind::NotRegular, refusal.to_string()),
        Refusal::Io(error) => Failure::new(io_kind(error), error.to_string()),
    }
}

fn io_kind(error: &std::io::Error) -> FailureKind {
    match error.kind() {
        std::io::ErrorKind::NotFound => FailureKind::NotFound,
        std::io::ErrorKind::PermissionDenied => FailureKind::PermissionDenied,
        _ => FailureKind::Read,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Open(io) | Error::Read { error: io, .. } => io_kind(io),
            Error::Refused(refusal) => return refused(refusal),
            Error::Changed(_) => FailureKind::Changed,
            Error::RecordTooLong { .. } => FailureKind::RecordTooLong,
            Error::Ragged { .. } => FailureKind::Framing,
        };
        let failure = Self::new(kind, error.to_string());
        match kind {
            FailureKind::RecordTooLong => failure.hint("raise --max-record"),
            FailureKind::Changed => failure.hint("run again when nobody writes to it"),
            _ => failure,
        }
    }
}
