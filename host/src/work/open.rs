//! A source that workers are at: its input, its chunks yet to be taken, and its parts.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::input::{
    Again, Bytes, Choice, Codec, Found, Input, Lines, Look, Mark, Members, Offsets, Opener, Pieces,
    Stream, Text, Transcoding, archived, is_archive, is_named_tar, is_named_zip, is_said,
};
use crate::process::{Failure, FailureKind, Fill, Held, Scope};
use crate::settings::Piped;
use crate::source::{Source, Way};

use super::Plan;
use super::fault::{refused, separated};
use super::gather::Gather;
use super::ring::{Archive, Reader, Ring};
use super::whole::Whole;

/// An opened source.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) input: Input,
    pub(super) chunks: Chunks<'a>,
    /// What the chunks are pieces of; an archive's are pieces of its members.
    pub(super) whole: Whole<'a>,
    /// Of what is found by its place.
    pub(super) lines: Lines,
    /// What is still to be found out about it, by whoever reads it.
    pub(super) look: Look,
}

/// How the chunks of a source are had.
#[derive(Debug)]
pub(super) enum Chunks<'a> {
    /// Any worker finds any chunk: they are taken in runs, from front to back.
    Placed {
        /// How many there are.
        count: u64,
        /// How many have been taken.
        taken: AtomicU64,
    },
    /// They come one after the other.
    Streamed(Box<Ring<'a>>),
}

impl<'a> Open<'a> {
    /// Opens the source at `index` of the plan, `known` to be that, where anything was found out about it.
    pub(super) fn new(
        plan: &Plan<'_>,
        opener: &mut Opener,
        index: usize,
        source: &'a Source,
        known: Option<Found>,
    ) -> Result<Self, Failure> {
        if let Err(refusal) = &source.listed {
            return Err(separated(source, refused(refusal)));
        }
        let mut input = Input::open(opener, source, plan.access)
            .map_err(|error| separated(source, error.into()))?;
        input.check_holes(plan.decoding.limits)?;
        let front = from_front(plan, &mut input, source, known)?;
        let whole = |count, header| {
            let gather = Gather::new(count, plan.processor.traits().order);
            let header = Held::within(plan.stats.memory(), header).into();
            Whole::source(index, source, header, gather)
        };
        let header_records = plan.processor.traits().header_records;
        let Some(Front { bytes, pieces, again }) = front else {
            plan.cutter.check(input.bytes())?;
            let count = plan.cutter.chunks(&input);
            let mut whole = whole(Some(count), plan.cutter.header(&input, header_records)?);
            whole.offsets = Offsets::Behind(input.passed());
            whole.set_parts(count);
            whole.add_bytes(input.bytes());
            let chunks = Chunks::Placed { count, taken: AtomicU64::new(0) };
            let look = if known.is_some() { Look::NONE } else { look(plan, count, &input, source) };
            return Ok(Self { input, chunks, whole, lines: Lines::default(), look });
        };
        let (reader, offsets) = reader(plan, source, (bytes, again))?;
        let (first, header, reader) = match reader {
            Reader::Stream(mut stream) => {
                let first = stream.next(Vec::new())?;
                let header = stream.header(&first).to_vec();
                (Some(first), header, Reader::Stream(stream))
            }
            archive @ Reader::Archive(_) => (None, Vec::new(), archive),
        };
        let last = first.as_ref().is_some_and(|first| first.last);
        let mut whole = whole(last.then_some(1), header);
        whole.offsets = offsets;
        if last {
            whole.set_parts(1);
        }
        whole.add_bytes(first.as_ref().map_or(0, |first| first.bytes().len() as u64));
        if first.as_ref().is_some_and(|first| is_archive(first.bytes())) {
            plan.note_archive(&whole);
        }
        let chunk_bytes = plan.cutter.of_stream().chunk_bytes;
        let memory = plan.stats.memory();
        let ring = Ring::new(reader, chunk_bytes, first, pieces, memory);
        let chunks = Chunks::Streamed(Box::new(ring));
        Ok(Self { input, chunks, whole, lines: Lines::default(), look: Look::NONE })
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

/// What the bytes of a source are read through, and how long a mark before them is: it is an archive if its name and its first block say
/// so.
fn reader<'a>(
    plan: &Plan<'_>,
    source: &Source,
    front: (Box<dyn Bytes>, Option<Again>),
) -> Result<(Reader<'a>, Offsets), Failure> {
    let (bytes, again) = front;
    let (linger, header_records) = (plan.settings.linger, plan.processor.traits().header_records);
    let (is_tar, bytes) = is_tar(plan, source, bytes)?;
    if is_tar {
        let members = Members::of(bytes, again, plan.access, plan.cutter, plan.decoding, linger)?;
        let members = members.with_header(header_records);
        let archive = Archive { members, at: None, count: 0 };
        return Ok((Reader::Archive(Box::new(archive)), Offsets::Behind(0)));
    }
    let Text { bytes, encoding, offsets } =
        plan.decoding.transcoding.apply(bytes, &plan.access.malformed)?;
    plan.stats.add_encoding(encoding);
    let stream = Stream::new(bytes, plan.cutter, linger).with_header(header_records);
    let stream = stream.within(plan.stats.memory());
    Ok((Reader::Stream(Box::new(stream)), offsets))
}

/// Whether a source is a tar archive that is looked into: by its name, or where it has none, by its bytes.
fn is_tar(
    plan: &Plan<'_>,
    source: &Source,
    bytes: Box<dyn Bytes>,
) -> Result<(bool, Box<dyn Bytes>), Failure> {
    if !plan.settings.archives {
        return Ok((false, bytes));
    }
    let is_stdin = source.way == Way::StandardInput;
    if is_named_tar(source.file()) || is_said_tar(plan, source) {
        return Ok((true, bytes));
    }
    // A zip file that is compressed, or comes from its front, can not be looked into.
    let is_zip = is_named_zip(source.file()) && !matches!(source.way, Way::Member(_));
    if is_stdin || source.way == Way::Fifo || is_zip {
        return Ok(archived(bytes)?);
    }
    Ok((false, bytes))
}

/// How many neighbouring chunks a worker takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunLength {
    /// Whole groups of as many.
    pub(super) multiple_of: u64,
    /// But for that, no more.
    pub(super) most: u64,
}

