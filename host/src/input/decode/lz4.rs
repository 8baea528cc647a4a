//! LZ4 frames (LZ4 frame format 1.6.4, and the legacy frame): the frame is read here, the blocks by
//! the crate.
//!
//! The crate's own frame reader stops at skippable frames, copies every block once more, and cannot
//! say what was wrong where.

use std::hash::Hasher;

use lz4_flex::block::{decompress_into, decompress_into_with_dict};
use twox_hash::XxHash32;

use super::feed::is_whole;
use super::magic::{LZ4, LZ4_LEGACY, is_cut_off, is_skippable};
use super::{Begin, Decoded, Engine, Fault, Feed};
use crate::slices;

/// How far back a block may reach into the ones before it ("Block Independence flag").
const HISTORY_BYTES: usize = 64 << 10;

/// Linked blocks that are kept before the history is moved: moving it for each would copy small
/// blocks twice.
const LINKED_BYTES: usize = 256 << 10;

/// The longest "Frame Descriptor" without a dictionary: flags, sizes, content size, checksum.
pub(super) const DESCRIPTOR_BYTES_MAX: usize = 1 + 1 + 8 + 1;

/// "Legacy frame": every block but the last holds as much.
const LEGACY_BLOCK_BYTES: usize = 8 << 20;

pub(super) struct Lz4 {
    frame: Frame,
    /// The last block is `plain[start..to]`, of which what is before `from` was handed out. Where
    /// blocks are linked, the `history` bytes before `start` are what it refers to.
    plain: Vec<u8>,
    start: usize,
    from: usize,
    to: usize,
    history: usize,
    scratch: Vec<u8>,
    hash: XxHash32,
    bytes: u64,
}

/// What the descriptor of a frame says.
#[allow(clippy::struct_excessive_bools)] // they are flags of the format
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Frame {
    pub(super) legacy: bool,
    pub(super) linked: bool,
    pub(super) block_checksum: bool,
    pub(super) content_checksum: bool,
    pub(super) content_bytes: Option<u64>,
    pub(super) block_bytes_max: usize,
}

