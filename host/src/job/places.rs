//! Which file below a directory takes the output of which source: named before anything is read,
//! but for members that are found in archives on the way.
//!
//! Two sources never have one file. `a.log.gz` beside `a.log` goes to `a.log.gz`, its name as it is
//! stored; where that is no way out, the source that comes first has the file, and the other one
//! fails.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::input::Codec;
use crate::output::{Clash, Distinct, Naming, Origin, Stored};
use crate::process::{Failure, FailureKind};
use crate::settings::Decompress;
use crate::slices;
use crate::source::{Directories, Source, SourcePath, Way, shown_name};

/// Where the output of a source goes, as its name says, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Placed {
    /// Under the name of what is read.
    Read,
    /// Under the name of what is stored.
    Stored,
    /// Nowhere.
    Not(Box<str>),
}

/// The output files, by source. Names are computed again when they are needed, to keep little per
/// source.
pub struct OutputNames {
    sources: Arc<Vec<Source>>,
    naming: Naming,
    decompress: Decompress,
    /// Of each source that is no archive; why there is none, where there can be none.
    of_sources: Vec<Placed>,
    /// Sources that have no place, as another has it, and those.
    rivals: Vec<(u32, u32)>,
    taken: Mutex<Taken>,
    /// Directories that are left out of names themselves.
    left_out: Vec<PathBuf>,
}

/// Names that are taken.
#[derive(Default)]
struct Taken {
    distinct: Distinct,
    /// Members that were found in archives, behind the sources.
    found: Vec<SourcePath>,
    directories: Directories,
}

impl OutputNames {
    /// Names all outputs. A directory of `inputs`, as they were named, that ends with a slash is
    /// left out of the names of what is in it.
    pub fn of(
        naming: Naming,
        sources: Arc<Vec<Source>>,
        inputs: &[PathBuf],
        decompress: Decompress,
    ) -> Self {
        // Only a slash at its end, or a dot, leaves a directory out.
        let slashed = |path: &&PathBuf| {
            let bytes = path.as_os_str().as_encoded_bytes();
            bytes.ends_with(b"/") || bytes.ends_with(b"/.") || bytes == b"."
        };
        let mut places = Self {
            sources,
            naming,
            decompress,
            of_sources: Vec::new(),
            rivals: Vec::new(),
            taken: Mutex::default(),
            left_out: inputs.iter().filter(slashed).cloned().collect(),
        };
        places.place_all();
        places
    }

    /// Names all sources. Those that are not compressed take theirs first; and where several that
    /// are would have one, none of them has it, so that it does not matter which of them there are.
    fn place_all(&mut self) {
        let mut distinct = Distinct::with_capacity(self.sources.len());
        let (mut places, mut rivals) = (Vec::with_capacity(self.sources.len()), Vec::new());
        let mut shared: HashMap<(u64, u64), bool> = HashMap::new();
        for (index, source) in (0..).zip(&*self.sources) {
            places.push(match self.wanted(source) {
                Ok((place, None)) => match distinct.claim(index, &place) {
                    Ok(()) => Placed::Read,
                    Err(clash) => self.not(index, clash, &mut rivals),
                },
                Ok((place, Some(_))) => {
                    let others = shared.entry(distinct.key(&place));
                    others.and_modify(|is_shared| *is_shared = true).or_default();
                    Placed::Stored
                }
                Err(error) => Placed::Not(error.into()),
            });
        }
        if !shared.is_empty() {
            let each = (0..).zip(&*self.sources).zip(&mut places);
            for ((index, source), to) in each.filter(|(_, placed)| **placed == Placed::Stored) {
                let Ok((place, Some(stored))) = self.wanted(source) else { continue };
                let is_shared = shared.get(&distinct.key(&place)).copied().unwrap_or_default();
                let claimed = (!is_shared).then(|| distinct.claim(index, &place));
                if claimed == Some(Ok(())) {
                    *to = Placed::Read;
                } else if let Err(clash) = distinct.claim(index, &stored) {
                    rivals.extend(claimed.and_then(Result::err).map(|first| (index, first.other)));
                    *to = self.not(index, clash, &mut rivals);
                }
            }
        }
        self.taken = Mutex::new(Taken { distinct, ..Taken::default() });
        (self.of_sources, self.rivals) = (places, rivals);
    }

    /// That a source has no place, as another has it.
    fn not(&self, index: u32, clash: Clash, rivals: &mut Vec<(u32, u32)>) -> Placed {
        rivals.push((index, clash.other));
        let other = self.name_of(clash.other).into_owned();
        Placed::Not(clash.with(other).to_string().into())
    }