/// Takes a run of neighbouring chunks of `count`: long at first, short near the end, so that workers end together.
pub(super) fn take(
    count: u64,
    run: RunLength,
    taken: &AtomicU64,
    scope: Scope,
    threads: usize,
) -> Option<Range<u64>> {
    let share = match scope {
        Scope::Chunk if threads > 1 => 2 * threads as u64,
        _ => 1,
    };
    let length = |at: u64| {
        let end = at + (count.saturating_sub(at) / share).min(run.most).max(1);
        end.next_multiple_of(run.multiple_of).min(count) - at
    };
    let next = |at| (at < count).then(|| at + length(at));
    let start = taken.try_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
    Some(start..start + length(start))
}

/// Takes the next group of chunks that belong together.
pub(super) fn take_next(count: u64, at_once: u64, taken: &AtomicU64) -> Option<Range<u64>> {
    let end = |start: u64| (start + at_once).min(count);
    let next = |start| (start < count).then(|| end(start));
    let start = taken.try_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
    Some(start..end(start))
}

/// That a chunk is larger than memory can be.
pub(super) fn too_large(bytes: u64) -> Failure {
    Failure::new(
        FailureKind::RecordTooLong,
        format!("a chunk of {bytes} bytes fits into no memory"),
    )
}

/// The bytes of a source, and where others can help to decode them, what they help with.
struct Front {
    bytes: Box<dyn Bytes>,
    pieces: Option<Arc<Pieces>>,
    /// For an archive: how they can be had once more.
    again: Option<Again>,
}

/// The bytes of a source that can only be read from its front, decompressed; `None` for one whose chunks are found by their place.
fn from_front(
    plan: &Plan<'_>,
    input: &mut Input,
    source: &Source,
    known: Option<Found>,
) -> Result<Option<Front>, Failure> {
    if input.is_pipe() {
        let bytes = input.from_pipe(source.file(), plan.decoding, plan.access)?;
        return Ok(Some(Front { bytes, pieces: None, again: None }));
    }
    if input.is_packed() {
        let bytes = input.from_packed(source.file(), plan.decoding)?;
        return Ok(Some(Front { bytes, pieces: None, again: None }));
    }
    let detected = match (known, plan.decoding.choice) {
        (Some(found), _) => Some(found),
        (None, Choice::Always(codec)) => Some(Found::Codec(codec)),
        (None, Choice::Never | Choice::Detect) => first_look(plan, input, source)?,
    };
    let by_mark = plan.decoding.transcoding == Transcoding::ByMark;
    let codec = match detected {
        Some(Found::Codec(codec)) => Some(codec),
        // A mark before UTF-8 is all that is to be undone.
        Some(Found::Mark(Mark::Utf8)) if by_mark && plan.cutter.framing.has_places() => {
            input.pass(Mark::Utf8.bytes());
            plan.stats.add_encoding(Some(Mark::Utf8.word()));
            return Ok(None);
        }
        _ => None,
    };
    let archive = is_archive_from_front(plan, source, codec);
    let shared = plan.settings.threads > 1 && plan.scope() == Scope::Chunk;
    let framing = plan.cutter.framing;
    let as_it_is = match plan.decoding.transcoding {
        Transcoding::None | Transcoding::OfText => true,
        // What is compressed is looked at when it is not.
        Transcoding::ByMark => detected.is_none(),
        Transcoding::From(_) | Transcoding::FromUtf32(_) => false,
    };
    let found_by_place = match codec {
        _ if !as_it_is || archive => false,
        None => framing.has_places(),
        Some(codec) => shared && framing.cuts_anywhere() && in_pieces(plan, input, codec),
    };
    if found_by_place {
        return Ok(None);
    }
    let limits = plan.decoding.limits;
    // Blocks of xz are sound before their stream has ended: members are to come of them, or not, however many workers there are.
    let in_parts = archive && codec == Some(Codec::Xz);
    let pieces = match codec {
        Some(codec) if shared || in_parts => {
            input.pieces(codec, limits, plan.settings.threads, plan.access)?
        }
        _ => None,
    };
    let bytes = match &pieces {
        Some(pieces) => pieces.read(),
        None => input.from_front(codec, limits)?,
    };
    let again = match codec {
        Some(codec) if archive => input.again(codec, limits)?,
        _ => None,
    };
    Ok(Some(Front { bytes, pieces, again }))
}

