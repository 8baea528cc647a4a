//! Replaces each zip and tar file of a listing by its members, a source each.
//!
//! A file is an archive if its name says so and its bytes confirm it; any other file stays a
//! source. Members are found by reading directories and headers, never their data; their claims are
//! believed only as far as they fit into the file, so time and memory are bounded by the size of
//! the archive. What cannot be read is a source that says why: a member of its own, or the archive
//! where nothing more can be found in it.

pub(super) mod block;
mod cp437;
mod directory;
mod member;
mod members;
mod name;
mod pax;
mod reader;
mod sparse;
pub(super) mod tar;
mod zip;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use super::decode::{detect_nameless, shown};
use super::spool::Spool;
use super::{Access, Choice, Codec, Decoding, Error, Input, Opener};
use crate::settings::Piped;
use crate::settings::limits::COPY_BYTES;
use crate::slices;
use crate::source::{
    Archive, ArchiveError, Globs, Listing, OpenFile, Refusal, Room, Source, TooManySources,
    Version, Way,
};

pub(super) use block::BLOCK_BYTES;
pub(super) use member::open;
use members::Members;
pub use name::of_member as member_path;
pub(super) use name::{Kind, Names, checked};
pub(super) use tar::begins;
pub(super) use zip::{is_zip, may_become_zip};

/// How archives are looked into.
#[derive(Debug, Clone, Copy)]
pub struct Expansion<'a> {
    /// Entries that one archive may have, directories and links among them.
    pub members_max: u64,
    /// Threads to look with.
    pub threads: usize,
    /// Set to cancel the listing of members.
    pub stop: &'a AtomicBool,
    /// What standard input is said to be: a zip file is kept in a temporary file to be looked into.
    pub piped: Piped,
    /// Members that are taken, by their names in the archive.
    pub wanted: &'a Globs,
}

impl<'a> Expansion<'a> {
    /// One that takes all members, and leaves standard input alone where that is a pipe.
    pub fn new(members_max: u64, threads: usize, stop: &'a AtomicBool) -> Self {
        Self { members_max, threads, stop, piped: Piped::Detect, wanted: Globs::none() }
    }
}

/// Replaces each archive of `listing` by its members, in the order of the archive. Members that are
/// no files are counted as skipped. Archives are opened where the listing may be. Costs a look at
/// each name where there are no archives.
///
/// # Errors
/// When there are more members than there is room for in the listing.
pub fn expand(listing: &mut Listing, expansion: &Expansion<'_>) -> Result<(), TooManySources> {
    let archive = |(index, source): (usize, &Source)| Some((index, kind(source, expansion)?));
    let archives: Vec<_> = listing.sources.iter().enumerate().filter_map(archive).collect();
    if archives.is_empty() {
        return Ok(());
    }
    let access = Access { roots: listing.roots.clone(), ..Access::default() };
    let found = look_into(listing, &archives, &access, expansion);
    listing.room.check()?;
    let members = found.iter().map(|(_, members)| members.sources.len()).sum::<usize>();
    let mut sources = Vec::with_capacity(listing.sources.len() + members);
    let mut found = found.into_iter().peekable();
    for (index, source) in std::mem::take(&mut listing.sources).into_iter().enumerate() {
        match found.next_if(|(at, _)| *at == index) {
            Some((_, members)) => {
                sources.extend(members.sources);
                listing.non_regular += members.non_regular;
            }
            None => sources.push(source),
        }
    }
    listing.sources = sources;
    Ok(())
}

/// What kind of archive a source is by its name, if it can be one.
fn kind(source: &Source, expansion: &Expansion<'_>) -> Option<Kind> {
    match (&source.way, &source.listed) {
        (Way::File | Way::Object, Ok(_)) => Kind::by_name(source.file()),
        (Way::StandardInput, Ok(_)) if expansion.piped == Piped::Zip => Some(Kind::Zip),
        (Way::StandardInput, Ok(_)) => of_redirected(source),
        _ => None,
    }
}

/// What kind of archive standard input is, where it is a file that has one: it has no name to tell
/// it by. If only the user says that it is one, its reader checks that, as it does for a pipe.
fn of_redirected(source: &Source) -> Option<Kind> {
    let input = Input::open(&mut Opener::default(), source, &Access::default()).ok()?;
    if input.is_pipe() {
        return None;
    }
    let mut first = [0; BLOCK_BYTES];
    let length = usize::try_from(input.bytes()).unwrap_or(usize::MAX).min(first.len());
    let first_bytes = first.get_mut(..length)?;
    input.read_at(first_bytes, 0).ok()?;
    if is_zip(first_bytes) {
        return Some(Kind::Zip);
    }
    (length == BLOCK_BYTES && begins(&first)).then_some(Kind::Tar)
}

