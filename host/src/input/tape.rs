//! A tar archive that is read from its front, as a compressed one has to be: its members come one after the other,
//! each cut into chunks like a source of its own.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::archive::tar::{BLOCK_BYTES, Block, Entry, Headers, Kind, Step, begins, padded};
use super::decode::shown;
use super::front::Front;
use super::holes::{self, Filled};
use super::stream::{Bytes, Chunk, Stream};
use super::verified::{Again, Verified};
use super::{Access, Choice, Codec, Cutter, Decoder, Decoding, Error, recognise};
use crate::settings::limits::{ARCHIVE_HEADER_BYTES_MAX, COPY_BYTES};
use crate::source::{ArchiveError, Globs, Refusal, Sparse};

/// Extensions that stand for `.tar` and that of a codec.
const SHORT: [&str; 10] = ["tgz", "taz", "tzst", "tlz4", "tbz", "tbz2", "tz2", "tb2", "txz", "tlz"];

/// Whether a file of that name is a tar archive, compressed or not.
pub fn is_named_tar(name: &Path) -> bool {
    let has = |extension: &str| {
        name.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
    };
    match Codec::by_name(name) {
        None => has("tar"),
        Some(_) if SHORT.into_iter().any(has) => true,
        Some(_) => Path::new(name.file_stem().unwrap_or_default())
            .extension()
            .is_some_and(|found| found.eq_ignore_ascii_case("tar")),
    }
}

/// Whether a file of that name is a zip archive.
pub fn is_named_zip(name: &Path) -> bool {
    super::archive::Kind::by_name(name) == Some(super::archive::Kind::Zip)
}

/// The members of an archive.
pub struct Members {
    tar: Arc<Mutex<Tar>>,
    cutter: Cutter,
    decoding: Decoding,
    linger: Duration,
    headers: Headers,
    /// What is left of the member that it is at.
    stream: Option<Stream>,
    count: u64,
    skipped: u64,
    wanted: Arc<Globs>,
}

impl std::fmt::Debug for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Members").field("count", &self.count).finish_non_exhaustive()
    }
}

/// What comes next in an archive.
#[derive(Debug)]
pub enum Member {
    /// A file with this path.
    File(Vec<u8>),
    /// A file with this path that cannot be read, and why.
    Unread(Vec<u8>, Error),
}

impl Members {
    /// Bytes of memory that it holds.
    pub fn held_bytes(&self) -> u64 {
        // A member's stream reads from the archive, and says what that holds.
        match &self.stream {
            Some(stream) => stream.held_bytes(),
            None => lock(&self.tar).bytes.held_bytes(),
        }
    }

    /// The members of the archive that `bytes` are, by their name; those that can be had `again` are decoded twice where they are too
    /// many to be held until they are known to be sound.
    ///
    /// # Errors
    /// When they are none, or the first block cannot be had.
    pub fn of(
        bytes: Box<dyn Bytes>,
        again: Option<Again>,
        access: &Access,
        cutter: Cutter,
        decoding: Decoding,
        linger: Duration,
    ) -> Result<Self, Error> {
        let bytes: Box<dyn Bytes> = match bytes.sound() {
            u64::MAX => bytes,
            _ => Box::new(Verified::of(bytes, again, Arc::clone(&access.stop))),
        };
        let bytes = Front::of(bytes, BLOCK_BYTES)?;
        if !bytes.first().first_chunk().is_some_and(is_tar) {
            let got = shown(bytes.first());
            return Err(Refusal::from(ArchiveError::Misnamed { kind: "tar", got }).into());
        }
        let tar = Tar { bytes: Box::new(bytes), offset: 0, left: 0, padding: 0, accounted: 0 };
        Ok(Self {
            tar: Arc::new(Mutex::new(tar)),
            cutter,
            decoding,
            linger,
            headers: Headers::default(),
            stream: None,
            count: 0,
            skipped: 0,
            wanted: Arc::clone(&access.wanted),
        })
    }

