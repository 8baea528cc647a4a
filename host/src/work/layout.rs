//! Whether the chunks of a source are found by their place or come from its front, and what they
//! come through: decoders, members, and other encodings. Looks at its first bytes where these say
//! so.

use std::sync::Arc;

use crate::input::{
    Again, BlockQueue, Bytes, Choice, Codec, Found, Input, Look, Mark, Members, Offsets, Stream,
    Text, Transcoding, archived, is_named_tar, is_named_zip, is_said,
};
use crate::process::{Failure, Scope};
use crate::settings::Piped;
use crate::source::{Source, Way};

use super::Plan;
use super::ring::{Archive, Reads};

/// How the bytes of a source are laid out for workers.
pub(super) enum Layout {
    /// Any worker finds any chunk, behind so many bytes of a mark.
    Placed { behind: u64 },
    /// One chunk comes after the other.
    InOrder(SequentialSource),
}

/// The bytes of a source, decompressed, and where others can help to decode them, what they help
/// with.
pub(super) struct SequentialSource {
    pub(super) bytes: Box<dyn Bytes>,
    pub(super) pieces: Option<Arc<BlockQueue>>,
    /// For an archive: how they can be had once more.
    pub(super) again: Option<Again>,
}

impl Layout {
    /// That of a source, `known` to be that, where anything was found out about it.
    pub(super) fn of(
        plan: &Plan<'_>,
        input: &mut Input,
        source: &Source,
        known: Option<Found>,
    ) -> Result<Self, Failure> {
        if let Some(bytes) = input.in_order(source.file(), plan.decoding, plan.access)? {
            return Ok(Self::InOrder(SequentialSource { bytes, pieces: None, again: None }));
        }
        let found = match (known, plan.decoding.choice) {
            (Some(found), _) => Some(found),
            (None, Choice::Always(codec)) => Some(Found::Codec(codec)),
            (None, Choice::Never | Choice::Detect) => first_look(plan, input, source)?,
        };
        let by_mark = plan.decoding.transcoding == Transcoding::ByMark;
        let codec = match found {
            Some(Found::Codec(codec)) => Some(codec),
            // A mark before UTF-8 is all that is to be undone.
            Some(Found::Mark(Mark::Utf8)) if by_mark && plan.cutter.framing.has_places() => {
                plan.stats.add_encoding(Some(Mark::Utf8.word()));
                return Ok(Self::Placed { behind: input.pass(Mark::Utf8.bytes()) });
            }
            _ => None,
        };
        let archive = is_archive_from_front(plan, source, codec);
        if !archive && is_as_it_is(plan, found) && is_placed(plan, input, codec) {
            return Ok(Self::Placed { behind: 0 });
        }
        Ok(Self::InOrder(SequentialSource::of(plan, input, codec, archive)?))
    }
}

impl SequentialSource {
    fn of(
        plan: &Plan<'_>,
        input: &Input,
        codec: Option<Codec>,
        archive: bool,
    ) -> Result<Self, Failure> {
        let (limits, workers) = (plan.decoding.limits, plan.settings.threads);
        let Some(codec) = codec else {
            let bytes = input.from_front(None, limits)?;
            return Ok(Self { bytes, pieces: None, again: None });
        };
        // Blocks of xz are sound before their stream has ended: members are to come of them, or
        // not, however many workers there are.
        let in_parts = archive && codec == Codec::Xz;
        let pieces = if is_shared(plan) || in_parts {
            input.pieces(codec, limits, workers, plan.access)?
        } else {
            None
        };
        let bytes = match &pieces {
            Some(pieces) => pieces.read(),
            None => input.from_front(Some(codec), limits)?,
        };
        let again = if archive { input.again(codec, limits)? } else { None };
        Ok(Self { bytes, pieces, again })
    }
}

/// Whether what begins so is in the encoding that plugins see.
fn is_as_it_is(plan: &Plan<'_>, found: Option<Found>) -> bool {
    match plan.decoding.transcoding {
        Transcoding::None | Transcoding::OfText => true,
        // What is compressed is looked at when it is not.
        Transcoding::ByMark => found.is_none(),
        Transcoding::From(_) | Transcoding::FromUtf32(_) => false,
    }
}

/// Whether chunks are found by their place, for which what is compressed has to be decoded in
/// pieces.
fn is_placed(plan: &Plan<'_>, input: &mut Input, codec: Option<Codec>) -> bool {
    let framing = plan.cutter.framing;
    match codec {
        None => framing.has_places(),
        Some(codec) => is_shared(plan) && framing.cuts_anywhere() && in_pieces(plan, input, codec),
    }
}

/// Whether several workers are at the chunks of a source.
fn is_shared(plan: &Plan<'_>) -> bool {
    plan.settings.threads > 1 && plan.scope() == Scope::Chunk
}

/// What the bytes of a source are read through, and how long a mark before them is: it is an
/// archive if its name and its first block say so.
pub(super) fn reader<'a>(
    plan: &Plan<'_>,
    source: &Source,
    front: (Box<dyn Bytes>, Option<Again>),
) -> Result<(Reads<'a>, Offsets), Failure> {
    let (bytes, again) = front;
    let (linger, header_records) = (plan.settings.linger, plan.processor.traits().header_records);
    let (is_tar, bytes) = is_tar(plan, source, bytes)?;
    if is_tar {
        let members = Members::of(bytes, again, plan.access, plan.cutter, plan.decoding, linger)?;
        let members = members.with_header(header_records);
        let path = source.path.to_path().into_owned();
        let archive = Archive { members, path, at: None, count: 0 };
        return Ok((Reads::Archive(Box::new(archive)), Offsets::Behind(0)));
    }
    let Text { bytes, encoding, offsets } =
        plan.decoding.transcoding.apply(bytes, &plan.access.malformed)?;
    plan.stats.add_encoding(encoding);
    let stream = Stream::new(bytes, plan.cutter, linger).with_header(header_records);
    let stream = stream.within(plan.stats.memory());
    Ok((Reads::Stream(Box::new(stream)), offsets))
}

/// Whether a source is a tar archive that is looked into: by its name, or where it has none, by its
/// bytes.
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

/// A small source that nothing in its name says of is read at once, and looked at while it is: a
/// read of its first bytes alone would cost more.
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

/// What the reader of a source of one chunk finds out about it.
pub(super) fn look(plan: &Plan<'_>, input: &Input, source: &Source) -> Look {
    if input.is_decoded() || !is_looked_at_later(plan, input, source) {
        return Look::NONE;
    }
    Look {
        codec: plan.decoding.choice == Choice::Detect,
        mark: plan.decoding.transcoding == Transcoding::ByMark,
    }
}
