//! zip: members from the directory at the end of the file (APPNOTE.TXT 6.3.10), read one entry
//! after the other.
//!
//! The directory alone counts: what stands before members is only looked at to find where their
//! data begins. No two members share bytes.

use std::io;
use std::os::unix::ffi::OsStrExt;

use super::cp437;
use super::directory::{Directory, Rest, Written, crc32, u16_at, u32_at};
use super::reader::Reader;
use super::{Listed, Members};
use crate::input::store::Store;
use crate::input::{Codec, Error, Input, Purpose};
use crate::settings::limits::ARCHIVE_SEARCH_BYTES_MAX;
use crate::source::{ArchiveError, Directories, Refusal, SourcePath, Stored, ZipEntry};

/// The first bytes of a local header (section 4.3.7), and how long it is without its names.
const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
const LOCAL_HEADER_BYTES: usize = 30;
/// What a file without members begins with (section 4.3.16).
const DIRECTORY_END: [u8; 4] = *b"PK\x05\x06";

/// Whether bytes that come from their front only are those of a zip file, whose directory is at its
/// end.
pub(in crate::input) fn is_zip(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(&LOCAL_HEADER)
}

/// Whether more has to be there to tell that.
pub(in crate::input) fn may_become_zip(first_bytes: &[u8]) -> bool {
    first_bytes.len() < LOCAL_HEADER.len() && LOCAL_HEADER.starts_with(first_bytes)
}

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
        9 => Unpacking::With(Codec::Deflate64),
        12 => Unpacking::With(Codec::Bzip2),
        20 | 93 => Unpacking::With(Codec::Zstd),
        95 => Unpacking::With(Codec::Xz),
        _ => return None,
    })
}

/// An entry of the directory.
struct Entry {
    name: SourcePath,
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
    let mut reader = Reader::bounded(input, ARCHIVE_SEARCH_BYTES_MAX);
    let Some(directory) = Directory::find(&mut reader, input.bytes())? else {
        // Something else may stand before the archive; but then it has to be one.
        return if begins {
            Err(wrong(input.bytes(), "no directory can be read at its end"))
        } else {
            Ok(Listed::NotOne)
        };
    };
    if !begins && directory.start == directory.end {
        return Ok(Listed::NotOne);
    }
    // A file that begins with a member is an archive from there on: this is the directory of one
    // that stands in it, or behind it.
    if first == Some(LOCAL_HEADER) && directory.before > 0 {
        return Err(wrong(directory.start, "its directory is that of another archive within it"));
    }
    reader.free();
    let mut entries = Vec::new();
    let ended = entries_of(&directory, &mut reader, &mut entries, members);
    let is_first_known = entries.iter().any(|entry| entry.found.header_offset == 0);
    bound(&mut entries, directory.start, input.bytes());
    for entry in entries {
        add(entry, members);
    }
    ended?;
    if first == Some(LOCAL_HEADER) && !is_first_known {
        return Err(wrong(0, "it begins with a member that its directory does not have"));
    }
    match directory.rest {
        Rest::Sound => Ok(Listed::All),
        Rest::CutOff => Err(wrong(input.bytes(), "it is cut off within its comment")),
        Rest::More(at) => Err(wrong(at, "something else follows behind its end")),
    }
}

/// Reads the directory up to its end or to where it cannot be read.
fn entries_of(
    directory: &Directory,
    reader: &mut Reader<'_>,
    entries: &mut Vec<Entry>,
    members: &mut Members<'_>,
) -> Result<(), Refusal> {
    let (mut at, mut names) = (directory.start, Directories::within(&members.room));
    while at < directory.end {
        let (written, next) = directory.entry(reader, at)?.map_err(|what| wrong(at, what))?;
        members.count()?;
        entries.push(Entry::of(written, &mut names));
        at = next;
    }
    if directory.entries.is(entries.len() as u64) {
        return Ok(());
    }
    Err(wrong(directory.end, "its directory has another number of entries than it says"))
}

impl Entry {
    fn of(written: Written, names: &mut Directories) -> Self {
        let kind = kind(&written);
        let is_encrypted = written.flags & ENCRYPTED != 0;
        let found = ZipEntry {
            header_offset: written.header_offset,
            end_max: written.header_offset,
            method: written.method,
            name: written.name_sum,
            packed_bytes: written.packed_bytes,
            bytes: written.bytes,
            crc32: written.crc32,
        };
        let is_utf8 = written.flags & UTF8 != 0;
        let name = if is_utf8 { written.name } else { cp437::utf8(written.name) };
        Self { name: names.path(&name), kind, is_encrypted, found }
    }
}

