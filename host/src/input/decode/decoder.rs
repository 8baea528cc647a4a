//! Decodes one source from its first byte to its last, within its limits.

mod engines;
mod ready;

use std::io::{Cursor, Read};
use std::sync::Arc;

use crate::settings::limits::{DECODE_RATIO_FREE_BYTES, DECODE_SMALL_STREAM_BYTES};

use super::blocks::{Aligned, Block, Envelope, Part};
use super::chain::Resume;
use super::codec::shown;
use super::feed::{Packed, Trickle};
use super::{Begin, Codec, DecodeError, DecodeLimits, Decoded, Engine, Fault, Feed};

use crate::slices;
use engines::{engine, small_member_surcharge};

/// Most that an engine writes before the ratio is looked at.
const STEP_BYTES: usize = 1 << 20;

/// A stream of decompressed bytes.
///
/// The source is whole and well-formed once [`read`](Self::read) has returned 0: some checksums
/// stand behind the last byte. After an error every further call returns the same error.
pub struct Decoder {
    codec: Codec,
    limits: DecodeLimits,
    feed: Feed,
    engine: Box<dyn Engine>,
    place: Place,
    members: u64,
    /// Where the current member begins in the decompressed bytes.
    member_start: u64,
    decompressed: u64,
    /// Where the last whole member ended in them.
    sound: u64,
    /// What had come out of the sources before, of the one that most came out of: their memory is
    /// kept.
    decompressed_before: u64,
    /// Whether more may come out of the member before anything goes in.
    pending: bool,
    /// Decoded to see whether anything comes out, and not yet read: from `looked_at` on.
    looked: Vec<u8>,
    looked_at: usize,
    /// What stands before a block in its source, for messages.
    base: Base,
    failed: Option<DecodeError>,
    /// Whether padding was what ended it.
    padded: bool,
    /// Whether no member has begun yet.
    only_skipped: bool,
    /// How long the whole source is, where that is known: by that its ratio is judged, and not by
    /// how it begins.
    source_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Base {
    compressed: u64,
    decompressed: u64,
    envelope: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Member,
    Between,
    End,
}

/// When a read is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Full,
    Some,
}

impl Decoder {
    /// A decoder of `source`, which is read in large pieces and needs no buffer of its own.
    pub fn new(codec: Codec, source: Box<dyn Read + Send>, limits: DecodeLimits) -> Self {
        Self::over(codec, Packed::AtOnce(source), limits)
    }

    /// A decoder of what comes when somebody writes it.
    pub fn trickle(codec: Codec, source: Box<dyn Trickle>, limits: DecodeLimits) -> Self {
        Self::over(codec, Packed::Trickle(source), limits)
    }

    fn over(codec: Codec, source: Packed, limits: DecodeLimits) -> Self {
        Self {
            codec,
            limits,
            feed: Feed::new(source),
            engine: engine(codec, &limits),
            place: Place::Start,
            members: 0,
            member_start: 0,
            decompressed: 0,
            sound: 0,
            decompressed_before: 0,
            pending: false,
            looked: Vec::new(),
            looked_at: 0,
            base: Base::default(),
            failed: None,
            padded: false,
            only_skipped: true,
            source_bytes: None,
        }
    }

    /// A decoder that goes on where one from the front has come to: `source` gives what is left
    /// from there.
    pub(in super::super) fn resumed(
        codec: Codec,
        source: Box<dyn Read + Send>,
        limits: DecodeLimits,
        resume: Resume,
    ) -> Self {
        let mut decoder = Self::new(codec, source, limits);
        if resume.compressed > 0 {
            decoder.place = Place::Between;
        }
        decoder.feed.resume_at(resume.compressed);
        decoder.decompressed = resume.decompressed;
        decoder.sound = resume.decompressed;
        decoder.members = resume.members;
        decoder.only_skipped = resume.decompressed == 0;
        decoder
    }

    /// The same of sources that are, or are parts of one that is, so long.
    #[must_use]
    pub(in super::super) fn within(self, source_bytes: u64) -> Self {
        Self { source_bytes: Some(source_bytes), ..self }
    }

    /// Bytes of memory that it holds.
    pub fn held_bytes(&self) -> u64 {
        let buffers = self.feed.held_bytes() + self.looked.capacity();
        let decoded = self.decompressed.max(self.decompressed_before);
        self.engine.held_bytes(decoded).saturating_add(buffers as u64)
    }

