//! The directory of a zip file (APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16): where it is, and
//! its entries one after the other.
//!
//! Only the extra fields that matter here are read; a malformed one is ignored, as `unzip` does.

use std::io;

use super::reader::Reader;
use crate::input::decode::Crc;
use crate::settings::limits::ARCHIVE_COMMENT_BYTES_MAX;
use crate::slices;

/// What the parts begin with, and how long each is without what varies.
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const END: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: usize = 22;
const END64: [u8; 4] = *b"PK\x06\x06";
const END64_BYTES: usize = 56;
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
const LOCATOR64_BYTES: usize = 20;

/// Where the directory of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) start: u64,
    pub(super) end: u64,
    /// What stands before the archive: all offsets in it are that much larger.
    pub(super) before: u64,
    /// How many entries it says it has.
    pub(super) entries: Count,
    /// What is wrong behind it.
    pub(super) rest: Rest,
}

/// How many entries there are said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// So many modulo 65,536: writers that know no more bits do not say more.
    Low(u16),
    Exact(u64),
}

impl Count {
    pub(super) fn is(self, entries: u64) -> bool {
        match self {
            Self::Low(low) => entries & 0xffff == u64::from(low),
            Self::Exact(exact) => entries == exact,
        }
    }
}

/// What follows a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// The comment that it says there is, and perhaps zeros.
    Sound,
    /// A part of that comment.
    CutOff,
    /// Something else, from there on.
    More(u64),
}

/// An entry as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) name: Vec<u8>,
    /// Length and CRC-32 of the name as it is written.
    pub(super) name_sum: (u16, u32),
    pub(super) system: u8,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) packed_bytes: u64,
    pub(super) bytes: u64,
    pub(super) attributes: u32,
    pub(super) header_offset: u64,
}

