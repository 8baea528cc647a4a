//! tar: members from headers (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic
//! Tar Format").
//!
//! [`Headers`] makes entries of header blocks, one after the other, and does not care where the
//! blocks come from: an archive that can only be read from its front goes through it as well.
//! [`list`] jumps from header to header of one that is a file.

use std::io;

use tar::Header;

use super::block::{BLOCK_BYTES, Block, padded};
use super::pax::Pax;
use super::reader::Reader;
use super::sparse::Map;
use super::{Listed, Members};
use crate::input::Input;
use crate::settings::limits::{ARCHIVE_HEADER_BYTES_MAX, ARCHIVE_SEARCH_BYTES_MAX};
use crate::slices;
use crate::source::{ArchiveError, Refusal, Stored, shown_name};

/// Whether a file that begins with this block is an archive, be it a damaged one.
pub(in crate::input) fn begins(block: &Block) -> bool {
    is_sound(Header::from_byte_slice(block)) || block.get(257..262) == Some(b"ustar")
}

/// Makes entries of the headers of one archive.
#[derive(Debug, Default)]
pub(in crate::input) struct Headers {
    /// What was said of the member that comes next.
    name: Option<Vec<u8>>,
    pax: Option<Pax>,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// A header comes next.
    #[default]
    Header,
    /// More of one: the data of an extended header of this type,
    Data(u8),
    /// or where the holes are of a sparse file.
    Holes(Entry),
}

/// What follows a block.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::input) enum Step {
    /// More of the header: another block.
    Block,
    /// More of the header: so many bytes, for [`Headers::data`], and what fills up the last block.
    Data(u64),
    /// The data of an entry, and what fills up its last block; then the next header.
    Entry(Entry),
    /// Nothing but zeros.
    End,
}

/// Something in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::input) struct Entry {
    pub(in crate::input) name: Vec<u8>,
    /// How much data it has in the archive.
    pub(in crate::input) bytes: u64,
    pub(in crate::input) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::input) enum Kind {
    /// A file; its data is all of it.
    File,
    /// A directory, or the label of the archive: nothing that anybody misses.
    Directory,
    /// A link, FIFO or device.
    Special,
    /// A file whose holes are not stored: where they are.
    Sparse(Map),
    /// The rest of a file that began in another archive.
    Continued,
}

impl Headers {
    /// Takes the next block.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub(in crate::input) fn block(&mut self, block: &Block) -> Result<Step, &'static str> {
        match std::mem::take(&mut self.state) {
            State::Header => self.header(block),
            State::Holes(mut entry) => {
                if let Kind::Sparse(map) = &mut entry.kind {
                    map.add_block(block);
                }
                Ok(self.entry_with_holes(entry, goes_on(block, 504)))
            }
            State::Data(_) => Err("a header within a header"),
        }
    }

    /// Takes the data that was asked for, without what fills it up.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub(in crate::input) fn data(&mut self, data: &[u8]) -> Result<(), &'static str> {
        let State::Data(kind) = std::mem::take(&mut self.state) else { return Ok(()) };
        match kind {
            // Of two the later one counts, as GNU tar and bsdtar have it.
            kind::GNU_LONG_NAME => {
                let end = memchr::memchr(0, data).unwrap_or(data.len());
                self.name = Some(slices::part(data, ..end).to_vec());
                Ok(())
            }
            kind::EXTENDED_GLOBAL if Pax::read(data)? != Pax::default() => {
                Err("a global header that names or measures members, which is not read")
            }
            kind::GNU_LONG_LINK | kind::EXTENDED_GLOBAL => Ok(()),
            _ => self.pax.get_or_insert_default().add(data),
        }
    }

    /// Takes the end.
    ///
    /// # Errors
    /// When something was said of a member that does not come.
    pub(in crate::input) fn end(&self) -> Result<(), &'static str> {
        let between = matches!(self.state, State::Header);
        let pending = !between || self.name.is_some() || self.pax.is_some();
        if pending { Err("a header without its member") } else { Ok(()) }
    }

    fn header(&mut self, block: &Block) -> Result<Step, &'static str> {
        if block.iter().all(|&byte| byte == 0) {
            return self.end().map(|()| Step::End);
        }
        let header = Header::from_byte_slice(block);
        if !is_sound(header) {
            return Err("the checksum of a header does not match");
        }
        let bytes = size(header)?;
        let kind = header.entry_type().as_byte();
        if let kind::GNU_LONG_NAME
        | kind::GNU_LONG_LINK
        | kind::EXTENDED
        | kind::EXTENDED_GLOBAL
        | kind::EXTENDED_SOLARIS = kind
        {
            self.state = State::Data(kind);
            return Ok(Step::Data(bytes));
        }
        let entry = self.entry(header, bytes);
        let with_holes = kind == kind::GNU_SPARSE && goes_on(block, 482);
        Ok(self.entry_with_holes(entry, with_holes))
    }

    /// What this header and those before it say together.
    fn entry(&mut self, header: &Header, bytes: u64) -> Entry {
        let pax = self.pax.take().unwrap_or_default();
        let long = self.name.take();
        let name = pax.sparse_name.or(pax.path).or(long);
        let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
        let bytes = pax.bytes.unwrap_or(bytes);
        let of = header.entry_type().as_byte();
        let kind = match of {
            kind::LINK
            | kind::SYMBOLIC_LINK
            | kind::CHARACTER_DEVICE
            | kind::BLOCK_DEVICE
            | kind::FIFO => Kind::Special,
            kind::DIRECTORY | kind::GNU_DIRECTORY | kind::GNU_LABEL => Kind::Directory,
            kind::GNU_SPARSE => {
                let mut map = Map::of_header(header);
                if pax.sparse.is_some() {
                    map.fail("there are two of them");
                }
                Kind::Sparse(map)
            }
            kind::GNU_CONTINUED => Kind::Continued,
            // As old as tar itself: a directory is a file whose name ends like one.
            kind::FILE if name.ends_with(b"/") && bytes == 0 => Kind::Directory,
            // An unknown type counts as a file (ustar, typeflag).
            _ => pax.sparse.map_or(Kind::File, Kind::Sparse),
        };
        // A size may be written there, but there is no data; only GNU's directories have some.
        let without_data = kind == Kind::Special || of == kind::DIRECTORY;
        Entry { name, bytes: if without_data { 0 } else { bytes }, kind }
    }

    fn entry_with_holes(&mut self, entry: Entry, more: bool) -> Step {
        if !more {
            return Step::Entry(entry);
        }
        self.state = State::Holes(entry);
        Step::Block
    }
}

