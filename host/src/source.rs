//! What there is to read: turns the names that a user gives into a list of sources, in order.
//!
//! Knows names, kinds and sizes; opens nothing but directories and lists, and asks no store. The
//! directories that names may lead to are kept here, for opening files later. A name that cannot be
//! a source stays in the list with the reason, so that it is reported in its place.

mod archive;
mod descend;
mod filter;
mod globs;
mod list;
mod path;
mod room;
mod roots;
mod sparse;
mod urls;
mod walk;

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, RawMode, Stat};
use thiserror::Error;

pub use crate::name::{Address, Scheme, name_text, shown_name};
pub use archive::{Archive, ArchiveError, Member, Stored, Version, ZipEntry};
pub use filter::Filter;
pub use globs::{Globs, PatternError};
pub use list::{FilesFrom, ListError, names};
pub use path::{Directories, SourcePath};
pub use room::{Room, TooManySources};
pub use roots::{Roots, RootsError, hint};
pub use sparse::{DataExtent, Part, Sparse};
pub use urls::Urls;

/// Something to read.
#[derive(Debug)]
pub struct Source {
    /// Where it is.
    pub path: SourcePath,
    /// Size in bytes when it was listed, where that was looked at; or why it cannot be read.
    pub listed: Result<Option<u64>, Box<Refusal>>,
    /// How it is opened.
    pub way: Way,
}

/// How a source is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Way {
    /// As a regular file.
    #[default]
    File,
    /// As a FIFO, which somebody else writes to.
    Fifo,
    /// It is open already: standard input, by the name of `-`.
    StandardInput,
    /// As a part of an archive.
    Member(Arc<Member>),
    /// As an object of a store or a web server: its path is an [`Address`].
    Object,
    /// It is open already: a file or a part of one, which may have no name.
    Opened(Arc<OpenFile>),
    /// As the objects below that address, unless it is one itself: who can ask its store replaces
    /// it by them.
    Prefix,
}

/// An open file that holds a source.
#[derive(Debug)]
pub struct OpenFile {
    /// The file.
    pub file: File,
    /// Which bytes of it, where not all are meant. Others may grow meanwhile.
    pub part: Option<Range<u64>>,
}

/// Each is the same as itself only.
impl PartialEq for OpenFile {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for OpenFile {}

impl Source {
    /// The name for people and plugins: [`shown_name`].
    pub fn name(&self) -> Cow<'_, str> {
        match self.path.to_path() {
            Cow::Borrowed(path) => shown_name(path),
            Cow::Owned(path) => Cow::Owned(shown_name(&path).into_owned()),
        }
    }

    /// The end of the name as that of a file, by whose extension more may be known of it.
    pub fn file(&self) -> &Path {
        let end = self.path.end();
        match self.way {
            Way::Object | Way::Prefix if !self.path.is_shared() => {
                Address::of(end).map_or(end, |address| address.file())
            }
            _ => end,
        }
    }

    /// Bytes of memory that it takes, beside what it shares with others.
    pub fn held_bytes(&self) -> u64 {
        let member = match &self.way {
            Way::Member(_) => size_of::<Member>() + 2 * size_of::<usize>(),
            _ => 0,
        };
        let refusal = self.listed.as_ref().err().map_or(0, |_| size_of::<Refusal>());
        (size_of::<Self>() + member + refusal) as u64 + self.path.own_bytes()
    }
}

