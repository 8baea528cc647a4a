//! A source that workers are at: its input, its chunks yet to be taken, and its parts.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::input::{
    Bytes, Choice, Codec, DecodeError, Error, Input, Opener, Stream, Transcoding, hint,
};
use crate::process::{Failure, FailureKind, Fill, Opening, Scope};
use crate::source::{Refusal, Source};

use super::Plan;
use super::gather::Gather;
use super::ring::Ring;

/// An opened source.
#[derive(Debug)]
pub(super) struct Open<'a> {
    /// Position among the sources.
    pub(super) index: usize,
    pub(super) input: Input,
    pub(super) chunks: Chunks,
    pub(super) gather: Gather,
    name: Cow<'a, str>,
    header: Vec<u8>,
}

/// How the chunks of a source are had.
#[derive(Debug)]
pub(super) enum Chunks {
    /// Any worker finds any chunk: they are taken in runs, from front to back.
    Placed {
        /// How many there are.
        count: u64,
        /// How many have been taken.
        taken: AtomicU64,
    },
    /// They come one after the other.
    Streamed(Ring),
}

impl<'a> Open<'a> {
    /// Opens the source at `index` of the plan, `known` to be compressed with that codec, if with any.
    pub(super) fn new(
        plan: &Plan<'_>,
        opener: &mut Opener,
        index: usize,
        source: &'a Source,
        known: Option<Codec>,
    ) -> Result<Self, Failure> {
        if let Err(refusal) = &source.listed {
            return Err(refused(refusal));
        }
        let traits = plan.processor.traits();
        let mut input = Input::open(opener, source, plan.access)?;
        let (whole, chunks, header) =
            if let Some(bytes) = from_front(plan, &mut input, source, known)? {
                let mut stream = Stream::new(bytes, plan.cutter, plan.settings.linger);
                let first = stream.next(Vec::new())?;
                let header = plan.cutter.header_of(&first, traits.header_records)?;
                (first.last.then_some(1), Chunks::Streamed(Ring::new(stream, first)), header)
            } else {
                plan.cutter.check(input.bytes())?;
                let count = plan.cutter.chunks(&input);
                let header = plan.cutter.header(&input, traits.header_records)?;
                (Some(count), Chunks::Placed { count, taken: AtomicU64::new(0) }, header)
            };
        let gather = Gather::new(whole, traits.order);
        Ok(Self { index, input, chunks, gather, name: source.name(), header })
    }

    /// What resources of this source are opened with.
    pub(super) fn opening(&self) -> Opening<'_> {
        Opening { name: &self.name, header: &self.header }
    }

    /// Bytes of the source, once all of it has been seen.
    pub(super) fn bytes(&self) -> u64 {
        match &self.chunks {
            Chunks::Placed { .. } => self.input.bytes(),
            Chunks::Streamed(ring) => ring.bytes(),
        }
    }

    /// Whether it is for the one who reads it to find out that it is compressed.
    pub(super) fn is_to_be_looked_at(&self, plan: &Plan<'_>) -> bool {
        self.is_single() && !self.input.is_decoded() && plan.decoding.choice == Choice::Detect
    }

    /// Whether it is one chunk, read by one call.
    pub(super) fn is_single(&self) -> bool {
        matches!(self.chunks, Chunks::Placed { count: 1, .. })
    }

    /// About how many chunks nobody has taken yet; 0 when there are none.
    pub(super) fn remaining(&self) -> u64 {
        match &self.chunks {
            Chunks::Placed { count, taken } => count.saturating_sub(taken.load(Ordering::Relaxed)),
            Chunks::Streamed(ring) => u64::from(ring.has_more()),
        }
    }
}

/// Takes a run of neighbouring chunks of `count`, whole groups of `at_once`: long at first, short near the end, so that workers end together.
pub(super) fn take(
    count: u64,
    at_once: u64,
    taken: &AtomicU64,
    scope: Scope,
    threads: usize,
) -> Option<Range<u64>> {
    let share = match scope {
        Scope::Chunk if threads > 1 => 2 * threads as u64,
        _ => 1,
    };
    let length = |at: u64| {
        let end = at + (count.saturating_sub(at) / share).max(1);
        end.next_multiple_of(at_once).min(count) - at
    };
    let next = |at| (at < count).then(|| at + length(at));
    let start = taken.try_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
    Some(start..start + length(start))
}