    /// Turns to another source of the same codec, keeping the memory. Nothing of the last one is
    /// left, whether it was read to its end or not.
    pub fn turn_to(&mut self, source: Box<dyn Read + Send>) {
        self.decompressed_before = self.decompressed_before.max(self.decompressed);
        // An engine stands ready for a new source only where it finished the last one; brotli's
        // never does.
        if self.place != Place::End || self.failed.is_some() || self.codec == Codec::Brotli {
            self.engine = engine(self.codec, &self.limits);
            self.decompressed_before = 0;
        }
        self.feed.turn_to(source);
        self.place = Place::Start;
        (self.members, self.decompressed, self.sound) = (0, 0, 0);
        self.looked.clear();
        (self.pending, self.looked_at) = (false, 0);
        self.base = Base::default();
        self.failed = None;
        (self.padded, self.only_skipped) = (false, true);
    }

    /// Turns to one piece of a source, whose compressed bytes are all that `source` gives. Limits
    /// count for the piece; offsets in errors are those in the whole source, where they are known.
    pub fn turn_to_block(&mut self, block: &Block, source: Box<dyn Read + Send>) {
        let Envelope { before, after } = &block.envelope;
        let source: Box<dyn Read + Send> = match &block.part {
            Part::Bzip2(bits) => Box::new(Aligned::new(bits.clone(), source)),
            _ => source,
        };
        let source: Box<dyn Read + Send> = if before.is_empty() && after.is_empty() {
            source
        } else {
            Box::new(Cursor::new(before.clone()).chain(source).chain(Cursor::new(after.clone())))
        };
        self.turn_to(source);
        if block.rest && before.is_empty() {
            self.place = Place::Between;
        }
        self.base = Base {
            compressed: block.compressed_offset,
            decompressed: block.decompressed_offset.unwrap_or(0),
            envelope: before.len() as u64,
        };
    }

    /// What it decodes.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How many bytes were decoded so far.
    pub fn decompressed(&self) -> u64 {
        self.decompressed
    }

    /// Up to which byte all checksums have been compared.
    pub fn sound(&self) -> u64 {
        self.sound
    }

    /// How many bytes went in so far.
    pub fn compressed(&self) -> u64 {
        self.feed.taken()
    }

    /// How many members were begun so far, as they count for the limit.
    pub(super) fn members(&self) -> u64 {
        self.members
    }

    /// Whether padding up to the end of the source was what ended it.
    pub(super) fn ended_in_padding(&self) -> bool {
        self.padded
    }

