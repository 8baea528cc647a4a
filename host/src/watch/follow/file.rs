//! One file that is followed: what it looks like now, against what is done of it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Instant, SystemTime};

use rustix::fs::OFlags;

use super::edges::Edges;
use crate::ledger::{FollowStage, Followed, Inode, JobId};
use crate::prepare::is_called_compressed;
use crate::settings::limits::FOLLOW_OPEN;
use crate::watch::version::{Version, is_gone};

/// A file that is followed.
#[derive(Debug)]
pub(super) struct FollowedFile {
    pub(super) row: Followed,
    /// Open for as long as it may grow: so it is read to its end when it is moved away or removed.
    handle: Option<File>,
    /// When it was last seen to grow.
    pub(super) grown: Instant,
    modified_ns: i64,
    /// Whether there may be something to do.
    pub(super) is_due: bool,
    /// Before when it is not.
    pub(super) due: Option<Instant>,
    /// Whether no name of it was there at the last scan.
    pub(super) is_gone: bool,
    pub(super) role: Role,
    /// Since when it looks like a copy, and how long it was then.
    pub(super) copy: Option<(u64, Instant)>,
}

/// Why a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is followed, if it is no copy of another.
    New,
    /// It is followed.
    Own,
    /// It may be where the rest of another one went, and is not meant itself.
    Other,
}

/// What a file is found to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It begins with what is done, and is so long.
    Goes(u64),
    /// It begins with something else, or is shorter.
    Other,
    /// There is none.
    Gone,
}

impl FollowedFile {
    /// One that a ledger knows.
    pub(super) fn known(row: Followed) -> Self {
        let role = if row.done_bytes > 0 { Role::Own } else { Role::New };
        Self {
            row,
            handle: None,
            grown: Instant::now(),
            modified_ns: 0,
            is_due: false,
            due: None,
            is_gone: true, // until it is found
            role,
            copy: None,
        }
    }

    /// One that is new.
    pub(super) fn new(job: JobId, inode: Inode, path: &Path) -> Self {
        let mut row = Followed {
            job,
            inode,
            path: path.as_os_str().as_bytes().to_vec(),
            output: Vec::new(),
            stage: FollowStage::Follows,
            done_bytes: 0,
            seen_bytes: 0,
            lost_bytes: 0,
            head: crate::ledger::Digest::of([b""]),
            tail: crate::ledger::Digest::of([b""]),
            attempts: 0,
            at: SystemTime::now(),
            why: None,
        };
        Edges::none().put(&mut row);
        Self::known(row)
    }

    pub(super) fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.row.path))
    }

    /// Whether it was compressed when it was done: what is known of it is of what it decodes to.
    pub(super) fn is_compressed(&self) -> bool {
        is_called_compressed(self.path())
    }

    /// Where its output goes; empty before that was found out.
    pub(super) fn output(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.row.output))
    }

    /// It was found in this version.
    pub(super) fn found(&mut self, version: &Version) {
        self.is_gone = false;
        if version.bytes != self.row.seen_bytes || version.modified_ns != self.modified_ns {
            self.grown = Instant::now();
            self.modified_ns = version.modified_ns;
            self.is_due = true;
            if self.row.attempts == 0 {
                self.due = None;
            }
            if self.row.stage == FollowStage::Ended {
                self.row.stage = FollowStage::Follows;
            }
        }
        self.is_due |= version.bytes != self.row.done_bytes;
    }

    /// It has another name.
    pub(super) fn moved(&mut self, path: &Path) {
        self.row.path = path.as_os_str().as_bytes().to_vec();
    }

    /// The file, open.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(&mut self) -> io::Result<Option<&File>> {
        if self.handle.is_none() {
            let mut options = File::options();
            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            let flags = i32::try_from(flags.bits()).unwrap_or_default();
            match options.read(true).custom_flags(flags).open(self.path()) {
                Ok(file) if Version::of(&file.metadata()?).inode() == self.row.inode => {
                    self.handle = Some(file);
                }
                Ok(_) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.handle.as_ref())
    }

    /// Looks at it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn look(&mut self) -> io::Result<State> {
        let edges = Edges::of(&self.row);
        let Some(file) = self.open()? else { return Ok(State::Gone) };
        let bytes = file.metadata()?.len();
        if bytes < edges.bytes || !edges.begin(file)? {
            return Ok(State::Other);
        }
        if bytes > self.row.seen_bytes {
            self.grown = Instant::now();
        }
        self.row.seen_bytes = bytes;
        Ok(State::Goes(bytes))
    }

    /// Whether it is of another length than when it was looked at.
    pub(super) fn has_grown(&self) -> bool {
        let now = self.handle.as_ref().and_then(|file| file.metadata().ok());
        now.is_some_and(|now| now.len() != self.row.seen_bytes)
    }

    /// Closes it where it does not grow; with its last name gone, it has no more to come.
    pub(super) fn rest(&mut self) {
        if self.grown.elapsed() > FOLLOW_OPEN && !self.is_due {
            self.handle = None;
        }
    }

    /// Whether it is open.
    pub(super) fn is_open(&self) -> bool {
        self.handle.is_some()
    }

    /// Closes it.
    pub(super) fn close(&mut self) {
        self.handle = None;
    }

    /// It is another file by now: nothing of it is done.
    pub(super) fn begin_anew(&mut self) {
        Edges::none().put(&mut self.row);
        self.row.output.clear();
        self.row.seen_bytes = 0;
        self.row.attempts = 0;
        self.row.stage = FollowStage::Follows;
        self.row.why = None;
        (self.role, self.copy, self.due) = (Role::New, None, None);
        self.is_due = true;
    }
}