/// The bytes of a source that can only be read from its front; `None` for one whose chunks are found by their place.
fn from_front(
    plan: &Plan<'_>,
    input: &mut Input,
    source: &Source,
    known: Option<Codec>,
) -> Result<Option<Box<dyn Bytes>>, Failure> {
    let transcoding = plan.decoding.transcoding;
    if input.is_pipe() {
        let bytes = input.from_pipe(source.file(), plan.decoding, plan.access)?;
        return Ok(Some(transcoding.apply(bytes)?));
    }
    let codec = match (known, plan.decoding.choice) {
        (Some(codec), _) | (None, Choice::Always(codec)) => Some(codec),
        (None, Choice::Never) => None,
        (None, Choice::Detect) => detect(plan, input, source)?,
    };
    let placed = plan.cutter.framing.cuts_anywhere() && transcoding == Transcoding::None;
    let shared = plan.settings.threads > 1 && plan.processor.traits().scope == Scope::Chunk;
    let found_by_place = match codec {
        _ if !placed => false,
        None => true,
        Some(codec) => shared && in_pieces(plan, input, codec),
    };
    if found_by_place {
        return Ok(None);
    }
    Ok(Some(transcoding.apply(input.from_front(codec, plan.decoding.limits)?)?))
}

fn in_pieces(plan: &Plan<'_>, input: &mut Input, codec: Codec) -> bool {
    let (chunk_bytes, workers) = (plan.cutter.chunk_bytes, plan.settings.threads);
    input.decode_in_pieces(codec, plan.decoding.limits, chunk_bytes, workers)
}

/// A small source that nothing in its name says of is read at once, and looked at while it is: a read of its
/// first bytes alone would cost more.
fn detect(plan: &Plan<'_>, input: &Input, source: &Source) -> Result<Option<Codec>, Failure> {
    if is_looked_at_later(plan, input, source) {
        return Ok(None);
    }
    Ok(input.codec(source.file())?)
}

fn is_looked_at_later(plan: &Plan<'_>, input: &Input, source: &Source) -> bool {
    if input.is_remote() {
        return false;
    }
    let placed = plan.decoding.transcoding == Transcoding::None;
    let single = placed && plan.cutter.framing.cuts_anywhere() && plan.cutter.chunks(input) == 1;
    single && plan.processor.traits().header_records == 0 && Codec::by_name(source.file()).is_none()
}

/// A chunk in a file, to be read when there is room for it.
pub(super) struct Slice<'a> {
    pub(super) input: &'a Input,
    pub(super) offset: u64,
    pub(super) bytes: usize,
    /// Look for a codec in the bytes; what is found is left in `found`, and filling fails.
    pub(super) look: bool,
    pub(super) found: Option<Codec>,
}

impl Fill for Slice<'_> {
    fn len(&self) -> usize {
        self.bytes
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure> {
        self.input.read_at(into, self.offset)?;
        if self.look {
            self.found = Codec::detect_magic(into);
        }
        match self.found {
            None => Ok(()),
            Some(codec) => {
                Err(Failure::new(FailureKind::Read, format!("is compressed with {codec}")))
            }
        }
    }
}

fn refused(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::NotRegular(_) => Failure::new(FailureKind::NotRegular, refusal.to_string()),
        Refusal::Io(error) => hinted(Failure::new(io_kind(error), error.to_string()), error),
    }
}

/// With the way out, where what could not be read knows one.
fn hinted(failure: Failure, error: &std::io::Error) -> Failure {
    match hint(error) {
        Some(hint) => failure.hint(hint),
        None => failure,
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
            Error::Decode(error) => return undecodable(error),
            Error::Changed(_) => FailureKind::Changed,
            Error::RecordTooLong { .. } | Error::HeaderTooLong { .. } => FailureKind::RecordTooLong,
            Error::Ragged { .. } | Error::CutShort { .. } => FailureKind::Framing,
        };
        let failure = Self::new(kind, error.to_string());
        match kind {
            _ if matches!(error, Error::HeaderTooLong { .. }) => failure.hint("raise --chunk-size"),
            FailureKind::RecordTooLong => failure.hint("raise --max-record"),
            FailureKind::Changed => failure.hint("run again when nobody writes to it"),
            _ => match &error {
                Error::Open(io) | Error::Read { error: io, .. } => hinted(failure, io),
                _ => failure,
            },
        }
    }
}

fn undecodable(error: &DecodeError) -> Failure {
    let kind = match error {
        DecodeError::Read { error, .. } => {
            match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
                Some(Error::Changed(_)) => FailureKind::Changed,
                _ => io_kind(error),
            }
        }
        DecodeError::TooLarge { .. } | DecodeError::Ratio { .. } | DecodeError::Members { .. } => {
            FailureKind::TooLarge
        }
        _ => FailureKind::Decode,
    };
    let failure = Failure::new(kind, error.to_string());
    match (error.hint(), error) {
        (Some(hint), _) => failure.hint(hint),
        (None, DecodeError::Read { error, .. }) => hinted(failure, error),
        (None, _) => failure,
    }
}
