//! What there is to read: turns the names that a user gives into a list of sources, in order.
//!
//! Knows names, kinds and sizes; opens nothing but directories and lists. A name that cannot be a
//! source stays in the list with the reason, so that it is reported in its place.

mod list;
mod walk;

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use list::{FilesFrom, ListError};
pub use walk::PatternError;

/// Something to read.
#[derive(Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Size in bytes when it was listed, or why it cannot be read.
    pub listed: Result<u64, Refusal>,
}

impl Source {
    /// The name, as the user gave it; bytes that are not UTF-8 are replaced.
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        self.path.to_string_lossy()
    }
}

/// Why a name is not a source.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is a FIFO, socket, device or the like.
    #[error("is a {0}, not a regular file")]
    NotRegular(&'static str),
    /// It could not be looked at.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What to list.
#[derive(Debug, Default)]
pub struct Request {
    /// Files and directories, as named.
    pub paths: Vec<PathBuf>,
    /// A list of further names.
    pub files_from: Option<FilesFrom>,
    /// Inside directories, only files that match one of these globs; empty takes all.
    pub include: Vec<String>,
    /// Inside directories, no file or directory that matches one of these globs.
    pub exclude: Vec<String>,
    /// Threads to look at names with.
    pub threads: usize,
}

/// All sources of a run, in the order of their names on the command line, then of the list; the files of a
/// directory in the order of their paths.
#[derive(Debug, Default)]
pub struct Listing {
    /// The sources.
    pub sources: Vec<Source>,
    /// Entries of directories that are no regular files: links, FIFOs, sockets, devices.
    pub skipped: u64,
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
}

/// Lists what `request` asks for. Names that cannot be read are part of the list, each with its reason.
///
/// # Errors
/// When a glob does not parse or the list of names cannot be read.
pub fn list(request: &Request) -> Result<Listing, Error> {
    let filter = walk::Filter::new(&request.include, &request.exclude)?;
    let mut names = request.paths.clone();
    if let Some(from) = &request.files_from {
        names.extend(list::read(from)?);
    }
    let mut listing = Listing::default();
    for (path, found) in look_at(names, request.threads) {
        match found {
            Ok(metadata) if metadata.is_dir() => {
                walk::walk(&path, &filter, request.threads, &mut listing);
            }
            Ok(metadata) => {
                let listed = regular(&metadata).map(|()| metadata.len());
                listing.sources.push(Source { path, listed });
            }
            Err(error) => {
                listing.sources.push(Source { path, listed: Err(Refusal::Io(error)) });
            }
        }
    }
    Ok(listing)
}

type Looked = (PathBuf, io::Result<Metadata>);

/// Below this many names a second thread costs more than it saves.
const NAMES_PER_THREAD: usize = 512;

fn look_at(names: Vec<PathBuf>, threads: usize) -> Vec<Looked> {
    let look = |path: PathBuf| {
        let found = std::fs::metadata(&path);
        (path, found)
    };
    let share = names.len().div_ceil(threads.max(1)).max(NAMES_PER_THREAD);
    if names.len() <= share {
        return names.into_iter().map(look).collect();
    }
    let mut names = names.into_iter();
    std::thread::scope(|scope| {
        let mut parts = Vec::new();
        loop {
            let part: Vec<PathBuf> = names.by_ref().take(share).collect();
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

/// Refuses what is not a regular file.
fn regular(metadata: &Metadata) -> Result<(), Refusal> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    Err(Refusal::NotRegular(match () {
        () if kind.is_fifo() => "FIFO",
        () if kind.is_socket() => "socket",
        () if kind.is_block_device() => "block device",
        () if kind.is_char_device() => "character device",
        () => "special file",
    }))
}

/// Refuses a path that does not lead to a regular file.
///
/// # Errors
/// With the reason.
pub fn check_regular(_path: &Path, metadata: &Metadata) -> Result<(), Refusal> {
    if metadata.is_dir() {
        return Err(Refusal::NotRegular("directory"));
    }
    regular(metadata)
}
