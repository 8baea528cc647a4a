//! Which file below a directory takes the output of which source: named before anything is read, but for members that are found
//! in archives on the way.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::input::Codec;
use crate::output::{Collision, Distinct, Naming, Origin, Stored};
use crate::process::{Failure, FailureKind};
use crate::settings::Decompress;
use crate::source::{Source, Way};

/// The output files of a run below a directory, by source.
pub struct Places {
    naming: Naming,
    decompress: Decompress,
    /// Of each source that is no archive; why there is none, where there can be none.
    of_sources: Vec<Result<PathBuf, String>>,
    archives: Vec<PathBuf>,
    distinct: Mutex<Distinct>,
    named: Vec<PathBuf>,
}

impl Places {
    /// Names all outputs, which must be different ones. What is in a directory of `named` is named from there.
    ///
    /// # Errors
    /// When two sources would have the same.
    pub fn of(
        naming: Naming,
        sources: &[Source],
        named: &[PathBuf],
        decompress: &Decompress,
    ) -> Result<Self, Collision> {
        // Only a slash at its end, or a dot, leaves a directory out.
        let slashed = |path: &&PathBuf| {
            let bytes = path.as_os_str().as_encoded_bytes();
            bytes.ends_with(b"/") || bytes.ends_with(b"/.") || bytes == b"."
        };
        let mut places = Self {
            naming,
            decompress: decompress.clone(),
            of_sources: Vec::with_capacity(sources.len()),
            archives: Vec::new(),
            distinct: Mutex::default(),
            named: named.iter().filter(slashed).cloned().collect(),
        };
        let mut distinct = Distinct::default();
        for source in sources {
            let place = places.name(source, None);
            if let Ok(place) = &place {
                distinct.claim(&source.name(), place)?;
            }
            places.of_sources.push(place);
            places.archives.push(source.path.clone());
        }
        places.distinct = Mutex::new(distinct);
        Ok(places)
    }

    /// Those that are known before anything is read.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.of_sources.iter().filter_map(|place| place.as_deref().ok())
    }

    fn name(&self, source: &Source, member: Option<&[u8]>) -> Result<PathBuf, String> {
        let (path, inside) = match &source.way {
            Way::Member(listed) => {
                let archive = listed.archive.path.as_path();
                (archive, Some(in_archive(archive, &source.path)))
            }
            _ => (source.path.as_path(), None),
        };
        let member = member.or(inside);
        let read_as = member.map_or_else(
            || source.file().to_path_buf(),
            |member| PathBuf::from(String::from_utf8_lossy(member).into_owned()),
        );
        let compressed = self.decompress != Decompress::None && Codec::by_name(&read_as).is_some();
        let stored = if compressed { Stored::Compressed } else { Stored::Plain };
        let walked = self.named.iter().find(|named| path.starts_with(named)).map(PathBuf::as_path);
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
        let archive = self.archives.get(index).map_or(Path::new(""), PathBuf::as_path);
        let inside = in_archive(archive, Path::new(name));
        let source = Source { path: archive.to_path_buf(), listed: Ok(None), way: Way::File };
        let place = self.name(&source, Some(inside)).map_err(failed)?;
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