    /// Links, devices and the like so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Goes to the next member, past what is left of the last one; `None` after the last.
    ///
    /// # Errors
    /// When the archive cannot be read any further.
    pub fn advance(&mut self) -> Result<Option<Member>, Error> {
        self.stream = None;
        loop {
            let mut tar = lock(&self.tar);
            tar.skip()?;
            let at = tar.offset;
            let damaged = |what| damaged(at, what);
            let Some(block) = tar.block()? else {
                // What is decompressed was checked as far as it goes: there is no more.
                self.headers.end().map_err(damaged)?;
                return Ok(None);
            };
            match self.headers.block(&block).map_err(damaged)? {
                Step::Block => {}
                Step::Data(bytes) => {
                    let data = tar.header_data(bytes)?;
                    self.headers.data(&data).map_err(damaged)?;
                }
                Step::End => {
                    tar.end()?;
                    return Ok(None);
                }
                Step::Entry(Entry { name, bytes, kind }) => {
                    tar.enter(bytes)?;
                    drop(tar);
                    self.count += 1;
                    self.check_count()?;
                    let unread = |name, error: ArchiveError| {
                        Ok(Some(Member::Unread(name, Refusal::from(error).into())))
                    };
                    match kind {
                        Kind::File | Kind::Sparse(_) | Kind::Continued
                            if !self.wanted.take(Path::new(OsStr::from_bytes(&name))) => {}
                        Kind::File => return Ok(Some(self.enter(name, None))),
                        Kind::Sparse(map) => {
                            let (_, sparse) = map.read(bytes, || lock(&self.tar).content())?;
                            return match sparse {
                                Ok(sparse) => Ok(Some(self.enter(name, Some((sparse, bytes))))),
                                Err(error) => unread(name, error),
                            };
                        }
                        Kind::Continued => return unread(name, ArchiveError::Continued),
                        Kind::Special => self.skipped += 1,
                        Kind::Directory => {}
                    }
                }
            }
        }
    }

    /// Begins a member; where its holes are not stored, with what says where they are, and how many bytes are stored.
    fn enter(&mut self, name: Vec<u8>, sparse: Option<(Sparse, u64)>) -> Member {
        match self.bytes(sparse, Path::new(OsStr::from_bytes(&name))) {
            Ok(bytes) => {
                self.stream = Some(Stream::new(bytes, self.cutter, self.linger));
                Member::File(name)
            }
            Err(error) => Member::Unread(name, error),
        }
    }

    /// What a member is made of, decompressed where it is to be.
    fn bytes(&self, sparse: Option<(Sparse, u64)>, name: &Path) -> Result<Box<dyn Bytes>, Error> {
        let from = lock(&self.tar).accounted;
        let content = Box::new(Content { tar: Arc::clone(&self.tar), from });
        let content: Box<dyn Bytes> = match sparse {
            Some((sparse, stored)) => {
                holes::check(&sparse, stored, self.decoding.limits)?;
                Box::new(Filled::new(content, sparse))
            }
            None => content,
        };
        let front = Front::of(content, Codec::DETECT_BYTES)?;
        let codec = match self.decoding.choice {
            // An archive in an archive is a file, and what is in it is not looked into.
            Choice::Detect => recognise::codec(front.first(), name)?,
            Choice::Never | Choice::Always(_) => None,
        };
        let text = self.decoding.transcoding.apply(match codec {
            Some(codec) => Box::new(Decoder::new(codec, Box::new(front), self.decoding.limits)),
            None => Box::new(front),
        })?;
        Ok(text.bytes)
    }

    fn check_count(&self) -> Result<(), Error> {
        let members_max = self.decoding.limits.members_max;
        if self.count > members_max {
            Err(Refusal::from(ArchiveError::Members { members_max }).into())
        } else {
            Ok(())
        }
    }

    /// The next chunk of the member that it is at, in `buffer`. Not called again after its last.
    ///
    /// # Errors
    /// When the bytes cannot be had, or do not follow the framing.
    pub fn next(&mut self, buffer: Vec<u8>) -> Result<Chunk, Error> {
        match &mut self.stream {
            Some(stream) => stream.next(buffer),
            None => Ok(Chunk::end(buffer)),
        }
    }
}

fn lock(tar: &Mutex<Tar>) -> MutexGuard<'_, Tar> {
    tar.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes of an archive, and how far they have been read.
