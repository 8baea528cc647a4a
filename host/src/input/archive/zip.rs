//! zip: members from the directory at the end of the file (APPNOTE.TXT 6.3.10), read one entry after the other.
//!
//! The directory alone counts: what stands before members is only looked at to find where their data begins. No two members share bytes.

use std::io::{self, Read};

use zip::System;
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

use super::reader::Reader;
use super::{Listed, Members};
use crate::input::store::Store;
use crate::input::{Asked, Codec, Error, Input};
use crate::settings::limits::ARCHIVE_SEARCH_BYTES_MAX;
use crate::source::{ArchiveError, Refusal, Stored, ZipEntry};

/// The first bytes of an entry of the directory (section 4.3.12) and of a local header (4.3.7), and how long each is without its names.
const DIRECTORY_ENTRY: [u8; 4] = *b"PK\x01\x02";
const DIRECTORY_ENTRY_BYTES: usize = 46;
const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
const LOCAL_HEADER_BYTES: usize = 30;
/// What a file without members begins with (section 4.3.16).
const DIRECTORY_END: [u8; 4] = *b"PK\x05\x06";

/// Bits 0, 6 and 13: encrypted, strongly encrypted, the directory too (section 4.4.4).
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

/// What takes no unpacking (section 4.4.5).
const STORED: u16 = 0;

/// How data is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpacking {
    /// Not at all.
    Plain,
    /// With this.
    With(Codec),
}

/// What undoes a method, by its number in section 4.4.5.
pub(super) fn unpacking(method: u16) -> Option<Unpacking> {
    Some(match method {
        STORED => Unpacking::Plain,
        8 => Unpacking::With(Codec::Deflate),
        12 => Unpacking::With(Codec::Bzip2),
        20 | 93 => Unpacking::With(Codec::Zstd),
        95 => Unpacking::With(Codec::Xz),
        _ => return None,
    })
}

/// An entry of the directory.
struct Entry {
    name: Vec<u8>,
    kind: Kind,
    is_encrypted: bool,
    found: ZipEntry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    /// A link, FIFO or device.
    Special,
}

/// Adds the members of a zip file.
///
/// # Errors
/// Where no more can be found: the archive is damaged, or a limit is reached.
pub(super) fn list(input: &Input, members: &mut Members<'_>) -> Result<Listed, Refusal> {
    let first = first(input)?;
    let begins = first == Some(LOCAL_HEADER) || first == Some(DIRECTORY_END);
    let reader = Reader::bounded(input, ARCHIVE_SEARCH_BYTES_MAX);
    let mut directory = match ZipIterable::try_new(reader, Config::default()) {
        Ok(directory) if begins || !directory.is_empty() => directory,
        // Something else may stand before the archive; but then it has to be one.
        Ok(_) => return Ok(Listed::NotOne),
        Err(_) if !begins => return Ok(Listed::NotOne),
        Err(error) => {
            return Err(damaged(input.bytes(), "no directory can be read at its end", error));
        }
    };
    if directory.is_empty() && first == Some(LOCAL_HEADER) {
        return Err(wrong(input.bytes(), "its directory is empty, but it begins with a member"));
    }
    let mut entries = Vec::new();
    let ended = entries_of(&mut directory, &mut entries, members).and_then(|last| match last {
        Some(last) => check_end(input, last),
        None => Ok(()),
    });
    drop(directory);
    bound(&mut entries, input.bytes());
    for entry in entries {
        add(entry, members);
    }
    ended.map(|()| Listed::All)
}

/// Reads the directory up to its end or to where it cannot be read. Returns where its last entry is.
fn entries_of(
    directory: &mut ZipIterable<Reader<'_>>,
    entries: &mut Vec<Entry>,
    members: &mut Members<'_>,
) -> Result<Option<u64>, Refusal> {
    let bad = "its directory is damaged";
    let files = directory.files().map_err(|error| damaged(0, bad, error))?;
    files.reader_mut().free();
    let mut last = None;
    while let Some(entry) = files.next() {
        let entry = entry.map_err(|error| damaged(files.reader_mut().sought(), bad, error))?;
        members.count()?;
        last = Some(entry.central_header_start());
        entries.push(Entry::of(&entry));
    }
    Ok(last)
}

impl Entry {
    fn of(entry: &ZipFileEntry<'_>) -> Self {
        let name = entry.name_raw();
        // Not UTF-8: what DOS wrote (appendix D).
        let name = entry.name().map_or_else(|_| name.to_vec(), |name| name.as_bytes().to_vec());
        let found = ZipEntry {
            header_offset: entry.header_start(),
            end_max: entry.central_header_start(),
            method: entry.compression().into_compression().as_u16(),
            packed_bytes: entry.compressed_size(),
            bytes: entry.size(),
            crc32: entry.crc32(),
        };
        let is_encrypted = entry.flags().as_u16() & ENCRYPTED != 0;
        Self { kind: kind(entry, &name), name, is_encrypted, found }
    }
}

/// What an entry is: by its mode where the archive comes from a Unix, by its name elsewhere.
fn kind(entry: &ZipFileEntry<'_>, name: &[u8]) -> Kind {
    // inode(7), "The file type and mode"; 0 where nothing is said.
    const FILES: [u32; 2] = [0, 0o100_000];
    const DIRECTORY: u32 = 0o040_000;
    let is_unix = matches!(entry.system(), System::Unix | System::OsDarwin);
    let mode = if is_unix { entry.external_attributes() >> 16 & 0o170_000 } else { 0 };
    match mode {
        // Bytes are never passed over because of a name.
        _ if entry.size() == 0 && (name.ends_with(b"/") || mode == DIRECTORY) => Kind::Directory,
        mode if FILES.contains(&mode) || mode == DIRECTORY => Kind::File,
        _ => Kind::Special,
    }
}