/// Why a name is not a source.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is a FIFO, socket, device or the like.
    #[error("is a {0}, not a regular file")]
    NotRegular(&'static str),
    /// It is an address, which the list that names it may not have.
    #[error("is a URL, and the list may name files only")]
    Url,
    /// It could not be looked at.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is a damaged archive, or a member that cannot be had.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// What to list.
#[derive(Debug, Default)]
pub struct Request {
    /// Files, directories and addresses, as named.
    pub paths: Vec<PathBuf>,
    /// A list of further names, of files only.
    pub files_from: Option<FilesFrom>,
    /// The names of such a list, where it has been read already.
    pub listed: Option<Arc<Vec<PathBuf>>>,
    /// Inside directories and prefixes, only files that match one of these [`Globs`]; none takes
    /// all.
    pub include: Vec<String>,
    /// Inside directories and prefixes, no file or directory that matches one of these globs.
    pub exclude: Vec<String>,
    /// What to do with FIFOs that are named.
    pub fifos: Fifos,
    /// What to find out about each file.
    pub look: Look,
    /// Threads to look at names with.
    pub threads: usize,
    /// Where files may be.
    pub roots: Roots,
    /// Which addresses the list of names may have.
    pub urls: Urls,
    /// Memory that the list may take, where that is bounded.
    pub bytes_max: Option<u64>,
}

/// What to do with FIFOs that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fifos {
    /// They are no sources.
    #[default]
    Refuse,
    /// They are read to their end.
    Read,
}

/// What to find out about a file before it is opened. A look costs a system call a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// No more than that it may be one.
    #[default]
    Names,
    /// Its size.
    Sizes,
}

/// All sources of a run, in the order of their names on the command line, then of the list; the
/// files of a directory in the order of their paths.
#[derive(Debug, Default)]
pub struct Listing {
    /// The sources.
    pub sources: Vec<Source>,
    /// Entries of directories and archives that are no regular files: links, FIFOs, sockets,
    /// devices.
    pub non_regular: u64,
    /// Where those that are files were found, and are to be opened.
    pub roots: Roots,
    /// What was taken of directories, and is to be of prefixes.
    pub filter: Arc<Filter>,
    /// How many names a list had, if there was one.
    pub listed: Option<usize>,
    /// Whether there was anything to filter: a directory or a prefix.
    pub filtered: bool,
    /// Which members of archives are taken.
    pub members: Arc<Globs>,
    /// What the list may take, and does.
    pub room: Arc<Room>,
}

/// Why nothing could be listed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A glob does not parse.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The list of names could not be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// There are too many names.
    #[error("⟦memory_total⟧: {0}")]
    TooMany(#[from] TooManySources),
}

impl Error {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Pattern(error) => error.hint(),
            Self::List(error) => error.hint(),
            Self::TooMany(_) => Some(TooManySources::HINT),
        }
    }
}

/// Lists what `request` asks for. Names that cannot be read are part of the list, each with its
/// reason.
///
/// # Errors
/// When a glob does not parse or the list of names cannot be read.
pub fn list(request: &Request) -> Result<Listing, Error> {
    let filter = Arc::new(Filter::new(&request.include, &request.exclude)?);
    let room = Arc::new(Room::new(request.bytes_max.unwrap_or(u64::MAX)));
    let (roots, filter) = (request.roots.clone(), &filter);
    let mut listing = Listing { roots, filter: Arc::clone(filter), room, ..Listing::default() };
    let paths = request.paths.iter().map(SourcePath::from).collect();
    for (path, found) in look_at(paths, request, |path, found| (path, found)) {
        let path = path.to_path().into_owned();
        match found {
            _ if let Some(address) = Address::of(&path) => {
                let way = match address.scheme {
                    Scheme::Http => Way::Object,
                    Scheme::S3 | Scheme::Google | Scheme::Azure => Way::Prefix,
                };
                listing.filtered |= way == Way::Prefix;
                listing.sources.push(Source { path: path.into(), listed: Ok(None), way });
            }
            Ok(found) if kind(&found) == FileType::Directory => {
                listing.filtered = true;
                walk::walk(&path, filter, request, &mut listing)?;
            }
            found => listing.sources.push(named(path.into(), found, request.fifos)),
        }
    }
    let listed = listed(request, &listing.room)?;
    listing.listed = listed.as_ref().map(Vec::len);
    let listed = listed.unwrap_or_default();
    let checked = |source| urls::named(source, &request.urls).unwrap_or_else(|source| source);
    match request.look {
        Look::Names => {
            let source = |path| Source { path, listed: Ok(None), way: Way::File };
            listing.sources.extend(listed.into_iter().map(|path| checked(source(path))));
        }
        Look::Sizes => {
            let source = |path, found| checked(file(path, found, request.fifos));
            listing.sources.append(&mut look_at(listed, request, source));
        }
    }
    Ok(listing)
}

