//! Which file below a directory takes the output of which source: named before anything is read, but for members that are found
//! in archives on the way.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::input::Codec;
use crate::output::{Collision, Distinct, Naming, Origin, Stored};
use crate::process::{Failure, FailureKind};
use crate::settings::Decompress;
use crate::source::{Source, Way};

/// The output files, by source.
pub struct Places<'a> {
    sources: &'a [Source],
    naming: Naming,
    decompress: &'a Decompress,
    /// Of each source that is no archive; why there is none, where there can be none.
    of_sources: Vec<Result<PathBuf, String>>,
    distinct: Mutex<Distinct>,
    /// Directories that are left out of names themselves.
    left_out: Vec<&'a Path>,
}

impl<'a> Places<'a> {
    /// Names all outputs, which must be different ones. A directory of `inputs`, as they were named, that ends with a slash is left out of
    /// the names of what is in it.
    ///
    /// # Errors
    /// When two sources would have the same.
    pub fn of(
        naming: Naming,
        sources: &'a [Source],
        inputs: &'a [PathBuf],
        decompress: &'a Decompress,
    ) -> Result<Self, Collision> {
        // Only a slash at its end, or a dot, leaves a directory out.
        let slashed = |path: &&Path| {
            let bytes = path.as_os_str().as_encoded_bytes();
            bytes.ends_with(b"/") || bytes.ends_with(b"/.") || bytes == b"."
        };
        let mut places = Self {
            sources,
            naming,
            decompress,
            of_sources: Vec::with_capacity(sources.len()),
            distinct: Mutex::default(),
            left_out: inputs.iter().map(PathBuf::as_path).filter(slashed).collect(),
        };
        let mut distinct = Distinct::default();
        for source in sources {
            let place = places.of_source(source);
            if let Ok(place) = &place {
                distinct.claim(&source.name(), place)?;
            }
            places.of_sources.push(place);
        }
        places.distinct = Mutex::new(distinct);
        Ok(places)
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

    fn of_source(&self, source: &Source) -> Result<PathBuf, String> {
        match &source.way {
            Way::Member(listed) => {
                let archive = listed.archive.path.as_path();
                self.of_member(archive, in_archive(archive, &source.path))
            }
            _ => self.name(&source.path, None, source.file()),
        }
    }

    fn of_member(&self, archive: &Path, member: &[u8]) -> Result<PathBuf, String> {
        let read_as = String::from_utf8_lossy(member);
        self.name(archive, Some(member), Path::new(&*read_as))
    }

    fn name(&self, path: &Path, member: Option<&[u8]>, read_as: &Path) -> Result<PathBuf, String> {
        let compressed = *self.decompress != Decompress::None && Codec::by_name(read_as).is_some();
        let stored = if compressed { Stored::Compressed } else { Stored::Plain };
        // Of directories in one another it is the innermost that was named for what is in it.
        let above = self.left_out.iter().copied().filter(|named| path.starts_with(named));
        let walked = above.max_by_key(|named| named.components().count());
        let origin = Origin { path, walked, member, stored };
        self.naming.place(&origin).map_err(|error| error.to_string())
    }

    /// Where the output of the source at `index` goes, or that of a member which was found in it.
    ///
    /// # Errors
    /// When there can be no such file, or it is another's.
    pub fn place(&self, index: usize, member: Option<&str>) -> Result<PathBuf, Failure> {
        let failed = |message: String| Failure::new(FailureKind::Write, message);
        let Some(name) = member else {
            let place = self.of_sources.get(index).cloned();
            return place.unwrap_or_else(|| Err("it is not in the list".into())).map_err(failed);
        };
        let archive = self.sources.get(index).map_or(Path::new(""), |source| &source.path);
        let inside = in_archive(archive, Path::new(name));
        let place = self.of_member(archive, inside).map_err(failed)?;
        let mut distinct = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        distinct.claim(name, &place).map_err(|collision| failed(collision.to_string()))?;
        Ok(place)
    }
}

/// What a member is called in its archive, by the name that it has as a source.
fn in_archive<'a>(archive: &Path, name: &'a Path) -> &'a [u8] {
    let name = name.as_os_str().as_encoded_bytes();
    let skip = archive.as_os_str().len() + "!/".len();
    name.get(skip..).unwrap_or_default()
}
