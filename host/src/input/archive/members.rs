//! The members of one archive, as they are found.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Expansion;
use super::name::{self, Names, checked};
use crate::settings::limits::ARCHIVE_STRETCHES_MAX;
use crate::source::{
    Archive, ArchiveError, Directories, Member, Refusal, Room, Source, SourcePath, Sparse, Stored,
    Way, shown_name,
};

/// The members of one archive, as they are found.
pub(super) struct Members<'a> {
    pub(super) archive: Arc<Archive>,
    pub(super) expansion: &'a Expansion<'a>,
    pub(super) room: Arc<Room>,
    directories: Directories,
    pub(super) entries: u64,
    /// Of all sparse files.
    stretches: usize,
    pub(super) sources: Vec<Source>,
    pub(super) non_regular: u64,
}

impl<'a> Members<'a> {
    pub(super) fn of(archive: Archive, expansion: &'a Expansion<'a>, room: &Arc<Room>) -> Self {
        Self {
            archive: Arc::new(archive),
            expansion,
            room: Arc::clone(room),
            directories: Directories::within(room),
            entries: 0,
            stretches: 0,
            sources: Vec::new(),
            non_regular: 0,
        }
    }

    /// Asked now and then by who looks for more.
    pub(super) fn check_stop(&self) -> Result<(), Refusal> {
        // Only stops: the listing of all archives reports what exceeded its limit.
        if self.expansion.stop.load(Ordering::Relaxed) || self.room.check().is_err() {
            return Err(io::Error::from(io::ErrorKind::Interrupted).into());
        }
        Ok(())
    }

    /// Counts an entry, whatever it is. Called before anything is kept of it.
    pub(super) fn count(&mut self) -> Result<(), Refusal> {
        self.check_stop()?;
        self.entries += 1;
        let members_max = self.expansion.members_max;
        if self.entries > members_max {
            return Err(ArchiveError::Members { members_max }.into());
        }
        Ok(())
    }

    /// A member that has `bytes` bytes in the archive.
    pub(super) fn add(&mut self, name: &[u8], bytes: u64, stored: Stored) {
        if !self.is_wanted(name) {
            return;
        }
        if let Err((shown, error)) = checked(name) {
            return self.refuse(shown, error);
        }
        let bytes = match &stored {
            Stored::Sparse { sparse, .. } => sparse.bytes,
            Stored::Plain { .. } | Stored::Zip(_) => bytes,
        };
        let member = Member { archive: Arc::clone(&self.archive), stored };
        let (path, way) = (self.path(name), Way::Member(Arc::new(member)));
        self.push(Source { path, listed: Ok(Some(bytes)), way });
    }

    /// A member that is stored without its holes, in `bytes` bytes.
    pub(super) fn add_sparse(
        &mut self,
        name: &[u8],
        offset: u64,
        bytes: u64,
        sparse: Result<Sparse, ArchiveError>,
    ) {
        let sparse = sparse.and_then(|sparse| {
            let stretches_max = ARCHIVE_STRETCHES_MAX;
            let all = self.stretches + sparse.stretches.len();
            if all > stretches_max {
                return Err(ArchiveError::Stretches { stretches_max });
            }
            self.stretches = all;
            Ok(Arc::new(sparse))
        });
        match sparse {
            Ok(sparse) => self.add(name, bytes, Stored::Sparse { offset, bytes, sparse }),
            Err(error) => self.refuse(name, error),
        }
    }

    /// A member that cannot be read.
    pub(super) fn refuse(&mut self, name: &[u8], error: ArchiveError) {
        if !self.is_wanted(name) {
            return;
        }
        let path = self.path(name);
        let listed = Err(Box::new(error.into()));
        self.push(Source { path, listed, way: Way::File });
    }

    /// Of members with one name leaves the last one, as they are left when they are unpacked one
    /// after the other.
    pub(super) fn leave_last(&mut self) {
        let (mut names, all) = (Names::default(), self.sources.len());
        self.sources.reverse();
        self.sources.retain(|source| names.add(source.path.to_path().as_os_str().as_bytes()));
        self.sources.reverse();
        let replaced = all - self.sources.len();
        if replaced > 0 {
            let path = shown_name(&self.archive.path);
            tracing::warn!(
                "{path}: of members with one name the last is read: {replaced} before are not"
            );
        }
    }

    pub(super) fn is_wanted(&self, name: &[u8]) -> bool {
        self.expansion.wanted.take(Path::new(OsStr::from_bytes(name)))
    }

    /// An entry that is no file.
    pub(super) fn skip(&mut self) {
        self.non_regular += 1;
    }

    /// Nothing more can be found.
    pub(super) fn end(&mut self, refusal: Refusal) {
        let (path, listed) = (self.archive.path.clone().into(), Err(Box::new(refusal)));
        self.push(Source { path, listed, way: Way::File });
    }

    pub(super) fn push(&mut self, source: Source) {
        self.room.add(&source);
        self.sources.push(source);
    }

    pub(super) fn path(&mut self, name: &[u8]) -> SourcePath {
        let path = name::of_member(&self.archive.path, name);
        self.directories.path(path.as_os_str().as_bytes())
    }
}
