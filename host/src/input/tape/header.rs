//! What the headers of a tar archive say: POSIX.1-1988 ustar, POSIX.1-2001 pax ("pax Interchange Format"), and GNU's long names
//! (GNU tar manual, "Basic Tar Format").
//!
//! Is given one block of 512 bytes after the other; reads nothing by itself.

use tar::{EntryType, Header, PaxExtensions};
use thiserror::Error;

/// POSIX.1-1988 section 10.1.1: all of an archive is made of blocks of this size.
pub(super) const BLOCK_BYTES: usize = 512;

/// What follows a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The content of a regular file.
    File {
        /// Its path.
        name: String,
        /// Its size.
        bytes: u64,
    },
    /// The content of a file that is stored in a way which is not read.
    Unread {
        /// Its path.
        name: String,
        /// Size of what is stored of it.
        bytes: u64,
        /// What it is.
        what: &'static str,
    },
    /// A link, device or the like.
    Special {
        /// Size of what follows, if anything.
        bytes: u64,
    },
    /// A directory, or what says nothing of any file.
    Nothing {
        /// Size of what follows, if anything.
        bytes: u64,
    },
    /// So many bytes that say something of the next entry: they are for [`Headers::extend`].
    Extension {
        /// How many.
        bytes: u64,
        /// What they are.
        kind: Extension,
    },
    /// The end of the archive.
    End,
}

/// What is said of the next entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extension {
    /// Its path.
    LongName,
    /// Pax records.
    Pax,
}

/// Which rule of the format a header breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Flaw {
    /// POSIX.1-1988 section 10.1.1, `chksum`.
    #[error("the checksum of a header does not match")]
    Checksum,
    /// A number that is none.
    #[error("the size in a header is not a number")]
    Size,
    /// POSIX.1-2001, "pax Extended Header".
    #[error("a pax record is malformed")]
    Pax,
}

/// The headers of one archive, as they come.
#[derive(Debug, Default)]
pub(super) struct Headers {
    next: Said,
}

/// What extensions have said of the next entry.
#[derive(Debug, Default)]
struct Said {
    path: Option<Vec<u8>>,
    bytes: Option<u64>,
    sparse: bool,
}

impl Headers {
    /// Whether this can be the first block of an archive.
    pub(super) fn is_first(block: &[u8; BLOCK_BYTES]) -> bool {
        is_zero(block) || is_checked(block)
    }

    /// What the header in `block` says comes next.
    pub(super) fn next(&mut self, block: &[u8; BLOCK_BYTES]) -> Result<Entry, Flaw> {
        if is_zero(block) {
            return Ok(Entry::End);
        }
        if !is_checked(block) {
            return Err(Flaw::Checksum);
        }
        let header = Header::from_byte_slice(block);
        let bytes = header.entry_size().map_err(|_| Flaw::Size)?;
        let extension = |kind| Ok(Entry::Extension { bytes, kind });
        match header.entry_type() {
            EntryType::GNULongName => return extension(Extension::LongName),
            EntryType::XHeader => return extension(Extension::Pax),
            EntryType::GNULongLink | EntryType::XGlobalHeader => {
                return Ok(Entry::Nothing { bytes });
            }
            _ => {}
        }
        let said = std::mem::take(&mut self.next);
        let bytes = said.bytes.unwrap_or(bytes);
        let path = said.path.unwrap_or_else(|| header.path_bytes().into_owned());
        // Before POSIX.1-1988, a directory was a file whose name ends with a slash.
        let is_directory = path.ends_with(b"/");
        let name = String::from_utf8_lossy(&path).into_owned();
        Ok(match header.entry_type() {
            EntryType::Regular | EntryType::Continuous if said.sparse => {
                Entry::Unread { name, bytes, what: "a sparse file" }
            }
            EntryType::Regular | EntryType::Continuous if is_directory => Entry::Nothing { bytes },
            EntryType::Regular | EntryType::Continuous => Entry::File { name, bytes },
            EntryType::GNUSparse => Entry::Unread { name, bytes, what: "a sparse file" },
            // Sizes of links are those of what they lead to, or nothing: nothing follows.
            EntryType::Link | EntryType::Symlink => Entry::Special { bytes: 0 },
            EntryType::Char | EntryType::Block | EntryType::Fifo => Entry::Special { bytes: 0 },
            EntryType::Directory => Entry::Nothing { bytes: 0 },
            other => match other.as_byte() {
                b'M' => Entry::Unread { name, bytes, what: "a part of a file of several volumes" },
                b'D' | b'V' => Entry::Nothing { bytes },
                _ => Entry::Special { bytes },
            },
        })
    }

    /// Takes in what an extension says of the next entry.
    pub(super) fn extend(&mut self, kind: Extension, content: &[u8]) -> Result<(), Flaw> {
        match kind {
            Extension::LongName => {
                let end = memchr::memchr(0, content).unwrap_or(content.len());
                self.next.path = content.get(..end).map(<[u8]>::to_vec);
            }
            Extension::Pax => {
                for record in PaxExtensions::new(content) {
                    let record = record.map_err(|_| Flaw::Pax)?;
                    self.next.take(record.key_bytes(), record.value_bytes())?;
                }
            }
        }
        Ok(())
    }
}

impl Said {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Flaw> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"size" => {
                let text = std::str::from_utf8(value).map_err(|_| Flaw::Pax)?;
                self.bytes = Some(text.parse().map_err(|_| Flaw::Size)?);
            }
            _ => self.sparse |= key.starts_with(b"GNU.sparse."),
        }
        Ok(())
    }
}

fn is_zero(block: &[u8; BLOCK_BYTES]) -> bool {
    block.iter().all(|&byte| byte == 0)
}

/// The sum of all bytes, those of the checksum itself taken as spaces.
fn is_checked(block: &[u8; BLOCK_BYTES]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let sum = block.iter().enumerate().map(|(at, &byte)| match at {
        _ if CHECKSUM.contains(&at) => u32::from(b' '),
        _ => u32::from(byte),
    });
    Header::from_byte_slice(block).cksum().is_ok_and(|written| written == sum.sum::<u32>())
}