/// The members of each archive that is one, in the order of the archives.
fn look_into<'a>(
    listing: &Listing,
    archives: &[(usize, Kind)],
    access: &Access,
    expansion: &'a Expansion<'a>,
) -> Vec<(usize, Members<'a>)> {
    let taken = AtomicUsize::new(0);
    let look = || {
        let mut found = Vec::new();
        while let Some(&(index, kind)) = archives.get(taken.fetch_add(1, Ordering::Relaxed)) {
            let source = listing.sources.get(index);
            let members = |source| members(source, kind, access, (expansion, &listing.room));
            let members = source.and_then(members);
            found.extend(members.map(|members| (index, members)));
        }
        found
    };
    let threads = expansion.threads.min(archives.len());
    if threads <= 1 {
        return look();
    }
    let mut found: Vec<_> = std::thread::scope(|scope| {
        let parts: Vec<ScopedJoinHandle<'_, Vec<_>>> =
            (0..threads).map(|_| scope.spawn(look)).collect();
        let part = |part: ScopedJoinHandle<'_, Vec<_>>| {
            part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        parts.into_iter().flat_map(part).collect()
    });
    found.sort_unstable_by_key(|(index, _)| *index);
    found
}

/// The members of one archive; `None` for a file that is something else, or that whoever reads it
/// will say of why it cannot be read.
fn members<'a>(
    source: &Source,
    kind: Kind,
    access: &Access,
    (expansion, room): (&'a Expansion<'a>, &Arc<Room>),
) -> Option<Members<'a>> {
    let opened = Input::open(&mut Opener::default(), source, access).ok()?;
    let (input, way) = if opened.is_pipe() && kind == Kind::Zip {
        match spooled(&opened, source, access, expansion) {
            Ok(spooled) => spooled,
            Err(error) => return Some(unkept(source, error, expansion, room)),
        }
    } else {
        (opened, source.way.clone())
    };
    let path = source.path.to_path().into_owned();
    let archive = Archive { path, way, version: input.store.version() };
    let mut members = Members::of(archive, expansion, room);
    // As from a pipe, where its directory cannot be had without keeping all of it.
    if kind == Kind::Zip && source.way == Way::StandardInput && expansion.piped != Piped::Zip {
        members.end(ArchiveError::FromFront.into());
        return Some(members);
    }
    let listed = match kind {
        Kind::Zip => zip::list(&input, &mut members),
        Kind::Tar => tar::list(&input, &mut members),
    };
    match listed {
        Ok(Listed::NotOne) => members.end(misnamed(&input, kind)?),
        Ok(Listed::All) => {}
        Err(refusal) => members.end(refusal),
    }
    members.leave_last();
    Some(members)
}

/// All of what comes from its front, in a temporary file: a zip file is read from its end.
fn spooled(
    input: &Input,
    source: &Source,
    access: &Access,
    expansion: &Expansion<'_>,
) -> Result<(Input, Way), Error> {
    let as_it_is = Decoding { choice: Choice::Never, ..Decoding::default() };
    let mut bytes = input.piped(source.file(), as_it_is, access)?;
    let mut spool = Spool::new()?;
    let mut some = vec![0; COPY_BYTES];
    loop {
        let got = bytes.read(&mut some)?;
        if got == 0 {
            break;
        }
        if expansion.stop.load(Ordering::Relaxed) {
            return Err(Error::Open(io::ErrorKind::Interrupted.into()));
        }
        spool.write(slices::part(&some, ..got))?;
    }
    spool.rewind()?;
    let way = Way::Opened(Arc::new(OpenFile { file: spool.into_file()?, part: None }));
    let kept = Input::whole(&mut Opener::default(), &source.path.to_path(), &way, access)?;
    Ok((kept, way))
}

/// A source that cannot be kept to be looked into.
fn unkept<'a>(
    source: &Source,
    error: Error,
    expansion: &'a Expansion<'a>,
    room: &Arc<Room>,
) -> Members<'a> {
    let version = Version { bytes: 0, modified_ns: 0 };
    let path = source.path.to_path().into_owned();
    let archive = Archive { path, way: source.way.clone(), version };
    let mut members = Members::of(archive, expansion, room);
    members.end(Refusal::Io(error.into()));
    members
}

/// That a file is no archive of the kind that its name says; `None` where its bytes say what else
/// it is.
fn misnamed(input: &Input, kind: Kind) -> Option<Refusal> {
    let mut first = [0; Codec::DETECT_BYTES];
    let length = usize::try_from(input.bytes()).unwrap_or(usize::MAX).min(first.len());
    let first = first.get_mut(..length)?;
    input.read_at(first, 0).ok()?;
    match detect_nameless(first) {
        Ok(None) => Some(ArchiveError::Misnamed { kind: kind.word(), got: shown(first) }.into()),
        _ => None,
    }
}

/// How far the members of a file could be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    /// To the end.
    All,
    /// It is no archive of that kind.
    NotOne,
}

#[cfg(test)]
mod tests;