/// Whether what is read from its front may be an archive, compressed with that.
fn is_archive_from_front(plan: &Plan<'_>, source: &Source, codec: Option<Codec>) -> bool {
    let is_packed = codec.is_some() || Codec::by_name(source.file()).is_some();
    let may_be = is_named_tar(source.file()) || source.way == Way::StandardInput;
    plan.settings.archives && may_be && is_packed || is_said_tar(plan, source)
}

/// Whether it is standard input, which is said to be a tar archive.
fn is_said_tar(plan: &Plan<'_>, source: &Source) -> bool {
    let settings = plan.settings;
    settings.archives && settings.piped == Piped::Tar && source.way == Way::StandardInput
}

fn in_pieces(plan: &Plan<'_>, input: &mut Input, codec: Codec) -> bool {
    let (chunk_bytes, workers) = (plan.cutter.chunk_bytes, plan.settings.threads);
    let (limits, memory) = (plan.decoding.limits, plan.stats.memory());
    input.decode_in_pieces(codec, limits, chunk_bytes, workers, memory)
}

/// A small source that nothing in its name says of is read at once, and looked at while it is: a read of its
/// first bytes alone would cost more.
fn first_look(plan: &Plan<'_>, input: &Input, source: &Source) -> Result<Option<Found>, Failure> {
    if is_looked_at_later(plan, input, source) {
        return Ok(None);
    }
    if plan.decoding.choice == Choice::Detect
        && let Some(codec) = input.codec(source.file())?
    {
        return Ok(Some(Found::Codec(codec)));
    }
    if plan.decoding.transcoding != Transcoding::ByMark {
        return Ok(None);
    }
    Ok(input.mark()?.map(Found::Mark))
}

fn is_looked_at_later(plan: &Plan<'_>, input: &Input, source: &Source) -> bool {
    if input.is_remote() || is_said_tar(plan, source) {
        return false;
    }
    let placed = matches!(plan.decoding.transcoding, Transcoding::None | Transcoding::ByMark);
    let single = placed && plan.cutter.framing.has_places() && plan.cutter.chunks(input) == 1;
    single && plan.processor.traits().header_records == 0 && !is_named(plan, source)
}

/// Whether the name of a source says what it has to be.
fn is_named(plan: &Plan<'_>, source: &Source) -> bool {
    plan.decoding.choice == Choice::Detect && is_said(source.file())
}

/// What whoever reads a source of `count` chunks is to find out about it.
fn look(plan: &Plan<'_>, count: u64, input: &Input, source: &Source) -> Look {
    if count != 1 || input.is_decoded() || !is_looked_at_later(plan, input, source) {
        return Look::NONE;
    }
    Look {
        codec: plan.decoding.choice == Choice::Detect,
        mark: plan.decoding.transcoding == Transcoding::ByMark,
    }
}

/// A chunk in a file, to be read when there is room for it.
pub(super) struct Slice<'a> {
    pub(super) input: &'a Input,
    pub(super) offset: u64,
    pub(super) bytes: usize,
    /// What to look for in the bytes; what is found is left in `found`, and filling fails.
    pub(super) look: Look,
    pub(super) found: Option<Found>,
    /// Whether the source turned out to be an archive.
    pub(super) is_archive: bool,
}

impl<'a> Slice<'a> {
    pub(super) fn of(open: &'a Open<'_>, offset: u64, bytes: usize) -> Self {
        Self { input: &open.input, offset, bytes, look: open.look, found: None, is_archive: false }
    }
}

impl Fill for Slice<'_> {
    fn len(&self) -> usize {
        self.bytes
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure> {
        self.input.read_at(into, self.offset)?;
        self.found = self.look.at(into)?;
        match self.found {
            None => {
                self.is_archive = self.offset == 0 && is_archive(into);
                Ok(())
            }
            Some(found) => Err(Failure::new(FailureKind::Read, format!("is not plain: {found:?}"))),
        }
    }
}