struct Tar {
    bytes: Box<dyn Bytes>,
    offset: u64,
    /// What is left of the content of the entry that it is at, and the zeros that fill its last block.
    left: u64,
    padding: u64,
    /// Stored bytes that have been accounted for, with one member or another.
    accounted: u64,
}

impl Tar {
    fn enter(&mut self, bytes: u64) -> Result<(), Error> {
        let Some(all) = padded(bytes) else {
            return Err(damaged(self.offset, "a size that is none"));
        };
        self.left = bytes;
        self.padding = all - bytes;
        Ok(())
    }

    /// Reads content.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let into = into.get_mut(..most).unwrap_or_default();
        let got = self.bytes.read(into)?;
        if got == 0 && !into.is_empty() {
            return Err(self.cut_off());
        }
        self.offset += got as u64;
        self.left -= got as u64;
        Ok(got)
    }

    /// Passes over the rest of an entry.
    fn skip(&mut self) -> Result<(), Error> {
        self.left = self.left.saturating_add(std::mem::take(&mut self.padding));
        if self.left > 0 {
            let mut scratch = vec![0; COPY_BYTES];
            while self.left > 0 {
                self.read(&mut scratch)?;
            }
        }
        Ok(())
    }

    /// The next block; none behind the last, where no zeros mark it.
    fn block(&mut self) -> Result<Option<Block>, Error> {
        let mut block = [0; BLOCK_BYTES];
        let mut length = 0;
        while let Some(room) = block.get_mut(length..).filter(|room| !room.is_empty()) {
            let got = self.bytes.read(room)?;
            if got == 0 && length == 0 {
                return Ok(None);
            }
            if got == 0 {
                return Err(self.cut_off());
            }
            length += got;
            self.offset += got as u64;
        }
        Ok(Some(block))
    }

    /// A block of content.
    fn content(&mut self) -> Result<Block, Error> {
        let mut block = [0; BLOCK_BYTES];
        let mut length = 0;
        while length < BLOCK_BYTES {
            length += self.read(block.get_mut(length..).unwrap_or_default())?;
        }
        Ok(block)
    }

    fn header_data(&mut self, bytes: u64) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        if length > ARCHIVE_HEADER_BYTES_MAX {
            return Err(damaged(self.offset, "a header that is longer than any real one"));
        }
        self.enter(bytes)?;
        let mut data = vec![0; length];
        let mut read = 0;
        while self.left > 0 {
            read += self.read(data.get_mut(read..).unwrap_or_default())?;
        }
        Ok(data)
    }

    /// Reads what fills the archive up, so that all that stands behind it is checked, too.
    fn end(&mut self) -> Result<(), Error> {
        let mut scratch = vec![0; COPY_BYTES];
        loop {
            let got = self.bytes.read(&mut scratch)?;
            if got == 0 {
                return Ok(());
            }
            let fresh = scratch.get(..got).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|&byte| byte != 0) {
                let at = self.offset + at as u64;
                return Err(damaged(at, "something else follows behind its end"));
            }
            self.offset += got as u64;
        }
    }

    fn cut_off(&self) -> Error {
        damaged(self.offset, "it is cut off")
    }
}

fn damaged(offset: u64, what: &'static str) -> Error {
    Refusal::from(ArchiveError::Damaged { offset, what: what.into() }).into()
}

/// Whether what begins with this block is an archive: a block of zeros is the end of an empty one.
fn is_tar(block: &Block) -> bool {
    begins(block) || block.iter().all(|&byte| byte == 0)
}

/// The content of the member that an archive is at.
struct Content {
    tar: Arc<Mutex<Tar>>,
    /// What had been accounted for before it.
    from: u64,
}

impl Bytes for Content {
    fn held_bytes(&self) -> u64 {
        lock(&self.tar).bytes.held_bytes()
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        lock(&self.tar).read(into)
    }

    fn stored(&self) -> u64 {
        let mut tar = lock(&self.tar);
        tar.accounted = tar.bytes.stored();
        tar.accounted - self.from
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Error> {
        let mut tar = lock(&self.tar);
        Ok(tar.left == 0 || tar.bytes.is_ready(within)?)
    }

    fn left(&self) -> Option<u64> {
        Some(lock(&self.tar).left)
    }
}
