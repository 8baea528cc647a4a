//! A tar archive that is read from its front, as a compressed one has to be: its members come one
//! after the other, each cut into chunks like a source of its own.

mod content;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::archive::block::{BLOCK_BYTES, Block};
use super::archive::tar::{Entry, Headers, Kind, Step, begins};
use super::archive::{Names, checked};
use super::decode::{extension, shown};
use super::front::Front;
use super::holes::{self, Filled};
use super::stream::{Bytes, Chunk, Stream};
use super::verified::{Again, Verified};
use super::{
    Access, Choice, Codec, Cutter, Decoder, Decoding, Error, Malformed, Offsets, Text, recognise,
};
use crate::source::{ArchiveError, Globs, Refusal, Sparse};
use crate::stats::{Held, MemoryBudget};
use content::{Content, Tar, damaged, lock};

/// Extensions that stand for `.tar` and that of a codec.
const SHORT: [&str; 10] = ["tgz", "taz", "tzst", "tlz4", "tbz", "tbz2", "tz2", "tb2", "txz", "tlz"];

/// Whether a file of that name is a tar archive, compressed or not.
pub fn is_named_tar(name: &Path) -> bool {
    let has = |known: &str| extension(name).is_some_and(|found| found.eq_ignore_ascii_case(known));
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
    /// How many records the first chunk of a member holds.
    header_records: u32,
    headers: Headers,
    /// What is left of the member that it is at.
    stream: Option<Stream>,
    count: u64,
    non_regular: u64,
    wanted: Arc<Globs>,
    malformed: Malformed,
    memory: Arc<MemoryBudget>,
    names: Names,
    /// Of the text of the member that it is at.
    offsets: Offsets,
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
        let held = match &self.stream {
            Some(stream) => stream.held_bytes(),
            None => lock(&self.tar).bytes.held_bytes(),
        };
        held.saturating_add(self.names.held_bytes())
    }

    /// The members of the archive that `bytes` are, by their name; those that can be had `again`
    /// are decoded twice where they are too many to be held until they are known to be sound.
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
            header_records: 0,
            headers: Headers::default(),
            stream: None,
            count: 0,
            non_regular: 0,
            wanted: Arc::clone(&access.wanted),
            malformed: access.malformed.clone(),
            memory: Arc::clone(&access.memory),
            names: Names::default(),
            offsets: Offsets::Behind(0),
        })
    }

    /// The same, the first chunk of each of whose members holds so many records, or all that there
    /// are.
    #[must_use]
    pub fn with_header(self, header_records: u32) -> Self {
        Self { header_records, ..self }
    }

    /// The header in the first chunk of the member that it is at.
    pub fn header<'c>(&self, first: &'c Chunk) -> &'c [u8] {
        self.cutter.framing.first_records(first.bytes(), self.header_records)
    }

    /// Bytes of the mark that the member begins with that it is at, where that is one of UTF-8.
    pub fn offsets(&self) -> Offsets {
        self.offsets
    }

    /// Links, devices and the like so far.
    pub fn non_regular(&self) -> u64 {
        self.non_regular
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
                    if let Err((shown, error)) = checked(&name) {
                        return unread(shown.to_vec(), error);
                    }
                    match kind {
                        Kind::File | Kind::Sparse(_) | Kind::Continued
                            if !self.wanted.take(Path::new(OsStr::from_bytes(&name))) => {}
                        Kind::File | Kind::Sparse(_) | Kind::Continued
                            if !self.names.add(&name) =>
                        {
                            return unread(name, ArchiveError::Again);
                        }
                        Kind::File => return Ok(Some(self.enter(name, None))),
                        Kind::Sparse(map) => {
                            let (_, sparse) = map.read(bytes, || lock(&self.tar).content())?;
                            return match sparse {
                                Ok(sparse) => Ok(Some(self.enter(name, Some((sparse, bytes))))),
                                Err(error) => unread(name, error),
                            };
                        }
                        Kind::Continued => return unread(name, ArchiveError::Continued),
                        Kind::Special => self.non_regular += 1,
                        Kind::Directory => {}
                    }
                }
            }
        }
    }

    /// Begins a member; where its holes are not stored, with what says where they are, and how many
    /// bytes are stored.
    fn enter(&mut self, name: Vec<u8>, sparse: Option<(Sparse, u64)>) -> Member {
        match self.bytes(sparse, Path::new(OsStr::from_bytes(&name))) {
            Ok(Text { bytes, offsets, .. }) => {
                self.offsets = offsets;
                let stream = Stream::new(bytes, self.cutter, self.linger);
                let stream = stream.with_header(self.header_records).within(&self.memory);
                self.stream = Some(stream);
                Member::File(name)
            }
            Err(error) => Member::Unread(name, error),
        }
    }

    /// What a member is made of, decompressed where it is to be.
    fn bytes(&self, sparse: Option<(Sparse, u64)>, name: &Path) -> Result<Text, Error> {
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
            // An archive in an archive is a file: its members are not sources.
            Choice::Detect => recognise::codec(front.first(), name)?,
            Choice::Never | Choice::Always(_) => None,
        };
        let bytes: Box<dyn Bytes> = match codec {
            Some(codec) => Box::new(Decoder::new(codec, Box::new(front), self.decoding.limits)),
            None => Box::new(front),
        };
        self.decoding.transcoding.apply(bytes, &self.malformed)
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
    pub fn next(&mut self, buffer: Held) -> Result<Chunk, Error> {
        match &mut self.stream {
            Some(stream) => stream.next(buffer),
            None => Ok(Chunk::end(buffer)),
        }
    }
}

/// Whether what begins with this block is an archive: a block of zeros is the end of an empty one.
fn is_tar(block: &Block) -> bool {
    begins(block) || block.iter().all(|&byte| byte == 0)
}