/// The names of a list; `None` where there is no list. They are counted as the sources that they
/// will be.
fn listed(request: &Request, room: &Arc<Room>) -> Result<Option<Vec<SourcePath>>, Error> {
    let mut directories = Directories::within(room);
    let mut listed = Vec::new();
    let mut add = |name: &[u8]| {
        let source = Source { path: directories.path(name), listed: Ok(None), way: Way::default() };
        room.add(&source);
        listed.push(source.path);
        room.check()
    };
    for name in request.listed.iter().flat_map(|names| names.iter()) {
        room.add_name(name); // whoever has read it keeps it
        add(name.as_os_str().as_encoded_bytes())?;
    }
    if let Some(from) = &request.files_from {
        list::each_name(from, &request.roots, |name| add(name).map_err(Error::from))?;
    }
    let is_list = request.files_from.is_some() || request.listed.is_some();
    Ok(is_list.then_some(listed))
}

/// The source of that name, given what was found there.
fn named(path: SourcePath, found: io::Result<Stat>, fifos: Fifos) -> Source {
    if path.end().as_os_str() == "-" {
        return Source { path, listed: Ok(None), way: Way::StandardInput };
    }
    file(path, found, fifos)
}

/// The file of that name, given what was found there.
fn file(path: SourcePath, found: io::Result<Stat>, fifos: Fifos) -> Source {
    let is_fifo = found.as_ref().is_ok_and(|found| kind(found) == FileType::Fifo);
    if is_fifo && fifos == Fifos::Read {
        return Source { path, listed: Ok(None), way: Way::Fifo };
    }
    let listed = found.map_err(Refusal::Io).and_then(|found| {
        check_regular(found.st_mode)?;
        Ok(Some(bytes(&found)))
    });
    Source { path, listed: listed.map_err(Box::new), way: Way::File }
}

fn kind(found: &Stat) -> FileType {
    FileType::from_raw_mode(found.st_mode)
}

fn bytes(found: &Stat) -> u64 {
    found.st_size.cast_unsigned()
}

/// Below this many names a second thread costs more than it saves.
const NAMES_PER_THREAD: usize = 512;

/// What `make` makes of each name and of what is found there, in the order of the names.
fn look_at<T: Send>(
    names: Vec<SourcePath>,
    request: &Request,
    make: impl Fn(SourcePath, io::Result<Stat>) -> T + Copy + Send,
) -> Vec<T> {
    let look = move |path: SourcePath| {
        let found = request.roots.look(&path.to_path());
        make(path, found)
    };
    let share = names.len().div_ceil(request.threads.max(1)).max(NAMES_PER_THREAD);
    if names.len() <= share {
        return names.into_iter().map(look).collect();
    }
    let mut names = names.into_iter();
    std::thread::scope(|scope| {
        let mut parts = Vec::new();
        loop {
            let part: Vec<SourcePath> = names.by_ref().take(share).collect();
            if part.is_empty() {
                break;
            }
            parts.push(scope.spawn(move || part.into_iter().map(look).collect::<Vec<_>>()));
        }
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Refuses what is not a regular file, by its `st_mode` (inode(7)).
///
/// # Errors
/// With what it is instead.
pub fn check_regular(mode: RawMode) -> Result<(), Refusal> {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(Refusal::NotRegular("directory")),
        FileType::Fifo => Err(Refusal::NotRegular("FIFO")),
        FileType::Socket => Err(Refusal::NotRegular("socket")),
        FileType::BlockDevice => Err(Refusal::NotRegular("block device")),
        FileType::CharacterDevice => Err(Refusal::NotRegular("character device")),
        _ => Err(Refusal::NotRegular("special file")),
    }
}
