//! Compressed files among those that are followed: what a file became that was rotated, whose rest
//! is read from there; or a file of its own, which is processed once, as a whole.

use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Follow;
use super::edges::Edges;
use super::file::{FollowedFile, Role, State};
use super::part::Went;
use crate::ledger::{Change, FollowStage, Inode};
use crate::prepare;
use crate::settings::limits::WATCH_QUIET;
use crate::source::{OpenFile, Way};
use crate::spec::Problem;
use crate::watch::Interrupted;
use crate::watch::version::Version;

/// What a compressed file is to what is known.
enum Rest {
    /// It begins with what is done of that file, and this is what comes behind it.
    Of(Inode, tempfile::NamedTempFile, u64),
    /// It is not what is known of anything.
    Own,
    /// It is a copy of a file that is still there, and of which not all is done.
    Later,
}

impl Follow<'_> {
    /// Does what is to be done with compressed files that are at rest.
    pub(super) fn step_compressed(&mut self) -> Result<(), Interrupted> {
        let all: Vec<_> = self.compressed.iter().map(|(at, path)| (*at, path.clone())).collect();
        for (inode, path) in all {
            let version = match Version::at(&path) {
                Ok(Some(version)) if version.inode() == inode => version,
                _ => {
                    self.compressed.remove(&inode);
                    continue;
                }
            };
            let quiet = version.quiet_for(SystemTime::now()).unwrap_or(Duration::MAX); // of a clock that is ahead
            if quiet < self.spec.watch.settle.0.max(WATCH_QUIET) {
                continue;
            }
            match self.rest_of(&path) {
                Ok(Rest::Later) if self.spec.watch.once => {} // for the next start
                Ok(Rest::Later) => continue,
                Ok(Rest::Own) if !self.trees.takes(&path) => {}
                Ok(Rest::Own) => self.take_whole(inode, &path, &version)?,
                Ok(Rest::Of(of, rest, bytes)) => {
                    self.take_rest((&version, &path), of, (rest, bytes))?;
                }
                Err(error) => self.leave(inode, &path, &version, error.to_string())?,
            }
            self.compressed.remove(&inode);
            if self.pause.is_on() {
                self.compressed.insert(inode, path); // a disk took nothing: once more
                return Ok(());
            }
        }
        Ok(())
    }

    /// What a compressed file is.
    fn rest_of(&mut self, path: &Path) -> io::Result<Rest> {
        let known: Vec<_> =
            self.files.iter().map(|(at, file)| (*at, Edges::of(&file.row))).collect();
        let mut best: Option<(Inode, tempfile::NamedTempFile, u64)> = None;
        let mut most = 0;
        for (inode, edges) in known {
            if edges.bytes <= most {
                continue;
            }
            let Some(mut stream) = prepare::decoded(path)? else { return Ok(Rest::Own) };
            if !edges.begin_stream(&mut stream)? {
                continue;
            }
            let mut rest = tempfile::NamedTempFile::new()?;
            let bytes = io::copy(&mut stream, &mut rest)?;
            rest.rewind()?;
            (best, most) = (Some((inode, rest, bytes)), edges.bytes);
        }
        let Some((of, rest, bytes)) = best else { return Ok(Rest::Own) };
        let is_there = self.files.get_mut(&of).map(FollowedFile::look);
        let is_gone = self.files.get(&of).is_none_or(|file| file.is_gone);
        if matches!(is_there, Some(Ok(State::Goes(_)))) && !is_gone && bytes > 0 {
            return Ok(Rest::Later);
        }
        Ok(Rest::Of(of, rest, bytes))
    }

    /// Processes what comes in a compressed file behind what is done.
    fn take_rest(
        &mut self,
        (version, path): (&Version, &Path),
        of: Inode,
        (rest, bytes): (tempfile::NamedTempFile, u64),
    ) -> Result<(), Interrupted> {
        let Some(original) = self.files.get(&of) else { return Ok(()) };
        let (mut row, output) = (original.row.clone(), original.output().to_path_buf());
        let from = original.path().to_path_buf();
        let inode = version.inode();
        (row.inode, row.seen_bytes) = (inode, version.bytes);
        row.path = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec();
        (row.stage, row.at) = (FollowStage::Ended, SystemTime::now());
        row.why = Some(format!("is what {} was, compressed", crate::name::Shown::of(&from)));
        let is_gone = original.is_gone;
        let mut changes = Vec::new();
        if is_gone {
            changes.push(Change::Unfollowed(self.job, of));
        }
        if of != inode {
            changes.extend(self.put_aside(inode));
        }
        if bytes == 0 {
            changes.push(Change::Followed(Box::new(row.clone())));
            self.ledger.change(changes)?;
        } else {
            let part =
                OpenFile { file: rest.reopen().map_err(Problem::new)?, part: Some(0..bytes) };
            let way = Way::Opened(Arc::new(part));
            match self.process(path, &output, (way, bytes), row.done_bytes > 0)? {
                Went::Written(length) => {
                    row.lost_bytes = 0;
                    changes.push(Change::Followed(Box::new(row.clone())));
                    self.commit(&output, length, changes)?;
                    self.ended.bytes += bytes;
                }
                Went::Failed(failure) => {
                    return self.leave(inode, path, version, failure.to_string());
                }
                Went::Again => return Ok(()),
                Went::Stopped(why) => {
                    self.pause.begin(&why, &**self.events);
                    return Ok(());
                }
            }
        }
        if is_gone {
            self.files.remove(&of);
        }
        self.files.insert(inode, done(row));
        Ok(())
    }

    /// Processes a compressed file that is nobody's rest.
    fn take_whole(
        &mut self,
        inode: Inode,
        path: &Path,
        version: &Version,
    ) -> Result<(), Interrupted> {
        let output = match self.output_of(path) {
            Ok(output) => output,
            Err(problem) => return self.leave(inode, path, version, problem.text()),
        };
        let mut file = FollowedFile::new(self.job, inode, path);
        file.row.output = output.as_os_str().as_encoded_bytes().to_vec();
        file.row.stage = FollowStage::Ended;
        file.row.seen_bytes = version.bytes;
        if version.was_there(self.existing.0, self.existing.1) {
            file.row.why = Some("was there before the watch was first begun".into());
            self.ledger.change(vec![Change::Followed(Box::new(file.row.clone()))])?;
            self.files.insert(inode, done(file.row));
            return Ok(());
        }
        match self.process(path, &output, (Way::File, version.bytes), false)? {
            Went::Written(length) => {
                file.row.why = Some("is compressed, and was processed as a whole".into());
                let mut changes = Vec::from_iter(self.put_aside(inode));
                changes.push(Change::Followed(Box::new(file.row.clone())));
                self.commit(&output, length, changes)?;
                self.ended.bytes += version.bytes;
                self.files.insert(inode, done(file.row));
            }
            Went::Failed(failure) => {
                return self.leave(inode, path, version, failure.to_string());
            }
            Went::Again => {}
            Went::Stopped(why) => self.pause.begin(&why, &**self.events),
        }
        Ok(())
    }
}

impl Follow<'_> {
    /// A compressed file cannot be processed.
    fn leave(
        &mut self,
        inode: Inode,
        path: &Path,
        version: &Version,
        why: String,
    ) -> Result<(), Interrupted> {
        self.note(path, &format!("{why}: it is left"));
        let mut file = FollowedFile::new(self.job, inode, path);
        (file.row.stage, file.row.seen_bytes) = (FollowStage::Failed, version.bytes);
        file.row.why = Some(why);
        self.ended.failed += 1;
        let mut changes = Vec::from_iter(self.put_aside(inode));
        changes.push(Change::Followed(Box::new(file.row.clone())));
        self.ledger.change(changes)?;
        self.files.insert(inode, done(file.row));
        Ok(())
    }
}

/// A file of which nothing more is expected.
fn done(row: crate::ledger::Followed) -> FollowedFile {
    let mut file = FollowedFile::known(row);
    (file.is_gone, file.role) = (false, Role::Own);
    file
}