impl Directory {
    /// Finds the one that ends the file: of what looks like the end of one, the last that has one
    /// before it.
    pub(super) fn find(reader: &mut Reader<'_>, bytes: u64) -> io::Result<Option<Self>> {
        let most = (END_BYTES + ARCHIVE_COMMENT_BYTES_MAX) as u64;
        let from = bytes.saturating_sub(most);
        let mut tail = vec![0; usize::try_from(bytes - from).unwrap_or_default()];
        reader.read_at(&mut tail, from)?;
        for at in memchr::memmem::rfind_iter(&tail, &END) {
            let rest = slices::part(&tail, at..);
            if rest.len() >= END_BYTES
                && let Some(found) = Self::at(reader, rest, from + at as u64)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The directory that is followed by `end`, which begins at `at`, if there is one.
    fn at(reader: &mut Reader<'_>, end: &[u8], at: u64) -> io::Result<Option<Self>> {
        let comment = usize::from(u16_at(end, 20));
        let behind = slices::part(end, END_BYTES..);
        let rest = match behind.get(comment..) {
            None => Rest::CutOff,
            Some(more) if more.iter().all(|&byte| byte == 0) => Rest::Sound,
            Some(_) => Rest::More(at + (END_BYTES + comment) as u64),
        };
        let (low, size, offset) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
        let plain = (at, Count::Low(low), u64::from(size), u64::from(offset));
        let long = Self::in_64_bits(reader, at)?;
        for (end, entries, size, offset) in long.into_iter().chain([plain]) {
            let Some(before_end) = end.checked_sub(size) else { continue };
            // Next to its end, or where it says it is: something may stand before the archive, or
            // behind its directory.
            for start in [before_end, offset] {
                let Some(before) = start.checked_sub(offset) else { continue };
                if start.checked_add(size).is_none_or(|its_end| its_end > end) {
                    continue;
                }
                if size == 0 || begins(reader, start)? {
                    let end = start + size;
                    return Ok(Some(Self { start, end, before, entries, rest }));
                }
            }
        }
        Ok(None)
    }

    /// What is said in 64 bits, where anything is (sections 4.3.14 and 4.3.15): end, count, size
    /// and offset.
    fn in_64_bits(reader: &mut Reader<'_>, at: u64) -> io::Result<Option<(u64, Count, u64, u64)>> {
        let Some(locator_at) = at.checked_sub(LOCATOR64_BYTES as u64) else { return Ok(None) };
        let mut locator = [0; LOCATOR64_BYTES];
        reader.read_at(&mut locator, locator_at)?;
        if !locator.starts_with(&LOCATOR64) {
            return Ok(None);
        }
        let near = locator_at.checked_sub(END64_BYTES as u64);
        for place in near.into_iter().chain([u64_at(&locator, 8)]) {
            if place.checked_add(END64_BYTES as u64).is_none_or(|end| end > locator_at) {
                continue;
            }
            let mut end = [0; END64_BYTES];
            reader.read_at(&mut end, place)?;
            if end.starts_with(&END64) {
                let count = Count::Exact(u64_at(&end, 32));
                return Ok(Some((place, count, u64_at(&end, 40), u64_at(&end, 48))));
            }
        }
        Ok(None)
    }

    /// The entry at `at`, and where the next one is.
    ///
    /// # Errors
    /// With what is wrong with it, in the inner one.
    pub(super) fn entry(
        &self,
        reader: &mut Reader<'_>,
        at: u64,
    ) -> io::Result<Result<(Written, u64), &'static str>> {
        if at + ENTRY_BYTES as u64 > self.end {
            return Ok(Err("its directory ends within an entry"));
        }
        let mut fixed = [0; ENTRY_BYTES];
        reader.read_at(&mut fixed, at)?;
        if !fixed.starts_with(&ENTRY) {
            return Ok(Err("its directory has something else than an entry"));
        }
        let [name, extra, comment] = [28, 30, 32].map(|field| usize::from(u16_at(&fixed, field)));
        let next = at + (ENTRY_BYTES + name + extra + comment) as u64;
        if next > self.end {
            return Ok(Err("its directory ends within an entry"));
        }
        let mut varying = vec![0; name + extra];
        reader.read_at(&mut varying, at + ENTRY_BYTES as u64)?;
        let (name, extra) = varying.split_at(name);
        let mut written = Written {
            name: name.to_vec(),
            name_sum: (u16_at(&fixed, 28), crc32(name)),
            system: fixed.get(5).copied().unwrap_or_default(),
            flags: u16_at(&fixed, 8),
            method: u16_at(&fixed, 10),
            crc32: u32_at(&fixed, 16),
            packed_bytes: u32_at(&fixed, 20).into(),
            bytes: u32_at(&fixed, 24).into(),
            attributes: u32_at(&fixed, 38),
            header_offset: u32_at(&fixed, 42).into(),
        };
        written.take_extra(extra);
        written.header_offset = written.header_offset.saturating_add(self.before);
        Ok(Ok((written, next)))
    }
}

fn begins(reader: &mut Reader<'_>, at: u64) -> io::Result<bool> {
    let mut first = [0; 4];
    match reader.read_at(&mut first, at) {
        Ok(()) => Ok(first == ENTRY),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

impl Written {
    /// Takes what extra fields say (section 4.5): sizes in 64 bits, and the name in UTF-8.
    fn take_extra(&mut self, mut extra: &[u8]) {
        while let Some((id, field, rest)) = field(extra) {
            match id {
                0x0001 => self.take_sizes(field),
                0x7075 => self.take_name(field),
                _ => {}
            }
            extra = rest;
        }
    }

    /// Section 4.5.3: those that do not fit into 32 bits, in this order.
    fn take_sizes(&mut self, mut field: &[u8]) {
        for value in [&mut self.bytes, &mut self.packed_bytes, &mut self.header_offset] {
            if *value == u64::from(u32::MAX)
                && let Some((long, rest)) = field.split_first_chunk()
            {
                *value = u64::from_le_bytes(*long);
                field = rest;
            }
        }
    }

    /// Section 4.6.9: it is for the name that has this checksum.
    fn take_name(&mut self, field: &[u8]) {
        if let Some((1, field)) = field.split_first().map(|(version, field)| (*version, field))
            && let Some((sum, name)) = field.split_first_chunk()
            && u32::from_le_bytes(*sum) == crc32(&self.name)
            && std::str::from_utf8(name).is_ok()
        {
            self.name = name.to_vec();
        }
    }
}

/// The first of these extra fields: its id, what is in it, and what follows. `None` at their end,
/// be it in the middle of one.
fn field(extra: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (id, rest) = extra.split_first_chunk()?;
    let (bytes, rest) = rest.split_first_chunk()?;
    let (field, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*bytes)))?;
    Some((u16::from_le_bytes(*id), field, rest))
}

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |field| u16::from_le_bytes(*field))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |field| u32::from_le_bytes(*field))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |field| u64::from_le_bytes(*field))
}