/// Bit 11: the name is in UTF-8 (section 4.4.4).
const UTF8: u16 = 1 << 11;

/// What an entry is: by its mode or its attributes where the archive comes from a system that has
/// such, by its name elsewhere.
fn kind(entry: &Written) -> Kind {
    // Section 4.4.2.2: which system it is from. On DOS and Windows NTFS, bit 4 of the attributes is
    // that of directories.
    const UNIX: [u8; 2] = [3, 19];
    const DOS: [u8; 3] = [0, 10, 14];
    const DOS_DIRECTORY: u32 = 0x10;
    // inode(7), "The file type and mode"; 0 where nothing is said.
    const FILES: [u32; 2] = [0, 0o100_000];
    const DIRECTORY: u32 = 0o040_000;
    let is_unix = UNIX.contains(&entry.system);
    let mode = if is_unix { entry.attributes >> 16 & 0o170_000 } else { 0 };
    let is_dos = DOS.contains(&entry.system);
    let dos_directory =
        is_dos && (entry.attributes & DOS_DIRECTORY != 0 || entry.name.ends_with(b"\\"));
    let named = entry.name.ends_with(b"/");
    match mode {
        // Bytes are never skipped because of a name.
        _ if entry.bytes == 0 && (named || mode == DIRECTORY || dos_directory) => Kind::Directory,
        mode if FILES.contains(&mode) || mode == DIRECTORY => Kind::File,
        _ => Kind::Special,
    }
}

/// Finds out where each entry ends at the latest: where the next thing in the archive begins.
fn bound(entries: &mut [Entry], directory: u64, archive_bytes: u64) {
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
    let name = name.to_path();
    let name = name.as_os_str().as_bytes();
    match kind {
        Kind::Directory => {}
        Kind::Special => members.skip(),
        Kind::File if is_encrypted => members.refuse(name, ArchiveError::Encrypted),
        Kind::File => match check(&found, members.archive.version.bytes) {
            Ok(()) => members.add(name, found.packed_bytes, Stored::Zip(found)),
            Err(error) => members.refuse(name, error),
        },
    }
}

/// Checks a member by its directory entry alone.
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

/// Where the data of a member begins: behind its local header, which has to be that of the same
/// member. Its extra fields may differ.
///
/// # Errors
/// When there is no such header, or no room for the data.
pub(super) fn data_offset(store: &Store, found: &ZipEntry) -> Result<u64, Error> {
    let offset = found.header_offset;
    let no_header = || Error::Refused(ArchiveError::NoHeader { offset }.into());
    let end = offset.checked_add(LOCAL_HEADER_BYTES as u64).filter(|end| *end <= store.bytes());
    let end = end.ok_or_else(no_header)?;
    let mut header = [0; LOCAL_HEADER_BYTES];
    store.read_at(&mut header, offset, Purpose::Read)?;
    if !header.starts_with(&LOCAL_HEADER) {
        return Err(no_header());
    }
    let (length, sum) = found.name;
    let mut name = vec![0; usize::from(length)];
    // Where they are not left for later (section 4.4.4, bit 3), nor said in 64 bits.
    let fields = [(14, u64::from(found.crc32)), (18, found.packed_bytes), (22, found.bytes)];
    let may_be = |(at, value): (usize, u64)| match u32_at(&header, at) {
        0 | u32::MAX => true,
        said => u64::from(said) == value,
    };
    let is_same = u16_at(&header, 8) == found.method
        && u16_at(&header, 26) == length
        && fields.into_iter().all(may_be);
    if !is_same || end + u64::from(length) > store.bytes() {
        return Err(Error::Refused(ArchiveError::OtherHeader { offset }.into()));
    }
    store.read_at(&mut name, end, Purpose::Read)?;
    if crc32(&name) != sum {
        return Err(Error::Refused(ArchiveError::OtherHeader { offset }.into()));
    }
    let data = end + u64::from(length) + u64::from(u16_at(&header, 28));
    check_room(found, data).map_err(|error| Error::Refused(error.into()))?;
    Ok(data)
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
