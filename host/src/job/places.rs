//! Which file below a directory takes the output of which source: named before anything is read, but for members that are found
//! in archives on the way.
//!
//! Two sources never have one file. `a.log.gz` beside `a.log` goes to `a.log.gz`, its name as it is stored; where that is no way out,
//! the source that comes first has the file, and the other one fails.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::input::Codec;
use crate::output::{Distinct, Naming, Origin, Stored};
use crate::process::{Failure, FailureKind};
use crate::settings::Decompress;
use crate::source::{Source, Way, shown_name};

/// Where an output goes, or why there is none.
type Placed = Result<PathBuf, String>;

/// The name of a source that has no place, as another has it, and of that.
type Rivals = (String, String);

/// The output files, by source.
pub struct Places<'a> {
    sources: &'a [Source],
    naming: Naming,
    decompress: &'a Decompress,
    /// Of each source that is no archive; why there is none, where there can be none.
    of_sources: Vec<Placed>,
    /// Names of sources that have no place, as another has it, and of those.
    rivals: Vec<Rivals>,
    distinct: Mutex<Distinct>,
    /// Directories that are left out of names themselves.
    left_out: Vec<&'a Path>,
}

impl<'a> Places<'a> {
    /// Names all outputs. A directory of `inputs`, as they were named, that ends with a slash is left out of the names of what is in it.
    pub fn of(
        naming: Naming,
        sources: &'a [Source],
        inputs: &'a [PathBuf],
        decompress: &'a Decompress,
    ) -> Self {
        // Only a slash at its end, or a dot, leaves a directory out.
        let slashed = |path: &&Path| {
            let bytes = path.as_os_str().as_encoded_bytes();
            bytes.ends_with(b"/") || bytes.ends_with(b"/.") || bytes == b"."
        };
        let mut places = Self {
            sources,
            naming,
            decompress,
            of_sources: Vec::new(),
            rivals: Vec::new(),
            distinct: Mutex::default(),
            left_out: inputs.iter().map(PathBuf::as_path).filter(slashed).collect(),
        };
        (places.of_sources, places.rivals) = places.all();
        places
    }

    /// The places of all sources. Those that are not compressed take theirs first; and where several that are would have one, none
    /// of them has it, so that it does not matter which of them there are.
    fn all(&self) -> (Vec<Placed>, Vec<Rivals>) {
        let mut rivals = Vec::new();
        let wanted: Vec<_> = self.sources.iter().map(|source| self.wanted(source)).collect();
        let mut counts: HashMap<&Path, usize> = HashMap::new();
        for (place, stored) in wanted.iter().flatten() {
            if stored.is_some() {
                *counts.entry(place).or_default() += 1;
            }
        }
        let is_shared = |place: &Path| counts.get(place).is_some_and(|&count| count > 1);
        let mut distinct = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        let mut claim = |source: &Source, place: &Path| {
            distinct.claim(&source.name(), place).map_err(|collision| {
                let other = collision.other().to_string();
                rivals.push((source.name().into_owned(), other));
                collision.to_string()
            })
        };
        let mut places: Vec<Option<Placed>> = vec![None; wanted.len()];
        let each = || self.sources.iter().zip(&wanted);
        for ((source, wanted), to) in each().zip(&mut places) {
            *to = match wanted {
                Ok((place, None)) => Some(claim(source, place).map(|()| place.clone())),
                Ok((_, Some(_))) => None,
                Err(error) => Some(Err(error.clone())),
            };
        }
        for ((source, wanted), to) in each().zip(&mut places) {
            if let Ok((place, Some(stored))) = wanted {
                let named = if is_shared(place) {
                    Err(String::new())
                } else {
                    claim(source, place).map(|()| place.clone())
                };
                *to = Some(named.or_else(|_| claim(source, stored).map(|()| stored.clone())));
            }
        }
        let places = places.into_iter().map(|place| place.unwrap_or_else(|| Err(String::new())));
        let places: Vec<_> = places.collect();
        // One that has found another place is nobody's rival.
        if !rivals.is_empty() {
            let each = self.sources.iter().zip(&places).filter(|(_, place)| place.is_ok());
            let names: HashSet<_> = each.map(|(source, _)| source.name()).collect();
            rivals.retain(|(name, _)| !names.contains(name.as_str()));
        }
        (places, rivals)
    }

    /// Names of sources that have no place, as another has it, and of those.
    pub fn rivals(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rivals.iter().map(|(name, other)| (name.as_str(), other.as_str()))
    }

    /// Those that are known before anything is read.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.of_sources.iter().filter_map(|place| place.as_deref().ok())
    }

    /// Whether the output of each source is there already, below the directory `out`.
    pub fn are_there(&self, out: &Path) -> impl Iterator<Item = bool> {
        self.of_sources.iter().map(move |place| {
            let found = place.as_ref().ok().map(|place| out.join(place).symlink_metadata());
            found.is_some_and(|found| found.is_ok_and(|found| !found.is_dir()))
        })
    }

    fn wanted(&self, source: &Source) -> Wanted {
        match &source.way {
            Way::Member(listed) => {
                let archive = listed.archive.path.as_path();
                self.of_member(archive, in_archive(archive, &source.path))
            }
            _ => self.name(&source.path, None, source.file()),
        }
    }

    fn of_member(&self, archive: &Path, member: &[u8]) -> Wanted {
        let read_as = String::from_utf8_lossy(member);
        self.name(archive, Some(member), Path::new(&*read_as))
    }

    fn name(&self, path: &Path, member: Option<&[u8]>, read_as: &Path) -> Wanted {
        let compressed = *self.decompress != Decompress::None && Codec::by_name(read_as).is_some();
        // Of directories in one another it is the innermost that was named for what is in it.
        let above = self.left_out.iter().copied().filter(|named| path.starts_with(named));
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
                .hint("--name makes other names: {dir}, {name}, {stored}…")
        };
        let Some(member) = member else {
            let place = self.of_sources.get(index).cloned();
            return place.unwrap_or_else(|| Err("it is not in the list".into())).map_err(failed);
        };
        let archive = self.sources.get(index).map_or(Path::new(""), |source| &source.path);
        let inside = in_archive(archive, member);
        let (place, stored) = self.of_member(archive, inside).map_err(failed)?;
        let mut distinct = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        let name = &shown_name(member);
        match (distinct.claim(name, &place), stored) {
            (Ok(()), _) => Ok(place),
            (Err(_), Some(stored)) if distinct.claim(name, &stored).is_ok() => Ok(stored),
            (Err(collision), _) => Err(failed(collision.to_string())),
        }
    }
}

/// Where an output goes; and where else, if that is taken and the source is compressed: under the name that is stored.
type Wanted = Result<(PathBuf, Option<PathBuf>), String>;

/// What a member is called in its archive, by the name that it has as a source.
fn in_archive<'a>(archive: &Path, name: &'a Path) -> &'a [u8] {
    let name = name.as_os_str().as_encoded_bytes();
    let skip = archive.as_os_str().len() + "!/".len();
    name.get(skip..).unwrap_or_default()
}