enum Block<'a> {
    Stored(&'a [u8]),
    Compressed(&'a [u8]),
}

impl Lz4 {
    pub(super) fn new() -> Self {
        Self {
            frame: Frame::default(),
            plain: Vec::new(),
            start: 0,
            from: 0,
            to: 0,
            history: 0,
            scratch: Vec::new(),
            hash: XxHash32::with_seed(0),
            bytes: 0,
        }
    }

    fn start(&mut self, frame: Frame) {
        self.frame = frame;
        self.hash = XxHash32::with_seed(0);
        (self.start, self.from, self.to) = (0, 0, 0);
        (self.history, self.bytes) = (0, 0);
    }

    /// Makes room for a block behind the last one, which linked blocks refer to; where there is
    /// none left, moves as much as they may refer to to the front. Returns where the block begins.
    fn make_room(&mut self) -> usize {
        let block = self.frame.block_bytes_max;
        if !self.frame.linked {
            self.grow(block);
            return 0;
        }
        self.history = (self.history + self.to - self.start).min(HISTORY_BYTES);
        if self.to + block > HISTORY_BYTES + block.max(LINKED_BYTES) {
            self.plain.copy_within(self.to - self.history..self.to, 0);
            self.to = self.history;
        }
        self.grow(self.to + block);
        self.to
    }

    fn grow(&mut self, bytes: usize) {
        if self.plain.len() < bytes {
            self.plain.resize(bytes, 0);
        }
    }

    /// Decodes the next block: into `into` if it is sure to fit and nothing refers back to it, else
    /// into `plain`. `None`: there is none. Else what was written to `into`.
    fn block(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Option<usize>, Fault> {
        let Frame { block_bytes_max, linked, block_checksum, .. } = self.frame;
        let Some((stored, bytes)) = self.frame.next_block(feed)? else { return Ok(None) };
        let direct = !linked && into.len() >= block_bytes_max;
        let start = if direct { 0 } else { self.make_room() };
        let data = feed.exactly(bytes, &mut self.scratch)?;
        let block = if stored { Block::Stored(data) } else { Block::Compressed(data) };
        let checksum = block_checksum.then(|| XxHash32::oneshot(0, data));
        let written = if direct {
            unpack(&block, slices::part_mut(into, ..block_bytes_max), &[])?
        } else {
            let (before, room) = self.plain.split_at_mut(start);
            let history = before.get(start.saturating_sub(self.history)..).unwrap_or_default();
            unpack(&block, slices::part_mut(room, ..block_bytes_max), history)?
        };
        if let Some(checksum) = checksum
            && u32::from_le_bytes(feed.array()?) != checksum
        {
            return Err(Fault::Checksum("checksum of a block"));
        }
        if direct {
            return Ok(Some(written));
        }
        (self.start, self.from, self.to) = (start, start, start + written);
        Ok(Some(0))
    }

    /// Hands out what is left of the current block.
    fn drain(&mut self, into: &mut [u8]) -> usize {
        let bytes = into.len().min(self.to - self.from);
        if let (Some(from), Some(into)) =
            (self.plain.get(self.from..self.from + bytes), into.get_mut(..bytes))
        {
            into.copy_from_slice(from);
        }
        self.from += bytes;
        bytes
    }

    fn finish(&mut self, feed: &mut Feed) -> Result<(), Fault> {
        if self.frame.content_checksum {
            let expected = u32::from_le_bytes(feed.array()?);
            if u64::from(expected) != self.hash.finish() {
                return Err(Fault::Checksum("content checksum of a frame"));
            }
        }
        match self.frame.content_bytes {
            Some(bytes) if bytes != self.bytes => {
                Err(Fault::Corrupt("the size of a frame is not what its header says"))
            }
            _ => Ok(()),
        }
    }
}

impl Engine for Lz4 {
    fn held_bytes(&self, _decoded: u64) -> u64 {
        (self.plain.capacity() + self.scratch.capacity()) as u64
    }

    fn begin(&mut self, feed: &mut Feed, _first: bool) -> Result<Begin, Fault> {
        let magic = feed.ahead(4)?;
        let Some(&magic) = magic.first_chunk() else {
            let cut_off = is_cut_off(magic, &LZ4) || is_cut_off(magic, &LZ4_LEGACY);
            return if cut_off { Err(Fault::Truncated) } else { Ok(Begin::NotOurs) };
        };
        if magic == LZ4 {
            feed.take(4);
            let (frame, bytes) = Frame::parse(feed.ahead(DESCRIPTOR_BYTES_MAX)?)?;
            feed.take(bytes);
            self.start(frame);
            return Ok(Begin::Member);
        }
        if magic == LZ4_LEGACY {
            feed.take(4);
            let block_bytes_max = LEGACY_BLOCK_BYTES;
            self.start(Frame { legacy: true, block_bytes_max, ..Frame::default() });
            return Ok(Begin::Member);
        }
        if is_skippable(magic) {
            feed.take(4);
            let length = u32::from_le_bytes(feed.array()?);
            feed.skip(u64::from(length))?;
            return Ok(Begin::Skipped);
        }
        Ok(Begin::NotOurs)
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        let bytes = if self.from < self.to {
            self.drain(into)
        } else {
            match self.block(feed, into)? {
                None => {
                    self.finish(feed)?;
                    return Ok(Decoded::Last(0));
                }
                Some(0) => self.drain(into),
                Some(bytes) => bytes,
            }
        };
        self.bytes += bytes as u64;
        if self.frame.content_checksum {
            self.hash.write(slices::part(into, ..bytes));
        }
        Ok(if self.from < self.to { Decoded::More(bytes) } else { Decoded::Some(bytes) })
    }

    fn starves(&self, held: &[u8]) -> bool {
        let Some(&size) = held.first_chunk() else { return true };
        let block = (u32::from_le_bytes(size) & 0x7fff_ffff) as usize;
        let checksum = match block {
            0 => self.frame.content_checksum,
            _ => self.frame.block_checksum,
        };
        !is_whole(4 + block + if checksum { 4 } else { 0 }, held)
    }
}

impl Frame {
    /// Reads what follows the magic number ("Frame Descriptor"). Returns its length too.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, usize), Fault> {
        let Some(&[flags, sizes]) = bytes.first_chunk() else { return Err(Fault::Truncated) };
        if flags >> 6 != 1 {
            return Err(Fault::Unsupported("another version of the frame format"));
        }
        if flags & 0b10 != 0 || sizes & 0x8f != 0 {
            return Err(Fault::Corrupt("a reserved bit of a frame is set"));
        }
        if flags & 1 != 0 {
            return Err(Fault::Unsupported("a dictionary"));
        }
        let block_bytes_max = match sizes >> 4 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(Fault::Corrupt("a reserved block size")),
        };
        let has_content_bytes = flags & 1 << 3 != 0;
        let described_bytes = if has_content_bytes { 2 + 8 } else { 2 };
        let (described, rest) = bytes.split_at_checked(described_bytes).ok_or(Fault::Truncated)?;
        if *rest.first().ok_or(Fault::Truncated)? != header_checksum(described) {
            return Err(Fault::Checksum("checksum of a frame header"));
        }
        let frame = Self {
            legacy: false,
            linked: flags & 1 << 5 == 0,
            block_checksum: flags & 1 << 4 != 0,
            content_checksum: flags & 1 << 2 != 0,
            content_bytes: described
                .last_chunk()
                .filter(|_| has_content_bytes)
                .map(|size| u64::from_le_bytes(*size)),
            block_bytes_max,
        };
        Ok((frame, described_bytes + 1))
    }

    /// Whether the next block is stored as it is, and its size in the frame. `None` at the end of
    /// the frame.
    fn next_block(self, feed: &mut Feed) -> Result<Option<(bool, usize)>, Fault> {
        if self.legacy {
            return legacy_block(feed);
        }
        let size = u32::from_le_bytes(feed.array()?);
        if size == 0 {
            return Ok(None);
        }
        let bytes = (size & 0x7fff_ffff) as usize;
        if bytes > self.block_bytes_max {
            return Err(Fault::Corrupt("a block is larger than its frame allows"));
        }
        Ok(Some((size >> 31 == 1, bytes)))
    }
}