/// Finds out where each entry ends at the latest: where the next thing in the archive begins.
fn bound(entries: &mut [Entry], archive_bytes: u64) {
    let directory = entries.first().map_or(archive_bytes, |entry| entry.found.end_max);
    let starts = entries.iter().map(|entry| entry.found.header_offset);
    let mut order: Vec<(u64, usize)> = starts.enumerate().map(|(at, start)| (start, at)).collect();
    order.sort_unstable();
    let mut next = archive_bytes;
    for same in order.chunk_by(|a, b| a.0 == b.0).rev() {
        let Some(&(start, _)) = same.first() else { continue };
        let end = if start < directory { next.min(directory) } else { next };
        // Of entries with one and the same header, the first keeps it.
        let ends = std::iter::once(end).chain(std::iter::repeat(start));
        for (&(_, at), end_max) in same.iter().zip(ends) {
            if let Some(entry) = entries.get_mut(at) {
                entry.found.end_max = end_max;
            }
        }
        next = start;
    }
}

fn add(entry: Entry, members: &mut Members<'_>) {
    let Entry { name, kind, is_encrypted, found } = entry;
    match kind {
        Kind::Directory => {}
        Kind::Special => members.skip(),
        Kind::File if is_encrypted => members.refuse(&name, ArchiveError::Encrypted),
        Kind::File => match check(&found, members.archive.version.bytes) {
            Ok(()) => members.add(&name, found.packed_bytes, Stored::Zip(found)),
            Err(error) => members.refuse(&name, error),
        },
    }
}

/// Checks what can be told of a member without looking at it.
fn check(found: &ZipEntry, archive_bytes: u64) -> Result<(), ArchiveError> {
    if unpacking(found.method).is_none() {
        return Err(ArchiveError::Method(found.method));
    }
    if found.method == STORED && found.packed_bytes != found.bytes {
        let what = "a member that is stored as it is has two sizes".into();
        return Err(ArchiveError::Damaged { offset: found.header_offset, what });
    }
    let offset = found.header_offset.saturating_add(LOCAL_HEADER_BYTES as u64);
    let bytes = found.packed_bytes;
    if offset.checked_add(bytes).is_none_or(|end| end > archive_bytes) {
        return Err(ArchiveError::CutOff { offset, bytes });
    }
    check_room(found, offset)
}

/// Checks that data that begins there ends before something else begins.
fn check_room(found: &ZipEntry, offset: u64) -> Result<(), ArchiveError> {
    let &ZipEntry { packed_bytes, end_max, .. } = found;
    if offset.checked_add(packed_bytes).is_some_and(|end| end <= end_max) {
        return Ok(());
    }
    Err(ArchiveError::Overlap { offset, packed_bytes, end_max })
}

/// Where the data of a member begins: behind its local header, whose names may differ from those in the directory.
///
/// # Errors
/// When there is no such header, or no room for the data.
pub(super) fn data_offset(store: &Store, found: &ZipEntry) -> Result<u64, Error> {
    let offset = found.header_offset;
    let no_header = || Error::Refused(ArchiveError::NoHeader { offset }.into());
    let end = offset.checked_add(LOCAL_HEADER_BYTES as u64).filter(|end| *end <= store.bytes());
    let end = end.ok_or_else(no_header)?;
    let mut header = [0; LOCAL_HEADER_BYTES];
    store.read_at(&mut header, offset, Asked::ToGoOn)?;
    if !header.starts_with(&LOCAL_HEADER) {
        return Err(no_header());
    }
    let data = end + u16_at(&header, 26) + u16_at(&header, 28);
    check_room(found, data).map_err(|error| Error::Refused(error.into()))?;
    Ok(data)
}

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..).and_then(<[u8]>::first_chunk);
    u64::from(field.map_or(0, |field| u16::from_le_bytes(*field)))
}

/// Checks that the directory has no more entries than it says: writers that count modulo 65,536 do.
fn check_end(input: &Input, last: u64) -> Result<(), Refusal> {
    let mut reader = Reader::new(input);
    let mut header = [0; DIRECTORY_ENTRY_BYTES];
    reader.read_at(&mut header, last)?;
    let names = u16_at(&header, 28) + u16_at(&header, 30) + u16_at(&header, 32);
    let end = last + DIRECTORY_ENTRY_BYTES as u64 + names;
    let mut next = Vec::new();
    reader.turn_to(end);
    reader.take(4).read_to_end(&mut next)?;
    if next == DIRECTORY_ENTRY {
        return Err(wrong(end, "its directory goes on behind the last entry that it says it has"));
    }
    Ok(())
}

fn first(input: &Input) -> Result<Option<[u8; 4]>, Refusal> {
    if input.bytes() < 4 {
        return Ok(None);
    }
    let mut first = [0; 4];
    input.read_at(&mut first, 0).map_err(io::Error::from)?;
    Ok(Some(first))
}

fn wrong(offset: u64, what: &'static str) -> Refusal {
    ArchiveError::Damaged { offset, what: what.into() }.into()
}

/// What is wrong at that place, and how the reader of directories puts it.
fn damaged(offset: u64, what: &'static str, error: ZipError) -> Refusal {
    let why = match error {
        ZipError::Io(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof => "it is cut off".into(),
            io::ErrorKind::QuotaExceeded => "it is not where it should be".into(),
            _ => return error.into(),
        },
        ZipError::InvalidArchive(why) => why,
        other => other.to_string().into(),
    };
    ArchiveError::Damaged { offset, what: format!("{what} ({why})").into() }.into()
}