/// What a header is of, by its type: ustar, and behind the digits what GNU tar, pax and, before
/// pax, Solaris added.
mod kind {
    pub(super) const FILE: u8 = b'0';
    pub(super) const LINK: u8 = b'1';
    pub(super) const SYMBOLIC_LINK: u8 = b'2';
    pub(super) const CHARACTER_DEVICE: u8 = b'3';
    pub(super) const BLOCK_DEVICE: u8 = b'4';
    pub(super) const DIRECTORY: u8 = b'5';
    pub(super) const FIFO: u8 = b'6';
    /// A directory, with a list of what was in it.
    pub(super) const GNU_DIRECTORY: u8 = b'D';
    pub(super) const GNU_LONG_LINK: u8 = b'K';
    pub(super) const GNU_LONG_NAME: u8 = b'L';
    pub(super) const GNU_CONTINUED: u8 = b'M';
    pub(super) const GNU_SPARSE: u8 = b'S';
    /// The name of the archive.
    pub(super) const GNU_LABEL: u8 = b'V';
    pub(super) const EXTENDED: u8 = b'x';
    pub(super) const EXTENDED_GLOBAL: u8 = b'g';
    pub(super) const EXTENDED_SOLARIS: u8 = b'X';
}

/// How much data an entry has. Old and odd writers leave the field of directories and empty files
/// blank.
fn size(header: &Header) -> Result<u64, &'static str> {
    let field = &header.as_old().size;
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Ok(0);
    }
    header.entry_size().map_err(|_| "a size that is no number")
}

/// Whether the list of holes goes on in another block, by the flag at that place (GNU tar manual,
/// "Basic Tar Format").
fn goes_on(block: &Block, flag_at: usize) -> bool {
    block.get(flag_at).is_some_and(|&flag| flag != 0)
}

/// Whether the checksum is that of the bytes, which some old writers took for signed ones. It
/// counts as blanks itself.
fn is_sound(header: &Header) -> bool {
    let Ok(expected) = header.cksum() else { return false };
    let sums = |bytes: &[u8]| {
        let unsigned = bytes.iter().map(|&byte| i32::from(byte)).sum::<i32>();
        let signed = bytes.iter().map(|&byte| i32::from(byte.cast_signed())).sum::<i32>();
        (unsigned, signed)
    };
    let (all, own, blanks) =
        (sums(header.as_bytes()), sums(&header.as_old().cksum), sums(&[b' '; 8]));
    let unsigned = all.0 - own.0 + blanks.0;
    let signed = all.1 - own.1 + blanks.1;
    [unsigned, signed].map(i64::from).contains(&i64::from(expected))
}