/// A legacy frame has no end mark: it goes up to the end of the source or to the next magic number,
/// which is larger than any block.
fn legacy_block(feed: &mut Feed) -> Result<Option<(bool, usize)>, Fault> {
    let next = feed.ahead(4)?;
    if next.is_empty() {
        return Ok(None);
    }
    let size = u32::from_le_bytes(*next.first_chunk().ok_or(Fault::Truncated)?) as usize;
    if size > LEGACY_BLOCK_BYTES + LEGACY_BLOCK_BYTES / 255 + 16 {
        return Ok(None);
    }
    feed.take(4);
    Ok(Some((false, size)))
}

/// "Header Checksum": the second byte of the hash of the descriptor.
pub(super) fn header_checksum(descriptor: &[u8]) -> u8 {
    let [_, second, ..] = XxHash32::oneshot(0, descriptor).to_le_bytes();
    second
}

/// Returns how much of `into` was written.
fn unpack(block: &Block<'_>, into: &mut [u8], history: &[u8]) -> Result<usize, Fault> {
    const INVALID: Fault = Fault::Corrupt("invalid block");
    match *block {
        Block::Stored(data) => {
            into.get_mut(..data.len()).ok_or(INVALID)?.copy_from_slice(data);
            Ok(data.len())
        }
        Block::Compressed(data) if history.is_empty() => {
            decompress_into(data, into).map_err(|_| INVALID)
        }
        Block::Compressed(data) => {
            decompress_into_with_dict(data, into, history).map_err(|_| INVALID)
        }
    }
}