    fn name_of(&self, index: u32) -> Cow<'_, str> {
        let source = usize::try_from(index).ok().and_then(|index| self.sources.get(index));
        source.map(Source::name).unwrap_or_default()
    }

    /// Names of sources that have no place, as another has it, and of those.
    pub fn rivals(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.rivals.iter().map(|(index, other)| (self.name_of(*index), self.name_of(*other)))
    }

    /// Those that are known before anything is read.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.sources.len()).filter_map(|index| self.of_source(index).ok())
    }

    /// Whether the output of each source is there already, below the directory `out`.
    pub fn are_there(&self, out: &Path) -> impl Iterator<Item = bool> {
        (0..self.sources.len()).map(move |index| {
            let found = self.of_source(index).ok().map(|place| out.join(place).symlink_metadata());
            found.is_some_and(|found| found.is_ok_and(|found| !found.is_dir()))
        })
    }

    /// Bytes of memory that they take.
    pub fn held_bytes(&self) -> u64 {
        let own = self.of_sources.capacity() * size_of::<Placed>();
        let taken = self.taken.lock();
        own as u64 + taken.distinct.held_bytes()
    }

    /// Where the output of the source at `index` goes.
    fn of_source(&self, index: usize) -> Result<PathBuf, String> {
        let no_source = || "it is not in the list".to_string();
        let (source, placed) =
            self.sources.get(index).zip(self.of_sources.get(index)).ok_or_else(no_source)?;
        match (placed, self.wanted(source)?) {
            (Placed::Read, (place, _)) => Ok(place),
            (Placed::Stored, (_, stored)) => stored.ok_or_else(no_source),
            (Placed::Not(why), _) => Err(why.to_string()),
        }
    }

    /// Where the output of the source at `index` goes, if that depends on which other sources there
    /// are: under its name as it is stored, or nowhere.
    pub fn place_among_others(&self, index: usize) -> Option<Result<PathBuf, Failure>> {
        let depends = !matches!(self.of_sources.get(index)?, Placed::Read);
        depends.then(|| self.place(index, None))
    }

    fn wanted(&self, source: &Source) -> Wanted {
        match &source.way {
            Way::Member(listed) => {
                let archive = listed.archive.path.as_path();
                self.of_member(archive, in_archive(archive, &source.path.to_path()))
            }
            _ => self.name(&source.path.to_path(), None, source.file()),
        }
    }

    fn of_member(&self, archive: &Path, member: &[u8]) -> Wanted {
        let read_as = String::from_utf8_lossy(member);
        self.name(archive, Some(member), Path::new(&*read_as))
    }

    fn name(&self, path: &Path, member: Option<&[u8]>, read_as: &Path) -> Wanted {
        let compressed = self.decompress != Decompress::None && Codec::by_name(read_as).is_some();
        // Of directories in one another it is the innermost that was named for what is in it.
        let above =
            self.left_out.iter().map(PathBuf::as_path).filter(|named| path.starts_with(named));
        let walked = above.max_by_key(|named| named.components().count());
        let place = |stored| {
            let origin = Origin { path, walked, member, stored };
            self.naming.place(&origin).map_err(|error| error.to_string())
        };
        if !compressed {
            return Ok((place(Stored::Plain)?, None));
        }
        Ok((place(Stored::Compressed)?, place(Stored::Plain).ok()))
    }

    /// Where the output of the source at `index` goes, or that of a member which was found in it.
    ///
    /// # Errors
    /// When there can be no such file, or it is another's.
    pub fn place(&self, index: usize, member: Option<&Path>) -> Result<PathBuf, Failure> {
        let failed = |message: String| {
            Failure::new(FailureKind::Write, message)
                .hint("⟦name⟧ makes other names: {dir}, {name}, {stored}…")
        };
        let Some(member) = member else {
            return self.of_source(index).map_err(failed);
        };
        let archive = self.sources.get(index).map(|source| source.path.to_path());
        let archive = archive.unwrap_or_default();
        let inside = in_archive(&archive, member);
        let (place, stored) = self.of_member(&archive, inside).map_err(failed)?;
        let mut taken = self.taken.lock();
        let Taken { distinct, found, directories } = &mut *taken;
        let own = u32::try_from(self.sources.len() + found.len()).unwrap_or(u32::MAX);
        let (to, claimed) = match (distinct.claim(own, &place), stored) {
            (Err(_), Some(stored)) if distinct.claim(own, &stored).is_ok() => (stored, Ok(())),
            (claimed, _) => (place, claimed),
        };
        match claimed {
            Ok(()) => {
                found.push(directories.path(member.as_os_str().as_encoded_bytes()));
                Ok(to)
            }
            Err(clash) => {
                let other = usize::try_from(clash.other).unwrap_or_default();
                let before = other.checked_sub(self.sources.len()).and_then(|at| found.get(at));
                let name = before.map_or_else(
                    || self.name_of(clash.other).into_owned(),
                    |path| shown_name(&path.to_path()).into_owned(),
                );
                Err(failed(clash.with(name).to_string()))
            }
        }
    }
}

/// Where an output goes; and where else, if that is taken and the source is compressed: under the
/// name that is stored.
type Wanted = Result<(PathBuf, Option<PathBuf>), String>;

/// What a member is called in its archive, by the name that it has as a source.
fn in_archive<'a>(archive: &Path, name: &'a Path) -> &'a [u8] {
    let name = name.as_os_str().as_encoded_bytes();
    let skip = archive.as_os_str().len() + "!/".len();
    slices::part(name, skip..)
}