/// Adds the members of a tar file.
///
/// # Errors
/// Where no more can be found: the archive is damaged, or a limit is reached.
pub(super) fn list(input: &Input, members: &mut Members<'_>) -> Result<Listed, Refusal> {
    let mut walk = Walk { reader: Reader::new(input), at: 0, end: input.bytes() };
    if !walk.begins()? {
        return Ok(Listed::NotOne);
    }
    let mut headers = Headers::default();
    loop {
        members.check_stop()?;
        let start = walk.at;
        let damaged = |what: &'static str| damaged(start, what);
        let Some(block) = walk.block()? else {
            headers.end().map_err(damaged)?;
            let path = shown_name(&members.archive.path);
            tracing::warn!("{path}: ends without the zeros that mark its end");
            return Ok(Listed::All);
        };
        match headers.block(&block).map_err(damaged)? {
            Step::Block => {}
            Step::Data(bytes) => headers.data(&walk.data(bytes)?).map_err(damaged)?,
            Step::Entry(entry) => {
                members.count()?;
                let bytes = entry.bytes;
                walk.add(entry, members)?;
                walk.pass(bytes)?;
            }
            Step::End => return check_end(input, walk.at),
        }
    }
}

fn damaged(offset: u64, what: &'static str) -> Refusal {
    ArchiveError::Damaged { offset, what: what.into() }.into()
}

/// The way from header to header.
struct Walk<'a> {
    reader: Reader<'a>,
    at: u64,
    end: u64,
}

impl Walk<'_> {
    /// Adds an entry whose data is what comes next.
    fn add(&mut self, entry: Entry, members: &mut Members<'_>) -> Result<(), Refusal> {
        let Entry { name, bytes, kind } = entry;
        let offset = self.at;
        let is_there = offset.checked_add(bytes).is_some_and(|end| end <= self.end);
        match kind {
            Kind::File | Kind::Sparse(_) if !is_there => {
                members.refuse(&name, ArchiveError::CutOff { offset, bytes });
            }
            Kind::File => members.add(&name, bytes, Stored::Plain { offset, bytes }),
            Kind::Sparse(map) => {
                let mut at = offset;
                let (map_bytes, sparse) = map.read(bytes, || {
                    let mut block = [0; BLOCK_BYTES];
                    self.reader.read_at(&mut block, at)?;
                    at += BLOCK_BYTES as u64;
                    Ok::<_, io::Error>(block)
                })?;
                members.add_sparse(&name, offset + map_bytes, bytes - map_bytes, sparse);
            }
            Kind::Continued => members.refuse(&name, ArchiveError::Continued),
            Kind::Special => members.skip(),
            Kind::Directory => {}
        }
        Ok(())
    }

    /// Whether it is a tar file: a block of zeros is an empty one.
    fn begins(&mut self) -> io::Result<bool> {
        if self.end < BLOCK_BYTES as u64 {
            return Ok(false);
        }
        let mut first = [0; BLOCK_BYTES];
        self.reader.read_at(&mut first, 0)?;
        Ok(first.iter().all(|&byte| byte == 0) || begins(&first))
    }

    /// The next block; none behind the last, where no zeros mark it.
    fn block(&mut self) -> Result<Option<Block>, Refusal> {
        let mut block = [0; BLOCK_BYTES];
        let left = self.end - self.at;
        if left == 0 {
            return Ok(None);
        }
        if left < BLOCK_BYTES as u64 {
            return Err(damaged(self.at, "it is cut off within a header"));
        }
        self.reader.read_at(&mut block, self.at)?;
        self.at += BLOCK_BYTES as u64;
        Ok(Some(block))
    }

    /// The data of a header.
    fn data(&mut self, bytes: u64) -> Result<Vec<u8>, Refusal> {
        let start = self.at;
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        if length > ARCHIVE_HEADER_BYTES_MAX {
            return Err(damaged(start, "a header that is longer than any real one"));
        }
        self.pass(bytes)?;
        let mut data = vec![0; length];
        self.reader.read_at(&mut data, start)?;
        Ok(data)
    }

    /// Passes over data, and what fills it up.
    fn pass(&mut self, bytes: u64) -> Result<(), Refusal> {
        let end = padded(bytes).and_then(|bytes| self.at.checked_add(bytes));
        match end.filter(|end| *end <= self.end) {
            Some(end) => {
                self.at = end;
                Ok(())
            }
            None => Err(damaged(self.end, "it is cut off")),
        }
    }
}

/// Checks that there is nothing behind the end: what other programs would pass over in silence.
fn check_end(input: &Input, end: u64) -> Result<Listed, Refusal> {
    match Reader::bounded(input, ARCHIVE_SEARCH_BYTES_MAX).skip_zeros(end) {
        Ok(None) => Ok(Listed::All),
        Ok(Some(at)) => Err(damaged(at, "something else follows behind its end")),
        Err(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
            Err(damaged(end, "more zeros follow behind its end than any archive is filled up with"))
        }
        Err(error) => Err(error.into()),
    }
}