    /// Fills `into` from its start. Returns how many bytes were written: fewer than there is room
    /// for only at the end of the source or before an error, which the next call returns.
    ///
    /// # Errors
    /// When the source cannot be read, is not whole and well-formed, or exceeds a limit.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, DecodeError> {
        self.read_until(into, Until::Full)
    }

    /// As [`read`](Self::read), but returns what there is before it would have to wait for the
    /// source.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_some(&mut self, into: &mut [u8]) -> Result<usize, DecodeError> {
        self.read_until(into, Until::Some)
    }

    fn read_until(&mut self, into: &mut [u8], until: Until) -> Result<usize, DecodeError> {
        let mut filled = self.take_looked(into);
        while self.failed.is_none() && self.place != Place::End {
            let room = slices::part_mut(into, filled..);
            if room.is_empty() || (until == Until::Some && filled > 0 && self.starves()) {
                break;
            }
            match self.step(room) {
                Ok(bytes) => filled += bytes,
                Err(error) => self.failed = Some(error),
            }
        }
        match &self.failed {
            Some(error) if filled == 0 && !into.is_empty() => Err(error.clone()),
            _ => Ok(filled),
        }
    }

    fn step(&mut self, into: &mut [u8]) -> Result<usize, DecodeError> {
        if self.place == Place::Member { self.decode(into) } else { self.begin().map(|()| 0) }
    }

    fn begin(&mut self) -> Result<(), DecodeError> {
        let first = self.place == Place::Start;
        match self.feed.peek() {
            Ok([]) if first => return Err(self.error(Fault::Truncated)),
            Ok([]) => {
                self.place = Place::End;
                return Ok(());
            }
            Ok(_) => {}
            Err(error) => return Err(self.error(error.into())),
        }
        let compressed = self.feed.taken();
        self.place = match self.engine.begin(&mut self.feed, first) {
            Ok(Begin::Member) => {
                (self.member_start, self.pending) = (self.decompressed, false);
                self.only_skipped = false;
                Place::Member
            }
            Ok(Begin::Skipped) => Place::Between,
            Ok(Begin::End) => {
                self.padded = true;
                Place::End
            }
            Ok(Begin::NotOurs) if self.is_other() => return Ok(()),
            Ok(Begin::NotOurs) => return Err(self.not_ours(first, compressed)),
            Err(fault) => return Err(self.error(fault)),
        };
        self.members += 1;
        if self.members > self.limits.members_max {
            let (codec, decompressed) = (self.codec, self.reached());
            return Err(DecodeError::Members {
                codec,
                decompressed,
                members_max: self.limits.members_max,
            });
        }
        Ok(())
    }

    fn decode(&mut self, into: &mut [u8]) -> Result<usize, DecodeError> {
        let left = self.limits.bytes_max - self.decompressed;
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(STEP_BYTES).min(into.len());
        // At the limit: what follows may still be the end, which takes no room.
        let mut probe = [0];
        let into = if room == 0 { &mut probe[..] } else { slices::part_mut(into, ..room) };
        let fed = if self.pending { Ok(()) } else { self.feed.peek().map(drop) };
        let decoded = fed.map_err(Fault::from);
        let decoded = decoded.and_then(|()| self.engine.decode(&mut self.feed, into));
        self.pending = matches!(decoded, Ok(Decoded::More(_)));
        let (bytes, fault) = match decoded {
            Ok(Decoded::Some(bytes) | Decoded::More(bytes)) => (bytes, None),
            Ok(Decoded::Last(bytes)) => {
                self.place = Place::Between;
                if self.decompressed + bytes as u64 - self.member_start < DECODE_SMALL_STREAM_BYTES
                {
                    self.members += small_member_surcharge(self.codec);
                }
                (bytes, None)
            }
            Ok(Decoded::Failed(bytes, fault)) => (bytes, Some(fault)),
            Err(fault) => (0, Some(fault)),
        };
        if bytes > room {
            return Err(DecodeError::TooLarge { bytes_max: self.limits.bytes_max });
        }
        self.decompressed += bytes as u64;
        if self.place == Place::Between {
            self.sound = self.decompressed;
        }
        self.check_ratio()?;
        self.failed = fault.map(|fault| self.error(fault));
        Ok(bytes)
    }

    fn check_ratio(&self) -> Result<(), DecodeError> {
        let compressed = self.feed.taken().max(self.source_bytes.unwrap_or_default());
        let ratio_max = self.limits.ratio_max;
        if self.decompressed <= DECODE_RATIO_FREE_BYTES
            || self.decompressed <= compressed.saturating_mul(ratio_max)
        {
            return Ok(());
        }
        let (codec, decompressed) = (self.codec, self.decompressed);
        Err(DecodeError::Ratio { codec, compressed, decompressed, ratio_max })
    }

    /// How far the whole source is decoded.
    fn reached(&self) -> u64 {
        self.base.decompressed + self.decompressed
    }

    /// An offset in the whole source.
    fn located(&self, taken: u64) -> u64 {
        self.base.compressed + taken.saturating_sub(self.base.envelope)
    }

    fn not_ours(&mut self, first: bool, compressed: u64) -> DecodeError {
        let (codec, decompressed) = (self.codec, self.reached());
        let compressed = self.located(compressed);
        if !first {
            return DecodeError::TrailingGarbage { codec, compressed, decompressed };
        }
        let got = shown(self.feed.held());
        DecodeError::Magic { codec, got, expected: codec.expected() }
    }

    /// Says where a fault was met.
    fn error(&self, fault: Fault) -> DecodeError {
        let (codec, decompressed) = (self.codec, self.reached());
        match fault {
            Fault::Read(error) => DecodeError::Read {
                compressed: self.located(self.feed.taken() + self.feed.held().len() as u64),
                error: Arc::new(error),
            },
            Fault::Truncated => DecodeError::Truncated { codec, decompressed },
            Fault::Corrupt(what) => DecodeError::Corrupt { codec, decompressed, what },
            Fault::Checksum(what) => DecodeError::Checksum { codec, decompressed, what },
            Fault::Unsupported(what) => DecodeError::Unsupported { codec, decompressed, what },
            Fault::Window { bytes_max } => DecodeError::Window { codec, decompressed, bytes_max },
        }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("codec", &self.codec)
            .field("place", &self.place)
            .field("compressed", &self.compressed())
            .field("decompressed", &self.decompressed)
            .finish_non_exhaustive()
    }
}
